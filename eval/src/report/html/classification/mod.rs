//! The charts and pictures of image classification.

mod explained;
mod portrait;

use minijinja::value::Value;
use tessera_datasets::console::thousands;

use super::charts::caption;
use crate::number::{percent, significant};
use crate::report::chart::{
    CompactConfusion, ConfusionMatrix, ReliabilityBin, ReliabilityDiagram, Size, address, escape, in_both,
};
use crate::report::classification::{Classification, Disagreement, Group, Picture, SameImages};
use crate::report::{Comparison, Report};

/// Classes whose matrix is drawn with its numbers.
const READABLE: usize = 24;
/// Classes that a table shows whole.
const TABLE: usize = 40;
/// Of more classes, so many of the hardest and of the easiest.
const HARDEST: usize = 24;
const EASIEST: usize = 8;
/// The side of a thumbnail on the page, in pixels.
const THUMBNAIL: f64 = 96.0;

/// The charts by the names that templates use.
pub(super) fn charts(made: &Classification) -> Vec<(&'static str, String)> {
    let mut charts = vec![("confusion", confusion(made)), ("reliability", reliability(made))];
    charts.extend(portrait::charts(&made.portrait));
    charts
}

/// What else the templates show.
pub(super) fn context(report: &Report) -> Value {
    let Some(made) = &report.classification else {
        return Value::UNDEFINED;
    };
    let thumbnails = made.mistakes.iter().map(|mistake| {
        let alt =
            format!("an image of {}, taken for {}", made.classes[mistake.truth], made.classes[mistake.prediction]);
        thumbnail(mistake.picture.as_ref(), &alt)
    });
    let paired = report.comparison.as_ref().and_then(|comparison: &Comparison| comparison.images.as_ref());
    minijinja::context! {
        mistakes => thumbnails.collect::<Vec<_>>(),
        explained => explained::pictures(made),
        ahead => paired.map(|paired| disagreements(made, &paired.ahead)),
        behind => paired.map(|paired| disagreements(made, &paired.behind)),
        methods => paired.map(methods),
        listed => listed(made.by_class.len()),
        compact => made.classes.len() > READABLE,
    }
}

/// The places of the classes that a table shows, and whether some between them are left out.
fn listed(classes: usize) -> Vec<usize> {
    match classes <= TABLE {
        true => (0..classes).collect(),
        false => (0..HARDEST).chain(classes - EASIEST..classes).collect(),
    }
}

fn methods(paired: &SameImages) -> Vec<String> {
    paired.tests.iter().map(|test| test.method()).collect()
}

fn disagreements(made: &Classification, found: &[Disagreement]) -> Vec<Value> {
    let alt = |one: &Disagreement| format!("an image of {}", made.classes[one.truth]);
    found.iter().map(|one| thumbnail(one.picture.as_ref(), &alt(one))).collect()
}

/// A thumbnail with its address in it.
fn thumbnail(picture: Option<&Picture>, alt: &str) -> Value {
    let Some(picture) = picture else {
        return Value::from_safe_string("<span class=\"no-thumb\">no thumbnail</span>".to_owned());
    };
    let scale = THUMBNAIL / f64::from(picture.width.max(picture.height).max(1));
    let (width, height) = (f64::from(picture.width) * scale, f64::from(picture.height) * scale);
    Value::from_safe_string(format!(
        "<img class=\"thumb {}\" width=\"{:.0}\" height=\"{:.0}\" alt=\"{}\" src=\"{}\">",
        rendering(picture),
        width.max(1.0),
        height.max(1.0),
        escape(alt),
        escape(&address(&picture.media_type, &picture.bytes))
    ))
}

/// Few pixels are shown as they are, many are smoothed.
fn rendering(picture: &Picture) -> &'static str {
    if picture.width.max(picture.height) <= 64 { "pixels" } else { "smooth" }
}

fn confusion(made: &Classification) -> String {
    let pair = made.confusion.pairs.first();
    let description = pair.map_or_else(
        || "No image was taken for another class.".to_owned(),
        |pair| {
            format!(
                "Most often {} is taken for {}: {} images, {} of that class.",
                made.classes[pair.truth],
                made.classes[pair.prediction],
                thousands(pair.count),
                percent(pair.share)
            )
        },
    );
    let title = "What each class is taken for";
    match &made.confusion.matrix {
        Some(matrix) if made.classes.len() <= READABLE => in_both("confusion", Size::Wide, |size, id| {
            let chart = ConfusionMatrix {
                caption: caption(&id, title, description.clone()),
                size,
                classes: &made.classes,
                counts: matrix,
                path: "/classification/confusion/matrix".to_owned(),
            };
            chart.draw()
        }),
        _ => {
            let support: std::collections::HashMap<usize, u64> =
                made.by_class.iter().map(|class| (class.class, class.support)).collect();
            let share = |((truth, prediction), count): (&(usize, usize), &u64)| {
                (*truth, *prediction, *count as f64 / support.get(truth).copied().unwrap_or(1).max(1) as f64)
            };
            let chart = CompactConfusion {
                caption: caption("confusion", title, description),
                classes: made.classes.len(),
                shares: made.confusion.counts.iter().map(share).collect(),
                path: "/classification/confusion".to_owned(),
            };
            chart.draw()
        }
    }
}

fn reliability(made: &Classification) -> String {
    let found = &made.reliability;
    let bin = |(i, group): (usize, &Group)| {
        let values = group.confidence.zip(group.accuracy).zip(group.low.zip(group.high));
        let range = match group.to > group.from {
            true => format!("confidence {} to {}", percent(group.from), percent(group.to)),
            false => "confidence of exactly 1".to_owned(),
        };
        let right = group.accuracy.map_or_else(String::new, |accuracy| format!(", {} right", percent(accuracy)));
        ReliabilityBin {
            from: group.from,
            to: group.to,
            count: group.count,
            values: values.map(|((confidence, accuracy), (low, high))| (confidence, accuracy, low, high)),
            title: format!("{range}: {} images{right}", thousands(group.count)),
            path: format!("/classification/reliability/groups/{i}"),
        }
    };
    let error = found.error.map_or_else(|| "unknown".to_owned(), |error| significant(error, 3));
    let description = format!(
        "The mean confidence is {}, the accuracy {}; the calibration error is {error}.",
        percent(found.confidence),
        percent(found.accuracy)
    );
    in_both("reliability", Size::Wide, |size, id| {
        let chart = ReliabilityDiagram {
            caption: caption(&id, "How often it is right when it is this sure", description.clone()),
            size,
            height: if size == Size::Wide { 430.0 } else { 360.0 },
            bins: found.groups.iter().enumerate().map(bin).collect(),
        };
        chart.draw()
    })
}
