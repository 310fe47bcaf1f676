//! A trained network goes on with other classes at another resolution.

use std::collections::BTreeMap;

use tch::Tensor;
use tessera_train::weights;

use crate::support::{Workshop, stderr};

const FINE_TUNING: &str = r#"
version = 1
name = "shapes"
seed = 6
[data]
dataset = "data/shapes"
[train]
steps = 30
batch = 16
validate_every = 10
checkpoint_every = 10
threads = 1
init_from = "runs/pictures/checkpoints/step-00000024/ema.safetensors"
freeze = ["patch_embed.*", "blocks.0.*"]
[train.optimizer]
kind = "sgd"
learning_rate = 0.03
layer_decay = 0.8
[train.schedule]
kind = "cosine"
warmup = 3
minimum = 0.0
[train.model]
kind = "vit"
image_size = 48
mean = [0.1, 0.1, 0.1]
deviation = [0.1, 0.1, 0.1]
patch_size = 8
layers = 2
heads = 2
width = 16
[eval]
split = "validation"
"#;

fn tensors(workshop: &Workshop, name: &str) -> BTreeMap<String, Tensor> {
    weights::load(&workshop.path("runs").join(name)).unwrap()
}

#[test]
fn with_other_classes_another_size_and_frozen_layers() {
    let workshop = Workshop::new();
    fs_err::write(workshop.path("shapes.toml"), FINE_TUNING).unwrap();
    let before = workshop.train(&["fit", "pictures.toml"]);
    assert!(before.status.success(), "{}", stderr(&before));
    let tuned = workshop.train(&["fit", "shapes.toml"]);
    let text = stderr(&tuned);
    assert!(tuned.status.success(), "{text}");
    assert!(text.contains("the head is new: the file's tells 6 classes apart, the data has 4"), "{text}");

    let old = tensors(&workshop, "pictures/checkpoints/step-00000024/ema.safetensors");
    let new = tensors(&workshop, "shapes/checkpoints/step-00000030/model.safetensors");
    assert_eq!(new["head.weight"].size(), [4, 16]);
    assert_eq!((old["pos_embed"].size()[1], new["pos_embed"].size()[1]), (17, 37));
    for (name, tensor) in &new {
        let frozen = name.starts_with("patch_embed.") || name.starts_with("blocks.0.");
        if name != "pos_embed" && !name.starts_with("head.") {
            assert_eq!(*tensor == old[name], frozen, "{name}");
        }
    }
    let state = tensors(&workshop, "shapes/checkpoints/step-00000030/optimizer.safetensors");
    assert!(state.keys().all(|name| !name.contains("blocks.0.")), "{:?}", state.keys());

    let predicted = workshop.train(&["predict", "runs/shapes", "--explain", "2"]);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    let without = ["fit", "shapes.toml", "--set", "name=other", "--set", "train.freeze=[\"block.*\"]"];
    let refused = workshop.train(&without);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("`train.freeze`: no parameter fits `block.*`"), "{}", stderr(&refused));
}

#[test]
fn predictions_take_the_moving_average_unless_told_otherwise() {
    let workshop = Workshop::new();
    let trained = workshop.train(&["fit", "pictures.toml"]);
    assert!(trained.status.success(), "{}", stderr(&trained));
    for (arguments, file, average) in [(vec![], "ema.safetensors", true), (vec!["--raw"], "model.safetensors", false)] {
        let arguments = [&["predict", "runs/pictures", "--checkpoint", "last"], arguments.as_slice()].concat();
        let output = workshop.train(&arguments);
        assert!(stderr(&output).contains(file), "{}", stderr(&output));
        let manifest = fs_err::read(workshop.path("runs/pictures/predictions/validation/manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["details"]["average"], average);
        let weights = workshop.path("runs/pictures/checkpoints/step-00000024").join(file);
        let sha256 = tessera_datasets::hash::sha256_file(&weights).unwrap();
        assert_eq!(manifest["details"]["checkpoint_sha256"], sha256);
    }
}
