//! AdamW with its whole state in our hands: clipped, scheduled, saved and resumed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tch::{Kind, Tensor};
use tessera_datasets::Result;

use crate::parameters::Parameters;
use crate::shim::{self, AdamwStep};
use crate::weights;

/// `[train.optimizer]`: AdamW (Loshchilov and Hutter 2019) on all parameters.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// `adamw`, the only one so far.
    pub kind: OptimizerKind,
    /// The peak learning rate; the schedule scales it.
    pub learning_rate: f64,
    /// Decay of the mean of gradients and of their squares.
    pub betas: (f64, f64),
    /// Added to the denominator.
    pub epsilon: f64,
    /// Decoupled weight decay of tensors with two dimensions or more; biases and norms have none.
    pub weight_decay: f64,
    /// The norm that all gradients together are clipped to; 0 for no clipping.
    pub clip: f64,
}

/// The optimisers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// AdamW.
    Adamw,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adamw,
            learning_rate: 1e-3,
            betas: (0.9, 0.95),
            epsilon: 1e-8,
            weight_decay: 0.1,
            clip: 1.0,
        }
    }
}

/// AdamW over the parameters of a model, in two groups: with weight decay and without.
pub struct Optimizer {
    config: OptimizerConfig,
    groups: [Group; 2],
    all: Vec<Tensor>,
}

/// Parameters with their moments; the vectors have one entry per parameter.
#[derive(Default)]
struct Group {
    weight_decay: f64,
    names: Vec<String>,
    parameters: Vec<Tensor>,
    exp_avgs: Vec<Tensor>,
    exp_avg_sqs: Vec<Tensor>,
    steps: Vec<Tensor>,
}

impl Optimizer {
    /// Starts with moments of zero.
    pub fn new(config: OptimizerConfig, parameters: &Parameters) -> Self {
        let mut decayed = Group { weight_decay: config.weight_decay, ..Group::default() };
        let mut plain = Group::default();
        for (name, tensor) in parameters.iter() {
            let group = if tensor.dim() >= 2 { &mut decayed } else { &mut plain };
            group.names.push(name.to_owned());
            group.parameters.push(tensor.shallow_clone());
            group.exp_avgs.push(tensor.zeros_like().detach());
            group.exp_avg_sqs.push(tensor.zeros_like().detach());
            group.steps.push(Tensor::zeros([1], (Kind::Float, tensor.device())).squeeze());
        }
        Self { config, groups: [decayed, plain], all: parameters.tensors().iter().map(Tensor::shallow_clone).collect() }
    }

    /// Clips the gradients, makes one step at `factor` times the peak rate, and drops the
    /// gradients. Gives the norm of the gradients before clipping, on their device.
    ///
    /// # Errors
    /// When a parameter has no gradient, which is a fault of the model.
    pub fn step(&mut self, factor: f64) -> Result<Tensor> {
        let norm = shim::clip_gradients(&self.all, self.config.clip)?;
        for group in &mut self.groups {
            if group.parameters.is_empty() {
                continue;
            }
            for step in &mut group.steps {
                let _ = step.g_add_scalar_(1.0);
            }
            let step = AdamwStep {
                learning_rate: self.config.learning_rate * factor,
                betas: self.config.betas,
                weight_decay: group.weight_decay,
                epsilon: self.config.epsilon,
            };
            shim::fused_adamw(&group.parameters, &group.exp_avgs, &group.exp_avg_sqs, &group.steps, step)?;
        }
        shim::clear_gradients(&self.all)?;
        Ok(norm)
    }

    /// The learning rate at `factor` times the peak.
    pub fn learning_rate(&self, factor: f64) -> f64 {
        self.config.learning_rate * factor
    }

    /// Moments and counters by name, as a checkpoint keeps them.
    fn state(&self) -> BTreeMap<String, &Tensor> {
        let mut out = BTreeMap::new();
        for group in &self.groups {
            for (i, name) in group.names.iter().enumerate() {
                out.insert(format!("exp_avg.{name}"), &group.exp_avgs[i]);
                out.insert(format!("exp_avg_sq.{name}"), &group.exp_avg_sqs[i]);
                out.insert(format!("step.{name}"), &group.steps[i]);
            }
        }
        out
    }

    /// Writes moments and counters.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let state = self.state();
        weights::save(path, state.iter().map(|(name, tensor)| (name.as_str(), *tensor)))
    }

    /// Reads moments and counters, strictly.
    ///
    /// # Errors
    /// When the file is cut short or of another model.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let found = weights::load(path)?;
        let state = self.state();
        weights::load_into(path, state.iter().map(|(name, tensor)| (name.as_str(), *tensor)), found)
    }
}
