//! Which shape a patch of the picture shows.

use std::ops::RangeInclusive;

use crate::world::Shape;
use crate::world::render::Outline;
use crate::world::scene::SUBPIXELS;

/// An image patch with how much of each pixel belongs to the object.
pub(super) struct Patch {
    pub(super) columns: RangeInclusive<usize>,
    pub(super) rows: RangeInclusive<usize>,
    /// Row by row; 0 is background and 1 the object's colour.
    pub(super) alpha: Vec<f32>,
}

/// What a patch looks most like.
pub(super) struct Likeness {
    pub(super) shape: Shape,
    /// The share of the patch's energy that the shape explains, from 0 to 1.
    pub(super) fit: f32,
    /// Centre of the bounding box, in pixels.
    pub(super) x: f32,
    pub(super) y: f32,
    /// In pixels.
    pub(super) area: f32,
}

impl Patch {
    /// The shape that explains the patch best, or `None` for an empty patch.
    pub(super) fn recognise(&self) -> Option<Likeness> {
        let (area, x, y) = self.moments()?;
        let (shape, fit) = self.best_shape(area, x, y)?;
        let y = y - fall(shape) * half_side(shape, area);
        Some(Likeness { shape, fit, x, y, area })
    }

    /// Area and centre of mass, or `None` when nothing is there.
    fn moments(&self) -> Option<(f32, f32, f32)> {
        let (mut area, mut x, mut y) = (0.0, 0.0, 0.0);
        for ((row, column), &alpha) in self.places().zip(&self.alpha) {
            area += alpha;
            x += alpha * (column as f32 + 0.5);
            y += alpha * (row as f32 + 0.5);
        }
        (area > 0.0).then(|| (area, x / area, y / area))
    }

    /// The shape that explains the patch best, and how well it does, from 0 to 1.
    ///
    /// Blur and faded colours change the area that is measured, so templates of some more and some
    /// less area are tried too, each of them sharp, blurred and more blurred.
    fn best_shape(&self, area: f32, x: f32, y: f32) -> Option<(Shape, f32)> {
        const SCALES: [f32; 5] = [0.84, 0.92, 1.0, 1.08, 1.16];
        let fits = Shape::ALL.into_iter().flat_map(|shape| {
            let half = half_side(shape, area);
            SCALES.map(|scale| {
                let template = self.template(shape, x, y, half * scale);
                let blurred = self.blurred(&template);
                let blurrier = self.blurred(&blurred);
                let fits = [&template, &blurred, &blurrier].map(|t| self.explained(t));
                (shape, fits.into_iter().fold(0.0, f32::max))
            })
        });
        fits.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The covered part of each pixel for a shape with its centre of mass at `x` and `y`.
    fn template(&self, shape: Shape, x: f32, y: f32, half: f32) -> Vec<f32> {
        let units = |length: f32| (length * SUBPIXELS as f32).round() as i32;
        let y = y - fall(shape) * half;
        let outline = Outline { shape, x: units(x), y: units(y), half: units(half) };
        // The edge is a smaller part of a larger object and need not be measured as finely.
        let samples = if self.alpha.len() < 20 * 20 { 4 } else { 2 };
        self.places().map(|(row, column)| outline.coverage(column as i32, row as i32, samples) as f32).collect()
    }

    /// A template after the kernel 1 2 1 along both axes.
    fn blurred(&self, template: &[f32]) -> Vec<f32> {
        let width = self.columns.clone().count();
        let across = smooth(template, 1, |at| at % width > 0, |at| at % width + 1 < width);
        smooth(&across, width, |at| at >= width, |at| at + width < template.len())
    }

    /// The share of the patch's energy that a multiple of the template explains: their squared
    /// cosine.
    fn explained(&self, template: &[f32]) -> f32 {
        let (mut common, mut own, mut other) = (0.0, 0.0, 0.0);
        for (alpha, value) in self.alpha.iter().zip(template) {
            common += alpha * value;
            own += alpha * alpha;
            other += value * value;
        }
        if own * other > 0.0 { common * common / (own * other) } else { 0.0 }
    }

    /// Row and column of each pixel, in the order of `alpha`.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns.clone();
        self.rows.clone().flat_map(move |row| columns.clone().map(move |column| (row, column)))
    }
}

/// The mean of each value (twice) and those `step` before and after it, where there are any.
fn smooth(
    values: &[f32],
    step: usize,
    has_before: impl Fn(usize) -> bool,
    has_after: impl Fn(usize) -> bool,
) -> Vec<f32> {
    let mean = |(at, &value): (usize, &f32)| {
        let before = if has_before(at) { values[at - step] } else { 0.0 };
        let after = if has_after(at) { values[at + step] } else { 0.0 };
        0.25 * (before + after) + 0.5 * value
    };
    values.iter().enumerate().map(mean).collect()
}

/// Half the side of the bounding box of a shape with `area`.
pub(super) fn half_side(shape: Shape, area: f32) -> f32 {
    let of_unit = match shape {
        Shape::Circle => std::f32::consts::PI,
        Shape::Square => 4.0,
        Shape::Triangle => 2.0,
        Shape::Cross => 20.0 / 9.0,
    };
    (area / of_unit).max(0.0).sqrt()
}

/// How far the centre of mass lies below the centre of the bounding box, in half sides.
const fn fall(shape: Shape) -> f32 {
    match shape {
        Shape::Triangle => 1.0 / 3.0,
        Shape::Circle | Shape::Square | Shape::Cross => 0.0,
    }
}
