//! The moving average of a run's weights, which is validated and predicts in their place.

use std::path::Path;

use serde::Deserialize;
use tch::Tensor;
use tessera_datasets::config::Section;
use tessera_datasets::{Error, Result};

use crate::parameters::Parameters;
use crate::{shim, weights};

/// `[train.ema]`: the exponential moving average of the weights, as timm's `ModelEmaV3` counts
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmaConfig {
    /// How much of the average stays at each step.
    pub decay: f64,
    /// Start with a small decay that grows to `decay`: `1 - (1 + step)^(-2/3)`.
    #[serde(default)]
    pub warmup: bool,
}

impl EmaConfig {
    /// Refuses a decay that makes no sense.
    ///
    /// # Errors
    /// When it is not above 0 and below 1.
    pub fn check(&self, section: &Section) -> Result<()> {
        match self.decay > 0.0 && self.decay < 1.0 {
            true => Ok(()),
            false => Err(section.error("decay", format!("`decay` {} is not above 0 and below 1", self.decay))),
        }
    }

    /// How much of the average stays after a step, counted from 0. The first step is copied.
    pub fn decay(&self, step: u64) -> f64 {
        match (step, self.warmup) {
            (0, _) => 0.0,
            (_, false) => self.decay,
            (step, true) => (1.0 - (1.0 + step as f64).powf(-2.0 / 3.0)).min(self.decay),
        }
    }
}

/// The average of some parameters. Frozen ones are their own average and are not kept twice.
pub struct Ema {
    config: EmaConfig,
    names: Vec<String>,
    parameters: Vec<Tensor>,
    averages: Vec<Tensor>,
}

impl Ema {
    /// Starts with the parameters as they are.
    pub fn new(config: EmaConfig, parameters: &Parameters) -> Self {
        let trained = || parameters.iter().filter(|(_, tensor)| tensor.requires_grad());
        Self {
            config,
            names: trained().map(|(name, _)| name.to_owned()).collect(),
            parameters: trained().map(|(_, tensor)| tensor.shallow_clone()).collect(),
            averages: trained().map(|(_, tensor)| tensor.detach().copy()).collect(),
        }
    }

    /// Takes the parameters in as they are after a step, counted from 0.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn update(&mut self, step: u64) -> Result<()> {
        shim::lerp(&self.averages, &self.parameters, 1.0 - self.config.decay(step))
    }

    /// Does something with the average in the parameters' place.
    ///
    /// # Errors
    /// Those of what is done.
    pub fn in_place<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.exchange()?;
        let done = work();
        self.exchange()?;
        done
    }

    /// The average and the parameters change places.
    fn exchange(&mut self) -> Result<()> {
        let refused = |e: tch::TchError| Error::internal(e.to_string());
        tch::no_grad(|| {
            for (average, parameter) in self.averages.iter_mut().zip(&mut self.parameters) {
                let kept = average.copy();
                average.f_copy_(parameter).map_err(refused)?;
                parameter.f_copy_(&kept).map_err(refused)?;
            }
            Ok(())
        })
    }

    /// Writes a whole model: the average, and what is frozen in `parameters`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, parameters: &Parameters) -> Result<()> {
        let averages: std::collections::HashMap<&str, &Tensor> =
            self.names.iter().map(String::as_str).zip(&self.averages).collect();
        let whole = parameters.iter().map(|(name, tensor)| (name, *averages.get(name).unwrap_or(&tensor)));
        weights::save(path, whole)
    }

    /// Reads what [`save`](Ema::save) wrote.
    ///
    /// # Errors
    /// When the file is cut short or of another model.
    pub fn load(&mut self, path: &Path, parameters: &Parameters) -> Result<()> {
        let mut found = weights::load(path)?;
        let frozen = parameters.iter().filter(|(_, tensor)| !tensor.requires_grad());
        frozen.for_each(|(name, _)| drop(found.remove(name)));
        weights::load_into(path, self.names.iter().map(String::as_str).zip(&self.averages), found)
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::parameters::{Declaration, Init};

    fn parameters() -> Parameters {
        let declared = [Declaration::new("a", &[2, 2], Init::Ones), Declaration::new("b", &[3], Init::Zeros)];
        Parameters::create(&declared, Device::Cpu, 0).unwrap()
    }

    fn set(parameters: &Parameters, value: f64) {
        let _guard = tch::no_grad_guard();
        parameters.tensors().iter().for_each(|t| drop(t.shallow_clone().fill_(value)));
    }

    #[test]
    fn decays_are_timms() {
        // timm 1.0.31, ModelEmaV3(model, decay=0.99, use_warmup=True).get_decay(step + 1)
        let timm =
            [0.0, 0.370_039_475_052_563_4, 0.519_250_143_230_867_8, 0.603_149_737_007_950_2, 0.658_004_810_664_664_5];
        let config = EmaConfig { decay: 0.99, warmup: true };
        for (step, expected) in timm.into_iter().enumerate() {
            assert!((config.decay(step as u64) - expected).abs() < 1e-12, "step {step}");
        }
        assert_eq!(config.decay(1_000_000), 0.99);
        assert_eq!(EmaConfig { decay: 0.99, warmup: false }.decay(1), 0.99);
    }

    #[test]
    fn it_averages_stands_in_and_gives_the_place_back() {
        let parameters = parameters();
        let mut ema = Ema::new(EmaConfig { decay: 0.75, warmup: false }, &parameters);
        for (step, value) in [4.0, 8.0].into_iter().enumerate() {
            set(&parameters, value);
            ema.update(step as u64).unwrap();
        }
        let mean = || parameters.get("a").unwrap().mean(tch::Kind::Float).double_value(&[]);
        assert_eq!(ema.in_place(|| Ok(mean())).unwrap(), 5.0);
        assert_eq!(mean(), 8.0);
    }

    #[test]
    fn what_is_frozen_is_written_and_read_once() {
        let parameters = parameters();
        parameters.freeze(&["b".to_owned()]).unwrap();
        let config = EmaConfig { decay: 0.5, warmup: false };
        let mut ema = Ema::new(config, &parameters);
        set(&parameters, 3.0);
        ema.update(0).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ema.safetensors");
        ema.save(&path, &parameters).unwrap();
        let names: Vec<String> = weights::load(&path).unwrap().into_keys().collect();
        assert_eq!(names, ["a", "b"]);
        let mut other = Ema::new(config, &parameters);
        other.load(&path, &parameters).unwrap();
        assert_eq!(other.averages[0], ema.averages[0]);
    }
}
