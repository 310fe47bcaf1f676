//! Horizontal bars with ticks to compare them with (Few's bullet graph).

use super::scale::Scale;
use super::svg::{Canvas, coordinate};
use super::{Caption, Size, shortened, text_width};

/// The height of a row.
const ROW: f64 = 21.0;
/// The thickness of a bar.
const BAR: f64 = 11.0;
/// Room for names, as a share of the width.
const NAMES: f64 = 0.26;
/// Names are set a little larger than ticks.
const LABEL: f64 = 13.0 / 12.0;

/// Bars from 0, one row each, with ticks.
#[derive(Clone, Debug)]
pub struct BulletChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// What is measured.
    pub x_label: String,
    /// The largest value that has a place; what is beyond is an arrow at the edge.
    pub most: f64,
    /// The rows from top to bottom.
    pub rows: Vec<Bullet>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Bullet {
    /// What it is called.
    pub label: String,
    /// The value.
    pub value: f64,
    /// The value as a text.
    pub shown: String,
    /// The classes of the bar.
    pub class: String,
    /// What it is compared with.
    pub ticks: Vec<Tick>,
    /// What shows on hover.
    pub title: String,
    /// Where it is in `report.json`.
    pub path: String,
}

/// A value that a bar is compared with.
#[derive(Clone, Debug)]
pub struct Tick {
    /// The value.
    pub value: f64,
    /// Its classes.
    pub class: String,
}

impl BulletChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let (top, below) = (4.0, 38.0);
        let bottom = top + ROW * self.rows.len() as f64;
        let mut canvas = Canvas::new(&self.caption, self.size, bottom + below, "bullets", &[]);
        let names = self.rows.iter().map(|row| LABEL * text_width(&row.label)).fold(0.0, f64::max);
        let left = names.min(NAMES * self.size.width()) + 10.0;
        let shown = self.rows.iter().map(|row| text_width(&row.shown)).fold(0.0, f64::max);
        let right = self.size.width() - shown - 22.0;
        let ticks = ((right - left) / 80.0).max(2.0) as usize;
        let scale = Scale::linear(0.0, self.most.max(f64::MIN_POSITIVE)).onto(left, right);
        for tick in scale.ticks(ticks) {
            let x = scale.at(tick.value);
            canvas.line((x, top), (x, bottom), "grid");
            canvas.text((x, bottom + 15.0), "middle", "tick", &tick.label);
        }
        canvas.line((left, top), (left, bottom), "base");
        canvas.text((right, bottom + 33.0), "end", "axis-label", &self.x_label);
        for (i, row) in self.rows.iter().enumerate() {
            let y = top + ROW * (i as f64 + 0.5);
            canvas.group("row", &[("data-path", row.path.clone())], |canvas| {
                canvas.text((left - 8.0, y + 4.0), "end", "row-label", &shortened(&row.label, (left - 8.0) / LABEL));
                let end = scale.at(row.value.min(self.most));
                canvas.rect((left, y - BAR / 2.0), end - left, BAR, &format!("bullet {}", row.class), &row.title);
                for tick in &row.ticks {
                    draw_tick(canvas, tick, &scale, self.most, y);
                }
                canvas.text((self.size.width(), y + 4.0), "end", "tick", &row.shown);
            });
        }
        canvas.finish()
    }
}

fn draw_tick(canvas: &mut Canvas, tick: &Tick, scale: &Scale, most: f64, y: f64) {
    let class = format!("against {}", tick.class);
    if tick.value <= most {
        let x = scale.at(tick.value);
        return canvas.line((x, y - 8.0), (x, y + 8.0), &class);
    }
    let x = scale.at(most) + 4.0;
    let (x, tip, high, low) = (coordinate(x), coordinate(x + 5.0), coordinate(y - 4.0), coordinate(y + 4.0));
    canvas.path(&format!("M{x} {high}L{tip} {}L{x} {low}z", coordinate(y)), &format!("beyond {}", tick.class), &[]);
}
