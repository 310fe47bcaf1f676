//! Which charts a page has.

use crate::number::{percent, probability, significant, with_interval, within};
use crate::report::chart::{
    Axis, Band, Bar, BarChart, Caption, Cell, Dot, DotChart, Line, LineChart, Mark, Scale, Size, StripChart, heat,
    in_both,
};
use crate::report::{Comparison, Curves, LanguageModel, Report, Series};
use crate::score::Score;
use tessera_datasets::console::thousands;

/// All charts of a report by the names that templates use.
pub(super) fn all(report: &Report) -> Vec<(&'static str, String)> {
    let mut charts = vec![("scores", scores(&report.scores))];
    if let Some(curves) = &report.curves {
        charts.push(("loss", loss(curves, report)));
        charts.extend(curves.accuracy.as_ref().map(|series| ("accuracy", accuracy(series, report))));
        charts.extend(report.poses.as_ref().and_then(|poses| Some(("hidden", super::pose::hidden(curves, poses)?))));
        charts.push(("others", curves.others.iter().enumerate().map(|(i, s)| small(s, i)).collect()));
    }
    if let Some(lm) = &report.language_model {
        charts.push(("positions", positions(lm)));
        charts.push(("histogram", histogram(lm)));
        charts.push(("stretches", stretches(lm)));
    }
    if let Some(translation) = &report.translation {
        charts.extend(super::translation::charts(translation));
    }
    if let Some(made) = &report.classification {
        charts.extend(super::classification::charts(made));
    }
    if let Some(poses) = &report.poses {
        charts.extend(super::pose::charts(poses));
    }
    if let Some(comparison) = &report.comparison {
        charts.push(("comparison", comparison_dots(comparison)));
        charts.push(("comparison_curves", comparison_curves(comparison)));
    }
    charts
}

pub(super) fn caption(id: &str, title: &str, description: String) -> Caption {
    Caption { id: format!("chart-{id}"), title: title.to_owned(), description }
}

fn scores(scores: &[Score]) -> String {
    let row = |(i, score): (usize, &Score)| Dot {
        label: score.label.clone(),
        value: in_unit(score, score.value),
        interval: score.interval.map(|interval| (in_unit(score, interval.low), in_unit(score, interval.high))),
        shown: with_interval(score.value, score.interval.as_ref(), &score.unit).value,
        spread: score.replicates.clone().map(|mut spread| {
            (spread.from, spread.to) = (in_unit(score, spread.from), in_unit(score, spread.to));
            spread
        }),
        class: if i == 0 { "s0" } else { "s7" }.to_owned(),
        path: format!("/scores/{i}"),
    };
    let describe = |score: &Score| {
        let shown = with_interval(score.value, score.interval.as_ref(), &score.unit);
        let interval = shown.interval.map_or_else(String::new, |(low, high)| format!(", interval {low} to {high}"));
        format!("{}: {}{interval}.", score.label, shown.value)
    };
    let description = scores.iter().map(describe).collect::<Vec<_>>().join(" ");
    in_both("scores", Size::Wide, |size, id| {
        let chart = DotChart {
            caption: caption(&id, "Scores with their intervals", description.clone()),
            size,
            shared: None,
            rows: scores.iter().enumerate().map(row).collect(),
        };
        chart.draw()
    })
}

/// A value as it is drawn: fractions in per cent.
fn in_unit(score: &Score, value: f64) -> f64 {
    if score.unit == "fraction" { 100.0 * value } else { value }
}

fn line(label: &str, class: &str, series: &Series, dots: bool, path: &str) -> Line {
    Line { label: label.to_owned(), class: class.to_owned(), points: series.points(), dots, path: path.to_owned() }
}

