//! What the classification task asks of a ConvNeXt.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tch::Tensor;
use tessera_datasets::{Error, Result};

use super::network::ConvNext;
use super::{explain, names};
use crate::classification::{Exhibit, Network};

impl Network for ConvNext {
    fn logits(&self, images_bchw: &Tensor, training: bool) -> Tensor {
        self.forward(images_bchw, training)
    }

    fn head(&self) -> (&'static str, &'static str) {
        ("head.fc.weight", "head.fc.bias")
    }

    fn layer_of(&self, parameter: &str) -> usize {
        let place = |text: &str| -> Option<(usize, usize)> {
            let (stage, rest) = text.strip_prefix("stages.")?.split_once('.')?;
            // timm counts what stands before a stage to its first block
            let block = rest.strip_prefix("blocks.").and_then(|rest| rest.split('.').next()).unwrap_or("0");
            Some((stage.parse().ok()?, block.parse().ok()?))
        };
        match place(parameter) {
            Some((stage, block)) => self.config.depths[..stage].iter().sum::<i64>() as usize + block + 1,
            None if parameter.starts_with("head.") => self.config.blocks() + 1,
            None => 0,
        }
    }

    fn layers(&self) -> usize {
        self.config.blocks() + 2
    }

    fn no_decay(&self) -> &'static [&'static str] {
        &[]
    }

    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        let fit = |(name, tensor): (String, Tensor)| {
            let is_map = name.contains(".mlp.fc") && name.ends_with(".weight");
            let tensor = match (is_map, tensor.dim(), self.config.conv_mlp) {
                (true, 2, true) => tensor.unsqueeze(-1).unsqueeze(-1),
                (true, 4, false) if tensor.size()[2..] == [1, 1] => tensor.flatten(1, -1),
                _ => tensor,
            };
            (name, tensor)
        };
        Ok(names::to_timm(found).into_iter().map(fit).collect())
    }

    fn opens_in_timm(&self) -> Result<()> {
        let config = &self.config;
        // timm puts a stride before the first stage where the stem's is 2, and none after a stride of 32
        let first = if config.patch_size == 2 { 2 } else { 1 };
        match config.strides == [first, 2, 2, 2] && config.patch_size < 8 {
            true => Ok(()),
            false => {
                let (stem, strides) = (config.patch_size, &config.strides);
                let message = format!("timm has no ConvNeXt with a stem of {stem} and strides of {strides:?}");
                Err(Error::input(message).hint("it has four stages, with strides [1, 2, 2, 2] after a stem of 4"))
            }
        }
    }

    fn to_huggingface(&self, own: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        let config = &self.config;
        let usual = config.strides.iter().enumerate().all(|(stage, stride)| *stride == if stage == 0 { 1 } else { 2 });
        if !usual || config.kernel_size != 7 {
            let message = "Hugging Face's ConvNeXt has strides [1, 2, 2, …] and kernels of 7 pixels";
            return Err(Error::input(message).hint("the checkpoint's `model.safetensors` has it under timm's names"));
        }
        names::to_huggingface(own)
    }

    fn explain(&self, image_1chw: &Tensor, class: i64) -> Result<Vec<Exhibit>> {
        explain::explain(self, image_1chw, class)
    }

    fn portrait(&self, _images_bchw: &Tensor) -> Result<Vec<Exhibit>> {
        explain::portrait(self)
    }

    /// timm's `config.json` and Hugging Face's in one: they share no key.
    fn reference_config(&self) -> Value {
        let config = &self.config;
        let width = config.dims[config.dims.len() - 1];
        json!({
            "architecture": "convnext_tiny",
            "num_classes": config.classes,
            "num_features": width,
            "global_pool": "avg",
            "model_args": {
                "depths": config.depths,
                "dims": config.dims,
                "patch_size": config.patch_size,
                "kernel_sizes": config.kernel_size,
                "conv_mlp": config.conv_mlp,
                "ls_init_value": config.layer_scale,
                "norm_eps": config.epsilon,
            },
            "architectures": ["ConvNextForImageClassification"],
            "model_type": "convnext",
            "num_channels": 3,
            "patch_size": config.patch_size,
            "num_stages": config.dims.len(),
            "depths": config.depths,
            "hidden_sizes": config.dims,
            "hidden_act": "gelu",
            "layer_scale_init_value": config.layer_scale.unwrap_or(0.0),
            "layer_norm_eps": config.epsilon,
            "drop_path_rate": config.stochastic_depth,
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::models::convnext::ConvNextConfig;
    use crate::parameters::Parameters;

    #[test]
    fn layers_are_those_of_timms_layer_decay() {
        // timm 1.0.31: group_parameters(model, model.group_matcher(coarse=False), reverse=True)
        let config = ConvNextConfig {
            depths: vec![1, 2, 1, 1],
            dims: vec![8, 16, 24, 32],
            ..ConvNextConfig::preset("tiny").unwrap()
        };
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        let network = ConvNext::new(config, &parameters).unwrap();
        assert_eq!(network.layers(), 7);
        for (name, layer) in [
            ("stem.0.weight", 0),
            ("stem.1.bias", 0),
            ("stages.0.blocks.0.gamma", 1),
            ("stages.1.downsample.1.weight", 2),
            ("stages.1.blocks.0.conv_dw.weight", 2),
            ("stages.1.blocks.1.mlp.fc1.weight", 3),
            ("stages.2.downsample.0.bias", 4),
            ("stages.3.blocks.0.norm.weight", 5),
            ("head.norm.weight", 6),
            ("head.fc.bias", 6),
        ] {
            assert_eq!(network.layer_of(name), layer, "{name}");
        }
    }

    #[test]
    fn what_others_cannot_build_is_not_written_for_them() {
        let network = |config: ConvNextConfig| {
            let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
            ConvNext::new(config, &parameters).unwrap()
        };
        let usual = ConvNextConfig {
            depths: vec![1; 4],
            dims: vec![8; 4],
            layer_scale: None,
            ..ConvNextConfig::preset("tiny").unwrap()
        };
        let of_stem_2 = ConvNextConfig { patch_size: 2, ..usual.clone() };
        let small = ConvNextConfig { kernel_size: 3, ..usual.clone() };
        let three = ConvNextConfig { depths: vec![1; 3], dims: vec![8; 3], strides: vec![1, 2, 2], ..usual.clone() };
        // configuration, in timm, in Hugging Face
        let cases = [(usual, true, true), (of_stem_2, false, true), (small, true, false), (three, false, true)];
        for (config, timm, hugging_face) in cases {
            let network = network(config);
            assert_eq!(network.opens_in_timm().is_ok(), timm, "{:?}", network.config());
            assert_eq!(network.to_huggingface(BTreeMap::new()).is_ok(), hugging_face, "{:?}", network.config());
        }
    }
}
