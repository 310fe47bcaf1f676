//! What a reader should know before trusting a number. Warnings are shown, never only logged.

use serde::Serialize;
use tessera_datasets::Result;
use tessera_datasets::console::thousands;
use tessera_datasets::hash::sha256_file;
use tessera_datasets::run_dir::RunDir;

use super::classification::Classification;
use super::model::Report;
use super::pose::{Outcome, Poses};
use super::translation::Translation;
use crate::metrics::pose::Estimate;
use crate::number::{percent, significant};

/// Fewer segments than this make an interval hang on a few of them.
const FEW_SEGMENTS: u64 = 100;
/// A larger share of dropped rows than this is worth a look.
const MANY_REJECTED: f64 = 0.01;

/// A larger share of translations than this that end like tokenised text is no accident; sacrebleu
/// warns from 100 lines on.
const MANY_TOKENISED: f64 = 0.5;
/// Translations this share shorter or longer than the references move BLEU by their length.
const OFF_IN_LENGTH: f64 = 0.1;

/// A class with fewer images than this has an accuracy that hangs on a few of them.
const FEW_OF_A_CLASS: u64 = 10;
/// Confidence and accuracy this far apart mislead whoever reads the probabilities.
const OFF_IN_CONFIDENCE: f64 = 0.05;
/// Fewer stretches of time than this make an interval hang on a few poses.
const FEW_STRETCHES: u64 = 30;
/// Names that a warning lists.
const NAMED: usize = 4;

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A name that does not change, such as `few-segments`.
    pub code: &'static str,
    /// What it is.
    pub text: String,
    /// What it means or what to do.
    pub hint: String,
}

