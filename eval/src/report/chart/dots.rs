//! Dots with whiskers: values with their intervals.

use super::scale::Scale;
use super::svg::{Canvas, polyline};
use super::{Caption, Size, shortened, text_width};
use crate::score::Spread;

/// The height of a row where every row has an axis of its own.
const TALL: f64 = 64.0;
/// The height of a row where all share one.
const FLAT: f64 = 30.0;
/// The same where the label stands above the dot.
const FLAT_NARROW: f64 = 42.0;

/// Labels are set a little larger than ticks.
const LABEL: f64 = 13.0 / 12.0;

/// Values with their intervals, one row each.
#[derive(Clone, Debug)]
pub struct DotChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// The axis that all rows share; none where every row has its own.
    pub shared: Option<String>,
    /// The rows from top to bottom.
    pub rows: Vec<Dot>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Dot {
    /// What it is called.
    pub label: String,
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// The value as a text.
    pub shown: String,
    /// How the replicates are spread.
    pub spread: Option<Spread>,
    /// Its classes.
    pub class: String,
    /// Where it is in `report.json`.
    pub path: String,
}

impl DotChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        match &self.shared {
            Some(label) => self.draw_shared(label),
            None => self.draw_separate(),
        }
    }

    fn draw_separate(&self) -> String {
        let height = TALL * self.rows.len() as f64;
        let mut canvas = Canvas::new(&self.caption, self.size, height, "dots", &[]);
        let labels = self.label_width();
        let right = self.size.width() - 12.0;
        for (i, row) in self.rows.iter().enumerate() {
            let base = TALL * i as f64 + 38.0;
            let left = if self.size == Size::Narrow { 12.0 } else { labels + 20.0 };
            let label_y = if self.size == Size::Narrow { base - 26.0 } else { base - 8.0 };
            let (low, high) = reach(row);
            let ticks = ((right - left) / 90.0) as usize;
            let scale = Scale::linear(low, high).onto(left, right);
            canvas.group("row", &[("data-path", row.path.clone())], |canvas| {
                canvas.text((0.0, label_y), "start", "row-label", &row.label);
                canvas.line((left, base), (right, base), "base");
                for tick in scale.ticks(ticks) {
                    let x = scale.at(tick.value);
                    canvas.line((x, base), (x, base + 4.0), "base");
                    canvas.text((x, base + 16.0), "middle", "tick", &tick.label);
                }
                if let Some(spread) = &row.spread {
                    canvas.path(&hill(spread, &scale, base, 24.0), "hill", &[]);
                }
                draw_dot(canvas, row, &scale, base - 8.0);
            });
        }
        canvas.finish()
    }

    fn draw_shared(&self, label: &str) -> String {
        let below = 40.0;
        let narrow = self.size == Size::Narrow;
        let row_height = if narrow { FLAT_NARROW } else { FLAT };
        let height = row_height * self.rows.len() as f64 + below;
        let mut canvas = Canvas::new(&self.caption, self.size, height, "dots", &[]);
        let left = if narrow { 8.0 } else { self.label_width() + 16.0 };
        let shown = self.rows.iter().map(|row| text_width(&row.shown)).fold(0.0, f64::max);
        let right = self.size.width() - if narrow { 12.0 } else { shown + 18.0 };
        let ends = self.rows.iter().map(reach);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let ticks = ((right - left) / 80.0) as usize;
        let scale = Scale::linear(low, high).nice(ticks).onto(left, right);
        let bottom = row_height * self.rows.len() as f64;
        for tick in scale.ticks(ticks) {
            let x = scale.at(tick.value);
            canvas.line((x, 4.0), (x, bottom), "grid");
            canvas.text((x, bottom + 16.0), "middle", "tick", &tick.label);
        }
        canvas.line((left, bottom), (right, bottom), "base");
        canvas.text((right, bottom + 34.0), "end", "axis-label", label);
        for (i, row) in self.rows.iter().enumerate() {
            let y = row_height * (i as f64 + 0.5) + if narrow { 9.0 } else { 0.0 };
            canvas.group("row", &[("data-path", row.path.clone())], |canvas| {
                match narrow {
                    true => {
                        let room = (self.size.width() - left) / LABEL - text_width(&row.shown) - 12.0;
                        let label = format!("{}  {}", shortened(&row.label, room), row.shown);
                        canvas.text((left, y - 11.0), "start", &format!("row-label {}", row.class), &label);
                    }
                    false => {
                        let label = shortened(&row.label, self.label_width() / LABEL);
                        canvas.text((0.0, y + 4.0), "start", &format!("row-label {}", row.class), &label);
                        canvas.text((self.size.width(), y + 4.0), "end", "tick", &row.shown);
                    }
                }
                draw_dot(canvas, row, &scale, y);
            });
        }
        canvas.finish()
    }

    fn label_width(&self) -> f64 {
        let widest = self.rows.iter().map(|row| LABEL * text_width(&row.label)).fold(0.0, f64::max);
        widest.min(self.size.width() * 0.35)
    }
}

fn draw_dot(canvas: &mut Canvas, row: &Dot, scale: &Scale, y: f64) {
    if let Some((low, high)) = row.interval {
        let (low, high) = (scale.at(low), scale.at(high));
        canvas.line((low, y), (high, y), &format!("whisker {}", row.class));
        canvas.line((low, y - 4.0), (low, y + 4.0), &format!("whisker {}", row.class));
        canvas.line((high, y - 4.0), (high, y + 4.0), &format!("whisker {}", row.class));
    }
    canvas.circle((scale.at(row.value), y), 4.5, &format!("dot {}", row.class), &row.shown);
}

/// The values that a row needs on its axis: half as much again as its interval on each side.
fn reach(row: &Dot) -> (f64, f64) {
    let (low, high) = row.interval.unwrap_or((row.value, row.value));
    let (low, high) = match &row.spread {
        Some(spread) => (low.min(spread.from), high.max(spread.to)),
        None => (low, high),
    };
    let room = 0.15 * (high - low).max(0.02 * row.value.abs());
    (low - room, high + room)
}

/// The replicates as a hill on the axis.
fn hill(spread: &Spread, scale: &Scale, base: f64, height: f64) -> String {
    let most = spread.counts.iter().copied().max().unwrap_or(0).max(1);
    let width = (spread.to - spread.from) / spread.counts.len().max(1) as f64;
    let top = spread.counts.iter().enumerate().map(|(i, count)| {
        let x = spread.from + (i as f64 + 0.5) * width;
        (scale.at(x), base - height * f64::from(*count) / f64::from(most))
    });
    let start = std::iter::once((scale.at(spread.from), base));
    let end = std::iter::once((scale.at(spread.to), base));
    polyline(start.chain(top).chain(end)) + "Z"
}
