//! A run as the report reads it.

use std::path::Path;

use tessera_datasets::config::RunConfig;
use tessera_datasets::run_dir::{Provenance, RunDir};
use tessera_datasets::{Error, Result};

use super::classification::{self, Classification};
use super::curves::Curves;
use super::language_model::{self, LanguageModel};
use super::pose::{self, Poses};
use super::translation::{self, Scored, Translation};
use crate::config::EvalConfig;
use crate::metric::{AnyMetric, Tally};
use crate::predictions::Predictions;
use crate::score::Score;

/// A run with its predictions, scored.
pub struct ScoredRun {
    /// Its folder.
    pub dir: RunDir,
    /// What it says about itself.
    pub provenance: Provenance,
    /// What was predicted.
    pub predictions: Predictions,
    /// Its scores, in the order of the metrics.
    pub scores: Vec<Score>,
    /// Its learning curves.
    pub curves: Option<Curves>,
    /// What else a language model's predictions show.
    pub language_model: Option<LanguageModel>,
    /// What else the predictions of a translation show.
    pub translation: Option<Translation>,
    /// What else the predictions of image classification show.
    pub classification: Option<Classification>,
    /// What else the predictions of poses show.
    pub poses: Option<Poses>,
    /// The statistics behind the scores, row by row, in their order.
    pub tallies: Vec<Box<dyn Tally>>,
}

/// The `[eval]` part of a run's resolved config with overrides.
///
/// # Errors
/// When the folder is no run, or the config is wrong.
pub fn config_of(run: &RunDir, overrides: &[String]) -> Result<EvalConfig> {
    EvalConfig::of(&RunConfig::load(run.config_path(), overrides)?)
}

/// Opens the predictions of a run.
///
/// # Errors
/// When there are none for the split, or they are not what was published.
pub fn predictions_of(run: &RunDir, split: &str) -> Result<Predictions> {
    let dir = run.predictions(split);
    if !dir.is_dir() {
        let command = format!("tessera-train predict {} --split {split}", run.path().display());
        return Err(Error::input(format!("the run has no predictions for split `{split}`"))
            .at(dir)
            .hint(format!("make them with `{command}`")));
    }
    Predictions::open(&dir)
}

impl ScoredRun {
    /// Reads and scores a run. Metrics that only another run's predictions can have are left out
    /// where `lenient`.
    ///
    /// # Errors
    /// When a part of the run is absent or not what it should be.
    pub fn read(path: &Path, config: &EvalConfig, lenient: bool) -> Result<Self> {
        let dir = RunDir::open(path)?;
        let predictions = predictions_of(&dir, &config.split)?;
        let mut metrics = config.metrics_for(predictions.task())?;
        if lenient {
            metrics.retain(|metric| fits(metric, &predictions));
        }
        let explanations = dir.explanations(&config.split);
        let language_model = match predictions.task() {
            language_model::TASK => Some(LanguageModel::read(&predictions, &explanations)?),
            _ => None,
        };
        let tallies = predictions.tallies_by(config, &metrics)?;
        let scores = predictions.finish(&tallies, &config.bootstrap)?;
        let translation = match predictions.task() {
            translation::TASK => {
                let scored = Scored { scores: &scores, tallies: &tallies, bootstrap: &config.bootstrap };
                Some(Translation::read(&predictions, &explanations, &scored)?)
            }
            _ => None,
        };
        let provenance = dir.provenance()?;
        let classification = match predictions.task() {
            classification::TASK => {
                Some(Classification::read(&predictions, &explanations, &tallies, &provenance.name)?)
            }
            _ => None,
        };
        let poses = match predictions.task() {
            pose::TASK => Some(Poses::read(&predictions, &explanations, &config.bootstrap)?),
            _ => None,
        };
        Ok(Self {
            provenance,
            scores,
            curves: Curves::of(&dir.metrics()?),
            language_model,
            translation,
            classification,
            poses,
            tallies,
            predictions,
            dir,
        })
    }

    /// The score of a metric.
    pub fn score(&self, metric: &str) -> Option<&Score> {
        self.scores.iter().find(|score| score.name == metric)
    }
}

fn fits(metric: &AnyMetric, predictions: &Predictions) -> bool {
    metric.about().is_for(predictions.task())
}
