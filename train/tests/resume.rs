//! A run that was killed and goes on ends with the same bytes as one that was not.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Workshop, stderr};

/// What a run of 24 steps left: every file of tensors by its name, and which step was the best.
fn weights(workshop: &Workshop, runs: &str) -> (BTreeMap<String, Vec<u8>>, serde_json::Value) {
    of_run(workshop, runs, "run")
}

fn of_run(workshop: &Workshop, runs: &str, name: &str) -> (BTreeMap<String, Vec<u8>>, serde_json::Value) {
    let folder = workshop.path(runs).join(name).join("checkpoints/step-00000024");
    let state: serde_json::Value = serde_json::from_slice(&fs_err::read(folder.join("state.json")).unwrap()).unwrap();
    let names = fs_err::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let tensors = names.filter(|name| name.ends_with(".safetensors"));
    let read = |name: String| (name.clone(), fs_err::read(folder.join(name)).unwrap());
    (tensors.map(read).collect(), state["best"].clone())
}

fn losses(workshop: &Workshop, runs: &str, name: &str) -> Vec<(u64, String, f64)> {
    let text = fs_err::read_to_string(workshop.path(runs).join(name).join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let loss = value["values"]["loss"].as_f64().unwrap();
        (value["step"].as_u64().unwrap(), value["split"].as_str().unwrap().to_owned(), loss)
    };
    text.lines().map(line).collect()
}

#[test]
fn killed_at_several_moments_it_ends_the_same() {
    kill_and_go_on("run", &["model.safetensors", "optimizer.safetensors"]);
}

#[test]
fn so_does_one_with_augmented_images_a_moving_average_and_layers_left_out_by_chance() {
    kill_and_go_on("pictures", &["ema.safetensors", "model.safetensors", "optimizer.safetensors"]);
}

#[test]
fn so_does_one_of_poses_with_dropout_and_gradients_clipped_each_alone() {
    kill_and_go_on("poses", &["model.safetensors", "optimizer.safetensors"]);
}

/// Trains a config of the workshop twice, once without a pause and once killed again and again.
fn kill_and_go_on(name: &str, files: &[&str]) {
    let workshop = Workshop::new();
    let config = format!("{name}.toml");
    let straight = workshop.train(&["fit", &config, "--runs-dir", "straight"]);
    assert!(straight.status.success(), "{}", stderr(&straight));
    let expected = of_run(&workshop, "straight", name);
    assert_eq!(expected.0.keys().collect::<Vec<_>>(), files);
    let mut interrupted = 0;
    for attempt in 0..40 {
        let mut child = workshop
            .command(&["fit", &config, "--runs-dir", "killed"])
            .env("TESSERA_TEST_STEP_MILLISECONDS", "30")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(250 + 97 * attempt));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                interrupted += 1;
            }
        }
    }
    assert!(interrupted >= 2, "the run was killed {interrupted} times");
    // not `assert_eq`: nobody wants to read the bytes
    assert!(of_run(&workshop, "killed", name) == expected, "the tensors are others");
    assert_eq!(losses(&workshop, "killed", name), losses(&workshop, "straight", name));
}

#[test]
fn a_signal_saves_a_checkpoint_and_the_same_command_goes_on() {
    let workshop = Workshop::new();
    let child = workshop
        .command(&["fit", "run.toml", "--set", "train.checkpoint_every=1000", "--set", "train.validate_every=1000"])
        .env("TESSERA_TEST_STEP_MILLISECONDS", "200")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // the first line of the journal says that the loop is running and listens to signals
    let journal = workshop.path("runs/run/metrics.jsonl");
    for _ in 0..600 {
        if fs_err::metadata(&journal).is_ok_and(|file| file.len() > 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("stopped by a signal after step"), "{}", stderr(&output));
    let resumed = workshop.train(&["resume", "runs/run"]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    assert!(stderr(&resumed).contains("going on from the checkpoint of step"), "{}", stderr(&resumed));
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_used() {
    let workshop = Workshop::new();
    let arguments = ["fit", "run.toml", "--set", "train.keep_last=10"];
    assert!(workshop.train(&arguments).status.success());
    let undamaged = weights(&workshop, "runs");
    let path = workshop.path("runs/run/checkpoints/step-00000024/model.safetensors");
    let whole = fs_err::read(&path).unwrap();
    fs_err::write(&path, &whole[..whole.len() / 2]).unwrap();
    let again = workshop.train(&arguments);
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(stderr(&again).contains("the checkpoint of step 24 cannot be used"), "{}", stderr(&again));
    assert_eq!(weights(&workshop, "runs"), undamaged);
}
