//! One level of all context models: attention of a window's frames to each other, then a dense
//! layer with a slope of its own for every frame and value.
//!
//! Keras computes, for each head, queries `q = h Wq + bq`, keys `k = h Wk + bk` and values
//! `v = h Wv + bv`, weights `P = softmax(q kᵀ / √d)`, and then
//! `z = [Σ P v Wo + bo, c] Wd + bd`. A head is as wide as its input here, so products of weights
//! are no larger than the weights themselves, and are made once instead of for every frame:
//! `q kᵀ = (h Wq Wkᵀ + bq Wkᵀ) hᵀ` up to what is the same for all keys, which the softmax takes
//! out; and `P v Wo Wd = P h (Wv Wo Wd) + bv Wo Wd`, because the rows of P sum to 1. That is half
//! of the work. The context models are independent of each other and go through each product
//! together.
//!
//! Axes: n context models, b windows, t frames, h heads, d width of a pose, s frames that are
//! looked at.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::config::{OptiposeConfig, attention_name, dense_name};
use crate::layers::Dropout;
use crate::parameters::Parameters;

/// What is added where a frame must not be looked at, as Keras does it.
const FAR: f64 = -1e9;

/// The parameters of one level; each vector has one entry per context model.
#[derive(Debug)]
pub(super) struct SubModels {
    query: Affine,
    key: Affine,
    value: Affine,
    output: Affine,
    pub(super) dense: Affine,
    alpha: Vec<Tensor>,
    dropout: Dropout,
}

/// Kernels with their biases.
#[derive(Debug)]
pub(super) struct Affine {
    kernels: Vec<Tensor>,
    biases: Vec<Tensor>,
}

impl Affine {
    /// Takes `<name>.kernel` and `<name>.bias` for each name.
    pub(super) fn new(parameters: &Parameters, names: &[String]) -> Result<Self> {
        let all = |part: &str| -> Result<Vec<Tensor>> {
            names.iter().map(|name| parameters.get(&format!("{name}.{part}"))).collect()
        };
        Ok(Self { kernels: all("kernel")?, biases: all("bias")? })
    }

    /// `[n, …]`.
    pub(super) fn kernel(&self) -> Tensor {
        Tensor::stack(&self.kernels, 0)
    }

    /// `[n, …]`.
    pub(super) fn bias(&self) -> Tensor {
        Tensor::stack(&self.biases, 0)
    }
}

