//! What a report says, before anybody has decided how it looks.
//!
//! The whole of it is `report.json`; the page and the Markdown only show it. Every number in the
//! page names the place in this structure that it came from.

use serde::Serialize;
use serde_json::Value;
use tessera_datasets::run_dir::{Average, Sample};

use super::classification::Classification;
use super::comparison::Comparison;
use super::curves::Curves;
use super::data::Data;
use super::language_model::LanguageModel;
use super::pose::Poses;
use super::provenance::Origin;
use super::translation::Translation;
use super::warnings::Warning;
use crate::score::Score;

/// What `format` says in `report.json`.
pub const FORMAT: &str = "tessera-report";
/// The version of `report.json` that this program writes.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that a report says about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Always `tessera-report`.
    pub format: &'static str,
    /// The version of the format.
    pub version: u32,
    /// The program and version that made it, such as `tessera 0.1.0`.
    pub program: String,
    /// The run's name.
    pub name: String,
    /// What was predicted, such as `language-model`.
    pub task: String,
    /// The model's kind, such as `gpt`.
    pub model: String,
    /// What was scored.
    pub evaluated: Evaluated,
    /// The scores in the order of the config; the first is the headline.
    pub scores: Vec<Score>,
    /// What the headline means, in sentences.
    pub verdict: Vec<String>,
    /// What a reader should know before trusting a number.
    pub warnings: Vec<Warning>,
    /// The run in a few numbers.
    pub facts: Vec<Fact>,
    /// Other runs, where some were given.
    pub comparison: Option<Comparison>,
    /// Learning curves, where there are any.
    pub curves: Option<Curves>,
    /// Where a language model is sure and where it is not.
    pub language_model: Option<LanguageModel>,
    /// How a model translates.
    pub translation: Option<Translation>,
    /// How a model classifies images.
    pub classification: Option<Classification>,
    /// How a model optimises poses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poses: Option<Poses>,
    /// What averaging the last checkpoints was worth, where that was done.
    pub average: Option<Average>,
    /// What the model wrote by itself.
    pub samples: Vec<Sample>,
    /// What it was trained on.
    pub data: Data,
    /// How it came to be.
    pub origin: Origin,
}

impl Report {
    /// What the losses of its curves are in.
    pub fn loss_unit(&self) -> &'static str {
        match (&self.classification, &self.poses) {
            (Some(_), _) => "nats per image",
            (_, Some(_)) => "as it is trained",
            _ => "nats per token",
        }
    }
}

/// What was scored: which checkpoint, on what.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluated {
    /// The split.
    pub split: String,
    /// The step of the checkpoint, where the predictions say.
    pub step: Option<u64>,
    /// SHA-256 of the checkpoint's weights, where the predictions say.
    pub checkpoint_sha256: Option<String>,
    /// SHA-256 of the manifest of the predictions.
    pub predictions_sha256: String,
    /// Whether it is the mean of the last checkpoints instead of one of them.
    pub is_average: bool,
    /// The best step by `checkpoints/best.json`.
    pub best_step: Option<u64>,
    /// What was best about it, such as `loss`.
    pub best_metric: Option<String>,
    /// Its value.
    pub best_value: Option<f64>,
}

/// One of the numbers or words at the top of a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// What it is, such as `parameters`.
    pub label: &'static str,
    /// A number or a text.
    pub value: Value,
    /// How a number is shown; see [`crate::number::Style`]. Empty for a text.
    pub style: &'static str,
    /// What else there is to say about it.
    pub note: String,
}
