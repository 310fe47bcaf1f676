//! What the task asks of a network that classifies images.

use std::collections::BTreeMap;

use serde_json::Value;
use tch::{Device, Kind, Tensor};
use tessera_datasets::{Error, Result};

/// A network from images to one logit per class. It holds its parameters, which share their
/// storage with those of the task.
pub trait Network {
    /// Logits `y_bn` of normalised images `x_bchw`, in the order of the classes. `training`
    /// switches dropout and stochastic depth on.
    fn logits(&self, images_bchw: &Tensor, training: bool) -> Tensor;

    /// The names of the head's parameters: weight and bias.
    fn head(&self) -> (&'static str, &'static str);

    /// To which of the [`layers`](Network::layers) a parameter belongs, for the decay of the
    /// learning rate layer by layer, as timm's `param_groups_layer_decay` counts: 0 is the
    /// embedding or the stem, the last one the head.
    fn layer_of(&self, parameter: &str) -> usize;

    /// How many layers [`layer_of`](Network::layer_of) tells apart.
    fn layers(&self) -> usize;

    /// Parameters that never decay although they have two dimensions or more, as timm's
    /// `no_weight_decay`.
    fn no_decay(&self) -> &'static [&'static str];

    /// Weights of another file under our names and in our shapes: names of the families' other
    /// implementations, position embeddings of another grid. The head stays as it is, whatever
    /// the number of its classes.
    ///
    /// # Errors
    /// When a tensor cannot be brought into our shape.
    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>>;

    /// Whether timm can build such a network, whose names are ours.
    ///
    /// # Errors
    /// When it cannot.
    fn opens_in_timm(&self) -> Result<()> {
        Ok(())
    }

    /// Our weights under the names and in the shapes of Hugging Face's implementation.
    ///
    /// # Errors
    /// When that implementation cannot be such a network.
    fn to_huggingface(&self, own: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>>;

    /// What only the network can show about how it came to a class for one image `x_1chw`.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn explain(&self, image_1chw: &Tensor, class: i64) -> Result<Vec<Exhibit>>;

    /// What it can show about itself, some of it measured on images `x_bchw`.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn portrait(&self, images_bchw: &Tensor) -> Result<Vec<Exhibit>>;

    /// The network's description in a form that timm and Hugging Face load (`config.json`).
    fn reference_config(&self) -> Value;
}

/// One array to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhibit {
    /// What it is, such as `attention-rollout`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u32>,
    /// Names along the first dimension; none where numbers say enough.
    pub row_labels: Vec<String>,
    /// Names along the second.
    pub column_labels: Vec<String>,
    /// The numbers in row-major order.
    pub values: Vec<f32>,
}

impl Exhibit {
    /// A tensor of any kind and device, without labels.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn new(name: impl Into<String>, tensor: &Tensor) -> Result<Self> {
        let shape = tensor.size().iter().map(|n| *n as u32).collect();
        let flat = tensor.detach().to_kind(Kind::Float).to_device(Device::Cpu).reshape([-1]);
        let values = Vec::try_from(flat).map_err(|e: tch::TchError| Error::internal(e.to_string()))?;
        Ok(Self { name: name.into(), shape, row_labels: Vec::new(), column_labels: Vec::new(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhibit_is_in_row_major_order_whatever_the_tensors_memory() {
        let tensor = Tensor::arange(6, (Kind::Int64, Device::Cpu)).view([2, 3]).tr();
        let exhibit = Exhibit::new("a", &tensor).unwrap();
        assert_eq!(exhibit.shape, [3, 2]);
        assert_eq!(exhibit.values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