fn loss(curves: &Curves, report: &Report) -> String {
    let mut lines = Vec::new();
    let mut bands = Vec::new();
    if let Some(train) = &curves.train {
        let smoothed = curves.smoothed.as_ref();
        let raw = if smoothed.is_some() { "faint s7" } else { "s7" };
        let name = if smoothed.is_some() { "" } else { "training" };
        lines.push(line(name, raw, train, false, if smoothed.is_some() { "" } else { "/curves/train" }));
        if !train.low.is_empty() {
            let ends = train.steps.iter().zip(train.low.iter().zip(&train.high));
            bands.push(Band {
                class: "band s7".to_owned(),
                points: ends.map(|(step, (low, high))| (*step, *low, *high)).collect(),
            });
        }
        lines.extend(smoothed.map(|s| line("training", "s7", s, false, "/curves/smoothed")));
    }
    if let Some(validation) = &curves.validation {
        lines.push(line("validation", "s0", validation, validation.steps.len() <= 60, "/curves/validation"));
    }
    let marks = evaluated_mark(curves, report);
    let description = match (&curves.validation, lines.first()) {
        (Some(validation), _) => describe("validation loss", validation),
        (None, _) => curves.train.as_ref().map_or_else(String::new, |s| describe("training loss", s)),
    };
    let (x, y) = (steps_scale(&lines), loss_scale(&lines));
    let unit = format!("loss, {}", report.loss_unit());
    in_both("loss", Size::Wide, |size, id| {
        let chart = LineChart {
            caption: caption(&id, "Loss over the steps of training", description.clone()),
            size,
            height: if size == Size::Wide { 360.0 } else { 260.0 },
            x: Axis { label: "step".to_owned(), scale: x },
            y: Axis { label: unit.clone(), scale: y },
            bands: bands.clone(),
            lines: lines.clone(),
            marks: marks.iter().cloned().collect(),
        };
        chart.draw()
    })
}

/// How often the most probable class was right on the validation data, in per cent.
fn accuracy(series: &Series, report: &Report) -> String {
    let points: Vec<(f64, f64)> = series.points().into_iter().map(|(step, share)| (step, 100.0 * share)).collect();
    let describe = |point: &(f64, f64)| format!("{} % at step {}", significant(point.1, 3), thousands(point.0 as u64));
    let ends = points.first().zip(points.last());
    let description =
        ends.map_or_else(String::new, |(first, last)| format!("From {} to {}.", describe(first), describe(last)));
    let lines = vec![Line {
        label: "validation".to_owned(),
        class: "s0".to_owned(),
        dots: points.len() <= 60,
        path: "/curves/accuracy".to_owned(),
        points,
    }];
    let highest = lines[0].points.iter().map(|p| p.1).fold(0.0, f64::max);
    let lowest = lines[0].points.iter().map(|p| p.1).fold(100.0, f64::min);
    let mark = report.evaluated.step.map(|step| Mark {
        label: format!("scored: step {}", thousands(step)),
        x: Some(step as f64),
        y: lines[0].points.iter().find(|p| (p.0 - step as f64).abs() < 0.5).map(|p| p.1),
    });
    in_both("accuracy", Size::Wide, |size, id| {
        let chart = LineChart {
            caption: caption(&id, "Top-1 accuracy over the steps of training", description.clone()),
            size,
            height: if size == Size::Wide { 260.0 } else { 220.0 },
            x: Axis { label: "step".to_owned(), scale: steps_scale(&lines) },
            y: Axis { label: "top-1 accuracy, %".to_owned(), scale: Scale::linear(lowest, highest).nice(5) },
            bands: Vec::new(),
            lines: lines.clone(),
            marks: mark.iter().cloned().collect(),
        };
        chart.draw()
    })
}

/// The step that was scored, with its ring where the validation curve has a value there.
fn evaluated_mark(curves: &Curves, report: &Report) -> Option<Mark> {
    let step = report.evaluated.step?;
    let on_curve = curves.validation.as_ref().and_then(|validation| {
        let points = validation.points();
        points.into_iter().find(|p| (p.0 - step as f64).abs() < 0.5).map(|p| p.1)
    });
    Some(Mark { label: format!("scored: step {}", thousands(step)), x: Some(step as f64), y: on_curve })
}

fn describe(what: &str, series: &Series) -> String {
    let points = series.points();
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => format!(
            "The {what} goes from {} at step {} to {} at step {}.",
            significant(first.1, 3),
            thousands(first.0 as u64),
            significant(last.1, 3),
            thousands(last.0 as u64)
        ),
        _ => String::new(),
    }
}

pub(super) fn steps_scale(lines: &[Line]) -> Scale {
    let last = lines.iter().flat_map(|line| line.points.last()).map(|p| p.0).fold(0.0, f64::max);
    Scale::linear(0.0, last.max(1.0))
}

