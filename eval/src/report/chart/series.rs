//! Several series over a few categories in order.

use super::axis::Plot;
use super::line::{LEGEND_LINE, Line, draw_legend, legend_lines};
use super::scale::Scale;
use super::svg::{Canvas, polyline};
use super::{Caption, Size};

/// The height of the second line below the categories.
const SECOND: f64 = 15.0;

/// Lines with dots, a legend above.
#[derive(Clone, Debug)]
pub struct SeriesChart {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Its height without the legend.
    pub height: f64,
    /// What the categories are.
    pub x_label: String,
    /// What the values are.
    pub y_label: String,
    /// The scale of the values.
    pub y: Scale,
    /// What stands below each category, and below that.
    pub categories: Vec<(String, String)>,
    /// The series.
    pub series: Vec<CategorySeries>,
}

/// A series.
#[derive(Clone, Debug)]
pub struct CategorySeries {
    /// What it is called.
    pub label: String,
    /// Its classes.
    pub class: String,
    /// Its value in each category, where it has one, with what shows on hover.
    pub values: Vec<Option<(f64, String)>>,
}

impl SeriesChart {
    /// The chart as SVG.
    pub fn draw(&self) -> String {
        let named: Vec<Line> = self.series.iter().map(named).collect();
        let named: Vec<&Line> = named.iter().collect();
        let legend = legend_lines(&named, self.size.width());
        let above = LEGEND_LINE * legend.len() as f64 + 8.0;
        let height = self.height + above;
        let y_ticks = self.y.ticks(((self.height - 36.0) / 40.0) as usize);
        let mut plot = Plot::new(self.size, height, 36.0 + above, &y_ticks, 14.0);
        plot.below += SECOND;
        plot.bottom -= SECOND;
        let y = self.y.onto(plot.bottom, plot.top);
        let step = plot.width() / self.categories.len().max(1) as f64;
        let x = |i: usize| plot.left + step * (i as f64 + 0.5);
        let mut canvas = Canvas::new(&self.caption, self.size, height, "series", &[]);
        draw_legend(&mut canvas, &legend, self.size.width());
        plot.draw_y(&mut canvas, &self.y_label, &y, &y_ticks);
        canvas.line((plot.left, plot.bottom), (plot.right, plot.bottom), "base");
        canvas.text((plot.right, plot.bottom + plot.below + 1.0), "end", "axis-label", &self.x_label);
        for (i, (label, second)) in self.categories.iter().enumerate() {
            canvas.text((x(i), plot.bottom + 16.0), "middle", "tick", label);
            canvas.text((x(i), plot.bottom + 30.0), "middle", "second", second);
        }
        for series in self.series.iter().rev() {
            let points = series.values.iter().enumerate().filter_map(|(i, value)| Some((i, value.as_ref()?)));
            let points: Vec<_> = points.map(|(i, (value, title))| ((x(i), y.at(*value)), title)).collect();
            canvas.path(&polyline(points.iter().map(|(at, _)| *at)), &format!("line {}", series.class), &[]);
            for (at, title) in points {
                canvas.circle(at, 3.6, &format!("dot {}", series.class), title);
            }
        }
        canvas.finish()
    }
}

fn named(series: &CategorySeries) -> Line {
    Line {
        label: series.label.clone(),
        class: series.class.clone(),
        points: Vec::new(),
        dots: false,
        path: String::new(),
    }
}
