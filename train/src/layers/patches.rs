//! Convolutions whose kernel is as large as their stride: each output sees a patch of its own.

use tch::Tensor;
use tessera_datasets::Result;

use crate::parameters::Parameters;

/// A convolution of k×k patches side by side, with the weight of PyTorch's `Conv2d` (`[o, c, k, k]`).
/// One product over patches: its gradients are products too, where libtorch's convolution takes
/// several times the time of the forward pass.
#[derive(Debug)]
pub struct Patches {
    weight_ockk: Tensor,
    bias_o: Tensor,
}

impl Patches {
    /// Takes `<name>.weight` and `<name>.bias`.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(parameters: &Parameters, name: &str) -> Result<Self> {
        Ok(Self {
            weight_ockk: parameters.get(&format!("{name}.weight"))?,
            bias_o: parameters.get(&format!("{name}.bias"))?,
        })
    }

    /// What is left over at the right and at the bottom is not seen, as in a convolution without
    /// padding.
    ///
    /// # Shapes
    /// `x_bhwc` to `[b, h/k, w/k, o]`.
    pub fn forward(&self, x_bhwc: &Tensor) -> Tensor {
        let (outputs, channels, size, _) = self.weight_ockk.size4().expect("a kernel has four dimensions");
        let weight_oi = self.weight_ockk.permute([0, 2, 3, 1]).reshape([outputs, size * size * channels]);
        cut(x_bhwc, size).linear(&weight_oi, Some(&self.bias_o))
    }

    /// The filters, `[o, c, k, k]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight_ockk
    }
}

/// Patches as rows: `x_bhwc` to `[b, h/k, w/k, k·k·c]`.
fn cut(x_bhwc: &Tensor, size: i64) -> Tensor {
    let (batch, height, width, channels) = x_bhwc.size4().expect("images have four dimensions");
    let (rows, columns) = (height / size, width / size);
    if size == 1 {
        return x_bhwc.shallow_clone();
    }
    let whole = x_bhwc.narrow(1, 0, rows * size).narrow(2, 0, columns * size);
    let patches = whole.unflatten(2, [columns, size]).unflatten(1, [rows, size]).transpose(2, 3);
    patches.reshape([batch, rows, columns, size * size * channels])
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::parameters::{Declaration, Init};

    #[test]
    fn is_libtorchs_convolution_whatever_the_memory_order() {
        for (size, height, width) in [(1, 3, 4), (2, 7, 4), (4, 8, 13)] {
            let declared = [
                Declaration::new("a.weight", &[5, 3, size, size], Init::Normal { deviation: 0.3 }),
                Declaration::new("a.bias", &[5], Init::Normal { deviation: 0.3 }),
            ];
            let parameters = Parameters::create(&declared, Device::Cpu, 3).unwrap();
            let patches = Patches::new(&parameters, "a").unwrap();
            let x_bchw = Tensor::randn([2, 3, height, width], (Kind::Float, Device::Cpu));
            let (weight, bias) = (parameters.get("a.weight").unwrap(), parameters.get("a.bias").unwrap());
            let expected = x_bchw.conv2d(&weight, Some(&bias), [size, size], [0, 0], [1, 1], 1);
            let x_bhwc = x_bchw.permute([0, 2, 3, 1]);
            for x in [x_bhwc.contiguous(), x_bhwc] {
                let found = patches.forward(&x).permute([0, 3, 1, 2]);
                assert!((found - &expected).abs().max().double_value(&[]) < 1e-5, "{size}");
            }
        }
    }
}
