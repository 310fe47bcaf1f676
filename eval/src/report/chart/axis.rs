//! The frame of a chart: axes, ticks and grid.

use super::scale::{Scale, Tick};
use super::svg::Canvas;
use super::{Size, text_width};

/// What an axis is called and how it divides.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it measures, such as `nats per token`.
    pub label: String,
    /// The scale of its values.
    pub scale: Scale,
}

/// Where the curves go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// How far below the plot the axis title stands.
    pub(super) below: f64,
}

/// The height of the tick labels and the axis title below a plot.
pub(super) const BELOW: f64 = 36.0;
/// Where the axis title stands in that room.
const TITLE: f64 = 32.0;

impl Plot {
    /// A plot in a picture of this size, with room for the labels of the y axis on the left and
    /// `right` units beside it.
    pub(super) fn new(size: Size, height: f64, top: f64, y: &[Tick], right: f64) -> Self {
        let widest = y.iter().map(|tick| text_width(&tick.label)).fold(0.0, f64::max);
        Self { left: (widest + 10.0).max(26.0), top, right: size.width() - right, bottom: height - BELOW, below: TITLE }
    }

    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Draws the horizontal grid with its labels, and the axis title above it.
    pub(super) fn draw_y(&self, canvas: &mut Canvas, label: &str, scale: &Scale, ticks: &[Tick]) {
        for tick in ticks.iter().filter(|tick| scale.holds(tick.value)) {
            let y = scale.at(tick.value);
            canvas.line((self.left, y), (self.right, y), "grid");
            canvas.text((self.left - 7.0, y + 3.5), "end", "tick", &tick.label);
        }
        canvas.text((0.0, self.top - 18.0), "start", "axis-label", label);
    }

    /// Draws the base line with its ticks, and the axis title below it.
    pub(super) fn draw_x(&self, canvas: &mut Canvas, label: &str, scale: &Scale, ticks: &[Tick]) {
        canvas.line((self.left, self.bottom), (self.right, self.bottom), "base");
        for tick in ticks.iter().filter(|tick| scale.holds(tick.value)) {
            let x = scale.at(tick.value);
            canvas.line((x, self.bottom), (x, self.bottom + 4.0), "base");
            canvas.text((x, self.bottom + 16.0), "middle", "tick", &tick.label);
        }
        canvas.text((self.right, self.bottom + self.below), "end", "axis-label", label);
    }

    /// About how many ticks fit along the bottom.
    pub(super) fn ticks_across(&self) -> usize {
        ((self.width() / 80.0) as usize).max(2)
    }
}