fn warning(code: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Warning {
    Warning { code, text: text.into(), hint: hint.into() }
}

/// All warnings about a report whose other parts are made.
///
/// # Errors
/// When the checkpoint is there and cannot be read.
pub(super) fn all(report: &Report, run: &RunDir) -> Result<Vec<Warning>> {
    let mut found = Vec::new();
    scores(report, &mut found);
    if let Some(made) = &report.translation {
        translation(made, &mut found);
    }
    if let Some(made) = &report.classification {
        classification(made, &mut found);
    }
    if let Some(made) = &report.poses {
        poses(made, &mut found);
    }
    found.extend(checkpoint(report, run)?);
    found.extend(average(report));
    making(report, &mut found);
    data(report, &mut found);
    comparison(report, &mut found);
    Ok(found)
}

fn scores(report: &Report, found: &mut Vec<Warning>) {
    let headline = &report.scores[0];
    if headline.n < FEW_SEGMENTS {
        let text = format!("only {} {} were scored", headline.n, headline.segments);
        found.push(warning("few-segments", text, "the interval hangs on a few of them; score a larger split"));
    }
    if headline.interval.is_none() {
        let hint =
            "without an interval nobody can say whether a difference means anything; set `eval.bootstrap = 1000`";
        found.push(warning("no-interval", "the scores have no intervals", hint));
    }
    if let Some(lm) = &report.language_model
        && lm.inconsistent > 0
    {
        let text = format!(
            "in {} of {} windows the losses of the tokens do not add up to `nll`",
            thousands(lm.inconsistent),
            thousands(lm.windows)
        );
        found.push(warning("inconsistent-losses", text, "scores use `nll`, pictures the losses of the tokens"));
    }
    if let Some(curves) = &report.curves
        && curves.not_finite > 0
    {
        let text = match curves.not_finite {
            1 => "a logged loss is no finite number".to_owned(),
            n => format!("{} logged losses are no finite numbers", thousands(n)),
        };
        found.push(warning(
            "not-finite",
            text,
            "the training diverged at least once; the curves leave these steps out",
        ));
    }
}

/// What looks wrong about translations, where it is more than a slip.
fn translation(translation: &Translation, found: &mut Vec<Warning>) {
    let few = |n: u64| match n {
        1 => "one sentence".to_owned(),
        n => format!("{} sentences", thousands(n)),
    };
    let rules = [
        ("without-reference", 0.0, "they cannot be scored, or count as wrong; look at the data"),
        ("empty", 0.0, "an empty translation matches nothing and makes the text shorter"),
        ("copied", 0.02, "the model may have learned to copy, or the text was never to be translated"),
        ("looping", 0.01, "the search is caught in a loop: the model is not trained enough, or the beam is too greedy"),
        ("too-short", 0.1, "the search stops too early; a larger length penalty favours longer translations"),
        ("too-long", 0.1, "the search does not stop; look at the ends of sentences in the training data"),
    ];
    for (code, most, hint) in rules {
        let odd = translation.oddities.iter().find(|odd| odd.code == code && odd.share > most);
        if let Some(odd) = odd {
            let what = if odd.count == 1 { singular(odd.what) } else { odd.what.to_owned() };
            let share = percent(odd.share);
            found.push(warning(code, format!("{} {what} ({share})", few(odd.count)), hint));
        }
    }
    let tokenised = translation.oddities.iter().find(|odd| odd.code == "tokenised" && odd.share > MANY_TOKENISED);
    if let Some(odd) = tokenised {
        let text = format!("{} of the translations end in a full stop with a space before it", percent(odd.share));
        let hint = match translation.tokenised_references > MANY_TOKENISED {
            true => "translations and references look tokenised: this BLEU is not comparable with one on plain text",
            false => "they look tokenised, the references do not: scores are too low until they are put together again",
        };
        found.push(warning("tokenised", text, hint));
    }
    if let Some(ngrams) = &translation.ngrams
        && (ngrams.ratio - 1.0).abs() > OFF_IN_LENGTH
    {
        let text = format!("the translations have {} times the words of the references", significant(ngrams.ratio, 3));
        let hint = "BLEU moves with length alone; look at the length penalty before comparing models";
        found.push(warning("length-ratio", text, hint));
    }
    if translation.attention.sentences.is_empty() && translation.attention.left_out > 0 {
        let text = "the explained sentences are too long for pictures of attention";
        found.push(warning("attention-left-out", text, "explain shorter sentences"));
    }
}

/// What looks wrong about a test of classification, and whether its probabilities can be trusted.
fn classification(made: &Classification, found: &mut Vec<Warning>) {
    if made.unlabelled > 0 {
        let (unknown, images) = (thousands(made.unlabelled), thousands(made.images));
        let text = format!("the class of {unknown} of {images} images is not known");
        found.push(warning("unknown-labels", text, "they are left out of every score"));
    }
    let names = |classes: &[&super::classification::ByClass]| {
        let named: Vec<String> = classes.iter().take(NAMED).map(|class| format!("`{}`", class.name)).collect();
        let more = if classes.len() > NAMED { ", …" } else { "" };
        format!("{}{more}", named.join(", "))
    };
    let of_support = |range: std::ops::Range<u64>| -> Vec<_> {
        made.by_class.iter().filter(|class| range.contains(&class.support)).collect()
    };
    let (absent, few) = (of_support(0..1), of_support(1..FEW_OF_A_CLASS));
    if !absent.is_empty() {
        let text = format!(
            "{} of {} classes have no image in this split: {}",
            absent.len(),
            made.classes.len(),
            names(&absent)
        );
        found.push(warning(
            "classes-without-images",
            text,
            "nothing is known about them, and the means over classes leave them out",
        ));
    }
    if !few.is_empty() {
        let text = format!(
            "{} of {} classes have fewer than {FEW_OF_A_CLASS} images: {}",
            few.len(),
            made.classes.len(),
            names(&few)
        );
        found.push(warning(
            "classes-with-few-images",
            text,
            "their accuracy hangs on a few images; look at its interval",
        ));
    }
    let reliability = &made.reliability;
    let over = reliability.confidence - reliability.accuracy;
    if reliability.error.is_some() && over.abs() > OFF_IN_CONFIDENCE {
        let (sure, right) = (percent(reliability.confidence), percent(reliability.accuracy));
        let text = format!("the model is sure of {sure} in the mean and right for {right}");
        let (code, hint) = match over > 0.0 {
            true => (
                "over-confident",
                "its probabilities are too high; label smoothing or a temperature would lower them (Guo et al. 2017)",
            ),
            false => ("under-confident", "its probabilities are too low, as after mixup or strong label smoothing"),
        };
        found.push(warning(code, text, hint));
    }
}

/// What hampers trust in a test of poses, and where the model had better not be used.
fn poses(made: &Poses, found: &mut Vec<Warning>) {
    if made.stretches < FEW_STRETCHES {
        let text = match made.stretches {
            1 => "all windows are from one stretch of time".to_owned(),
            n => format!("the windows are from only {n} stretches of time"),
        };
        let hint =
            "their copies, in which other keypoints are hidden, share their truth: the intervals hang on a few poses";
        found.push(warning("few-stretches", text, hint));
    }
    for stratum in made.strata.iter().filter(|stratum| stratum.hardest().outcome == Outcome::Worse) {
        let best = stratum.best_baseline;
        let text = format!("in `{}` {} is nearer to the truth than the model", stratum.corruption, best.within());
        found.push(warning("worse-than-simpler", text, "where gaps are like these, take the simpler method"));
    }
    // where keypoints are hidden only for whole windows the smoother has nothing to add to lines
    for [one, other] in made.alike.iter().filter(|pair| pair.contains(&Estimate::Template)) {
        let text = format!("{} and {} say the same everywhere", one.label(), other.label());
        let hint = "one of them had nothing to go by when the predictions were made: `tessera-train predict` again";
        found.push(warning("baselines-alike", text, hint));
    }
    if made.masked == 0 {
        let hint = "nothing is known about gaps; `mask-keypoints` hides keypoints whose truth is known";
        found.push(warning("nothing-hidden", "no keypoint with a known truth was hidden", hint));
    }
    for stratum in &made.strata {
        let visible = stratum.method(Estimate::Optimised).visible;
        if let Some((visible, given)) = visible.zip(stratum.given_error).filter(|(model, given)| *model > *given) {
            let (unit, visible, given) = (&made.skeleton.unit, significant(visible, 3), significant(given, 3));
            let text = format!(
                "in `{}` the model moves keypoints that it was given: they are {visible} {unit} off, as given {given} {unit}",
                stratum.corruption
            );
            found.push(warning(
                "given-made-worse",
                text,
                "keep the given place where a keypoint is trusted, and take the model's only in gaps",
            ));
            break;
        }
    }
}

/// `have` and `are` of one sentence.
fn singular(what: &str) -> String {
    let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
    let verb = match verb {
        "have" => "has",
        "are" => "is",
        "repeat" => "repeats",
        other => other,
    };
    format!("{verb} {rest}").replace("their", "its")
}

/// Whether predictions were made with the mean of the last checkpoints.
///
/// # Errors
/// When the mean is there and cannot be read.
pub(super) fn is_average(run: &RunDir, checkpoint_sha256: Option<&str>) -> Result<bool> {
    let weights = run.average_checkpoint().join("model.safetensors");
    let Some(expected) = checkpoint_sha256.filter(|_| weights.is_file()) else {
        return Ok(false);
    };
    Ok(sha256_file(&weights)? == expected)
}

fn checkpoint(report: &Report, run: &RunDir) -> Result<Option<Warning>> {
    let evaluated = &report.evaluated;
    let (Some(step), Some(expected)) = (evaluated.step, &evaluated.checkpoint_sha256) else {
        return Ok(Some(warning(
            "unknown-checkpoint",
            "the predictions do not say which checkpoint made them",
            "nobody can tell whether these scores belong to the weights in this folder",
        )));
    };
    if evaluated.is_average {
        return Ok(None);
    }
    // the moving average of the weights lies beside them
    let averaged = report.classification.as_ref().is_some_and(|made| made.average)
        || report.poses.as_ref().is_some_and(|made| made.average);
    let name = if averaged { "ema" } else { "model" };
    let weights = run.checkpoint(step).join(format!("{name}.safetensors"));
    if weights.is_file() && sha256_file(&weights)? != *expected {
        let text = format!("the weights of step {} are not those that made the predictions", thousands(step));
        return Ok(Some(warning("checkpoint-changed", text, "predict again: the scores are of other weights")));
    }
    Ok(match evaluated.best_step {
        Some(best) if best != step => {
            let text = format!("step {} was scored, but step {} is the best so far", thousands(step), thousands(best));
            Some(warning(
                "not-the-best",
                text,
                "`tessera-train predict` takes the best checkpoint unless told otherwise",
            ))
        }
        _ => None,
    })
}

fn average(report: &Report) -> Option<Warning> {
    let average = report.average.as_ref().filter(|average| average.average_loss > average.last_loss)?;
    let text = format!(
        "averaging {} checkpoints made the validation loss worse: {} instead of {}",
        average.steps.len(),
        significant(average.average_loss, 4),
        significant(average.last_loss, 4)
    );
    let hint = match report.evaluated.is_average {
        true => "the scores are those of the mean; predict again with the last checkpoint",
        false => "the scores are not those of the mean",
    };
    Some(warning("average-worse", text, hint))
}

fn making(report: &Report, found: &mut Vec<Warning>) {
    let origin = &report.origin;
    if origin.is_dirty() {
        let text = format!("the code had changes that were not committed (revision {})", origin.provenance.revision);
        found.push(warning("dirty-revision", text, "the revision alone does not give this run again"));
    }
    if origin.provenance.revision.is_empty() {
        found.push(warning(
            "unknown-revision",
            "the code's revision is not known",
            "the run was started outside a git checkout",
        ));
    }
    if !origin.is_reproducible() {
        let text = format!("not reproducible to the byte: {}", origin.why_not_reproducible());
        found.push(warning(
            "not-reproducible",
            text,
            "the same command gives a run that is close to this one, not this one",
        ));
    }
    if origin.config_sha256 != origin.provenance.config_sha256 {
        let hint = "the config shown here is not the one that the run was started with";
        found.push(warning("config-changed", "`config.toml` was changed after the run was started", hint));
    }
}

fn data(report: &Report, found: &mut Vec<Warning>) {
    let data = &report.data;
    if !data.found {
        let text = format!("the dataset is not at `{}` any more", data.folder);
        found.push(warning(
            "missing-dataset",
            text,
            "its size, sources and licences are not shown; its hash is under provenance",
        ));
        return;
    }
    if data.manifest_sha256.as_deref() != Some(data.trained_with_sha256.as_str()) {
        let text = format!("the dataset at `{}` is not the one that the run was trained on", data.folder);
        found.push(warning("dataset-changed", text, "what is shown about the data is about what is there now"));
    }
    if data.rejected_share > MANY_REJECTED {
        let text = format!(
            "{} of the rows that were read were dropped ({} of {})",
            percent(data.rejected_share),
            thousands(data.rejected),
            thousands(data.read)
        );
        found.push(warning("rejected-rows", text, "the reasons and the first rows are under data"));
    }
    if data.sources.iter().any(|source| source.license.trim().is_empty()) {
        found.push(warning(
            "unknown-licence",
            "some sources have no licence",
            "do not share the model before this is known",
        ));
    }
}

fn comparison(report: &Report, found: &mut Vec<Warning>) {
    let Some(comparison) = &report.comparison else {
        return;
    };
    let per_token = report.scores.iter().filter(|s| !s.comparable_across_tokenizers).map(|s| format!("`{}`", s.name));
    let per_token: Vec<String> = per_token.collect();
    if !comparison.same_tokenizer && !per_token.is_empty() {
        let text =
            format!("the runs have different tokenizers: {} must not be compared between them", per_token.join(", "));
        let hint = "a model with longer tokens has fewer of them to guess and each is harder; compare bits per byte";
        found.push(warning("tokenizers-differ", text, hint));
    }
    for refused in comparison.paired.iter().flat_map(|paired| &paired.refused) {
        let text = format!("`{}` did not translate the same sentences: {}", refused.run, refused.reason);
        found.push(warning("segments-differ", text, "its scores are of another test, and no paired test is possible"));
    }
    for refused in comparison.images.iter().flat_map(|images| &images.refused) {
        let text = format!("`{}` did not classify the same images: {}", refused.run, refused.reason);
        found.push(warning("segments-differ", text, "its scores are of another test, and no paired test is possible"));
    }
    for refused in comparison.poses.iter().flat_map(|poses| &poses.refused) {
        let text = format!("`{}` did not optimise the same windows: {}", refused.run, refused.reason);
        found.push(warning("segments-differ", text, "its scores are of another test, and no paired test is possible"));
    }
    if !comparison.same_text {
        let text = "the runs were scored on texts of different length";
        found.push(warning("texts-differ", text, "only scores on the same text can be compared"));
    }
    if !comparison.same_windows {
        let text = "the runs were scored in windows of different context or stride";
        found.push(warning("windows-differ", text, "more context makes every token easier, whatever the model"));
    }
}
