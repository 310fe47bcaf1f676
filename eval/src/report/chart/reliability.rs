//! A reliability diagram: how often the model is right when it is this sure.

use super::axis::Plot;
use super::scale::Scale;
use super::svg::Canvas;
use super::{Caption, Size};

/// The height of the histogram below the diagram.
const HISTOGRAM: f64 = 64.0;
/// The room between the two.
const BETWEEN: f64 = 30.0;

/// Accuracy by confidence, and how many images have which confidence.
#[derive(Clone, Debug)]
pub struct ReliabilityDiagram {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// The height of the whole.
    pub height: f64,
    /// The bins from left to right.
    pub bins: Vec<ReliabilityBin>,
}

/// The images of a bin. All but `count` are shares from 0 to 1.
#[derive(Clone, Debug)]
pub struct ReliabilityBin {
    /// The lower edge.
    pub from: f64,
    /// The upper edge.
    pub to: f64,
    /// Images.
    pub count: u64,
    /// Mean confidence, accuracy, and the ends of its interval; none of an empty bin.
    pub values: Option<(f64, f64, f64, f64)>,
    /// What shows on hover.
    pub title: String,
    /// Where it is in `report.json`.
    pub path: String,
}

impl ReliabilityDiagram {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let y = Scale::linear(0.0, 100.0);
        let ticks = y.ticks(5);
        let upper = Plot::new(self.size, self.height - HISTOGRAM - BETWEEN, 36.0, &ticks, 14.0);
        let (top, bottom) = (upper.bottom + BETWEEN + 14.0, upper.bottom + BETWEEN + 14.0 + HISTOGRAM);
        let lower = Plot { top, bottom, below: 32.0, ..upper };
        let x = Scale::linear(0.0, 100.0).onto(upper.left, upper.right);
        let y = y.onto(upper.bottom, upper.top);
        let mut canvas = Canvas::new(&self.caption, self.size, bottom + 38.0, "reliability", &[]);
        upper.draw_y(&mut canvas, "% of the images that are right", &y, &ticks);
        canvas.line((upper.left, upper.bottom), (upper.right, upper.bottom), "base");
        for bin in self.bins.iter().filter(|bin| bin.to > bin.from) {
            let Some((confidence, accuracy, ..)) = bin.values else { continue };
            let (from, to) = (x.at(100.0 * bin.from), x.at(100.0 * bin.to));
            let (high, low) = (y.at(100.0 * accuracy), y.at(100.0 * confidence));
            let (ceiling, floor) = (high.min(low), high.max(low));
            let gap = if confidence > accuracy { "gap over" } else { "gap under" };
            canvas.rect((from + 0.5, floor), to - from - 1.0, upper.bottom - floor, "accuracy", &bin.title);
            canvas.rect((from + 0.5, ceiling), to - from - 1.0, floor - ceiling, gap, &bin.title);
        }
        canvas.line((x.at(0.0), y.at(0.0)), (x.at(100.0), y.at(100.0)), "mark");
        for bin in &self.bins {
            let Some((confidence, accuracy, low, high)) = bin.values else { continue };
            let at = x.at(100.0 * confidence);
            canvas.group("row", &[("data-path", bin.path.clone())], |canvas| {
                canvas.line((at, y.at(100.0 * low)), (at, y.at(100.0 * high)), "whisker s0");
                canvas.circle((at, y.at(100.0 * accuracy)), 3.6, "dot s0", &bin.title);
            });
        }
        self.draw_histogram(&mut canvas, &lower, &x);
        canvas.finish()
    }

    fn draw_histogram(&self, canvas: &mut Canvas, plot: &Plot, x: &Scale) {
        let all = self.bins.iter().map(|bin| bin.count).sum::<u64>().max(1) as f64;
        let most = self.bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1) as f64;
        let y = Scale::linear(0.0, 100.0 * most / all).onto(plot.bottom, plot.top);
        let ticks = y.ticks(2);
        plot.draw_y(canvas, "% of the images", &y, &ticks);
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            // exactly 1 has no width of its own
            let (from, to) = (x.at(100.0 * bin.from), x.at(100.0 * bin.to).max(x.at(100.0 * bin.from) + 4.0));
            let high = y.at(100.0 * bin.count as f64 / all);
            canvas.rect((from + 0.5, high), to - from - 1.0, plot.bottom - high, "bar s7", &bin.title);
        }
        plot.draw_x(canvas, "confidence, %", x, &x.ticks(plot.ticks_across()));
    }
}
