//! Checkpoints: a folder that is either whole or absent.
//!
//! A checkpoint is written under another name, synced and renamed; `state.json` goes into it
//! last. A kill at any moment leaves the previous one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tessera_datasets::files::{remove_dir, rename, write_atomic};
use tessera_datasets::hash::sha256_file;
use tessera_datasets::run_dir::{Best, RunDir};
use tessera_datasets::{Error, Result, ResultExt};

use crate::config::TrainConfig;
use crate::ema::Ema;
use crate::task::Task;
use crate::weights;

/// The weights in a checkpoint's folder, as the optimiser left them.
pub const WEIGHTS: &str = "model.safetensors";

/// Their moving average, where the run keeps one.
pub const AVERAGE: &str = "ema.safetensors";

/// `state.json`: all that is not a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The version of this format.
    pub version: u32,
    /// Steps done. It is also the reader's cursor: a batch is a function of the step.
    pub step: u64,
    /// The seed, from which the random state of every step follows.
    pub seed: u64,
    /// Seconds of training so far, validation excluded.
    pub train_seconds: f64,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
    /// SHA-256 of their moving average, where the run keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema_sha256: Option<String>,
    /// The best step up to here, which may be this one.
    pub best: Option<Best>,
}

/// Writes a checkpoint and gives its folder.
///
/// # Errors
/// When the disk is full.
pub fn save(
    run: &RunDir,
    task: &mut dyn Task,
    ema: Option<&Ema>,
    mut state: State,
    extra: &[(PathBuf, String)],
) -> Result<PathBuf> {
    let folder = run.checkpoint(state.step);
    let temporary = run.checkpoints().join(format!(".writing-{}", state.step));
    remove_dir(&temporary)?;
    fs_err::create_dir_all(&temporary)?;
    for (name, optimizer) in task.optimizers() {
        optimizer.save(&temporary.join(optimizer_file(name)))?;
    }
    if let Some(ema) = ema {
        let path = temporary.join(AVERAGE);
        ema.save(&path, task.parameters())?;
        state.ema_sha256 = Some(sha256_file(&path)?);
    }
    write_model(&temporary, task, &mut state, extra)?;
    remove_dir(&folder)?;
    rename(&temporary, &folder)?;
    Ok(folder)
}

/// Reads a checkpoint into a task, with its optimisers, and into the average of its weights.
///
/// # Errors
/// When a file is cut short or of another model.
pub fn restore(folder: &Path, task: &mut dyn Task, ema: Option<&mut Ema>) -> Result<State> {
    let state = read_state(folder)?;
    load_weights(folder, Weights::Raw, task)?;
    for (name, optimizer) in task.optimizers() {
        optimizer.load(&folder.join(optimizer_file(name)))?;
    }
    if let Some(ema) = ema {
        let path = folder.join(AVERAGE);
        let expected = state.ema_sha256.as_deref();
        verify(&path, expected.ok_or_else(|| Error::input("the checkpoint has no moving average").at(folder))?)?;
        ema.load(&path, task.parameters())?;
    }
    Ok(state)
}

/// Which weights of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// As the optimiser left them.
    Raw,
    /// Their moving average where there is one; else as the optimiser left them.
    Averaged,
}

/// What was read from a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The checkpoint's step.
    pub step: u64,
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Whether it was the moving average.
    pub averaged: bool,
}

/// Reads only the weights of a checkpoint into a task.
///
/// # Errors
/// When a file is cut short or of another model, or the weights are not those that were saved.
pub fn load_weights(folder: &Path, which: Weights, task: &mut dyn Task) -> Result<Loaded> {
    let state = read_state(folder)?;
    let (name, sha256, averaged) = match (which, state.ema_sha256) {
        (Weights::Averaged, Some(sha256)) => (AVERAGE, sha256, true),
        _ => (WEIGHTS, state.weights_sha256, false),
    };
    let path = folder.join(name);
    let found = weights::load(&path)?;
    verify(&path, &sha256)?;
    weights::load_into(&path, task.parameters().iter(), found)?;
    Ok(Loaded { step: state.step, path, sha256, averaged })
}

