//! The headline in sentences, and the run in a few numbers.

use serde_json::{Value, json};
use tessera_datasets::console::thousands;
use tessera_datasets::run_dir::Average;

use super::classification::Classification;
use super::curves::Curves;
use super::model::{Fact, Report};
use super::pose::Poses;
use crate::number::{percent, significant, within};

/// The share of the validation curve, at its end, in which progress is looked for.
const TAIL: f64 = 0.2;
/// The share of the training curve, at its end, that is compared with the validation loss.
const END: f64 = 0.05;
/// Progress in the tail below this share of the loss is none.
const STANDSTILL: f64 = 0.003;
/// A validation loss this share above its lowest has begun to rise.
const RISE: f64 = 0.005;

/// What the headline means and what it hides.
pub(super) fn verdict(report: &Report) -> Vec<String> {
    let headline = &report.scores[0];
    let mut sentences = vec![format!("{}.", capital(&headline.meaning))];
    sentences.extend(report.poses.iter().flat_map(|poses| poses.verdict.iter().cloned()));
    let seen = match (&report.classification, &report.poses) {
        (Some(_), _) => Seen { what: "training images", unit: " nats" },
        // the loss of poses has terms of several units
        (_, Some(_)) => Seen { what: "training recordings", unit: "" },
        _ => Seen { what: "training text", unit: " nats" },
    };
    sentences.extend(report.curves.as_ref().and_then(|curves| progress(curves, seen)));
    // images and poses are augmented while training, so that its loss is another one
    let alike = report.curves.as_ref().filter(|_| report.classification.is_none() && report.poses.is_none());
    sentences.extend(alike.and_then(gap));
    sentences.extend(report.classification.as_ref().and_then(hardest));
    sentences.extend(report.average.as_ref().map(|mean| average(mean, seen.unit)));
    sentences.extend(rank(report));
    sentences
}

/// What a model learned from, and what its loss is in.
#[derive(Clone, Copy)]
struct Seen {
    what: &'static str,
    unit: &'static str,
}

fn progress(curves: &Curves, seen: Seen) -> Option<String> {
    let points = curves.validation.as_ref()?.points();
    let (last_step, last) = *points.last()?;
    let best = points.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a })?;
    let step = |s: f64| thousands(s as u64);
    if points.len() < 4 {
        return None;
    }
    if last > best.1 * (1.0 + RISE) {
        let (rise, Seen { what, unit }) = (significant(last - best.1, 2), seen);
        return Some(format!(
            "The validation loss was lowest at step {} and rose by {rise}{unit} until step {}: from there on the model learned the {what} by heart.",
            step(best.0),
            step(last_step)
        ));
    }
    let before = points[((points.len() as f64) * (1.0 - TAIL)) as usize - 1].1;
    // a last point that is no longer the lowest has stopped falling, whatever came before
    Some(match last <= best.1 && before - last > STANDSTILL * last {
        true => format!("The validation loss was still falling at step {}: longer training may help.", step(last_step)),
        false => format!("The validation loss had levelled off by step {}.", step(last_step)),
    })
}

fn gap(curves: &Curves) -> Option<String> {
    // one batch alone says little: the mean of the end
    let train = curves.train.as_ref()?.mean_of_end(END)?;
    let validation = curves.validation.as_ref()?.last()?;
    let (train_text, validation_text) = (significant(train, 3), significant(validation, 3));
    Some(match validation - train > 0.02 * train {
        true => format!(
            "At the end it lost {train_text} nats per token on the training text and {validation_text} on text it had not seen: a gap of {}.",
            significant(validation - train, 2)
        ),
        false => format!(
            "At the end it did as well on text it had not seen ({validation_text} nats per token) as on the training text ({train_text})."
        ),
    })
}

/// The class that is recognised least, where it stands out.
fn hardest(made: &Classification) -> Option<String> {
    let all = made.top_1?.value;
    let class = made.by_class.first()?;
    let recall = class.recall.filter(|recall| recall.high < all)?;
    let taken = class.taken_for.map(|taken| format!(", most often taken for {}", made.classes[taken.class]));
    let (name, share) = (&class.name, percent(recall.value));
    Some(format!("The hardest class is {name}, of which {share} are recognised{}.", taken.unwrap_or_default()))
}

