//! Parameters that are stepped alike, with their state.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::config::{OptimizerConfig, OptimizerKind};
use crate::shim::{self, AdamwStep, SgdStep};

/// How one parameter is stepped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Its learning rate as a share of the optimiser's.
    pub rate: f64,
    /// Whether weight decay pulls at it.
    pub decays: bool,
}

impl Rule {
    /// As most models want it: weight decay for tensors of two dimensions or more.
    pub fn by_shape(tensor: &Tensor) -> Self {
        Self { rate: 1.0, decays: tensor.dim() >= 2 }
    }
}

/// Parameters with one rule; the vectors have one entry per parameter.
pub(super) struct Group {
    pub(super) rule: Rule,
    names: Vec<String>,
    parameters: Vec<Tensor>,
    state: State,
}

enum State {
    Adamw { exp_avgs: Vec<Tensor>, exp_avg_sqs: Vec<Tensor>, steps: Vec<Tensor> },
    Sgd { momentum_buffers: Vec<Tensor> },
}

impl Group {
    pub(super) fn new(rule: Rule, kind: OptimizerKind) -> Self {
        let state = match kind {
            OptimizerKind::Adamw => State::Adamw { exp_avgs: Vec::new(), exp_avg_sqs: Vec::new(), steps: Vec::new() },
            OptimizerKind::Sgd => State::Sgd { momentum_buffers: Vec::new() },
        };
        Self { rule, names: Vec::new(), parameters: Vec::new(), state }
    }

    pub(super) fn push(&mut self, name: &str, tensor: &Tensor) {
        self.names.push(name.to_owned());
        self.parameters.push(tensor.shallow_clone());
        let zeros = || tensor.zeros_like().detach();
        match &mut self.state {
            State::Adamw { exp_avgs, exp_avg_sqs, steps } => {
                exp_avgs.push(zeros());
                exp_avg_sqs.push(zeros());
                steps.push(Tensor::zeros([1], (Kind::Float, tensor.device())).squeeze());
            }
            // the first step of PyTorch's SGD copies the gradient, which is what zeros come to
            State::Sgd { momentum_buffers } => momentum_buffers.push(zeros()),
        }
    }

    /// One step at `factor` times the optimiser's rate.
    pub(super) fn step(&mut self, config: &OptimizerConfig, factor: f64) -> Result<()> {
        let learning_rate = config.learning_rate * factor * self.rule.rate;
        let weight_decay = if self.rule.decays { config.weight_decay() } else { 0.0 };
        match &mut self.state {
            State::Adamw { exp_avgs, exp_avg_sqs, steps } => {
                for step in steps.iter_mut() {
                    let _ = step.g_add_scalar_(1.0);
                }
                let step = AdamwStep { learning_rate, betas: config.betas, weight_decay, epsilon: config.epsilon };
                shim::fused_adamw(&self.parameters, exp_avgs, exp_avg_sqs, steps, step)
            }
            State::Sgd { momentum_buffers } => {
                let (momentum, nesterov) = (config.momentum, config.nesterov);
                let step = SgdStep { learning_rate, momentum, nesterov, weight_decay };
                shim::fused_sgd(&self.parameters, momentum_buffers, step)
            }
        }
    }

    /// The state by name, as a checkpoint keeps it.
    pub(super) fn state(&self) -> impl Iterator<Item = (String, &Tensor)> {
        let kinds: Vec<(&str, &Vec<Tensor>)> = match &self.state {
            State::Adamw { exp_avgs, exp_avg_sqs, steps } => {
                vec![("exp_avg", exp_avgs), ("exp_avg_sq", exp_avg_sqs), ("step", steps)]
            }
            State::Sgd { momentum_buffers } => vec![("momentum_buffer", momentum_buffers)],
        };
        kinds.into_iter().flat_map(|(kind, tensors)| {
            let names = self.names.iter().map(move |name| format!("{kind}.{name}"));
            names.zip(tensors)
        })
    }
}
