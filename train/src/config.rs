//! `[train]`: everything about the run that is not the model itself.

use std::path::PathBuf;

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::ema::EmaConfig;
use crate::images::AugmentConfig;
use crate::optimizer::OptimizerConfig;
use crate::schedule::Schedule;

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Rows (windows, images, sentences) per step.
    pub batch: Option<usize>,
    /// Tokens per step and side, ends and padding included, for models that read sentences; in
    /// place of `batch`.
    pub batch_tokens: Option<usize>,
    /// Into how many pieces a batch is cut to fit into memory; the result is that of the whole
    /// batch, up to rounding.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Steps between two lines of `metrics.jsonl`.
    #[serde(default = "ten")]
    pub log_every: u64,
    /// Steps between two validations; there is always one at the end.
    #[serde(default = "two_hundred_and_fifty")]
    pub validate_every: u64,
    /// Windows (rows) of the validation split that are looked at during training, spread evenly;
    /// all where it is not given. Predictions always cover the whole split.
    pub validation_rows: Option<usize>,
    /// Steps between two checkpoints; there is always one at the end.
    #[serde(default = "thousand")]
    pub checkpoint_every: u64,
    /// How many of the last checkpoints are averaged into one more at the end; 0 for none.
    #[serde(default)]
    pub average: usize,
    /// How many of the latest checkpoints are kept, besides the best.
    #[serde(default = "two")]
    pub keep_last: usize,
    /// `float32`, or `bfloat16` for mixed precision.
    #[serde(default)]
    pub precision: Precision,
    /// Threads inside an operation; 0 for the machine's cores.
    #[serde(default)]
    pub threads: usize,
    /// Threads that make batches while the device works.
    #[serde(default = "one")]
    pub loader_threads: usize,
    /// What is done to training images.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// Weights to start from: a `model.safetensors` with the reference's names.
    pub init_from: Option<PathBuf>,
    /// Parameters that stay as they are: names, or starts of names such as `blocks.0.*`.
    #[serde(default)]
    pub freeze: Vec<String>,
    /// The moving average of the weights; none where it is not given.
    pub ema: Option<EmaConfig>,
    /// The optimiser.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// The learning rate over time.
    #[serde(default)]
    pub schedule: Schedule,
    /// What `predict` writes beside the scores.
    #[serde(default)]
    pub samples: SamplesConfig,
    /// How a model that translates searches.
    #[serde(default)]
    pub decode: DecodeConfig,
    /// The model's own table, parsed by the model.
    pub model: toml::Table,
}

/// `[train.samples]`: texts that `predict` lets a generative model write for the report.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplesConfig {
    /// How many.
    pub count: usize,
    /// Tokens in each.
    pub tokens: usize,
    /// What they start from.
    pub prompt: String,
    /// 0 takes the most probable token, 1 samples from the model's own distribution.
    pub temperature: f64,
    /// Only the k most probable tokens; 0 for all.
    pub top_k: usize,
    /// Only the most probable tokens that together reach this probability.
    pub top_p: f64,
}

/// `[train.decode]`: the search of models that translate (Wu et al. 2016; Vaswani et al. 2017,
/// section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeConfig {
    /// Hypotheses kept per sentence; 1 is greedy.
    pub beam: usize,
    /// α in `((5 + length) / 6)^α`, which a log-probability is divided by.
    pub length_penalty: f64,
    /// How many hypotheses predictions hold, best first.
    pub n_best: usize,
    /// A hypothesis may have so many tokens more than its source.
    pub extra_length: usize,
    /// Sentences that are translated side by side.
    pub batch: usize,
    /// Tokens of the longest source; a longer one is an error.
    pub longest: usize,
}

impl Default for DecodeConfig {
    fn default() -> Self {
        Self { beam: 4, length_penalty: 0.6, n_best: 1, extra_length: 50, batch: 256, longest: 1024 }
    }
}

/// In which numbers the model computes. Weights and optimiser are always `float32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    #[default]
    Float32,
    /// Mixed precision: matrix products in bfloat16.
    Bfloat16,
}

impl Precision {
    /// The name in configs and provenance.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::Bfloat16 => "bfloat16",
        }
    }
}

impl Default for SamplesConfig {
    fn default() -> Self {
        Self { count: 3, tokens: 300, prompt: "\n".to_owned(), temperature: 0.8, top_k: 0, top_p: 1.0 }
    }
}

impl DecodeConfig {
    fn check(&self, section: &Section) -> Result<()> {
        let positive = [("beam", self.beam), ("n_best", self.n_best), ("batch", self.batch), ("longest", self.longest)];
        let decode = || section.child("decode");
        for (key, value) in positive {
            if value == 0 {
                return Err(decode()?.error(key, format!("`{key}` must be at least 1")));
            }
        }
        if self.n_best > self.beam {
            let message = format!("`n_best` {} is more than `beam` {} finds", self.n_best, self.beam);
            return Err(decode()?.error("n_best", message));
        }
        if !(self.length_penalty.is_finite() && self.length_penalty >= 0.0) {
            return Err(decode()?.error("length_penalty", "`length_penalty` must be at least 0"));
        }
        Ok(())
    }
}

impl TrainConfig {
    /// Parses `[train]` and checks what a type cannot say.
    ///
    /// # Errors
    /// At the first key that is unknown or has a value that makes no sense.
    pub fn parse(section: &Section) -> Result<Self> {
        let config: Self = section.parse()?;
        match (config.batch, config.batch_tokens) {
            (None, None) => return Err(section.error("", "`batch` is missing: the rows of a step")),
            (Some(_), Some(_)) => {
                return Err(section.error("batch_tokens", "`batch` and `batch_tokens` exclude each other"));
            }
            _ => {}
        }
        let positive = [
            ("steps", config.steps),
            ("batch", config.batch.unwrap_or(1) as u64),
            ("batch_tokens", config.batch_tokens.unwrap_or(1) as u64),
            ("accumulate", config.accumulate as u64),
            ("log_every", config.log_every),
            ("validate_every", config.validate_every),
            ("checkpoint_every", config.checkpoint_every),
            ("keep_last", config.keep_last as u64),
            ("loader_threads", config.loader_threads as u64),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(section.error(key, format!("`{key}` must be at least 1")));
            }
        }
        if let Some(batch) = config.batch.filter(|batch| !batch.is_multiple_of(config.accumulate)) {
            let message = format!("`batch` {batch} cannot be cut into {} equal pieces", config.accumulate);
            return Err(section.error("accumulate", message));
        }
        config.decode.check(section)?;
        config.augment.check(&section.child("augment")?)?;
        config.optimizer.check(&section.child("optimizer")?)?;
        if let Some(ema) = &config.ema {
            ema.check(&section.child("ema")?)?;
        }
        let samples = &config.samples;
        if !(samples.temperature >= 0.0 && samples.top_p > 0.0 && samples.top_p <= 1.0) {
            let message = "`temperature` must be at least 0 and `top_p` above 0 and at most 1";
            return Err(section.child("samples")?.error("", message));
        }
        Ok(config)
    }
}

fn one() -> usize {
    1
}
fn two() -> usize {
    2
}
fn ten() -> u64 {
    10
}
fn two_hundred_and_fifty() -> u64 {
    250
}
fn thousand() -> u64 {
    1000
}
