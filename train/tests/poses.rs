//! Poses through the real program: training, predictions beside simpler methods, explanations.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, UInt32Type};
use tch::Kind;
use tessera_datasets::config::RunConfig;
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::shard::Dataset;
use tessera_train::loader::BatchSource;
use tessera_train::poses::{PoseBatches, PoseData, describe, training_frames};
use tessera_train::run::Setup;
use tessera_train::task::Optimise;

use crate::support::{Workshop, stderr};

fn floats(batch: &RecordBatch, name: &str, row: usize) -> Vec<f32> {
    let values = batch.column_by_name(name).unwrap().as_fixed_size_list().value(row);
    values.as_primitive::<Float32Type>().values().to_vec()
}

fn marks(batch: &RecordBatch, name: &str, row: usize) -> Vec<bool> {
    let values = batch.column_by_name(name).unwrap().as_fixed_size_list().value(row);
    values.as_boolean().values().iter().collect()
}

#[test]
fn predictions_have_a_place_for_every_keypoint_beside_those_of_simpler_methods() {
    let workshop = Workshop::new();
    for arguments in
        [vec!["fit", "poses.toml"], vec!["predict", "runs/poses", "--split", "validation", "--explain", "3"]]
    {
        let output = workshop.train(&arguments);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let run = RunDir::open(workshop.path("runs/poses")).unwrap();
    let line = run.metrics().unwrap().into_iter().rfind(|line| line.split == "validation").unwrap();
    for name in ["loss", "mpjpe", "mpjpe_masked", "mpjpe_absent", "mpjpe_masked_random"] {
        assert!(line.values[name].as_f64().unwrap() > 0.0, "{name}");
    }

    let data = Dataset::open(workshop.path("data/poses")).unwrap();
    let found = Dataset::open(run.predictions("validation")).unwrap();
    let details = &found.manifest().details;
    assert_eq!(details["task"], "pose-optimisation");
    assert_eq!(details["model"], "optipose");
    assert_eq!(details["window"]["frames"], 8);
    assert_eq!(Skeleton::of_details(details).unwrap().keypoints.len(), 5);
    let rows: Vec<RecordBatch> = found.batches("validation", &[]).unwrap().map(Result::unwrap).collect();
    let given: Vec<RecordBatch> = data.batches("validation", &[]).unwrap().map(Result::unwrap).collect();
    let (rows, given) = (&rows[0], &given[0]);
    assert_eq!(rows.num_rows(), given.num_rows());
    for name in ["id", "subject", "frame", "frames", "corruption", "input", "given", "target", "known"] {
        assert_eq!(rows.column_by_name(name).unwrap(), given.column_by_name(name).unwrap(), "{name}");
    }
    let frames = rows.column_by_name("frames").unwrap().as_primitive::<UInt32Type>();
    let mut methods = BTreeSet::new();
    for row in 0..rows.num_rows() {
        let there = frames.value(row) as usize * 5 * 3;
        let (input, given) = (floats(rows, "input", row), marks(rows, "given", row));
        for name in ["optimised", "interpolated", "kalman", "template"] {
            let values = floats(rows, name, row);
            assert!(values[..there].iter().all(|value| value.is_finite() && *value != 0.0), "{name} of row {row}");
            assert!(values[there..].iter().all(|value| *value == 0.0), "padding of {name} of row {row}");
            methods.insert(values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        }
        // interpolation leaves alone what is given
        let interpolated = floats(rows, "interpolated", row);
        for point in (0..given.len()).filter(|point| given[*point]) {
            assert_eq!(interpolated[point * 3..point * 3 + 3], input[point * 3..point * 3 + 3]);
        }
    }
    assert_eq!(methods.len(), 4 * rows.num_rows(), "each method has its own answer");

    let explained = Dataset::open(run.explanations("validation")).unwrap();
    let shown = explained.batches("validation", &[]).unwrap().next().unwrap().unwrap();
    assert_eq!(shown.num_rows(), 3);
    for row in 0..3 {
        assert_eq!(shown.column_by_name("name").unwrap().as_string::<i32>().value(row), "time-attention");
        let shape = shown.column_by_name("shape").unwrap().as_list::<i32>().value(row);
        // two sub-models, two context models of one head
        assert_eq!(shape.as_primitive::<UInt32Type>().values(), &[2, 2, 8, 8]);
        let values = shown.column_by_name("values").unwrap().as_list::<i32>().value(row);
        for looked in values.as_primitive::<Float32Type>().values().chunks_exact(8) {
            assert!((looked.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn every_window_comes_once_an_epoch_as_it_lies_in_the_shard() {
    let workshop = Workshop::new();
    let dataset = Dataset::open(workshop.path("data/poses")).unwrap();
    let (_, shape) = describe(&dataset).unwrap();
    let data = Arc::new(PoseData::open(&dataset, "train", shape).unwrap());
    let batches = PoseBatches::new(data.clone(), 8, 3).unwrap();
    assert_eq!(batches.rows(), 120);
    let mut seen = BTreeSet::new();
    for step in 0..15 {
        let batch = batches.batch(step).unwrap();
        let again = batches.batch(step).unwrap();
        assert_eq!(batch.tensors[0], again.tensors[0]);
        let [input_btkc, given_btk, target_btkc, known_btk, frames_bt] = batch.tensors.as_slice() else { panic!() };
        let kinds = [input_btkc.kind(), given_btk.kind(), target_btkc.kind(), known_btk.kind(), frames_bt.kind()];
        assert_eq!(kinds, [Kind::Float, Kind::Bool, Kind::Float, Kind::Bool, Kind::Bool]);
        assert_eq!(input_btkc.size(), [8, 8, 5, 3]);
        assert_eq!(frames_bt.sum(Kind::Int64).int64_value(&[]) as u64, batch.items);
        for window in 0..8 {
            let target: Vec<f32> = Vec::try_from(target_btkc.get(window).reshape([-1])).unwrap();
            let row = (0..data.len()).find(|row| data.coordinates(*row..*row + 1).1 == target).unwrap();
            let input: Vec<f32> = Vec::try_from(input_btkc.get(window).reshape([-1])).unwrap();
            let given: Vec<bool> = Vec::try_from(given_btk.get(window).reshape([-1])).unwrap();
            assert_eq!(data.coordinates(row..row + 1).0, input);
            assert_eq!(data.marks(row..row + 1).0, given);
            assert_eq!(frames_bt.get(window).sum(Kind::Int64).int64_value(&[]) as usize, data.frames(row));
            seen.insert(row);
        }
    }
    assert_eq!(seen.len(), 120);
    // 30 windows of 8 frames, the last of 6
    assert_eq!(training_frames(&dataset, shape).unwrap().frames(), 30 * 8 - 2);
}

#[test]
fn a_task_optimises_a_recording_of_its_own_skeleton() {
    let workshop = Workshop::new();
    let config = RunConfig::load(workshop.path("poses.toml"), &[]).unwrap();
    let setup = Setup::new(config, &workshop.path("data/poses"), tch::Device::Cpu).unwrap();
    let mut task = setup.task().unwrap();
    let request = Optimise { overlap: None, occupancy: Vec::new() };
    let mut track = Track::unknown(21, 5);
    (0..21).for_each(|frame| track.set(frame, frame % 5, Some([frame as f32, 2.0, 3.0])));
    let found = task.optimise(&track, &request).unwrap();
    assert_eq!(found.len(), 21 * 5 * 3);
    assert!(found.iter().all(|value| value.is_finite()));
    let error = task.optimise(&Track::unknown(21, 4), &request).unwrap_err().to_string();
    assert!(error.contains("a track of 4 keypoints for a model of 5"), "{error}");
}

#[test]
fn data_of_another_kind_and_numbers_that_are_none_are_refused() {
    let workshop = Workshop::new();
    let refused = |arguments: &[&str], message: &str| {
        let output = workshop.train(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    };
    refused(&["fit", "poses.toml", "--set", "data.dataset=data/words"], "but `pose-windows` is needed");
    refused(&["fit", "poses.toml", "--set", "train.precision=bfloat16"], "poses are computed in `float32`");
    refused(&["fit", "poses.toml", "--set", "train.model.n_pcm=3"], "n_pcm");
    crate::support::write_poses_with(&workshop.path("data/poses"), 8, f32::NAN);
    refused(&["fit", "poses.toml"], "has a coordinate that is no number");
}
