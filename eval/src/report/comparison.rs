//! Several runs side by side.

use serde::Serialize;
use tessera_datasets::{Error, Result};

use super::classification::{Results, SameImages, Side as ImageSide};
use super::curves::Series;
use super::language_model::LanguageModel;
use super::pose::{SameWindows, Side as PoseSide};
use super::run::ScoredRun;
use super::translation::{Paired, Side, Translation};
use crate::bootstrap::Bootstrap;
use crate::score::Score;

/// The share by which the bytes that two runs were scored on may differ: the rest at the end of a
/// split depends on the tokenizer.
const SAME_TEXT: f64 = 0.02;

/// Runs, the best first.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The metric that they are sorted by.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// Why this one.
    pub reason: String,
    /// Whether all runs have one tokenizer.
    pub same_tokenizer: bool,
    /// Whether all runs were scored on about the same number of bytes.
    pub same_text: bool,
    /// Whether all runs were scored in windows of one context and stride.
    pub same_windows: bool,
    /// The unit of the curves.
    pub curve_unit: String,
    /// Translations compared sentence by sentence.
    pub paired: Option<Paired>,
    /// Classifiers compared image by image.
    pub images: Option<SameImages>,
    /// Models of poses compared window by window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poses: Option<SameWindows>,
    /// The rows of timm's results file of the other runs.
    pub results: Vec<Results>,
    /// The runs.
    pub runs: Vec<Compared>,
}

/// One of the runs.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its name; its folder where two runs have one name.
    pub name: String,
    /// The model's kind.
    pub model: String,
    /// Whether the report is about this run.
    pub is_subject: bool,
    /// Whether none is better.
    pub is_best: bool,
    /// Whether its interval and that of the best overlap.
    pub overlaps_best: bool,
    /// SHA-256 of its tokenizer.
    pub tokenizer_sha256: String,
    /// Tokens to choose from.
    pub vocabulary: Option<u64>,
    /// The side of the square that an image network sees.
    pub image_size: Option<u64>,
    /// Parameters that were trained.
    pub parameters: u64,
    /// Steps done.
    pub steps: u64,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Its scores.
    pub scores: Vec<Score>,
    /// The number of the score that the runs are sorted by.
    pub sorted_by: usize,
    /// Its validation curve in the unit of the comparison.
    pub curve: Option<Series>,
}

impl Comparison {
    /// Compares runs, of which the first is the one that the report is about; translations also
    /// sentence by sentence, resampled as often as intervals are.
    ///
    /// # Errors
    /// When they have no metric in common.
    pub fn of(runs: &[ScoredRun], bootstrap: &Bootstrap) -> Result<Self> {
        let tokenizers =
            |run: &ScoredRun| run.predictions.details().text("tokenizer_sha256").unwrap_or("unknown").to_owned();
        let same_tokenizer = all_same(runs.iter().map(tokenizers));
        let (metric, reason) = sort_metric(runs, same_tokenizer)?;
        let windows = |run: &ScoredRun| {
            let details = run.predictions.details();
            (details.number("context"), details.number("stride"))
        };
        let mut compared: Vec<Compared> = runs
            .iter()
            .enumerate()
            .map(|(i, run)| Compared {
                name: name_of(run, runs),
                model: run.provenance.task.clone(),
                is_subject: i == 0,
                is_best: false,
                overlaps_best: false,
                tokenizer_sha256: tokenizers(run),
                vocabulary: run.predictions.details().number("vocabulary"),
                image_size: run.predictions.details().number("image_size"),
                parameters: run.provenance.parameters,
                steps: run.provenance.steps,
                train_seconds: run.provenance.train_seconds,
                sorted_by: run.scores.iter().position(|s| s.name == metric.name).unwrap_or(0),
                scores: run.scores.clone(),
                curve: curve_of(run, same_tokenizer),
            })
            .collect();
        compared.sort_by(|a, b| {
            let (a, b) = (a.score(), b.score());
            let ascending = a.value.total_cmp(&b.value);
            if a.higher_is_better { ascending.reverse() } else { ascending }
        });
        let best = compared[0].score().clone();
        for run in &mut compared {
            run.is_best = run.score().value == best.value;
            run.overlaps_best = overlap(run.score(), &best);
        }
        Ok(Self {
            metric: metric.name.clone(),
            label: metric.label.clone(),
            reason,
            same_tokenizer,
            same_text: same_text(runs),
            same_windows: all_same(runs.iter().map(windows)),
            curve_unit: match (runs[0].classification.is_some(), same_tokenizer) {
                _ if runs[0].poses.is_some() => "the unit in which each is trained",
                (true, _) => "nats per image",
                (false, true) => "nats per token",
                (false, false) => "bits per byte",
            }
            .to_owned(),
            images: same_images(runs),
            poses: same_windows(runs, bootstrap),
            results: runs[1..].iter().filter_map(|run| Some(run.classification.as_ref()?.results.clone())).collect(),
            paired: paired(runs, same_tokenizer, bootstrap)?,
            runs: compared,
        })
    }

