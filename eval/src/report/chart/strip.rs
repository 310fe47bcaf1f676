//! A heat strip: one row of cells, hot where a value is high.

use super::svg::Canvas;
use super::{Caption, Size};

/// A row of cells.
#[derive(Clone, Debug)]
pub struct StripChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// The height of the cells.
    pub height: f64,
    /// The cells from left to right.
    pub cells: Vec<Cell>,
    /// What stands below the left end.
    pub start: String,
    /// What stands below the middle.
    pub middle: String,
    /// What stands below the right end.
    pub end: String,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// How hot it is, from 0 to 1.
    pub heat: f64,
    /// What shows on hover.
    pub title: String,
}

impl StripChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        // a narrow picture has no room for three texts in one line
        let (middle, line) = if self.size == Size::Narrow { (0.0, 16.0) } else { (self.size.width() / 2.0, 0.0) };
        let height = self.height + 20.0 + line;
        let below = self.height + 15.0;
        let mut canvas = Canvas::new(&self.caption, self.size, height, "strip", &[]);
        let width = self.size.width() / self.cells.len().max(1) as f64;
        for (i, cell) in self.cells.iter().enumerate() {
            let level = (cell.heat.clamp(0.0, 1.0) * 9.0).round();
            // a hair wider than its place, or the page would show through between two cells
            canvas.rect((i as f64 * width, 0.0), width + 0.3, self.height, &format!("h{level}"), &cell.title);
        }
        canvas.text((0.0, below), "start", "tick", &self.start);
        canvas.text((self.size.width(), below), "end", "tick", &self.end);
        let anchor = if line > 0.0 { "start" } else { "middle" };
        canvas.text((middle, below + line), anchor, "tick", &self.middle);
        canvas.finish()
    }
}
