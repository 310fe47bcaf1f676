//! The named tensors of a model.
//!
//! A model first *declares* its parameters and only then are they made, so that they can be
//! counted without being allocated. Names are those of the reference implementation, with dots,
//! and each tensor has exactly one: a tied weight is used twice, never registered twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tch::{Device, Kind, Tensor};
use tessera_datasets::{Error, Result};

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        deviation: f64,
    },
    /// Uniform between −limit and limit.
    Uniform {
        /// The largest value.
        limit: f64,
    },
    /// Normal with mean 0 that never leaves −limit to limit, drawn as timm's `trunc_normal_` draws:
    /// a uniform number through the inverse of the distribution.
    TruncatedNormal {
        /// Standard deviation before the ends are cut off.
        deviation: f64,
        /// The largest value. timm gives 2 whatever the deviation, which for 0.02 cuts nothing.
        limit: f64,
    },
    /// All one number.
    Constant {
        /// The number.
        value: f64,
    },
    /// All zero.
    Zeros,
    /// All one.
    Ones,
}

impl Init {
    /// Xavier-uniform (Glorot and Bengio 2010) for a map from `inputs` to `outputs`.
    pub fn xavier_uniform(inputs: i64, outputs: i64, gain: f64) -> Self {
        Init::Uniform { limit: gain * (6.0 / (inputs + outputs) as f64).sqrt() }
    }

    /// timm's `trunc_normal_(std=…)` with its own ends of −2 and 2.
    pub fn truncated_normal(deviation: f64) -> Self {
        Init::TruncatedNormal { deviation, limit: 2.0 }
    }

    /// LeCun-normal as in JAX and timm's `lecun_normal_`: cut at two deviations, and as much wider
    /// as makes up for the cut.
    pub fn lecun_normal(inputs: i64) -> Self {
        let deviation = (1.0 / inputs as f64).sqrt() / 0.879_625_661_034_239_8;
        Init::TruncatedNormal { deviation, limit: 2.0 * deviation }
    }

    fn draw(self, shape: &[i64]) -> Tensor {
        let options = (Kind::Float, Device::Cpu);
        match self {
            Init::Normal { deviation } => Tensor::randn(shape, options) * deviation,
            Init::Uniform { limit } => Tensor::empty(shape, options).uniform_(-limit, limit),
            Init::TruncatedNormal { deviation, limit } => {
                // 2Φ(z) − 1, the share of a normal between −z and z
                let end = Tensor::from(limit / deviation * std::f64::consts::FRAC_1_SQRT_2).erf().double_value(&[]);
                let normal = Tensor::empty(shape, options).uniform_(-end, end).erfinv_();
                (normal * (deviation * std::f64::consts::SQRT_2)).clamp_(-limit, limit)
            }
            Init::Constant { value } => Tensor::full(shape, value, options),
            Init::Zeros => Tensor::zeros(shape, options),
            Init::Ones => Tensor::ones(shape, options),
        }
    }
}

/// A parameter before it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Name in the reference implementation.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// How it starts.
    pub init: Init,
}

impl Declaration {
    /// Declares a parameter.
    pub fn new(name: impl Into<String>, shape: &[i64], init: Init) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), init }
    }
}

/// How many numbers some declarations come to.
pub fn count(declarations: &[Declaration]) -> u64 {
    declarations.iter().map(|d| d.shape.iter().product::<i64>().unsigned_abs()).sum()
}

/// The parameters of a model, in the order of their declaration.
#[derive(Debug)]
pub struct Parameters {
    names: Vec<String>,
    tensors: Vec<Tensor>,
    index: HashMap<String, usize>,
    device: Device,
}

impl Parameters {
    /// Makes the parameters. They are drawn on the CPU, so that a seed gives the same start on
    /// every device.
    ///
    /// # Errors
    /// When a name is declared twice.
    pub fn create(declarations: &[Declaration], device: Device, seed: u64) -> Result<Self> {
        // libtorch's generator is one for the whole process: nobody may draw between seed and use
        static DRAWING: Mutex<()> = Mutex::new(());
        let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        tch::manual_seed(seed.cast_signed());
        let mut out = Self { names: Vec::new(), tensors: Vec::new(), index: HashMap::new(), device };
        for declaration in declarations {
            let Declaration { name, shape, init } = declaration;
            let start = init.draw(shape);
            let tensor = start.to_device(device).set_requires_grad(true);
            if out.index.insert(name.clone(), out.names.len()).is_some() {
                return Err(Error::internal(format!("parameter `{name}` is declared twice")));
            }
            out.names.push(name.clone());
            out.tensors.push(tensor);
        }
        Ok(out)
    }

