//! Affine maps.

use tch::Tensor;
use tessera_datasets::Result;

use crate::parameters::Parameters;

/// `y = x Wᵀ + b` with `W` as `[out, in]`, as PyTorch's `nn.Linear`.
#[derive(Debug)]
pub struct Linear {
    weight_oi: Tensor,
    bias_o: Option<Tensor>,
}

impl Linear {
    /// Takes `<name>.weight` and, where it was declared, `<name>.bias`.
    ///
    /// # Errors
    /// When the weight was not declared.
    pub fn new(parameters: &Parameters, name: &str) -> Result<Self> {
        Ok(Self {
            weight_oi: parameters.get(&format!("{name}.weight"))?,
            bias_o: parameters.find(&format!("{name}.bias")),
        })
    }

    /// # Shapes
    /// `[…, i]` to `[…, o]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight_oi, self.bias_o.as_ref())
    }

    /// Several maps of one input as one product, their outputs side by side.
    ///
    /// # Shapes
    /// `[…, i]` to `[…, o₁ + o₂ + …]`.
    pub fn forward_together(maps: &[&Linear], x: &Tensor) -> Tensor {
        let weights: Vec<&Tensor> = maps.iter().map(|map| &map.weight_oi).collect();
        let biases: Option<Vec<&Tensor>> = maps.iter().map(|map| map.bias_o.as_ref()).collect();
        x.linear(&Tensor::cat(&weights, 0), biases.map(|biases| Tensor::cat(&biases, 0)))
    }
}

/// `y = x W + b` with `W` as `[in, out]`: the `Conv1D` of the original GPT-2, whose checkpoints
/// keep the weight transposed.
#[derive(Debug)]
pub struct TransposedLinear {
    weight_io: Tensor,
    bias_o: Option<Tensor>,
}

impl TransposedLinear {
    /// Takes `<name>.weight` and, where it was declared, `<name>.bias`.
    ///
    /// # Errors
    /// When the weight was not declared.
    pub fn new(parameters: &Parameters, name: &str) -> Result<Self> {
        Ok(Self {
            weight_io: parameters.get(&format!("{name}.weight"))?,
            bias_o: parameters.find(&format!("{name}.bias")),
        })
    }

    /// # Shapes
    /// `x_bti` to `[b, t, o]`.
    pub fn forward(&self, x_bti: &Tensor) -> Tensor {
        let (batch, time, width) = x_bti.size3().expect("hidden states have three dimensions");
        let x_ni = x_bti.reshape([batch * time, width]);
        let y_no = match &self.bias_o {
            Some(bias) => bias.addmm(&x_ni, &self.weight_io),
            None => x_ni.mm(&self.weight_io),
        };
        y_no.view([batch, time, -1])
    }
}
