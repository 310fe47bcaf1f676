//! OptiPose beside TensorFlow and PyTorch.
//!
//! `golden/optipose_tf.json` of the shared folder was made by the authors' own code under
//! tensorflow-cpu 2.15: outputs, loss terms and regularisation of both architectures. The fixtures
//! of `make_optipose_tiny.py` (torch 2.11.0) add gradients, keypoints that are not known, and steps
//! of Adam with gradients clipped parameter by parameter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tch::{Device, Kind, Tensor};
use tessera_datasets::pose::MISSING;
use tessera_train::models::optipose::{Architecture, Optipose, OptiposeConfig, OptiposeOptions, Terms};
use tessera_train::optimizer::{ClipBy, Optimizer, OptimizerConfig};
use tessera_train::parameters::Parameters;
use tessera_train::poses::{Network, Poses};
use tessera_train::weights;

struct Made {
    parameters: Parameters,
    network: Optipose,
}

impl Made {
    fn new(config: OptiposeConfig, start: BTreeMap<String, Tensor>) -> Self {
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        let network = Optipose::new(config, &parameters).unwrap();
        let start = network.import(start).unwrap();
        weights::load_into(Path::new("start"), parameters.iter(), start).unwrap();
        Self { parameters, network }
    }
}

fn config(architecture: Architecture) -> OptiposeConfig {
    let options = OptiposeOptions { architecture, context_models: 2, sub_models: 2, heads: 2, ..Default::default() };
    OptiposeConfig { attention_dropout: 0.0, ..options.resolve(6, 3) }
}

/// The largest difference, as a share of the largest value.
fn relative(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let largest = |t: &Tensor| t.abs().max().to_kind(Kind::Double).double_value(&[]);
    largest(&(found - expected)) / largest(expected).max(1e-12)
}

fn golden() -> Option<Value> {
    let named = std::env::var_os("TESSERA_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = named.unwrap_or(beside).join("golden/optipose_tf.json");
    let Ok(text) = fs_err::read(&path) else {
        #[expect(clippy::print_stderr, reason = "a test that skips says so")]
        {
            eprintln!("skipped: set TESSERA_SHARED to the folder above `golden/optipose_tf.json`");
        }
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// Numbers in lists, however deep.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap() as f32],
    }
}

fn poses(value: &Value) -> Tensor {
    Tensor::from_slice(&numbers(value)).view([2, 6, 3, 3])
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Input as TensorFlow sees it, with its numbers for what is missing and for padding, in our form.
struct Coarse {
    input_btkc: Tensor,
    given_btk: Tensor,
    frames_bt: Tensor,
}

impl Coarse {
    fn new(raw_btkc: &Tensor) -> Self {
        let missing_btk = raw_btkc.eq(f64::from(MISSING)).all_dim(-1, false);
        let frames_bt = raw_btkc.ne(0.0).flatten(2, 3).any_dim(-1, false);
        let given_btk = missing_btk.logical_not().logical_and(&frames_bt.unsqueeze(-1));
        Self { input_btkc: raw_btkc * given_btk.unsqueeze(-1), given_btk, frames_bt }
    }

    fn poses(&self) -> Poses<'_> {
        Poses { input_btkc: &self.input_btkc, given_btk: &self.given_btk, frames_bt: &self.frames_bt }
    }
}

#[test]
fn outputs_and_regularisation_are_those_of_tensorflow() {
    let Some(golden) = golden() else { return };
    let coarse = Coarse::new(&poses(&golden["input"]));
    for (name, architecture) in [("model_paper", Architecture::Paper), ("model_head", Architecture::Later)] {
        let stored = &golden[name];
        let weight = |entry: &Value| {
            let shape: Vec<i64> = entry[1].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect();
            (entry[0].as_str().unwrap().to_owned(), Tensor::from_slice(&numbers(&entry[2])).view(shape.as_slice()))
        };
        let start = stored["weights"].as_array().unwrap().iter().map(weight).collect();
        let config = OptiposeConfig { output_width: 8, ..config(architecture) };
        let made = Made::new(config, start);
        let (found, expected) = (made.network.optimise(&coarse.poses(), false), poses(&stored["output"]));
        assert!(relative(&found, &expected) < 1e-6, "{name} is off by {}", relative(&found, &expected));
        // single values too, by their own size
        let share = ((&found - &expected).abs() / expected.abs().clamp_min(1.0)).max().double_value(&[]);
        assert!(share < 1e-4, "a value of {name} is off by {share}");
        let cost = made.network.regularisation().double_value(&[]);
        let expected: f64 = numbers(&stored["reg_losses"]).iter().map(|n| f64::from(*n)).sum();
        assert!((cost - expected).abs() < 1e-5 * expected, "{cost} for {expected}");
    }
}

#[test]
fn loss_terms_are_those_of_tensorflow() {
    let Some(golden) = golden() else { return };
    let (target, pred) = (poses(&golden["gt"]), poses(&golden["pred"]));
    let frames = target.ne(0.0).flatten(2, 3).any_dim(-1, false);
    let known = frames.unsqueeze(-1).expand([2, 6, 3], false);
    for (name, architecture) in [("paper", Architecture::Paper), ("head", Architecture::Later)] {
        let terms = Terms::new(architecture, &pred, &target, &known, &frames, false);
        let parts = &golden[format!("loss_{name}_parts")];
        for (what, spatial, temporal, expected) in [
            ("Euclidean", 0.0, 0.0, &parts["euclid"]),
            ("spatial", 0.5, 0.0, &parts["plus_spatial_0.5"]),
            ("temporal", 0.0, 0.5, &parts["plus_temporal_0.5"]),
            ("whole", 1e-4, 1e-4, &golden[format!("loss_{name}_1e-4")]),
        ] {
            let (found, expected) = (terms.weighted(spatial, temporal).double_value(&[]), number(expected));
            assert!((found - expected).abs() < 1e-6 * expected, "{name}, {what}: {found} for {expected}");
        }
    }
}

/// A fixture with a network of its weights.
struct Tiny {
    stored: BTreeMap<String, Tensor>,
    made: Made,
    architecture: Architecture,
}

impl Tiny {
    fn read(name: &str, architecture: Architecture) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let stored = weights::load(&folder.join(format!("optipose_tiny_{name}.safetensors"))).unwrap();
        let weight =
            |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix("weights/")?.to_owned(), tensor.copy()));
        let start = stored.iter().filter_map(weight).collect();
        let config =
            OptiposeConfig { window: 5, output_width: 4, spatial: 0.01, temporal: 0.02, ..config(architecture) };
        let made = Made::new(config, start);
        Self { stored, made, architecture }
    }

    fn both() -> [Self; 2] {
        [Self::read("paper", Architecture::Paper), Self::read("later", Architecture::Later)]
    }

    fn marks(&self, name: &str) -> Tensor {
        self.stored[name].ne(0)
    }

    fn loss(&self) -> (Tensor, BTreeMap<&'static str, f64>) {
        let (given_btk, frames_bt) = (self.marks("given"), self.marks("frames"));
        let poses = Poses { input_btkc: &self.stored["input"], given_btk: &given_btk, frames_bt: &frames_bt };
        let (loss, measures) =
            self.made.network.loss(&poses, &self.stored["target"], &self.marks("known"), true).unwrap();
        (loss, measures.into_iter().map(|(name, value)| (name, value.double_value(&[]))).collect())
    }
}

