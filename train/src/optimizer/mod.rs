//! Optimisers with their whole state in our hands: clipped, scheduled, saved and resumed.

mod config;
mod group;

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;
use tessera_datasets::{Error, Result};

pub use self::config::{ClipBy, OptimizerConfig, OptimizerKind};
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
        let each = self.config.clip_by == ClipBy::Variable;
        let norm = shim::clip_gradients(&self.all, self.config.clip, each)?;
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

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::parameters::{Declaration, Init};

    fn parameters() -> Parameters {
        let declared = [Declaration::new("w", &[2, 2], Init::Ones), Declaration::new("b", &[2], Init::Ones)];
        let parameters = Parameters::create(&declared, Device::Cpu, 0).unwrap();
        let start = [
            ("b".to_owned(), Tensor::from_slice(&[1.0_f32, 2.0])),
            ("w".to_owned(), Tensor::from_slice(&[1.0_f32, -2.0, 3.0, 0.5]).view([2, 2])),
        ];
        weights::load_into(Path::new("start"), parameters.iter(), start.into()).unwrap();
        parameters
    }

    fn step(optimizer: &mut Optimizer, parameters: &Parameters) {
        let (w, b) = (parameters.get("w").unwrap(), parameters.get("b").unwrap());
        (w.mv(&b) - 1.0).square().sum(tch::Kind::Float).backward();
        drop(optimizer.step(1.0).unwrap());
    }

    fn values(parameters: &Parameters) -> Vec<f32> {
        let flat: Vec<Tensor> = parameters.tensors().iter().map(|t| t.detach().reshape([-1])).collect();
        Vec::try_from(Tensor::cat(&flat, 0)).unwrap()
    }

    fn sgd(nesterov: bool) -> OptimizerConfig {
        let (kind, learning_rate, weight_decay) = (OptimizerKind::Sgd, 0.1, Some(0.1));
        OptimizerConfig { kind, learning_rate, nesterov, weight_decay, ..OptimizerConfig::default() }
    }

    fn grouped(config: OptimizerConfig, parameters: &Parameters) -> Optimizer {
        let rule =
            |name: &str, tensor: &Tensor| Rule { rate: if name == "w" { 0.5 } else { 1.0 }, ..Rule::by_shape(tensor) };
        Optimizer::grouped(config, parameters, rule).unwrap()
    }

    #[test]
    fn four_clipped_steps_of_sgd_in_two_groups_are_pytorchs() {
        // torch 2.11.0: torch.optim.SGD, momentum 0.9, `w` with half the rate and weight decay 0.1
        for (nesterov, expected) in [
            (false, [1.071_877_96, -1.676_255_94, 2.781_170_61, 0.309_022_67, 0.723_188_40, 1.434_676_65]),
            (true, [1.097_153_78, -1.566_224_58, 2.711_583_38, 0.252_382_07, 0.650_643_65, 1.227_243_66]),
        ] {
            let parameters = parameters();
            let mut optimizer = grouped(sgd(nesterov), &parameters);
            (0..4).for_each(|_| step(&mut optimizer, &parameters));
            for (found, expected) in values(&parameters).iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{nesterov}: {found} {expected}");
            }
        }
    }

    #[test]
    fn its_state_comes_back_and_the_next_step_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for config in [sgd(true), OptimizerConfig::default()] {
            let path = dir.path().join("optimizer.safetensors");
            let (one, two) = (parameters(), parameters());
            let mut optimizer = grouped(config, &one);
            (0..3).for_each(|_| step(&mut optimizer, &one));
            optimizer.save(&path).unwrap();
            let mut restored = grouped(config, &two);
            restored.load(&path).unwrap();
            let now = one.iter().map(|(name, tensor)| (name.to_owned(), tensor.detach().copy())).collect();
            weights::load_into(&path, two.iter(), now).unwrap();
            step(&mut optimizer, &one);
            step(&mut restored, &two);
            assert_eq!(values(&one), values(&two), "{:?}", config.kind);
        }
    }

    #[test]
    fn gradients_are_clipped_together_or_each_alone() {
        // tensorflow 2.15: tf.clip_by_norm([3, 4], 1) and tf.clip_by_norm([0.3, 0.4], 1); together
        // torch 2.11.0: torch.nn.utils.clip_grad_norm_([[3, 4], [0.3, 0.4]], 1)
        let whole = [0.597_022_4, 0.796_029_9, 0.059_702_2, 0.079_602_9];
        for (clip_by, expected) in [(ClipBy::Variable, [0.6, 0.8, 0.3, 0.4]), (ClipBy::Global, whole)] {
            let declared = ["a", "b"].map(|name| Declaration::new(name, &[2], Init::Zeros));
            let parameters = Parameters::create(&declared, Device::Cpu, 0).unwrap();
            let (a, b) = (parameters.get("a").unwrap(), parameters.get("b").unwrap());
            let gradient = Tensor::from_slice(&[3.0_f32, 4.0]);
            ((&a * &gradient).sum(tch::Kind::Float) + (&b * &gradient * 0.1).sum(tch::Kind::Float)).backward();
            let all = [a, b];
            let norm = shim::clip_gradients(&all, 1.0, clip_by == ClipBy::Variable).unwrap();
            assert!((norm.double_value(&[]) - 25.25_f64.sqrt()).abs() < 1e-5);
            let found: Vec<f32> = Vec::try_from(Tensor::cat(&[all[0].grad(), all[1].grad()], 0)).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{clip_by:?}: {found} {expected}");
            }
        }
    }

    #[test]
    fn what_is_frozen_has_no_state_and_does_not_move() {
        let parameters = parameters();
        parameters.freeze(&["w".to_owned()]).unwrap();
        let mut optimizer = Optimizer::new(sgd(false), &parameters).unwrap();
        assert_eq!(optimizer.state().into_keys().collect::<Vec<_>>(), ["momentum_buffer.b"]);
        step(&mut optimizer, &parameters);
        assert_eq!(values(&parameters)[..4], [1.0, -2.0, 3.0, 0.5]);
        assert_ne!(values(&parameters)[4..], [1.0, 2.0]);
        parameters.freeze(&["b".to_owned()]).unwrap();
        assert!(Optimizer::new(sgd(false), &parameters).is_err());
    }
}