/// What frames may be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight<'a> {
    /// All.
    Everything,
    /// As Keras: neither padding, nor from padding, `frames_bt` being 0 there. The products of
    /// frames that may look at nothing are rounded to multiples of 64 by what is added to them, so
    /// they look at all frames, nearly alike.
    Both(&'a Tensor),
    /// No padding.
    Frames(&'a Tensor),
}

/// What a level gives.
pub(super) struct Level {
    /// `y_n(bt)d`.
    pub(super) hidden: Tensor,
    /// The attention's weights `[n, b, t, h, s]`, before dropout.
    pub(super) weights: Tensor,
}

impl SubModels {
    /// Finds the parameters of a level.
    pub(super) fn new(config: &OptiposeConfig, level: i64, parameters: &Parameters) -> Result<Self> {
        let models = 0..config.context_models;
        let affine = |part: &str| {
            let names: Vec<String> =
                models.clone().map(|model| format!("{}.{part}", attention_name(model, level))).collect();
            Affine::new(parameters, &names)
        };
        let dense: Vec<String> = models.clone().map(|model| dense_name(model, level)).collect();
        let alpha = dense.iter().map(|name| parameters.get(&format!("{name}.alpha"))).collect::<Result<_>>()?;
        let dropout = if level == 0 { 0.0 } else { config.attention_dropout };
        Ok(Self {
            query: affine("query")?,
            key: affine("key")?,
            value: affine("value")?,
            output: affine("attention_output")?,
            dense: Affine::new(parameters, &dense)?,
            alpha,
            dropout: Dropout::new(dropout),
        })
    }

    /// From `hidden_n(bt)d` and `context_n(bt)d`, which the dense layer sees beside what the
    /// attention found. Either may be one for all context models.
    pub(super) fn forward(
        &self,
        hidden: &Tensor,
        context: &Tensor,
        windows: i64,
        sight: Sight<'_>,
        training: bool,
    ) -> Level {
        let folded = self.fold(matches!(sight, Sight::Both(_)));
        let (models, width) = (folded.context.size()[0], folded.context.size()[2]);
        let heads = folded.pointer.size()[2] / width;
        let rows = hidden.size()[1];
        let frames = rows / windows;
        let hidden = hidden.expand([models, rows, width], false);
        let hidden_xtd = hidden.reshape([models * windows, frames, width]);

        let pointers = folded.pointer_bias.baddbmm(&hidden, &folded.pointer, 1.0, 1.0);
        let pointers = pointers.view([models * windows, frames * heads, width]);
        let products = pointers.bmm(&hidden_xtd.transpose(1, 2));
        let shape = [models, windows, frames, heads, frames];
        let products = match sight {
            Sight::Everything => products,
            Sight::Both(frames_bt) => {
                let (kernel, bias) = folded.same_for_all_keys.expect("folded for this sight");
                let same = bias.baddbmm(&hidden, &kernel, 1.0, 1.0).view([models, windows, frames, heads, 1]);
                let seen = frames_bt.view([1, windows, frames, 1, 1]) * frames_bt.view([1, windows, 1, 1, frames]);
                let hide: Tensor = (1.0 - seen) * FAR;
                (products.view(shape) + same + hide).view([models * windows, -1, frames])
            }
            Sight::Frames(frames_bt) => {
                let hide: Tensor = (1.0 - frames_bt.view([1, windows, 1, 1, frames])) * FAR;
                (products.view(shape) + hide).view([models * windows, -1, frames])
            }
        };
        let weights = products.softmax(-1, Kind::Float);
        let found = self.dropout.forward(weights.shallow_clone(), training).bmm(&hidden_xtd);
        let found = found.view([models, rows, heads * width]);

        let context = context.expand([models, rows, width], false);
        let seen = folded.bias.baddbmm(&context, &folded.context, 1.0, 1.0);
        let sums = seen.baddbmm(&found, &folded.found, 1.0, 1.0).view([models, windows, frames, width]);
        let alpha = Tensor::stack(&self.alpha, 0).unsqueeze(1);
        let hidden = sums.internal_prelu_kernel(&alpha).view([models, rows, width]);
        Level { hidden, weights: weights.view(shape) }
    }

    /// 0, with a gradient of 0 for the keys' biases: what they add is the same for all keys, so that
    /// the softmax takes it out, and the products of weights do without them.
    pub(super) fn idle(&self) -> Tensor {
        self.key.bias().sum(Kind::Float) * 0.0
    }

    /// The products of weights. `heads` of a context model lie beside each other in its columns or
    /// below each other in its rows.
    fn fold(&self, for_mask: bool) -> Folded {
        let query = self.query.kernel();
        let (models, width, heads) = (query.size()[0], query.size()[1], query.size()[2]);
        let by_head = |kernel: &Tensor| kernel.transpose(1, 2).reshape([models * heads, width, width]);
        let scale = (width as f64).powf(-0.5);
        let query = by_head(&query) * scale;
        let (query_bias, key_bias) = (self.query.bias() * scale, self.key.bias());
        let key = by_head(&self.key.kernel());
        let pointer = query.bmm(&key.transpose(1, 2)).view([models, heads, width, width]);
        let pointer_bias = query_bias.reshape([models * heads, 1, width]).bmm(&key.transpose(1, 2));
        let same_for_all_keys = for_mask.then(|| {
            let kernel = query.bmm(&key_bias.reshape([models * heads, width, 1]));
            let bias = (&query_bias * &key_bias).sum_dim_intlist(-1, false, Kind::Float);
            (kernel.view([models, heads, width]).transpose(1, 2), bias.unsqueeze(1))
        });

        let dense = self.dense.kernel();
        let (of_found, of_context) = (dense.narrow(1, 0, width), dense.narrow(1, width, width));
        let output = self.output.kernel();
        let value = by_head(&self.value.kernel()).bmm(&output.view([models * heads, width, width]));
        let found = value.view([models, heads * width, width]).bmm(&of_found);
        let value_bias = self.value.bias().view([models, 1, heads * width]);
        let constant = value_bias.bmm(&output.view([models, heads * width, width])) + self.output.bias().unsqueeze(1);
        Folded {
            pointer: pointer.transpose(1, 2).reshape([models, width, heads * width]),
            pointer_bias: pointer_bias.view([models, 1, heads * width]),
            same_for_all_keys,
            found,
            context: of_context,
            bias: constant.bmm(&of_found) + self.dense.bias().unsqueeze(1),
        }
    }
}

/// Products of the weights of a level.
struct Folded {
    /// `Wq Wkᵀ / √d`, `[n, d, h·d]`.
    pointer: Tensor,
    /// `bq Wkᵀ / √d`, `[n, 1, h·d]`.
    pointer_bias: Tensor,
    /// `Wq bk / √d`, `[n, d, h]`, and `bq·bk / √d`, `[n, 1, h]`.
    same_for_all_keys: Option<(Tensor, Tensor)>,
    /// `Wv Wo Wd`, `[n, h·d, d]`.
    found: Tensor,
    /// The rows of `Wd` for the context, `[n, d, d]`.
    context: Tensor,
    /// All biases together, `[n, 1, d]`.
    bias: Tensor,
}
