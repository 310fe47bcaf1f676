//! Bars side by side: a histogram.

use super::axis::Plot;
use super::scale::Scale;
use super::svg::Canvas;
use super::{Axis, Caption, Mark, Size, text_width};

/// The height of the second line.
const SECOND: f64 = 15.0;

/// A histogram. Its horizontal scale must cover all bars.
#[derive(Clone, Debug)]
pub struct BarChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Its height.
    pub height: f64,
    /// The horizontal axis.
    pub x: Axis,
    /// What else a tick of the horizontal axis means, in a second line below its label.
    pub second: fn(f64) -> String,
    /// What the heights measure.
    pub y_label: String,
    /// The bars from left to right.
    pub bars: Vec<Bar>,
    /// Vertical lines with a word.
    pub marks: Vec<Mark>,
}

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its height.
    pub height: f64,
    /// Its classes.
    pub class: String,
    /// What shows on hover.
    pub title: String,
}

impl BarChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let highest = self.bars.iter().map(|bar| bar.height).fold(0.0, f64::max);
        let top = 36.0;
        let ticks = ((self.height - top) / 40.0) as usize;
        let scale = Scale::linear(0.0, highest.max(f64::MIN_POSITIVE)).nice(ticks);
        let y_ticks = scale.ticks(ticks);
        let mut plot = Plot::new(self.size, self.height, top, &y_ticks, 14.0);
        plot.below += SECOND;
        plot.bottom -= SECOND;
        let (x, y) = (self.x.scale.onto(plot.left, plot.right), scale.onto(plot.bottom, plot.top));
        let mut canvas = Canvas::new(&self.caption, self.size, self.height, "bars", &[]);
        plot.draw_y(&mut canvas, &self.y_label, &y, &y_ticks);
        for bar in &self.bars {
            let (from, to, high) = (x.at(bar.from), x.at(bar.to), y.at(bar.height));
            let gap = if to - from > 4.0 { 1.0 } else { 0.0 };
            canvas.rect((from, high), to - from - gap, plot.bottom - high, &bar.class, &bar.title);
        }
        let x_ticks = x.ticks(plot.ticks_across());
        plot.draw_x(&mut canvas, &self.x.label, &x, &x_ticks);
        for tick in x_ticks.iter().filter(|tick| x.holds(tick.value)) {
            let at = (x.at(tick.value), plot.bottom + 30.0);
            canvas.text(at, "middle", "second", &(self.second)(tick.value));
        }
        let mut previous = f64::NEG_INFINITY;
        let mut line = 0.0;
        for (place, mark) in self.marks.iter().filter_map(|mark| Some((x.at(mark.x?), mark))) {
            // two marks close together have their words one below the other
            line = if place - previous < 90.0 { line + 14.0 } else { 0.0 };
            previous = place;
            canvas.line((place, plot.top - 4.0), (place, plot.bottom), "mark");
            let fits = place + 5.0 + text_width(&mark.label) < self.size.width();
            let (x, anchor) = if fits { (place + 5.0, "start") } else { (place - 5.0, "end") };
            canvas.text((x, plot.top + 5.0 + line), anchor, "mark-label", &mark.label);
        }
        canvas.finish()
    }
}
