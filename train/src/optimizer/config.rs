//! `[train.optimizer]`.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

/// `[train.optimizer]`: AdamW (Loshchilov and Hutter 2019), or SGD with momentum as PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// `adamw` or `sgd`.
    pub kind: OptimizerKind,
    /// The peak learning rate; the schedule scales it.
    pub learning_rate: f64,
    /// AdamW: decay of the mean of gradients and of their squares.
    pub betas: (f64, f64),
    /// AdamW: added to the denominator.
    pub epsilon: f64,
    /// SGD: how much of the last update goes into the next.
    pub momentum: f64,
    /// SGD: Nesterov's momentum.
    pub nesterov: bool,
    /// Weight decay of tensors with two dimensions or more, decoupled in AdamW, added to the
    /// gradient in SGD; biases and norms have none. 0.1 of AdamW and 0 of SGD where it is not
    /// given.
    pub weight_decay: Option<f64>,
    /// For models that count their layers: the learning rate of a layer is this times that of the
    /// layer above it (Bao et al. 2021, BEiT).
    pub layer_decay: Option<f64>,
    /// The norm that gradients are clipped to; 0 for no clipping.
    pub clip: f64,
    /// Whose norm that is: that of all gradients together, or that of each parameter's alone.
    pub clip_by: ClipBy,
}

/// What gradient clipping measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClipBy {
    /// All gradients together, as PyTorch's `clip_grad_norm_`.
    Global,
    /// Each parameter's alone, as the `clipnorm` of Keras' optimisers.
    Variable,
}

/// The optimisers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// AdamW.
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adamw,
            learning_rate: 1e-3,
            betas: (0.9, 0.95),
            epsilon: 1e-8,
            momentum: 0.9,
            nesterov: false,
            weight_decay: None,
            layer_decay: None,
            clip: 1.0,
            clip_by: ClipBy::Global,
        }
    }
}

impl OptimizerConfig {
    /// Weight decay, its default included.
    pub fn weight_decay(&self) -> f64 {
        self.weight_decay.unwrap_or(match self.kind {
            OptimizerKind::Adamw => 0.1,
            OptimizerKind::Sgd => 0.0,
        })
    }

    /// Refuses keys of the other optimiser, and values that make no sense.
    ///
    /// # Errors
    /// At the first of them.
    pub fn check(&self, section: &Section) -> Result<()> {
        let (name, foreign) = match self.kind {
            OptimizerKind::Adamw => ("adamw", ["momentum", "nesterov"]),
            OptimizerKind::Sgd => ("sgd", ["betas", "epsilon"]),
        };
        if let Some(key) = foreign.iter().find(|key| section.table().contains_key(**key)) {
            return Err(section.error(key, format!("`{key}` is not for `kind = \"{name}\"`")));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            let message = format!("`learning_rate` {} is not above 0", self.learning_rate);
            return Err(section.error("learning_rate", message));
        }
        if self.nesterov && self.momentum <= 0.0 {
            return Err(section.error("nesterov", "`nesterov` needs a `momentum` above 0"));
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(section.error("momentum", "`momentum` must be at least 0 and below 1"));
        }
        if let Some(decay) = self.layer_decay.filter(|decay| !(*decay > 0.0 && *decay <= 1.0)) {
            let message = format!("`layer_decay` {decay} is not above 0 and at most 1");
            return Err(section.error("layer_decay", message));
        }
        Ok(())
    }
}