#[test]
fn terms_and_gradients_are_those_of_pytorch_where_keypoints_are_unknown_and_frames_padding() {
    for tiny in Tiny::both() {
        let (loss, measures) = tiny.loss();
        let expected = Vec::<f32>::try_from(&tiny.stored["terms"]).unwrap();
        let found = [
            loss.double_value(&[]),
            measures["euclid"],
            measures["spatial"],
            measures["temporal"],
            measures["regularisation"],
        ];
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - f64::from(*expected)).abs() < 1e-5 * found.abs(), "{found} for {expected}");
        }
        loss.backward();
        for (name, tensor) in tiny.made.parameters.iter() {
            let (found, expected) = (tensor.grad(), &tiny.stored[&format!("gradients/{name}")]);
            if name.ends_with("key.bias") {
                // zero in exact arithmetic, as the softmax takes out what all keys share; but for
                // padding, whose products do not enter the softmax as they are
                assert!(f64::try_from((&found - expected).abs().max()).unwrap() < 1e-4, "{name}");
                continue;
            }
            let off = relative(&found, expected);
            assert!(off < 1e-4, "{:?}: gradient of {name} is off by {off}", tiny.architecture);
        }
    }
}

#[test]
fn steps_of_adam_clipped_parameter_by_parameter_are_those_of_keras_rule() {
    for tiny in Tiny::both() {
        let config = OptimizerConfig {
            learning_rate: 1e-4,
            betas: (0.9, 0.999),
            epsilon: 1e-7,
            weight_decay: Some(0.0),
            clip: 1.0,
            clip_by: ClipBy::Variable,
            ..OptimizerConfig::default()
        };
        let mut optimizer = Optimizer::new(config, &tiny.made.parameters).unwrap();
        for expected in Vec::<f32>::try_from(&tiny.stored["losses"]).unwrap() {
            let (loss, _) = tiny.loss();
            loss.backward();
            drop(optimizer.step(1.0).unwrap());
            let (found, expected) = (loss.double_value(&[]), f64::from(expected));
            assert!((found - expected).abs() < 1e-4 * expected, "{:?}: {found} for {expected}", tiny.architecture);
        }
    }
}

#[test]
fn a_windows_answer_does_not_depend_on_its_neighbours_nor_what_is_missing_on_its_place() {
    let Some(golden) = golden() else { return };
    let raw = poses(&golden["input"]);
    for architecture in [Architecture::Paper, Architecture::Later] {
        let parameters = Parameters::create(&config(architecture).declare(), Device::Cpu, 3).unwrap();
        let network = Optipose::new(config(architecture), &parameters).unwrap();
        let together = network.optimise(&Coarse::new(&raw).poses(), false);
        for window in 0..2 {
            let alone = network.optimise(&Coarse::new(&raw.narrow(0, window, 1)).poses(), false);
            assert!(relative(&alone, &together.narrow(0, window, 1)) < 1e-5);
        }
        // numbers below a mask are never read
        let coarse = Coarse::new(&raw);
        let hidden = coarse.given_btk.logical_not().unsqueeze(-1).to_kind(Kind::Float) * 7.0;
        let dirty = Coarse { input_btkc: &coarse.input_btkc + hidden, ..coarse };
        assert!(relative(&network.optimise(&dirty.poses(), false), &together) < 1e-6);
    }
}
