//! Optimisers with their whole state in our hands: clipped, scheduled, saved and resumed.

mod config;
mod group;

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;
use tessera_datasets::{Error, Result};

pub use self::config::{OptimizerConfig, OptimizerKind};
use self::group::Group;
pub use self::group::Rule;
use crate::parameters::Parameters;
use crate::{shim, weights};

/// AdamW or SGD over those parameters of a model that are trained, in groups of one rule each.
pub struct Optimizer {
    config: OptimizerConfig,
    groups: Vec<Group>,
    all: Vec<Tensor>,
}

impl Optimizer {
    /// Two groups, with weight decay and without.
    ///
    /// # Errors
    /// When the config asks for layers, or nothing is to be trained.
    pub fn new(config: OptimizerConfig, parameters: &Parameters) -> Result<Self> {
        if config.layer_decay.is_some() {
            return Err(Error::input("`train.optimizer.layer_decay` is for models that count their layers"));
        }
        Self::grouped(config, parameters, |_, tensor| Rule::by_shape(tensor))
    }

    /// Groups by a rule for each parameter. Frozen parameters are in none.
    ///
    /// # Errors
    /// When nothing is to be trained.
    pub fn grouped(
        config: OptimizerConfig,
        parameters: &Parameters,
        rule: impl Fn(&str, &Tensor) -> Rule,
    ) -> Result<Self> {
        let (mut groups, mut all) = (Vec::<Group>::new(), Vec::new());
        for (name, tensor) in parameters.iter().filter(|(_, tensor)| tensor.requires_grad()) {
            let rule = rule(name, tensor);
            let place = groups.iter().position(|group| group.rule == rule).unwrap_or_else(|| {
                groups.push(Group::new(rule, config.kind));
                groups.len() - 1
            });
            groups[place].push(name, tensor);
            all.push(tensor.shallow_clone());
        }
        match all.is_empty() {
            true => Err(Error::input("all parameters are frozen").hint("`train.freeze` leaves nothing to train")),
            false => Ok(Self { config, groups, all }),
        }
    }

    /// Clips the gradients, makes one step at `factor` times the peak rate, and drops the
    /// gradients. Gives the norm of the gradients before clipping, on their device.
    ///
    /// # Errors
    /// When a parameter has no gradient, which is a fault of the model.
    pub fn step(&mut self, factor: f64) -> Result<Tensor> {
        let norm = shim::clip_gradients(&self.all, self.config.clip)?;
        for group in &mut self.groups {
            group.step(&self.config, factor)?;
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
        self.groups.iter().flat_map(Group::state).collect()
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