fn verify(path: &Path, sha256: &str) -> Result<()> {
    match sha256_file(path)? == sha256 {
        true => Ok(()),
        false => Err(Error::input("the sha256 is not the one in `state.json`").at(path).hint(
            "the checkpoint was changed after it was saved: remove its folder, the run goes on from the one before",
        )),
    }
}

/// Writes weights without an optimiser as a checkpoint of their own, which is a copy of `like`
/// but for the weights and their hash.
///
/// # Errors
/// When the disk is full.
pub fn save_weights(folder: &Path, task: &dyn Task, like: &Path, extra: &[(PathBuf, String)]) -> Result<State> {
    let mut state = State { ema_sha256: None, ..read_state(like)? };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.with_file_name(format!(".writing-{name}"));
    remove_dir(&temporary)?;
    fs_err::create_dir_all(&temporary)?;
    write_model(&temporary, task, &mut state, extra)?;
    remove_dir(folder)?;
    rename(&temporary, folder)?;
    Ok(state)
}

/// Writes the weights, their description and, last, the state.
fn write_model(temporary: &Path, task: &dyn Task, state: &mut State, extra: &[(PathBuf, String)]) -> Result<()> {
    let weights_path = temporary.join(WEIGHTS);
    weights::save(&weights_path, task.parameters().iter())?;
    let reference = serde_json::to_vec_pretty(&task.reference_config()).expect("plain data can be written");
    write_atomic(temporary.join("config.json"), &reference)?;
    for (path, name) in extra {
        fs_err::copy(path, temporary.join(name))?;
    }
    state.weights_sha256 = sha256_file(&weights_path)?;
    let bytes = serde_json::to_vec_pretty(&state).expect("plain data can be written");
    write_atomic(temporary.join("state.json"), &bytes)
}

/// Reads `state.json`.
///
/// # Errors
/// When it is absent or of another version.
pub fn read_state(folder: &Path) -> Result<State> {
    let path = folder.join("state.json");
    let bytes = fs_err::read(&path)?;
    let state: State =
        serde_json::from_slice(&bytes).map_err(|e| Error::input(format!("not a checkpoint's state: {e}"))).at(&path)?;
    match state.version {
        1 => Ok(state),
        other => Err(Error::input(format!("checkpoint version {other}, this program reads 1")).at(path)),
    }
}

/// The latest checkpoint that can be read; those that cannot are named and passed over.
///
/// # Errors
/// When checkpoints exist and none can be read.
pub fn restore_latest(
    run: &RunDir,
    task: &mut dyn Task,
    mut ema: Option<&mut Ema>,
    say: &dyn Fn(&str),
) -> Result<Option<State>> {
    let steps = run.checkpoint_steps()?;
    let mut failure = None;
    for step in steps.iter().rev() {
        match restore(&run.checkpoint(*step), task, ema.as_deref_mut()) {
            Ok(state) => return Ok(Some(state)),
            Err(error) => {
                say(&format!("the checkpoint of step {step} cannot be used: {error}"));
                failure = Some(error);
            }
        }
    }
    failure.map_or(Ok(None), Err)
}

/// Removes all checkpoints but the latest `keep_last`, the best, and those that are to be averaged.
///
/// # Errors
/// When a folder cannot be removed.
pub fn prune(run: &RunDir, config: &TrainConfig) -> Result<()> {
    let steps = run.checkpoint_steps()?;
    let best = run.best()?.map(|b| b.step);
    let averaged = to_average(&steps, config);
    let surplus = steps.len().saturating_sub(config.keep_last);
    for step in &steps[..surplus] {
        if Some(*step) != best && !averaged.contains(step) {
            remove_dir(run.checkpoint(*step))?;
        }
    }
    Ok(())
}

/// The last `train.average` of some checkpoints, without those that were only saved because they
/// were the best so far: what is averaged lies evenly apart.
pub fn to_average(steps: &[u64], config: &TrainConfig) -> Vec<u64> {
    let regular = |step: &u64| step.is_multiple_of(config.checkpoint_every) || *step == config.steps;
    let regular: Vec<u64> = steps.iter().copied().filter(regular).collect();
    regular[regular.len().saturating_sub(config.average)..].to_vec()
}

fn optimizer_file(name: &str) -> String {
    match name {
        "" => "optimizer.safetensors".to_owned(),
        other => format!("optimizer-{other}.safetensors"),
    }
}
