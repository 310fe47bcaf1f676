//! Dots over numbered columns: the heads of every layer.

use super::axis::Plot;
use super::scale::Scale;
use super::svg::Canvas;
use super::{Axis, Caption, Size};

/// A column of dots for each layer.
#[derive(Clone, Debug)]
pub struct ScatterChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Its height.
    pub height: f64,
    /// What the columns are.
    pub x_label: String,
    /// The vertical axis.
    pub y: Axis,
    /// The values of every column, from left to right.
    pub columns: Vec<Vec<f64>>,
    /// What shows on hover of a dot: its column and its place there, from 1, and its value.
    pub title: fn(usize, usize, f64) -> String,
    /// Where the columns are in `report.json`.
    pub path: String,
}

impl ScatterChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let ticks = self.y.scale.ticks(((self.height - 72.0) / 40.0) as usize);
        let plot = Plot::new(self.size, self.height, 36.0, &ticks, 14.0);
        let y = self.y.scale.onto(plot.bottom, plot.top);
        let step = plot.width() / self.columns.len().max(1) as f64;
        let x = |i: usize| plot.left + step * (i as f64 + 0.5);
        let mut canvas = Canvas::new(&self.caption, self.size, self.height, "scatter", &[]);
        plot.draw_y(&mut canvas, &self.y.label, &y, &ticks);
        canvas.line((plot.left, plot.bottom), (plot.right, plot.bottom), "base");
        canvas.text((plot.right, plot.bottom + plot.below), "end", "axis-label", &self.x_label);
        let every = (26.0 / step).ceil().max(1.0) as usize;
        for (i, values) in self.columns.iter().enumerate() {
            if i % every == 0 {
                canvas.text((x(i), plot.bottom + 16.0), "middle", "tick", &(i + 1).to_string());
            }
            canvas.group("row", &[("data-path", format!("{}/{i}", self.path))], |canvas| {
                for (j, value) in values.iter().enumerate() {
                    canvas.circle((x(i), y.at(*value)), 4.0, "dot through s0", &(self.title)(i + 1, j + 1, *value));
                }
            });
        }
        canvas.finish()
    }
}

/// A scale from 0 that holds all values.
pub fn from_zero(columns: &[Vec<f64>]) -> Scale {
    Scale::linear(0.0, columns.iter().flatten().copied().fold(0.0, f64::max)).nice(5)
}
