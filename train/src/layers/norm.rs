//! Normalisation.

use tch::Tensor;
use tessera_datasets::Result;

use crate::parameters::Parameters;

/// Layer normalisation (Ba et al. 2016) over the last dimension.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Option<Tensor>,
    epsilon: f64,
}

impl LayerNorm {
    /// Takes `<name>.weight` and, where it was declared, `<name>.bias`.
    ///
    /// # Errors
    /// When the weight was not declared.
    pub fn new(parameters: &Parameters, name: &str, epsilon: f64) -> Result<Self> {
        Ok(Self {
            weight: parameters.get(&format!("{name}.weight"))?,
            bias: parameters.find(&format!("{name}.bias")),
            epsilon,
        })
    }

    /// Keeps the shape.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), self.bias.as_ref(), self.epsilon, true)
    }
}
