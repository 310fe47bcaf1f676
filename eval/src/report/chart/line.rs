//! Curves over one axis, with bands, marks and a read-out.

use super::axis::{Axis, Plot};
use super::svg::{Canvas, polyline};
use super::{Caption, Size, shortened, text_width};
use crate::number::significant;

/// Space between two labels at the ends of curves.
const LABEL_GAP: f64 = 14.0;
/// The height of a line of the legend.
pub(super) const LEGEND_LINE: f64 = 16.0;

/// Names are bold, which is wider.
const BOLD: f64 = 1.15;
/// Room for a name at the end of a curve, at most.
const WIDEST_NAME: f64 = 190.0;

/// A chart of curves.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Its height without a legend.
    pub height: f64,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What lies behind the curves.
    pub bands: Vec<Band>,
    /// The curves.
    pub lines: Vec<Line>,
    /// Vertical and horizontal lines with a word.
    pub marks: Vec<Mark>,
}

/// A curve.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called; empty for one that needs no name.
    pub label: String,
    /// Its classes: `s0` to `s7` are the colours of series.
    pub class: String,
    /// Its points in order.
    pub points: Vec<(f64, f64)>,
    /// Whether every point has a disc.
    pub dots: bool,
    /// Where its values are in `report.json`; with it the curve takes part in the read-out.
    pub path: String,
}

/// The room between two curves.
#[derive(Clone, Debug)]
pub struct Band {
    /// Its classes.
    pub class: String,
    /// Place, lower and upper end.
    pub points: Vec<(f64, f64, f64)>,
}

/// A line across the plot with a word.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The word.
    pub label: String,
    /// The place on the horizontal axis; the mark is a vertical line.
    pub x: Option<f64>,
    /// The place on the vertical axis; with `x` the mark is a ring as well.
    pub y: Option<f64>,
}

impl LineChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let named: Vec<&Line> = self.lines.iter().filter(|line| !line.label.is_empty()).collect();
        let in_legend = self.size != Size::Wide && named.len() > 1;
        let at_ends = self.size == Size::Wide && !named.is_empty();
        let legend = if in_legend { legend_lines(&named, self.size.width()) } else { Vec::new() };
        let top = 36.0 + LEGEND_LINE * legend.len() as f64;
        let height = self.height + LEGEND_LINE * legend.len() as f64;
        let beside = match at_ends {
            true => named.iter().map(|line| BOLD * text_width(&line.label)).fold(0.0, f64::max).min(WIDEST_NAME) + 16.0,
            false => 14.0,
        };
        let y_ticks = self.y.scale.ticks(((height - top) / 36.0) as usize);
        let plot = Plot::new(self.size, height, top, &y_ticks, beside);
        let (x, y) = (self.x.scale.onto(plot.left, plot.right), self.y.scale.onto(plot.bottom, plot.top));

        let data = [
            ("data-plot", format!("{},{},{},{}", plot.left, plot.top, plot.right, plot.bottom)),
            ("data-x", x.describe()),
            ("data-y", y.describe()),
            ("data-x-label", self.x.label.clone()),
        ];
        let mut canvas = Canvas::new(&self.caption, self.size, height, "lines", &data);
        draw_legend(&mut canvas, &legend, self.size.width());
        plot.draw_y(&mut canvas, &self.y.label, &y, &y_ticks);
        plot.draw_x(&mut canvas, &self.x.label, &x, &x.ticks(plot.ticks_across()));
        let place = |p: (f64, f64)| (x.at(p.0), y.at(p.1));
        for band in &self.bands {
            let there = band.points.iter().map(|p| place((p.0, p.2)));
            let back = band.points.iter().rev().map(|p| place((p.0, p.1)));
            canvas.path(&(polyline(there.chain(back)) + "Z"), &band.class, &[]);
        }
        for mark in &self.marks {
            self.draw_mark(&mut canvas, mark, &plot, place);
        }
        for line in &self.lines {
            draw_line(&mut canvas, line, place);
        }
        for mark in self.marks.iter().filter(|mark| mark.x.is_some()) {
            if let (Some(x), Some(y)) = (mark.x, mark.y) {
                canvas.circle(place((x, y)), 6.5, "ring", &mark.label);
            }
        }
        if at_ends {
            draw_labels(&mut canvas, &named, &plot, place);
        }
        canvas.finish()
    }

    fn draw_mark(&self, canvas: &mut Canvas, mark: &Mark, plot: &Plot, place: impl Fn((f64, f64)) -> (f64, f64)) {
        match (mark.x, mark.y) {
            (Some(x), _) => {
                let at = place((x, 0.0)).0;
                canvas.line((at, plot.top - 4.0), (at, plot.bottom), "mark");
                let anchor = if at > (plot.left + plot.right) / 2.0 { "end" } else { "start" };
                let shift = if anchor == "end" { -5.0 } else { 5.0 };
                canvas.text((at + shift, plot.top + 4.0), anchor, "mark-label", &mark.label);
            }
            (None, Some(y)) => {
                let at = place((0.0, y)).1;
                canvas.line((plot.left, at), (plot.right, at), "mark");
                canvas.text((plot.left + 6.0, at - 5.0), "start", "mark-label", &mark.label);
            }
            (None, None) => {}
        }
    }
}