    /// The place of the run that the report is about, from 1.
    pub fn place(&self) -> usize {
        self.runs.iter().position(|run| run.is_subject).unwrap_or(0) + 1
    }
}

impl Compared {
    /// The score that the runs are sorted by.
    pub fn score(&self) -> &Score {
        &self.scores[self.sorted_by]
    }
}

/// The first metric of the config that all runs have; across tokenizers the first that means the
/// same for all of them.
fn sort_metric(runs: &[ScoredRun], same_tokenizer: bool) -> Result<(&Score, String)> {
    let common = |score: &&Score| runs.iter().all(|run| run.score(&score.name).is_some());
    let headline = runs[0].scores.iter().find(common);
    let headline = headline.ok_or_else(|| Error::input("the runs have no metric in common"))?;
    if same_tokenizer || headline.comparable_across_tokenizers {
        return Ok((headline, "sorted by the first metric of the config that all runs have".to_owned()));
    }
    let fair = runs[0].scores.iter().filter(|score| score.comparable_across_tokenizers).find(common);
    Ok(match fair {
        Some(fair) => {
            let reason = format!(
                "sorted by this one because `{}` counts tokens, and the runs cut the text into different ones",
                headline.name
            );
            (fair, reason)
        }
        None => (
            headline,
            "sorted by the headline, for lack of a metric that means the same for every tokenizer".to_owned(),
        ),
    })
}

fn curve_of(run: &ScoredRun, same_tokenizer: bool) -> Option<Series> {
    let mut curve = run.curves.as_ref()?.validation.clone()?;
    if !same_tokenizer {
        let of_text = run.language_model.as_ref().and_then(LanguageModel::bytes_per_token);
        let of_translation = || run.translation.as_ref().and_then(Translation::bytes_per_token);
        let scale = 1.0 / (of_text.or_else(of_translation)? * std::f64::consts::LN_2);
        curve.values.iter_mut().for_each(|value| *value *= scale);
        curve.low.clear();
        curve.high.clear();
    }
    Some(curve)
}

fn side<'a>(run: &'a ScoredRun, runs: &[ScoredRun], same_tokenizer: bool) -> Option<Side<'a>> {
    let translation = run.translation.as_ref()?;
    let scored = run.scores.iter().zip(&run.tallies).map(|(score, tally)| (score, tally.as_ref()));
    let comparable = scored.filter(|(score, _)| same_tokenizer || score.comparable_across_tokenizers);
    Some(Side {
        name: name_of(run, runs),
        sentences: &translation.rows,
        worth: &translation.worth,
        scored: comparable.collect(),
    })
}

/// The first run beside all others sentence by sentence, where all translate.
fn paired(runs: &[ScoredRun], same_tokenizer: bool, bootstrap: &Bootstrap) -> Result<Option<Paired>> {
    let sides: Option<Vec<Side<'_>>> = runs.iter().map(|run| side(run, runs, same_tokenizer)).collect();
    sides.map(|sides| Paired::of(&sides, bootstrap)).transpose()
}

/// The first run beside all others image by image, where all classify.
fn same_images(runs: &[ScoredRun]) -> Option<SameImages> {
    let sides: Option<Vec<ImageSide<'_>>> = runs
        .iter()
        .map(|run| {
            let made = run.classification.as_ref()?;
            Some(ImageSide { name: name_of(run, runs), classes: &made.classes, rows: &made.rows, shown: &made.shown })
        })
        .collect();
    sides.map(|sides| SameImages::of(&sides))
}

/// The first run beside all others window by window, where all optimise poses.
fn same_windows(runs: &[ScoredRun], bootstrap: &Bootstrap) -> Option<SameWindows> {
    let sides = runs.iter().map(|run| Some(PoseSide { name: name_of(run, runs), poses: run.poses.as_ref()? }));
    let sides: Option<Vec<PoseSide<'_>>> = sides.collect();
    sides.map(|sides| SameWindows::of(&sides, bootstrap))
}

fn same_text(runs: &[ScoredRun]) -> bool {
    let bytes: Vec<f64> = runs.iter().filter_map(|run| run.language_model.as_ref()).map(|lm| lm.bytes as f64).collect();
    let most = bytes.iter().copied().fold(0.0, f64::max);
    bytes.iter().all(|bytes| most - bytes <= SAME_TEXT * most)
}

fn overlap(a: &Score, b: &Score) -> bool {
    match (&a.interval, &b.interval) {
        (Some(a), Some(b)) => a.low <= b.high && b.low <= a.high,
        _ => false,
    }
}

fn name_of(run: &ScoredRun, runs: &[ScoredRun]) -> String {
    let name = &run.provenance.name;
    match runs.iter().filter(|other| other.provenance.name == *name).count() {
        1 => name.clone(),
        _ => run.dir.path().display().to_string(),
    }
}

fn all_same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    match values.next() {
        Some(first) => values.all(|value| value == first),
        None => true,
    }
}
