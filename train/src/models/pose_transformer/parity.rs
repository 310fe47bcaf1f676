//! The numbers of `tests/fixtures/make_pose_transformer.py` (torch 2.11.0).

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Kind, Tensor};
use tessera_datasets::pose::Track;

use super::*;
use crate::poses::Poses;
use crate::weights;

const WIDE: PoseTransformerConfig = PoseTransformerConfig {
    window: 10,
    keypoints: 5,
    width: 8,
    blocks: 2,
    heads: 2,
    feed_forward: 16,
    noise: None,
    masked_weight: 2.0,
};

struct Fixture(BTreeMap<String, Tensor>);

impl Fixture {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pose_transformer.safetensors");
        Self(weights::load(&path).unwrap())
    }

    fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("no tensor `{name}`"))
    }

    fn network(&self) -> (Parameters, PoseTransformer) {
        let parameters = Parameters::create(&WIDE.declare(), Device::Cpu, 0).unwrap();
        parameters.freeze(&["anatomy.*".to_owned()]).unwrap();
        for (name, tensor) in parameters.iter() {
            let stored = if name.starts_with("anatomy.") { name.to_owned() } else { format!("weights.{name}") };
            let mut tensor = tensor.shallow_clone();
            tch::no_grad(|| tensor.copy_(self.get(&stored)));
        }
        let names = (0..5).map(|k| format!("keypoint {k}")).collect();
        let network = PoseTransformer::new(WIDE, names, &parameters).unwrap();
        (parameters, network)
    }
}

fn apart(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    (found - expected).abs().max().to_kind(Kind::Double).double_value(&[])
}

#[test]
fn an_anatomy_is_learnt_as_pytorch_learns_it() {
    let fixture = Fixture::read();
    let frames: Vec<f32> = fixture.get("train_frames").reshape([-1]).try_into().unwrap();
    let track = Track { keypoints: 5, known_tk: vec![true; frames.len() / 3], positions_tkc: frames };
    let noise = fixture.get("anatomy.noise").double_value(&[0]);
    let anatomy = learning::learn(&track, noise).unwrap();
    let parameters = Parameters::create(&WIDE.declare(), Device::Cpu, 0).unwrap();
    anatomy.store(&parameters).unwrap();
    for (name, tensor) in parameters.iter().filter(|(name, _)| name.starts_with("anatomy.")) {
        let expected = fixture.get(name);
        let largest = expected.abs().max().double_value(&[]);
        assert!(apart(tensor, expected) < 1e-5 * largest, "{name}: {}", apart(tensor, expected));
    }
}

#[test]
fn candidates_answers_loss_and_gradients_are_those_of_pytorch() {
    let fixture = Fixture::read();
    let (parameters, network) = fixture.network();
    let given_btk = fixture.get("given").to_kind(Kind::Bool);
    let frames_bt = Tensor::ones([5, 10], (Kind::Bool, Device::Cpu));
    let poses = Poses { input_btkc: fixture.get("input"), given_btk: &given_btk, frames_bt: &frames_bt };
    let prepared = network.prepare(&poses).unwrap();
    for (found, name) in [
        (&prepared.features_btkf, "features"),
        (&prepared.candidates_btknc, "candidates"),
        (&prepared.reach_btk, "reach"),
    ] {
        let difference = apart(found, fixture.get(name));
        assert!(difference < 1e-4, "{name}: {difference}");
    }
    let output = tch::no_grad(|| network.optimise(&poses, false));
    assert!(apart(&output, fixture.get("output")) < 1e-3, "{}", apart(&output, fixture.get("output")));

    let known_btk = given_btk.ones_like();
    let (loss, _) = network.loss(&poses, fixture.get("target"), &known_btk, true).unwrap();
    assert!((loss.double_value(&[]) - fixture.get("loss").double_value(&[0])).abs() < 1e-5);
    loss.backward();
    for (name, tensor) in parameters.iter().filter(|(name, _)| !name.starts_with("anatomy.")) {
        let expected = fixture.get(&format!("gradients.{name}"));
        let largest = expected.abs().max().double_value(&[]).max(1e-3);
        let difference = apart(&tensor.grad(), expected) / largest;
        assert!(difference < 1e-3, "{name}: {difference}");
    }
}

#[test]
fn attention_is_shown_as_shares() {
    let fixture = Fixture::read();
    let (_, network) = fixture.network();
    let given_btk = fixture.get("given").narrow(0, 0, 1).to_kind(Kind::Bool);
    let input_btkc = fixture.get("input").narrow(0, 0, 1);
    let frames_bt = Tensor::ones([1, 10], (Kind::Bool, Device::Cpu));
    let poses = Poses { input_btkc: &input_btkc, given_btk: &given_btk, frames_bt: &frames_bt };
    let shown = tch::no_grad(|| network.explain(&poses)).unwrap();
    for (exhibit, name, shape) in
        [(&shown[0], "time-attention", vec![2, 2, 10, 10]), (&shown[1], "joint-attention", vec![2, 2, 5, 5])]
    {
        assert_eq!((exhibit.name.as_str(), &exhibit.shape), (name, &shape));
        for row in exhibit.values.chunks(shape[3] as usize) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
    assert_eq!(shown[1].row_labels.len(), 5);
}

#[test]
fn a_window_of_which_nothing_is_given_has_a_finite_answer() {
    let (_, network) = Fixture::read().network();
    let given_btk = Tensor::zeros([1, 10, 5], (Kind::Bool, Device::Cpu));
    let input_btkc = Tensor::zeros([1, 10, 5, 3], (Kind::Float, Device::Cpu));
    let frames_bt = Tensor::ones([1, 10], (Kind::Bool, Device::Cpu));
    let poses = Poses { input_btkc: &input_btkc, given_btk: &given_btk, frames_bt: &frames_bt };
    let answer = tch::no_grad(|| network.optimise(&poses, false));
    assert_eq!(answer.isfinite().all().int64_value(&[]), 1);
}