fn draw_line(canvas: &mut Canvas, line: &Line, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let join =
        |values: Vec<f64>| values.iter().map(|v| significant(*v, 5).replace(',', "")).collect::<Vec<_>>().join(" ");
    let mut data = Vec::new();
    if !line.path.is_empty() {
        data.push(("data-path", line.path.clone()));
        data.push(("data-label", line.label.clone()));
        data.push(("data-xs", join(line.points.iter().map(|p| p.0).collect())));
        data.push(("data-ys", join(line.points.iter().map(|p| p.1).collect())));
    }
    let class = format!("line {}", line.class);
    canvas.path(&polyline(line.points.iter().map(|p| place(*p))), &class, &data);
    if line.dots {
        let class = format!("dot {}", line.class);
        for point in &line.points {
            let title = format!("{}: {}", significant(point.0, 5), significant(point.1, 4));
            canvas.circle(place(*point), 2.6, &class, &title);
        }
    }
}

/// Names at the ends of the curves, moved apart where they would lie on each other.
fn draw_labels(canvas: &mut Canvas, named: &[&Line], plot: &Plot, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let ends = named.iter().filter_map(|line| line.points.last().map(|p| (place(*p).1, *line)));
    let mut ends: Vec<(f64, &Line)> = ends.collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    for i in 1..ends.len() {
        ends[i].0 = ends[i].0.max(ends[i - 1].0 + LABEL_GAP);
    }
    let mut lowest = plot.bottom - 2.0;
    for (y, _) in ends.iter_mut().rev() {
        *y = y.min(lowest);
        lowest = *y - LABEL_GAP;
    }
    for (y, line) in ends {
        canvas.text(
            (plot.right + 13.0, y + 4.0),
            "start",
            &format!("name {}", line.class),
            &shortened(&line.label, WIDEST_NAME / BOLD),
        );
    }
}

/// The names in lines that fit.
pub(super) fn legend_lines<'a>(named: &[&'a Line], width: f64) -> Vec<Vec<(f64, &'a Line)>> {
    let mut lines: Vec<Vec<(f64, &Line)>> = vec![Vec::new()];
    let mut x = 0.0;
    for line in named {
        let wide = 36.0 + BOLD * text_width(&line.label);
        if x > 0.0 && x + wide > width {
            lines.push(Vec::new());
            x = 0.0;
        }
        if let Some(last) = lines.last_mut() {
            last.push((x, *line));
        }
        x += wide;
    }
    lines
}

pub(super) fn draw_legend(canvas: &mut Canvas, lines: &[Vec<(f64, &Line)>], width: f64) {
    for (i, entries) in lines.iter().enumerate() {
        let y = 10.0 + LEGEND_LINE * i as f64;
        for (x, line) in entries {
            canvas.line((*x, y - 3.5), (x + 14.0, y - 3.5), &format!("line {}", line.class));
            canvas.text(
                (x + 19.0, y),
                "start",
                &format!("name {}", line.class),
                &shortened(&line.label, (width - 24.0) / BOLD),
            );
        }
    }
}