fn average(average: &Average, unit: &str) -> String {
    let (count, off) = (average.steps.len(), average.average_loss - average.last_loss);
    let (loss, by) = (significant(average.average_loss, 4), significant(off.abs(), 2));
    match off {
        off if off > 0.0 => format!(
            "The mean of the weights of the last {count} checkpoints is worse than the last of them: its validation loss is {loss}, {by}{unit} higher."
        ),
        off if off < 0.0 => format!(
            "The mean of the weights of the last {count} checkpoints is better than the last of them: its validation loss is {loss}, {by}{unit} lower."
        ),
        _ => format!(
            "The mean of the weights of the last {count} checkpoints has the same validation loss as the last of them, {loss}."
        ),
    }
}

fn rank(report: &Report) -> Option<String> {
    let comparison = report.comparison.as_ref()?;
    let (place, count) = (comparison.place(), comparison.runs.len());
    let subject = &comparison.runs[place - 1];
    let label = within(&comparison.label);
    Some(match (subject.is_best, subject.overlaps_best) {
        (true, _) => format!("By {label} it is the best of {count} runs."),
        (false, true) => format!(
            "By {label} it is number {place} of {count} runs, and its interval overlaps that of {}, the best.",
            comparison.runs[0].name
        ),
        (false, false) => {
            format!("By {label} it is number {place} of {count} runs; {} is clearly better.", comparison.runs[0].name)
        }
    })
}

/// The run in a few numbers.
pub(super) fn facts(report: &Report) -> Vec<Fact> {
    let provenance = &report.origin.provenance;
    let mut facts = vec![
        fact("parameters", json!(provenance.parameters), "compact", format!("model {}", report.model)),
        fact("steps", json!(provenance.steps), "count", evaluated_note(report)),
        fact(
            "training time",
            json!(provenance.train_seconds),
            "duration",
            format!("started {}", report.origin.started),
        ),
    ];
    for (series, label) in [
        ("tokens_per_second", "tokens per second"),
        ("images_per_second", "images per second"),
        ("windows_per_second", "windows per second"),
    ] {
        let speed = report.curves.as_ref().and_then(|c| c.others.iter().find(|s| s.name == series)?.median());
        if let Some(speed) = speed {
            facts.push(fact(label, json!(speed.round()), "compact", "median over training".to_owned()));
        }
    }
    let note = format!("{}, {}", plural(provenance.threads, "thread"), provenance.precision);
    facts.push(fact("device", json!(provenance.device), "", note));
    if report.data.found && report.data.source_bytes() > 0 {
        let files = plural(report.data.sources.len() as u32, "source file");
        facts.push(fact("raw data", json!(report.data.source_bytes()), "bytes", files));
    }
    if let Some(translation) = &report.translation {
        let languages = match (&translation.source_language, &translation.target_language) {
            (Some(source), Some(target)) => format!("{source} to {target}"),
            _ => String::new(),
        };
        facts.push(fact("sentences", json!(translation.sentences), "count", languages));
        if let Some(beam) = translation.beam {
            let penalty = translation.length_penalty.map(|penalty| format!("length penalty {penalty}"));
            facts.push(fact("beam", json!(beam), "count", penalty.unwrap_or_default()));
        }
    }
    if let Some(made) = &report.classification {
        facts.extend(image_facts(made));
    }
    if let Some(poses) = &report.poses {
        facts.extend(pose_facts(poses));
    }
    if let Some(lm) = &report.language_model {
        let context = lm
            .context
            .map_or_else(String::new, |context| format!("context {context}, stride {}", lm.stride.unwrap_or(context)));
        facts.push(fact("tokens scored", json!(lm.tokens), "compact", context));
        if let Some(vocabulary) = lm.vocabulary {
            let per_token =
                lm.bytes_per_token().map_or_else(String::new, |b| format!("{} bytes per token", significant(b, 3)));
            facts.push(fact("vocabulary", json!(vocabulary), "compact", per_token));
        }
    }
    facts
}

