//! A confusion matrix as a square for each pair of classes.

use super::raster::{Raster, diverging};
use super::svg::Canvas;
use super::{Caption, Size, shortened, text_width};
use crate::number::percent;

/// Room for the names of the classes, at most.
const LONGEST: f64 = 110.0;
const LONGEST_NARROW: f64 = 74.0;
/// The side of a square, at most.
const LARGEST: f64 = 46.0;
/// Squares smaller than this have no number in them.
const READABLE: f64 = 22.0;
/// The side of a matrix of so many classes that it is a picture of pixels.
const COMPACT: u16 = 460;

/// A confusion matrix; rows are the true classes.
#[derive(Clone, Debug)]
pub struct ConfusionMatrix<'a> {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// The names of the classes.
    pub classes: &'a [String],
    /// Images by true class and prediction.
    pub counts: &'a [Vec<u64>],
    /// Where it is in `report.json`.
    pub path: String,
}

impl ConfusionMatrix<'_> {
    /// The chart as SVG: the colour and the number of a square are its share of the row.
    pub fn draw(&self) -> String {
        let narrow = self.size == Size::Narrow;
        let longest = if narrow { LONGEST_NARROW } else { LONGEST };
        let widest = self.classes.iter().map(|name| text_width(name)).fold(0.0, f64::max).min(longest);
        let (left, top) = (widest + 24.0, widest + 26.0);
        let n = self.classes.len().max(1) as f64;
        let side = ((self.size.width() - left - 2.0) / n).min(LARGEST);
        let height = top + side * n + 4.0;
        let mut canvas =
            Canvas::new(&self.caption, self.size, height, "confusion", &[("data-path", self.path.clone())]);
        let place = |i: usize| side * i as f64;
        canvas.text((left, 10.0), "start", "axis-label", "what the model says →");
        canvas.turned_text((10.0, top + (side * n).min(80.0)), -90.0, "true class →");
        for (i, name) in self.classes.iter().enumerate() {
            let name = shortened(name, longest);
            canvas.text((left - 6.0, top + place(i) + side / 2.0 + 4.0), "end", "tick", &name);
            canvas.turned_text((left + place(i) + side / 2.0 + 4.0, top - 6.0), -90.0, &name);
        }
        for (i, row) in self.counts.iter().enumerate() {
            let all: u64 = row.iter().sum();
            for (j, count) in row.iter().enumerate() {
                let share = *count as f64 / all.max(1) as f64;
                let kind = if i == j { "right" } else { "wrong" };
                let title =
                    format!("{} taken for {}: {count} of {all} ({})", self.classes[i], self.classes[j], percent(share));
                let at = (left + place(j) + 0.5, top + place(i) + 0.5);
                canvas.rect(at, side - 1.0, side - 1.0, &format!("{kind} h{}", level(share)), &title);
                let text = whole_percent(share);
                if side >= READABLE && !text.is_empty() {
                    let at = (at.0 + side / 2.0 - 0.5, at.1 + side / 2.0 + 3.5);
                    canvas.text(at, "middle", "share", &text);
                }
            }
        }
        canvas.finish()
    }
}

/// The class of a share: small ones are already seen.
fn level(share: f64) -> usize {
    if share == 0.0 { 0 } else { (share.sqrt() * 9.0).round().clamp(1.0, 9.0) as usize }
}

/// A share in whole per cent, empty where that is nothing.
fn whole_percent(share: f64) -> String {
    match (100.0 * share).round() as u64 {
        0 => String::new(),
        n => n.to_string(),
    }
}

/// The same of many classes: a pixel for each pair.
#[derive(Clone, Debug)]
pub struct CompactConfusion {
    /// What it is called.
    pub caption: Caption,
    /// Classes.
    pub classes: usize,
    /// True class, prediction, and the share of the images of the true class.
    pub shares: Vec<(usize, usize, f64)>,
    /// Where it is in `report.json`.
    pub path: String,
}

impl CompactConfusion {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        // three pixels for a class where there is room, so that single ones are seen
        let scale = if self.classes <= 200 { 1 } else { self.classes.div_ceil(400).max(1) };
        let side = self.classes.div_ceil(scale).max(1);
        let mut sums = vec![0.0_f64; side * side];
        for (truth, prediction, share) in &self.shares {
            let at = &mut sums[truth / scale * side + prediction / scale];
            *at = at.max(*share);
        }
        let mut raster = Raster::clear(side, side);
        raster.fill(|x, y| {
            let value = sums[y * side + x].sqrt();
            diverging(if x == y { -value } else { value })
        });
        let size = Size::Own(COMPACT);
        let width = size.width();
        let (left, top) = (16.0, 16.0);
        let mut canvas = Canvas::new(&self.caption, size, width, "confusion", &[("data-path", self.path.clone())]);
        canvas.text((left, 10.0), "start", "axis-label", "what the model says →");
        canvas.turned_text((10.0, top + 80.0), -90.0, "true class →");
        let room = width - left - 1.0;
        canvas.rect((left, top), room, room, "ground", "");
        canvas.image(&raster.address(), (left, top), room, room, "pixels");
        canvas.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caption() -> Caption {
        Caption { id: "a".to_owned(), title: "t".to_owned(), description: "d".to_owned() }
    }

    #[test]
    fn every_pair_has_a_square_with_its_share_of_the_row() {
        let classes = ["cat", "dog"].map(String::from);
        let counts = vec![vec![3, 1], vec![0, 0]];
        let draw = |size| {
            let path = "/x".to_owned();
            ConfusionMatrix { caption: caption(), size, classes: &classes, counts: &counts, path }.draw()
        };
        let svg = draw(Size::Wide);
        assert_eq!(svg.matches("<rect").count(), 4);
        assert!(svg.contains("cat taken for dog: 1 of 4 (25.0") && svg.contains(">75</text>"));
        assert!(svg.contains("right h8") && svg.contains("wrong h5") && svg.contains("right h0"));
        assert!(draw(Size::Narrow).contains("viewBox=\"0 0 340 "));
    }

    #[test]
    fn many_classes_become_pixels() {
        let shares = vec![(0, 0, 1.0), (999, 3, 0.5)];
        let svg = CompactConfusion { caption: caption(), classes: 1000, shares, path: "/x".to_owned() }.draw();
        assert!(svg.contains("data:image/png;base64,") && svg.len() < 20_000);
    }
}