    /// A parameter by name, sharing its storage.
    ///
    /// # Errors
    /// When the model did not declare it.
    pub fn get(&self, name: &str) -> Result<Tensor> {
        let index = self.index.get(name);
        index
            .map(|i| self.tensors[*i].shallow_clone())
            .ok_or_else(|| Error::internal(format!("parameter `{name}` was not declared")))
    }

    /// A parameter that some variants of the model lack.
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.index.get(name).map(|i| self.tensors[*i].shallow_clone())
    }

    /// Names and tensors in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.names.iter().map(String::as_str).zip(&self.tensors)
    }

    /// The tensors in order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// How many numbers they come to.
    pub fn count(&self) -> u64 {
        self.tensors.iter().map(|t| t.numel() as u64).sum()
    }

    /// Takes parameters out of training by name, or by the start of names: `blocks.0.*`.
    ///
    /// # Errors
    /// When a pattern fits no parameter.
    pub fn freeze(&self, patterns: &[String]) -> Result<()> {
        for pattern in patterns {
            let fits = |name: &str| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == pattern,
            };
            let mut fitting = self.iter().filter(|(name, _)| fits(name)).map(|(_, tensor)| tensor).peekable();
            if fitting.peek().is_none() {
                let known: Vec<String> = self.names.iter().take(8).map(|name| format!("`{name}`")).collect();
                return Err(Error::input(format!("`train.freeze`: no parameter fits `{pattern}`"))
                    .hint(format!("parameters are called {}, …", known.join(", "))));
            }
            fitting.for_each(|tensor| drop(tensor.set_requires_grad(false)));
        }
        Ok(())
    }

    /// Where they lie.
    pub fn device(&self) -> Device {
        self.device
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_a_pattern_is_frozen_and_one_that_fits_nothing_is_an_error() {
        let names = ["stem.weight", "stem.bias", "head.weight"];
        let declared = names.map(|name| Declaration::new(name, &[2], Init::Ones));
        let parameters = Parameters::create(&declared, Device::Cpu, 0).unwrap();
        let error = parameters.freeze(&["stem.weights".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("no parameter fits `stem.weights`"), "{error}");
        parameters.freeze(&["stem.*".to_owned()]).unwrap();
        let trained: Vec<&str> = parameters.iter().filter(|(_, t)| t.requires_grad()).map(|(name, _)| name).collect();
        assert_eq!(trained, ["head.weight"]);
    }

    #[test]
    fn the_same_seed_makes_the_same_parameters() {
        let declared = [
            Declaration::new("a.weight", &[3, 4], Init::Normal { deviation: 0.02 }),
            Declaration::new("a.bias", &[4], Init::Zeros),
        ];
        assert_eq!(count(&declared), 16);
        let make = |seed| Parameters::create(&declared, Device::Cpu, seed).unwrap();
        let (one, two, three) = (make(1), make(1), make(2));
        assert_eq!(one.count(), 16);
        assert_eq!(one.get("a.weight").unwrap(), two.get("a.weight").unwrap());
        assert_ne!(one.get("a.weight").unwrap(), three.get("a.weight").unwrap());
        assert!(one.get("b").is_err());
    }

    #[test]
    fn truncated_normals_are_those_of_timm() {
        // timm 1.0.31, torch 2.11.0: torch.manual_seed(7), then trunc_normal_(torch.empty(6), std=.02)
        let timm = [0.001_752_998, -0.016_918_076, 0.008_206_252, 0.008_079_817, -0.014_595_650, -0.003_779_234];
        // and lecun_normal_(torch.empty(2, 3))
        let lecun = [0.054_905_94, -0.523_610_6, 0.256_398_7, 0.252_468_7, -0.453_255_4, -0.118_320_47];
        for (init, shape, expected) in
            [(Init::truncated_normal(0.02), vec![6], timm), (Init::lecun_normal(3), vec![2, 3], lecun)]
        {
            let parameters = Parameters::create(&[Declaration::new("a", &shape, init)], Device::Cpu, 7).unwrap();
            let found = Vec::<f32>::try_from(parameters.get("a").unwrap().reshape([-1])).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-7, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn a_name_can_be_used_once() {
        let declared = [Declaration::new("a", &[1], Init::Ones), Declaration::new("a", &[1], Init::Ones)];
        assert!(Parameters::create(&declared, Device::Cpu, 0).is_err());
    }
}
