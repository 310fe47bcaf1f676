//! What the classification task asks of a ViT.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tch::Tensor;
use tessera_datasets::{Error, Result};

use super::config::Pool;
use super::network::Vit;
use super::{explain, names, positions};
use crate::classification::{Exhibit, Network};

impl Network for Vit {
    fn logits(&self, images_bchw: &Tensor, training: bool) -> Tensor {
        self.forward(images_bchw, training)
    }

    fn head(&self) -> (&'static str, &'static str) {
        ("head.weight", "head.bias")
    }

    fn layer_of(&self, parameter: &str) -> usize {
        let blocks = self.config.layers as usize;
        let block = parameter.strip_prefix("blocks.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        match block {
            Some(block) => block + 1,
            // timm counts the norm after the last block to it, one after pooling to the head
            None if parameter.starts_with("norm.") => blocks,
            None if parameter.starts_with("head.") || parameter.starts_with("fc_norm.") => blocks + 1,
            None => 0,
        }
    }

    fn layers(&self) -> usize {
        self.config.layers as usize + 2
    }

    fn no_decay(&self) -> &'static [&'static str] {
        &["pos_embed", "cls_token"]
    }

    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        let mut found = if names::is_huggingface(&found) { names::from_huggingface(found) } else { found };
        if let Some(embedded) = found.get("pos_embed") {
            let prefix = i64::from(found.contains_key("cls_token"));
            let resampled = positions::resample_positions(embedded, prefix, self.config.grid())?;
            found.insert("pos_embed".to_owned(), resampled);
        }
        Ok(found)
    }

    fn to_huggingface(&self, own: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        if self.config.global_pool != Pool::Token || self.config.fc_norm {
            let message = "Hugging Face's ViT classifies by the class token; this one pools over the patches";
            return Err(Error::input(message).hint("`--format timm` keeps it as it is"));
        }
        names::to_huggingface(own)
    }

    fn explain(&self, image_1chw: &Tensor, _class: i64) -> Result<Vec<Exhibit>> {
        explain::explain(self, image_1chw)
    }

    fn portrait(&self, images_bchw: &Tensor) -> Result<Vec<Exhibit>> {
        explain::portrait(self, images_bchw)
    }

    /// timm's `config.json` and Hugging Face's in one: they share no key.
    fn reference_config(&self) -> Value {
        let config = &self.config;
        let pool = match config.global_pool {
            Pool::Token => "token",
            Pool::Avg => "avg",
        };
        json!({
            "architecture": "vit_base_patch16_224",
            "num_classes": config.classes,
            "num_features": config.width,
            "global_pool": pool,
            "model_args": {
                "img_size": config.image_size,
                "patch_size": config.patch_size,
                "embed_dim": config.width,
                "depth": config.layers,
                "num_heads": config.heads,
                "mlp_ratio": config.feed_forward as f64 / config.width as f64,
                "class_token": config.class_token,
                "global_pool": pool,
                "fc_norm": config.fc_norm,
            },
            "architectures": ["ViTForImageClassification"],
            "model_type": "vit",
            "image_size": config.image_size,
            "patch_size": config.patch_size,
            "num_channels": 3,
            "hidden_size": config.width,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "intermediate_size": config.feed_forward,
            "hidden_act": "gelu",
            "qkv_bias": true,
            "layer_norm_eps": config.epsilon,
            "hidden_dropout_prob": config.dropout,
            "attention_probs_dropout_prob": config.attention_dropout,
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::models::vit::VitConfig;
    use crate::parameters::Parameters;

    #[test]
    fn layers_are_those_of_timms_layer_decay() {
        // timm 1.0.31: group_parameters(model, model.group_matcher(coarse=False), reverse=True)
        let token = VitConfig { layers: 2, ..VitConfig::preset("tiny").unwrap() };
        let average = VitConfig { class_token: false, global_pool: Pool::Avg, fc_norm: true, ..token };
        for (config, last_norm) in [(token, ("norm.weight", 2)), (average, ("fc_norm.weight", 3))] {
            let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
            let network = Vit::new(config, &parameters).unwrap();
            assert_eq!(network.layers(), 4);
            let others = [
                ("cls_token", 0),
                ("pos_embed", 0),
                ("patch_embed.proj.bias", 0),
                ("blocks.0.attn.qkv.weight", 1),
                ("blocks.1.mlp.fc2.bias", 2),
                ("head.weight", 3),
            ];
            for (name, layer) in others.into_iter().chain([last_norm]) {
                assert_eq!(network.layer_of(name), layer, "{name}");
            }
        }
    }
}