/// Losses are drawn on a linear scale unless they span more than a decade.
pub(super) fn loss_scale(lines: &[Line]) -> Scale {
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|p| p.1));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    match low > 0.0 && high > 12.0 * low {
        true => Scale::log(low * 0.9, high * 1.1, 10),
        false => Scale::linear(low, high).nice(6),
    }
}

/// One of the small multiples: learning rate, gradient norm, speed.
fn small(series: &Series, index: usize) -> String {
    let label = series.name.replace('_', " ");
    let description = describe(&label, series);
    let high = series.values.iter().copied().fold(0.0, f64::max);
    let low = series.values.iter().copied().fold(0.0, f64::min);
    let draw = |size: Size, id: String| {
        let lines = vec![line("", "s7", series, false, &format!("/curves/others/{index}"))];
        let chart = LineChart {
            caption: caption(&id, &label, description.clone()),
            size,
            height: 170.0,
            x: Axis { label: "step".to_owned(), scale: steps_scale(&lines) },
            y: Axis { label: label.clone(), scale: Scale::linear(low, high).nice(3) },
            bands: Vec::new(),
            lines,
            marks: Vec::new(),
        };
        chart.draw()
    };
    format!("<div class=\"multiple\">{}</div>", in_both(&format!("other-{index}"), Size::Half, draw))
}

fn positions(lm: &LanguageModel) -> String {
    let middle = |from: u64, to: u64| (from as f64 * to as f64).sqrt();
    let points: Vec<(f64, f64)> = lm.positions.iter().map(|p| (middle(p.from, p.to), p.loss)).collect();
    let band = Band {
        class: "band s0".to_owned(),
        points: lm.positions.iter().map(|p| (middle(p.from, p.to), p.low, p.high)).collect(),
    };
    let low = band.points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let high = band.points.iter().map(|p| p.2).fold(f64::NEG_INFINITY, f64::max);
    let last = points.last().map_or(1.0, |p| p.0).max(2.0);
    let description = match (lm.positions.first(), lm.positions.last()) {
        (Some(first), Some(last)) => format!(
            "The loss is {} nats at position 1 and {} at position {}.",
            significant(first.loss, 3),
            significant(last.loss, 3),
            last.to
        ),
        _ => String::new(),
    };
    let mean = Mark { label: format!("mean {}", significant(lm.mean_loss, 3)), x: None, y: Some(lm.mean_loss) };
    in_both("positions", Size::Wide, |size, id| {
        let chart = LineChart {
            caption: caption(&id, "Loss by position in the window", description.clone()),
            size,
            height: if size == Size::Wide { 280.0 } else { 230.0 },
            x: Axis { label: "position in the window (logarithmic)".to_owned(), scale: Scale::log(1.0, last, 2) },
            y: Axis { label: "loss, nats per token".to_owned(), scale: Scale::linear(low, high).nice(5) },
            bands: vec![band.clone()],
            lines: vec![Line {
                label: String::new(),
                class: "s0".to_owned(),
                points: points.clone(),
                dots: points.len() <= 16,
                path: "/language_model/positions".to_owned(),
            }],
            marks: vec![mean.clone()],
        };
        chart.draw()
    })
}

fn histogram(lm: &LanguageModel) -> String {
    let histogram = &lm.histogram;
    let all = lm.tokens.max(1) as f64;
    let bar = |(i, count): (usize, &u64)| {
        let (from, to) = (i as f64 * histogram.width, (i + 1) as f64 * histogram.width);
        let share = *count as f64 / all;
        Bar {
            from,
            to,
            height: 100.0 * share,
            class: format!("bar h{}", heat((from + to) / 2.0, lm.hottest)),
            title: format!("{from:.2} to {to:.2} nats: {} of the tokens ({})", percent(share), thousands(*count)),
        }
    };
    let end = histogram.counts.len() as f64 * histogram.width;
    let mark = |word: &str, at: f64| Mark { label: format!("{word} {}", significant(at, 3)), x: Some(at), y: None };
    let description = format!(
        "Half of the tokens have a loss below {} nats; the mean is {}.",
        significant(lm.median_loss, 3),
        significant(lm.mean_loss, 3)
    );
    in_both("histogram", Size::Wide, |size, id| {
        let mut marks = vec![mark("median", lm.median_loss), mark("mean", lm.mean_loss)];
        marks.extend(lm.uniform_loss.filter(|at| *at < end).map(|at| mark("blind guess", at)));
        let chart = BarChart {
            caption: caption(&id, "Tokens by loss", description.clone()),
            size,
            height: if size == Size::Wide { 240.0 } else { 210.0 },
            x: Axis {
                label: "loss of a token in nats, and its probability".to_owned(),
                scale: Scale::linear(0.0, end),
            },
            second: |nats| probability((-nats).exp()),
            y_label: "% of the tokens".to_owned(),
            bars: histogram.counts.iter().enumerate().map(bar).collect(),
            marks,
        };
        chart.draw()
    })
}

