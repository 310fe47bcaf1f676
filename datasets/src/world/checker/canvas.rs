//! From pixels to connected components of one colour.

use std::ops::RangeInclusive;

use super::patch::Patch;
use crate::world::{Colour, Picture, Place};

/// A blob is an object when it covers this share of a cell of the grid. The smallest object of a
/// scene, a triangle, covers 15 %.
const MIN_AREA: f32 = 0.075;

/// An object with its margins is at most this many cells wide or high.
const MAX_SIDE: f32 = 2.0;

/// A pixel belongs to an object when it is at least so far from background to object colour.
const MIN_ALPHA: f32 = 0.45;

/// How many pixels around an object its edge may be smeared over.
const MARGIN: usize = 2;

/// A picture with its background taken away.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    /// Differences from the background, in 8-bit levels.
    pixels: Vec<[f32; 3]>,
    /// By [`Colour::index`].
    paints: [Paint; Colour::ALL.len()],
}

/// What a colour differs from the background by.
#[derive(Clone, Copy)]
struct Paint {
    /// Of length 1.
    direction: [f32; 3],
    /// In 8-bit levels.
    length: f32,
}

/// Connected pixels of one colour, by position in [`Canvas::pixels`].
struct Component {
    colour: Colour,
    pixels: Vec<usize>,
}

impl Canvas {
    /// `None` for a picture without pixels, or with fewer bytes than its size needs.
    pub(super) fn new(picture: &Picture) -> Option<Self> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let count = width.checked_mul(height).filter(|&count| count > 0)?;
        let rgb = picture.rgb.get(..count.checked_mul(3)?)?;
        // Objects cover much less than half of a picture, so the median is background.
        let ground: [f32; 3] = std::array::from_fn(|channel| {
            let mut values: Vec<u8> = rgb.iter().skip(channel).step_by(3).copied().collect();
            f32::from(*values.select_nth_unstable(count / 2).1)
        });
        let above = |rgb: [u8; 3]| std::array::from_fn(|i| f32::from(rgb[i]) - ground[i]);
        Some(Self {
            width,
            height,
            pixels: rgb.as_chunks().0.iter().map(|&pixel| above(pixel)).collect(),
            paints: Colour::ALL.map(|colour| {
                let difference = above(colour.rgb());
                let length = dot(difference, difference).sqrt().max(1.0);
                Paint { direction: difference.map(|value| value / length), length }
            }),
        })
    }

    /// How far a pixel is from the background to a colour: 0 to 1 on the way, 1 at the colour.
    fn alpha(&self, at: usize, colour: Colour) -> f32 {
        let paint = self.paints[colour.index()];
        dot(self.pixels[at], paint.direction) / paint.length
    }

    /// The colour in whose direction from the background a pixel lies; a half-covered pixel at an
    /// edge has the same direction as a full one. `None` for background.
    fn colour(&self, at: usize) -> Option<Colour> {
        let along = Colour::ALL.map(|colour| {
            let direction = self.paints[colour.index()].direction;
            (colour, dot(self.pixels[at], direction))
        });
        let (nearest, _) = along.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (self.alpha(at, nearest) >= MIN_ALPHA).then_some(nearest)
    }

    /// The place in whose cell a point lies, in pixels from the upper left corner.
    pub(super) fn place(&self, x: f32, y: f32) -> Option<Place> {
        let cell = |at: f32, side: usize| ((3.0 * at / side as f32) as usize).min(2);
        Place::at(cell(y, self.height), cell(x, self.width))
    }

    /// Everything that could be an object, each with its colour.
    pub(super) fn patches(&self) -> Vec<(Colour, Patch)> {
        let components = self.components();
        let mut owner = vec![None; self.pixels.len()];
        for (i, component) in components.iter().enumerate() {
            for &at in &component.pixels {
                owner[at] = Some(i);
            }
        }
        let patch = |(i, component): (usize, &Component)| Some((component.colour, self.patch(i, component, &owner)?));
        components.iter().enumerate().filter_map(patch).collect()
    }

    /// All components of one colour that are large enough to be an object. Pixels connect over
    /// their sides only: objects of one colour can come close at their corners.
    fn components(&self) -> Vec<Component> {
        let mut colours: Vec<Option<Colour>> = (0..self.pixels.len()).map(|at| self.colour(at)).collect();
        let cell = (self.width * self.height) as f32 / Place::ALL.len() as f32;
        let mut components = Vec::new();
        for start in 0..colours.len() {
            let Some(colour) = colours[start].take() else {
                continue;
            };
            let mut pixels = vec![start];
            let mut next = 0;
            while next < pixels.len() {
                for at in self.sides(pixels[next]) {
                    if colours[at] == Some(colour) {
                        colours[at] = None;
                        pixels.push(at);
                    }
                }
                next += 1;
            }
            if pixels.len() as f32 >= MIN_AREA * cell {
                components.push(Component { colour, pixels });
            }
        }
        components
    }

    /// The pixels above, below, left and right of one.
    fn sides(&self, at: usize) -> impl Iterator<Item = usize> {
        let (row, column) = (at / self.width, at % self.width);
        [
            (row > 0).then(|| at - self.width),
            (row + 1 < self.height).then(|| at + self.width),
            (column > 0).then(|| at - 1),
            (column + 1 < self.width).then(|| at + 1),
        ]
        .into_iter()
        .flatten()
    }

    /// Cuts a component out, with the half-covered pixels around it and without other objects.
    /// `None` when it is too wide or too high for an object.
    fn patch(&self, index: usize, component: &Component, owner: &[Option<usize>]) -> Option<Patch> {
        let columns = span(component.pixels.iter().map(|at| at % self.width), self.width);
        let rows = span(component.pixels.iter().map(|at| at / self.width), self.height);
        let too_long = |span: &RangeInclusive<usize>, side: usize| {
            (span.end() - span.start()) as f32 > MAX_SIDE * side as f32 / 3.0
        };
        if too_long(&columns, self.width) || too_long(&rows, self.height) {
            return None;
        }
        let mut alpha = Vec::new();
        for row in rows.clone() {
            for column in columns.clone() {
                let at = row * self.width + column;
                let own = self.belongs(row, column, index, owner);
                alpha.push(if own { self.alpha(at, component.colour) } else { 0.0 });
            }
        }
        Some(Patch { columns, rows, alpha })
    }

    /// Whether a pixel is in or near component `index`, and no nearer to another.
    fn belongs(&self, row: usize, column: usize, index: usize, owner: &[Option<usize>]) -> bool {
        let near = |middle: usize, side: usize| middle.saturating_sub(MARGIN)..=(middle + MARGIN).min(side - 1);
        let (mut own, mut other) = (usize::MAX, usize::MAX);
        for near_row in near(row, self.height) {
            for near_column in near(column, self.width) {
                if let Some(i) = owner[near_row * self.width + near_column] {
                    let distance = near_row.abs_diff(row).pow(2) + near_column.abs_diff(column).pow(2);
                    let nearest = if i == index { &mut own } else { &mut other };
                    *nearest = distance.min(*nearest);
                }
            }
        }
        own < usize::MAX && own <= other
    }
}

/// From the least to the greatest of `values`, and one more than [`MARGIN`] on either side within `0..side`.
fn span(values: impl Iterator<Item = usize> + Clone, side: usize) -> RangeInclusive<usize> {
    let least = values.clone().min().unwrap_or(0);
    let greatest = values.max().unwrap_or(0);
    least.saturating_sub(MARGIN + 1)..=(greatest + MARGIN + 1).min(side - 1)
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