fn image_facts(made: &Classification) -> Vec<Fact> {
    let unknown =
        if made.unlabelled > 0 { format!("{} of unknown class", thousands(made.unlabelled)) } else { String::new() };
    let mut facts = vec![fact("images", json!(made.images), "count", unknown)];
    facts.push(fact("classes", json!(made.classes.len()), "count", String::new()));
    if let Some(size) = made.image_size {
        let crop = made.crop.map(|crop| match crop < 1.0 {
            true => format!("the middle {} of an image", percent(crop)),
            false => "the whole image".to_owned(),
        });
        let parts = [crop, made.interpolation.clone()].into_iter().flatten().collect::<Vec<_>>();
        facts.push(fact("image size", json!(format!("{size} × {size}")), "", parts.join(", ")));
    }
    if made.average {
        facts.push(fact("weights", json!("averaged"), "", "exponential moving average over training".to_owned()));
    }
    facts
}

fn pose_facts(poses: &Poses) -> Vec<Fact> {
    let speed = poses.skeleton.frames_per_second.map(|rate| format!("{} per second", significant(rate, 3)));
    let mut facts = vec![
        fact("windows", json!(poses.windows), "count", format!("{} stretches of time", thousands(poses.stretches))),
        fact("frames of a window", json!(poses.frames), "count", speed.unwrap_or_default()),
        fact("keypoints", json!(poses.skeleton.keypoints.len()), "count", poses.skeleton.name.clone()),
    ];
    if poses.average {
        facts.push(fact("weights", json!("averaged"), "", "exponential moving average over training".to_owned()));
    }
    facts
}

fn evaluated_note(report: &Report) -> String {
    match report.evaluated.step {
        Some(step) if report.evaluated.is_average => {
            format!("the mean of checkpoints up to step {} was scored", thousands(step))
        }
        Some(step) => format!("step {} was scored", thousands(step)),
        None => String::new(),
    }
}

fn fact(label: &'static str, value: Value, style: &'static str, note: String) -> Fact {
    Fact { label, value, style, note }
}

fn plural(n: u32, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::curves::Series;

    fn curves(validation: &[f64]) -> Curves {
        let points: Vec<(f64, f64)> = validation.iter().enumerate().map(|(i, v)| (i as f64 * 100.0, *v)).collect();
        let validation = Series::of("loss", &points, 100);
        Curves {
            train: Some(Series::of("loss", &[(900.0, 1.5)], 100)),
            smoothed: None,
            validation: Some(validation),
            accuracy: None,
            hidden: Vec::new(),
            others: Vec::new(),
            not_finite: 0,
        }
    }

    #[test]
    fn says_whether_training_helped_to_the_end() {
        let says = |validation: &[f64]| {
            progress(&curves(validation), Seen { what: "training text", unit: " nats" }).unwrap_or_default()
        };
        assert!(says(&[4.0, 3.0, 2.5, 2.2, 2.0]).contains("still falling at step 400"));
        assert!(says(&[4.0, 2.0, 1.901, 1.9, 1.9]).contains("levelled off"));
        assert!(says(&[1.2, 0.83, 0.66, 0.627, 0.628]).contains("levelled off by step 400"));
        assert!(says(&[4.0, 2.0, 1.8, 1.9, 2.0]).contains("lowest at step 200 and rose by 0.20"));
        assert_eq!(says(&[4.0, 2.0]), "");
    }

    #[test]
    fn one_batch_at_the_end_does_not_decide_the_gap() {
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), if i == 99 { 0.1 } else { 1.5 })).collect();
        let train = Some(Series::of("loss", &points, 100));
        let text = gap(&Curves { train, ..curves(&[2.0, 1.8]) }).unwrap();
        assert!(text.contains("1.22 nats per token on the training text"), "{text}");
    }

    #[test]
    fn says_whether_averaging_helped() {
        let says = |last_loss, average_loss| {
            average(&Average { version: 1, steps: vec![1, 2, 3], last_loss, average_loss }, " nats")
        };
        assert!(
            says(2.0, 1.95).contains("last 3 checkpoints is better") && says(2.0, 1.95).contains("0.050 nats lower")
        );
        assert!(says(1.9, 2.0).contains("is worse") && says(1.9, 2.0).contains("0.10 nats higher"));
        assert!(says(2.0, 2.0).contains("the same"));
    }

    #[test]
    fn names_the_gap_to_unseen_text() {
        assert!(gap(&curves(&[2.0, 1.8])).unwrap().contains("a gap of 0.30"));
        assert!(gap(&curves(&[2.0, 1.5])).unwrap().contains("as well on text"));
    }
}
