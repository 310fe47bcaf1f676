//! Tiny ViTs and ConvNeXts beside timm and transformers, on tensors stored by
//! `fixtures/make_vision_tiny.py` (torch 2.11.0, timm 1.0.31, transformers 5.24.0): logits, loss,
//! every gradient, five clipped AdamW steps, position embeddings for other grids, and weights by
//! Hugging Face's names there and back.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Kind, Reduction, Tensor};
use tessera_train::classification::Network;
use tessera_train::models::convnext::{ConvNext, ConvNextConfig};
use tessera_train::models::vit::{Pool, Start, Vit, VitConfig, resample_positions};
use tessera_train::optimizer::{Optimizer, OptimizerConfig, OptimizerKind, Rule};
use tessera_train::parameters::Parameters;
use tessera_train::weights;

const VIT: VitConfig = VitConfig {
    image_size: 12,
    patch_size: 4,
    width: 16,
    layers: 2,
    heads: 2,
    feed_forward: 32,
    class_token: true,
    global_pool: Pool::Token,
    fc_norm: false,
    init: Start::Timm,
    dropout: 0.0,
    attention_dropout: 0.0,
    head_dropout: 0.0,
    stochastic_depth: 0.0,
    epsilon: 1e-6,
    classes: 5,
};

fn convnext() -> ConvNextConfig {
    ConvNextConfig {
        depths: vec![1, 1, 2, 1],
        dims: vec![8, 8, 12, 16],
        layer_scale: Some(0.5),
        classes: 5,
        ..ConvNextConfig::preset("tiny").unwrap()
    }
}

/// A model with its parameters, started at random.
struct Made {
    parameters: Parameters,
    network: Box<dyn Network>,
}

impl Made {
    fn vit(config: VitConfig) -> Self {
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        let network = Box::new(Vit::new(config, &parameters).unwrap());
        Self { parameters, network }
    }

    fn convnext(config: ConvNextConfig) -> Self {
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        let network = Box::new(ConvNext::new(config, &parameters).unwrap());
        Self { parameters, network }
    }

    /// Takes another implementation's weights over, as `init_from` does.
    fn take(&self, weights: BTreeMap<String, Tensor>) {
        let weights = self.network.import(weights).unwrap();
        weights::load_into(Path::new("fixture"), self.parameters.iter(), weights).unwrap();
    }

    fn own(&self) -> BTreeMap<String, Tensor> {
        self.parameters.iter().map(|(name, tensor)| (name.to_owned(), tensor.detach())).collect()
    }
}

struct Reference {
    tensors: BTreeMap<String, Tensor>,
}

impl Reference {
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        Self { tensors: weights::load(&folder.join(format!("{name}.safetensors"))).unwrap() }
    }

    fn get(&self, name: &str) -> &Tensor {
        &self.tensors[name]
    }

    fn weights(&self) -> BTreeMap<String, Tensor> {
        let stored = self.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("weights/")?, tensor)));
        stored.map(|(name, tensor)| (name.to_owned(), tensor.copy())).collect()
    }

    /// The images with their channels last in memory, as batches come.
    fn images(&self) -> Tensor {
        self.get("images").permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
    }

    fn loss(&self, made: &Made) -> Tensor {
        made.network.logits(&self.images(), true).cross_entropy_loss(
            self.get("labels"),
            None::<&Tensor>,
            Reduction::Mean,
            -100,
            0.1,
        )
    }
}

fn of_timm() -> Vec<(Reference, Made)> {
    let average = VitConfig { class_token: false, global_pool: Pool::Avg, fc_norm: true, ..VIT };
    let convolutions = ConvNextConfig {
        depths: vec![1, 2, 1, 1],
        dims: vec![8, 12, 12, 16],
        patch_size: 2,
        strides: vec![2, 2, 2, 2],
        kernel_size: 5,
        conv_mlp: true,
        ..convnext()
    };
    vec![
        (Reference::read("vit_tiny_token"), Made::vit(VIT)),
        (Reference::read("vit_tiny_avg"), Made::vit(average)),
        (Reference::read("convnext_tiny_linear"), Made::convnext(convnext())),
        (Reference::read("convnext_tiny_conv"), Made::convnext(convolutions)),
    ]
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().to_kind(Kind::Double).double_value(&[])
}

#[test]
fn logits_loss_and_gradients_are_those_of_timm() {
    for (reference, made) in of_timm() {
        made.take(reference.weights());
        for images in [reference.images(), reference.get("images").copy()] {
            let off = distance(&made.network.logits(&images, false), reference.get("logits"));
            assert!(off < 1e-5, "logits are off by {off}");
        }
        let loss = reference.loss(&made);
        assert!(distance(&loss, reference.get("loss")) < 1e-5);
        loss.backward();
        for (name, tensor) in made.parameters.iter() {
            let off = distance(&tensor.grad(), reference.get(&format!("gradients/{name}")));
            assert!(off < 1e-5, "gradient of {name} is off by {off}");
        }
    }
}