fn stretches(lm: &LanguageModel) -> String {
    let losses = || lm.stretches.iter().map(|s| s.loss);
    let (low, high) = (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
    let span = (high - low).max(f64::MIN_POSITIVE);
    let description = format!(
        "Stretches of the split in order; their losses go from {} to {} nats per token.",
        significant(low, 3),
        significant(high, 3)
    );
    let last = lm.stretches.last().map_or(0, |s| s.offset + s.tokens);
    in_both("stretches", Size::Wide, |size, id| {
        let cells = lm.stretches.iter().map(|s| Cell {
            heat: (s.loss - low) / span,
            title: format!("from token {}: {} nats per token", thousands(s.offset), significant(s.loss, 3)),
        });
        let chart = StripChart {
            caption: caption(&id, "Loss along the split", description.clone()),
            size,
            height: 34.0,
            cells: cells.collect(),
            start: "first token".to_owned(),
            middle: format!("pale {} · strong {} nats per token", significant(low, 3), significant(high, 3)),
            end: format!("token {}", thousands(last)),
        };
        chart.draw()
    })
}

fn comparison_dots(comparison: &Comparison) -> String {
    let row = |(i, run): (usize, &crate::report::Compared)| {
        let score = run.score();
        Dot {
            label: if run.is_best { format!("{} ★", run.name) } else { run.name.clone() },
            value: in_unit(score, score.value),
            interval: score.interval.map(|interval| (in_unit(score, interval.low), in_unit(score, interval.high))),
            shown: with_interval(score.value, score.interval.as_ref(), &score.unit).value,
            spread: None,
            class: format!("s{}", i.min(7)),
            path: format!("/comparison/runs/{i}/scores/{}", run.sorted_by),
        }
    };
    let names: Vec<&str> = comparison.runs.iter().map(|run| run.name.as_str()).collect();
    let description = format!("From best to worst: {}.", names.join(", "));
    let arrow = if comparison.runs[0].score().higher_is_better { "→ better" } else { "← better" };
    in_both("comparison", Size::Wide, |size, id| {
        let chart = DotChart {
            caption: caption(&id, &format!("Runs by {}", within(&comparison.label)), description.clone()),
            size,
            shared: Some(format!("{} {arrow}", within(&comparison.label))),
            rows: comparison.runs.iter().enumerate().map(row).collect(),
        };
        chart.draw()
    })
}

fn comparison_curves(comparison: &Comparison) -> String {
    let runs = comparison.runs.iter().enumerate();
    let lines: Vec<Line> = runs
        .filter_map(|(i, run)| {
            let curve = run.curve.as_ref()?;
            Some(line(&run.name, &format!("s{}", i.min(7)), curve, false, &format!("/comparison/runs/{i}/curve")))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let (x, y) = (steps_scale(&lines), loss_scale(&lines));
    in_both("comparison-curves", Size::Wide, |size, id| {
        let chart = LineChart {
            caption: caption(&id, "Validation curves of all runs", "One curve for each run.".to_owned()),
            size,
            height: if size == Size::Wide { 320.0 } else { 250.0 },
            x: Axis { label: "step".to_owned(), scale: x },
            y: Axis { label: format!("validation loss, {}", comparison.curve_unit), scale: y },
            bands: Vec::new(),
            lines: lines.clone(),
            marks: Vec::new(),
        };
        chart.draw()
    })
}
