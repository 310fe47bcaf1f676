//! What the loop knows of a model: a task with steps, validation and predictions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tch::{Device, Tensor};
use tessera_datasets::config::Section;
use tessera_datasets::pose::Track;
use tessera_datasets::run_dir::{RunDir, Sample};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use crate::config::{Precision, TrainConfig};
use crate::export::{Exported, Format};
use crate::loader::{Batch, BatchSource};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;

/// One model with its data and its optimisers.
///
/// The loop in [`crate::fit`] calls this and knows nothing else. A task with two optimisers
/// lists both; one without gradients lists none, counts in [`Task::train_step`] and needs one step.
pub trait Task {
    /// The named tensors that a checkpoint keeps.
    fn parameters(&self) -> &Parameters;

    /// The optimisers by name, whose state a checkpoint keeps.
    fn optimizers(&mut self) -> Vec<(&'static str, &mut Optimizer)>;

    /// Weights of another implementation's file under the model's names and in its shapes.
    ///
    /// # Errors
    /// When a tensor cannot be brought into the model's shape.
    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        Ok(found)
    }

    /// What makes the training batches. It reads the training split only now, so that a trained
    /// model is ready at once.
    ///
    /// # Errors
    /// When a row cannot be read, or the split is too small.
    fn batches(&mut self) -> Result<Arc<dyn BatchSource>>;

    /// What one item of a batch is, for the rate: `tokens`, `images`, `poses`.
    fn item(&self) -> &'static str;

    /// One step of training: everything from forward pass to the optimisers' steps. The values
    /// stay on the device; the loop reads them only when it logs.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn train_step(&mut self, batch: &Batch, at: &Step) -> Result<Measures>;

    /// Scores on the validation split, with `loss` among them.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn validate(&mut self) -> Result<Vec<(String, f64)>>;

    /// Writes the predictions for a split into the run, and explanations for some of its rows.
    ///
    /// # Errors
    /// When the split is absent or the disk is full.
    fn predict(&mut self, request: &Predict) -> Result<()>;

    /// Continues a prompt, for models that write.
    ///
    /// # Errors
    /// When the model does not write, or the prompt cannot be encoded.
    fn generate(&mut self, _request: &Generate) -> Result<Sample> {
        Err(Error::input("this model does not generate"))
    }

    /// Translates sentences, for models that do.
    ///
    /// # Errors
    /// When the model does not translate, or a sentence cannot be encoded.
    fn translate(&mut self, _sentences: &[String]) -> Result<Vec<Translation>> {
        Err(Error::input("this model does not translate"))
    }

    /// A position for every keypoint of every frame of a recording, `y_tkc`, for models of poses.
    ///
    /// # Errors
    /// When the model does not optimise poses, or has other keypoints than the track.
    fn optimise(&mut self, _track: &Track, _request: &Optimise) -> Result<Vec<f32>> {
        Err(Error::input("this model does not optimise poses"))
    }

    /// The model in another program's form.
    ///
    /// # Errors
    /// When it has no such form.
    fn export(&self, _format: Format) -> Result<Exported> {
        Err(Error::input("this model has one form only: that of its checkpoints"))
    }

    /// The model's description in the reference implementation's form (`config.json`), saved
    /// beside the weights.
    fn reference_config(&self) -> Value;

    /// Facts for the run's provenance and the predictions' manifest.
    fn details(&self) -> Map<String, Value>;
}

/// Where the loop is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Counted from 0.
    pub index: u64,
    /// The learning rate as a share of the peak.
    pub rate: f64,
}

/// Named values of one step, on the device.
pub type Measures = Vec<(&'static str, Tensor)>;

/// What a task is made from.
pub struct Context<'a> {
    /// `[train]` without the model's table.
    pub config: &'a TrainConfig,
    /// The model's own table.
    pub model: Section,
    /// The dataset; its hashes have been checked.
    pub dataset: Dataset,
    /// Where to compute.
    pub device: Device,
    /// The run's seed.
    pub seed: u64,
}

impl Context<'_> {
    /// Mixed precision or not.
    pub fn precision(&self) -> Precision {
        self.config.precision
    }
}

/// A request for predictions.
#[derive(Clone, Debug)]
pub struct Predict {
    /// The run to write into.
    pub run: RunDir,
    /// The run's name.
    pub run_name: String,
    /// The split to predict.
    pub split: String,
    /// The checkpoint's step.
    pub step: u64,
    /// SHA-256 of the checkpoint's weights.
    pub weights_sha256: String,
    /// Whether they are the moving average of the run's weights.
    pub averaged: bool,
    /// For how many rows to write explanations.
    pub explain: usize,
    /// Tokens between the starts of two windows; the context length where it is not given.
    pub stride: Option<usize>,
    /// The resolved config.
    pub config: String,
}

/// A request for a continuation.
#[derive(Clone, Debug)]
pub struct Generate {
    /// What to continue.
    pub prompt: String,
    /// How many tokens to add at most.
    pub tokens: usize,
    /// 0 takes the most probable token; 1 samples from the model's own distribution.
    pub temperature: f64,
    /// Only the k most probable tokens; 0 for all.
    pub top_k: usize,
    /// Only the most probable tokens that together reach this probability; 1 for all.
    pub top_p: f64,
    /// The seed of the draw.
    pub seed: u64,
}

/// How a recording of poses is optimised: window by window.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimise {
    /// Frames that two windows share, whose results are blended; half a window where it is not
    /// given.
    pub overlap: Option<usize>,
    /// The least share of known keypoints of a window, pass by pass: what the windows of a pass
    /// have found is known in the next. Empty for one pass over all windows.
    pub occupancy: Vec<f64>,
}

/// The ways that were found to translate a sentence.
#[derive(Clone, Debug)]
pub struct Translation {
    /// Best first; at least one.
    pub hypotheses: Vec<Translated>,
}

/// One way to translate a sentence.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The text.
    pub text: String,
    /// Its tokens as they are shown.
    pub tokens: Vec<String>,
    /// The log-probability of each token in nats, that of the end included.
    pub token_scores: Vec<f32>,
    /// Their sum.
    pub log_probability: f64,
    /// What it was ranked by: `log_probability` over the length penalty.
    pub score: f64,
}

impl Translation {
    /// The best.
    ///
    /// # Errors
    /// When there is none, which is a fault of the search.
    pub fn best(&self) -> Result<&Translated> {
        self.hypotheses.first().ok_or_else(|| Error::internal("a sentence without a hypothesis"))
    }
}

/// A registry entry: a kind of model.
pub struct ModelEntry {
    /// The `kind` in `[train.model]`.
    pub name: &'static str,
    /// One line for `tessera-train list`.
    pub summary: &'static str,
    /// Checks the model's table without data.
    pub check: fn(&Section) -> Result<()>,
    /// Makes the task.
    pub create: fn(Context<'_>) -> Result<Box<dyn Task>>,
}
