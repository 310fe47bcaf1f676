//! The coordinates of a keypoint over time, one panel below the other, with gaps shaded.

use super::axis::Plot;
use super::line::{LEGEND_LINE, Line, draw_legend, legend_lines};
use super::scale::Scale;
use super::svg::{Canvas, polyline};
use super::{Caption, Size, text_width};

/// The height of a panel and the room above each.
const PANEL: f64 = 92.0;
const ABOVE: f64 = 14.0;
const BELOW: f64 = 38.0;

/// Panels that share their horizontal axis.
#[derive(Clone, Debug)]
pub struct TrackChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// What the horizontal axis is.
    pub x_label: String,
    /// Its ends.
    pub x: (f64, f64),
    /// Stretches that are shaded.
    pub gaps: Vec<(f64, f64)>,
    /// The panels from top to bottom.
    pub panels: Vec<Panel>,
}

/// One coordinate.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it is called.
    pub label: String,
    /// The lines, the uppermost last.
    pub lines: Vec<TrackLine>,
    /// Dots, such as what was given.
    pub dots: Vec<(f64, f64)>,
}

/// A line of a panel.
#[derive(Clone, Debug)]
pub struct TrackLine {
    /// What it is called.
    pub label: String,
    /// Its classes.
    pub class: String,
    /// Its points in order.
    pub points: Vec<(f64, f64)>,
}

impl TrackChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let names = self.panels.first().map(|panel| panel.lines.as_slice()).unwrap_or_default();
        let named: Vec<Line> = names.iter().map(named).collect();
        let named: Vec<&Line> = named.iter().collect();
        let legend = legend_lines(&named, self.size.width());
        let top = LEGEND_LINE * legend.len() as f64 + 6.0;
        let height = top + (PANEL + ABOVE) * self.panels.len() as f64 + BELOW;
        let mut canvas = Canvas::new(&self.caption, self.size, height, "tracks", &[]);
        draw_legend(&mut canvas, &legend, self.size.width());
        let scales: Vec<Scale> = self.panels.iter().map(|panel| scale_of(panel).nice(3)).collect();
        let labels = scales.iter().flat_map(|scale| scale.ticks(3)).map(|tick| text_width(&tick.label));
        let left = labels.fold(0.0, f64::max) + 34.0;
        let right = self.size.width() - 8.0;
        let x = Scale::linear(self.x.0, self.x.1).onto(left, right);
        for (i, (panel, scale)) in self.panels.iter().zip(&scales).enumerate() {
            let from = top + (PANEL + ABOVE) * i as f64 + ABOVE;
            let y = scale.onto(from + PANEL, from);
            for (start, end) in &self.gaps {
                canvas.rect((x.at(*start), from), x.at(*end) - x.at(*start), PANEL, "hidden", "");
            }
            for tick in scale.ticks(3).iter().filter(|tick| scale.holds(tick.value)) {
                canvas.line((left, y.at(tick.value)), (right, y.at(tick.value)), "grid");
                canvas.text((left - 7.0, y.at(tick.value) + 3.5), "end", "tick", &tick.label);
            }
            canvas.text((0.0, from + PANEL / 2.0 + 4.0), "start", "row-label", &panel.label);
            for line in &panel.lines {
                let points = line.points.iter().map(|(t, value)| (x.at(*t), y.at(*value)));
                canvas.path(&polyline(points), &format!("line {}", line.class), &[]);
            }
            for (t, value) in &panel.dots {
                canvas.circle((x.at(*t), y.at(*value)), 2.2, "seen-dot", "");
            }
        }
        let bottom = height - BELOW;
        let across = Plot { left, top, right, bottom, below: 32.0 };
        across.draw_x(&mut canvas, &self.x_label, &x, &x.ticks(across.ticks_across()));
        canvas.finish()
    }
}

fn scale_of(panel: &Panel) -> Scale {
    let values = panel.lines.iter().flat_map(|line| line.points.iter().map(|p| p.1));
    let values = values.chain(panel.dots.iter().map(|p| p.1));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low <= high { Scale::linear(low, high) } else { Scale::linear(0.0, 1.0) }
}

fn named(line: &TrackLine) -> Line {
    Line { label: line.label.clone(), class: line.class.clone(), points: Vec::new(), dots: false, path: String::new() }
}
