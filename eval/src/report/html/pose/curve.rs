//! The error of hidden keypoints over the steps of training, beside the simpler methods.

use crate::number::significant;
use crate::report::chart::{Axis, Line, LineChart, Mark, Size, in_both};
use crate::report::html::charts::{caption, loss_scale, steps_scale};
use crate::report::pose::{Poses, Stratum};
use crate::report::{Curves, Series};

/// Curves that are drawn, at most.
const MOST: usize = 6;

pub(in crate::report::html) fn hidden(curves: &Curves, poses: &Poses) -> Option<String> {
    let series: Vec<(&Series, Option<&Stratum>)> =
        curves.hidden.iter().map(|series| (series, stratum(series, poses))).take(MOST).collect();
    if series.is_empty() {
        return None;
    }
    let unit = &poses.skeleton.unit;
    let line = |(i, (series, stratum)): (usize, &(&Series, Option<&Stratum>))| Line {
        label: stratum.map_or_else(|| "hidden keypoints".to_owned(), |stratum| stratum.corruption.clone()),
        class: format!("s{}", i % 7),
        points: series.points(),
        dots: series.steps.len() <= 60,
        path: format!("/curves/hidden/{i}"),
    };
    let lines: Vec<Line> = series.iter().enumerate().map(line).collect();
    let mark = |stratum: &Stratum| {
        let best = stratum.method(stratum.best_baseline);
        Mark {
            label: format!("{}, {}: {}", stratum.corruption, best.label, significant(best.error.value, 3)),
            x: None,
            y: Some(best.error.value),
        }
    };
    let marks: Vec<Mark> = series.iter().filter_map(|(_, stratum)| stratum.map(mark)).collect();
    let ends = lines.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        Some(format!("{}: from {} to {} {unit}.", line.label, significant(first.1, 3), significant(last.1, 3)))
    });
    let description = ends.collect::<Vec<_>>().join(" ");
    // the marks need room too
    let of_marks = Line {
        label: String::new(),
        class: String::new(),
        points: marks.iter().filter_map(|mark| Some((0.0, mark.y?))).collect(),
        dots: false,
        path: String::new(),
    };
    let y = loss_scale(&lines.iter().cloned().chain([of_marks]).collect::<Vec<_>>());
    Some(in_both("hidden", Size::Wide, |size, id| {
        let chart = LineChart {
            caption: caption(&id, "Error of hidden keypoints over the steps of training", description.clone()),
            size,
            height: if size == Size::Wide { 300.0 } else { 240.0 },
            x: Axis { label: "step".to_owned(), scale: steps_scale(&lines) },
            y: Axis { label: format!("mean error where hidden, {unit}"), scale: y },
            bands: Vec::new(),
            lines: lines.clone(),
            marks: marks.clone(),
        };
        chart.draw()
    }))
}

/// The windows that a curve is about.
fn stratum<'a>(series: &Series, poses: &'a Poses) -> Option<&'a Stratum> {
    poses
        .strata
        .iter()
        .find(|stratum| series.name.ends_with(&format!("masked_{}", stratum.corruption.replace('-', "_"))))
}