#[test]
fn five_clipped_adamw_steps_are_those_of_timm() {
    for (reference, made) in of_timm() {
        made.take(reference.weights());
        let config = OptimizerConfig {
            kind: OptimizerKind::Adamw,
            learning_rate: 1e-3,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: Some(0.1),
            clip: 0.5,
            ..OptimizerConfig::default()
        };
        let no_decay = made.network.no_decay();
        let mut optimizer = Optimizer::grouped(config, &made.parameters, |name, tensor| {
            let rule = Rule::by_shape(tensor);
            if no_decay.contains(&name) { Rule { decays: false, ..rule } } else { rule }
        })
        .unwrap();
        let losses = Vec::<f32>::try_from(reference.get("losses")).unwrap();
        let norms = Vec::<f32>::try_from(reference.get("gradient_norms")).unwrap();
        for (expected_loss, expected_norm) in losses.iter().zip(&norms) {
            let loss = reference.loss(&made);
            loss.backward();
            let norm = optimizer.step(1.0).unwrap().double_value(&[]);
            assert!((loss.double_value(&[]) - f64::from(*expected_loss)).abs() < 1e-5);
            assert!((norm - f64::from(*expected_norm)).abs() < 1e-5 * norm);
        }
        for (name, tensor) in made.parameters.iter() {
            let (found, expected) = (tensor.detach(), reference.get(&format!("weights_after/{name}")).copy());
            if name.ends_with("attn.qkv.bias") {
                // the gradient of a key's bias is zero in exact arithmetic (softmax ignores a
                // constant): AdamW turns its rounding into steps, in PyTorch as here
                for t in [&found, &expected] {
                    let _ = t.narrow(0, 16, 16).zero_();
                }
            }
            let off = distance(&found, &expected);
            assert!(off < 1e-5, "{name} is off by {off} after five steps");
        }
    }
}

#[test]
fn weights_have_timms_names_order_and_shapes() {
    for (reference, made) in of_timm() {
        made.take(reference.weights());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        weights::save(&path, made.parameters.iter()).unwrap();
        let (written, stored) = (weights::load(&path).unwrap(), reference.weights());
        assert_eq!(written.keys().collect::<Vec<_>>(), stored.keys().collect::<Vec<_>>());
        for (name, tensor) in &written {
            assert_eq!(tensor, &stored[name], "{name}");
        }
    }
}

#[test]
fn hugging_faces_files_go_in_and_come_out_again() {
    // its ViT adds 1e-12 in every norm; its ConvNeXt only in the last one, where it hardly counts
    let models = [
        ("vit_tiny_huggingface", Made::vit(VitConfig { epsilon: 1e-12, ..VIT })),
        ("convnext_tiny_huggingface", Made::convnext(convnext())),
        ("convnext_tiny_huggingface", Made::convnext(ConvNextConfig { conv_mlp: true, ..convnext() })),
    ];
    for (name, made) in models {
        let reference = Reference::read(name);
        made.take(reference.weights());
        let off = distance(&made.network.logits(&reference.images(), false), reference.get("logits"));
        assert!(off < 1e-5, "{name}: logits are off by {off}");
        let (written, stored) = (made.network.to_huggingface(made.own()).unwrap(), reference.weights());
        assert_eq!(written.keys().collect::<Vec<_>>(), stored.keys().collect::<Vec<_>>());
        for (name, tensor) in &written {
            assert_eq!(tensor, &stored[name], "{name}");
        }
    }
}

#[test]
fn position_embeddings_are_resampled_as_timm_does() {
    let reference = Reference::read("positions");
    let mut compared = 0;
    for key in reference.tensors.keys().filter_map(|key| key.strip_suffix("/from")) {
        let (prefix, grid) = key.split_once('_').unwrap();
        let from = reference.get(&format!("{key}/from"));
        let found = resample_positions(from, prefix.parse().unwrap(), grid.parse().unwrap()).unwrap();
        let off = distance(&found, reference.get(&format!("{key}/to")));
        assert!(off < 1e-6, "{key} is off by {off}");
        compared += 1;
    }
    assert_eq!(compared, 4);
    let no_square = Tensor::zeros([1, 8, 4], (Kind::Float, Device::Cpu));
    assert!(resample_positions(&no_square, 1, 3).unwrap_err().to_string().contains("no square grid"));
}

#[test]
fn a_file_for_another_size_of_image_is_taken_over() {
    let reference = Reference::read("vit_tiny_token");
    let made = Made::vit(VitConfig { image_size: 20, ..VIT });
    made.take(reference.weights());
    let expected = resample_positions(reference.get("weights/pos_embed"), 1, 5).unwrap();
    assert_eq!(made.own()["pos_embed"], expected);
}
