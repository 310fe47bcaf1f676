//! Values with their intervals over a few categories in order.

use super::axis::Plot;
use super::scale::Scale;
use super::svg::{Canvas, polyline};
use super::{Caption, Mark, Size};

/// The height of the second line below the categories.
const SECOND: f64 = 15.0;

/// A dot with its whisker for each category, and a line through the dots.
#[derive(Clone, Debug)]
pub struct CategoryChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Its height.
    pub height: f64,
    /// What the categories are.
    pub x_label: String,
    /// What the values are.
    pub y_label: String,
    /// The scale of the values.
    pub y: Scale,
    /// The categories from left to right, at least one.
    pub categories: Vec<Category>,
    /// Horizontal lines with a word.
    pub marks: Vec<Mark>,
}

/// A category.
#[derive(Clone, Debug)]
pub struct Category {
    /// What stands below it.
    pub label: String,
    /// What stands below that, such as how many it holds.
    pub second: String,
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// What shows on hover.
    pub title: String,
    /// Where it is in `report.json`.
    pub path: String,
}

impl CategoryChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let y_ticks = self.y.ticks(((self.height - 36.0) / 40.0) as usize);
        let mut plot = Plot::new(self.size, self.height, 36.0, &y_ticks, 14.0);
        plot.below += SECOND;
        plot.bottom -= SECOND;
        let y = self.y.onto(plot.bottom, plot.top);
        let step = plot.width() / self.categories.len() as f64;
        let x = |i: usize| plot.left + step * (i as f64 + 0.5);
        let mut canvas = Canvas::new(&self.caption, self.size, self.height, "categories", &[]);
        plot.draw_y(&mut canvas, &self.y_label, &y, &y_ticks);
        canvas.line((plot.left, plot.bottom), (plot.right, plot.bottom), "base");
        canvas.text((plot.right, plot.bottom + plot.below + 1.0), "end", "axis-label", &self.x_label);
        for mark in &self.marks {
            let at = mark.y.map(|value| y.at(value)).unwrap_or(plot.bottom);
            canvas.line((plot.left, at), (plot.right, at), "mark");
            canvas.text((plot.right - 4.0, at - 5.0), "end", "mark-label", &mark.label);
        }
        let points = self.categories.iter().enumerate().map(|(i, category)| (x(i), y.at(category.value)));
        canvas.path(&polyline(points), "line faint s0", &[]);
        for (i, category) in self.categories.iter().enumerate() {
            canvas.group("row", &[("data-path", category.path.clone())], |canvas| {
                if let Some((low, high)) = category.interval {
                    let (low, high) = (y.at(low), y.at(high));
                    canvas.line((x(i), low), (x(i), high), "whisker s0");
                    canvas.line((x(i) - 4.0, low), (x(i) + 4.0, low), "whisker s0");
                    canvas.line((x(i) - 4.0, high), (x(i) + 4.0, high), "whisker s0");
                }
                let class = if category.interval.is_some() { "dot s0" } else { "dot s7" };
                canvas.circle((x(i), y.at(category.value)), 4.5, class, &category.title);
                canvas.text((x(i), plot.bottom + 16.0), "middle", "tick", &category.label);
                canvas.text((x(i), plot.bottom + 30.0), "middle", "second", &category.second);
            });
        }
        canvas.finish()
    }
}
