//! The folder of a training run.
//!
//! ```text
//! runs/<name>/
//!   config.toml          the resolved config
//!   provenance.json      what ran, on what, with which data
//!   metrics.jsonl        one line per logged step
//!   checkpoints/step-00005000/{model,optimizer}.safetensors, state.json
//!   checkpoints/best.json
//!   checkpoints/average/ the mean of the last checkpoints, where the config asks for it
//!   checkpoints/average.json
//!   predictions/<split>/ a dataset of kind `predictions`
//!   explanations/<split>/ a dataset of kind `explanations`
//!   samples.jsonl        one generated text per line
//!   report/              index.html, report.md, report.json
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::files::write_atomic;
use crate::{Error, Result};

/// The version of the run directory that this program writes and reads.
pub const RUN_VERSION: u32 = 1;

/// A run's folder and the names in it.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

/// What a run was: enough to walk back from a number to every source file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The version of this format.
    pub version: u32,
    /// The run's name.
    pub name: String,
    /// The model's kind, such as `gpt`.
    pub task: String,
    /// The program and version, such as `tessera 0.1.0`.
    pub program: String,
    /// The git revision of the working directory, with `+` where it had changes; empty if unknown.
    pub revision: String,
    /// The command line that started the run.
    pub command: Vec<String>,
    /// SHA-256 of `config.toml`.
    pub config_sha256: String,
    /// The seed.
    pub seed: u64,
    /// `cpu`, or `cuda:0` with the name of the device.
    pub device: String,
    /// Threads that libtorch used inside an operation.
    pub threads: u32,
    /// `float32` or `bfloat16`.
    pub precision: String,
    /// The version of libtorch.
    pub libtorch: String,
    /// Operating system and processor.
    pub machine: String,
    /// The dataset's folder as it was given.
    pub dataset: String,
    /// SHA-256 of the dataset's manifest.
    pub manifest_sha256: String,
    /// Parameters that were trained.
    pub parameters: u64,
    /// Whether the same command gives the same bytes: begins with `yes` or `no`, and says why.
    pub reproducible: String,
    /// When the run was started, in seconds since 1970 (UTC).
    pub started: u64,
    /// Seconds of training over all sittings, validation excluded.
    pub train_seconds: f64,
    /// Steps done.
    pub steps: u64,
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricLine {
    /// Optimiser steps done.
    pub step: u64,
    /// `train` or `validation`.
    pub split: String,
    /// Named values: `loss`, `learning_rate`, `gradient_norm`, `tokens_per_second`, …
    pub values: Map<String, Value>,
}

/// `checkpoints/best.json`: the step with the best validation value so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The step.
    pub step: u64,
    /// What was compared, such as `loss`.
    pub metric: String,
    /// Its value.
    pub value: f64,
}

/// `checkpoints/average.json`: what the mean of the last checkpoints was worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Average {
    /// The version of this format.
    pub version: u32,
    /// The steps whose weights were averaged, in order.
    pub steps: Vec<u64>,
    /// Validation loss of the last of them.
    pub last_loss: f64,
    /// Validation loss of the average.
    pub average_loss: f64,
}

/// One line of `samples.jsonl`: a text that the model went on with by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The text that the model was given.
    pub prompt: String,
    /// What it went on with, without the prompt.
    pub text: String,
    /// The seed of the draw: the same seed and checkpoint give the same text.
    pub seed: u64,
    /// What the logits were divided by; 0 means that the most probable token was always taken.
    pub temperature: f64,
    /// Only this many most probable tokens were drawn from (Fan et al. 2018); 0 means all.
    pub top_k: u32,
    /// Only the most probable tokens that together have this probability were drawn from (nucleus
    /// sampling, Holtzman et al. 2020); 1 means all.
    pub top_p: f64,
}

impl RunDir {
    /// Names a run's folder without touching it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// A run that exists.
    ///
    /// # Errors
    /// When the folder has no `provenance.json`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let run = Self::new(path);
        match run.provenance_path().is_file() {
            true => Ok(run),
            false => Err(Error::input("no run here: `provenance.json` is missing")
                .at(&run.path)
                .hint("start one with `tessera-train fit CONFIG`")),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `provenance.json`.
    pub fn provenance_path(&self) -> PathBuf {
        self.path.join("provenance.json")
    }

    /// `metrics.jsonl`.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `checkpoints`.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The checkpoint of a step.
    pub fn checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(format!("step-{step:08}"))
    }

    /// The checkpoint that is the mean of the last ones.
    pub fn average_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("average")
    }

    /// The dataset of predictions for a split.
    pub fn predictions(&self, split: &str) -> PathBuf {
        self.path.join("predictions").join(split)
    }

    /// The dataset of explanations for a split.
    pub fn explanations(&self, split: &str) -> PathBuf {
        self.path.join("explanations").join(split)
    }

    /// `samples.jsonl`.
    pub fn samples_path(&self) -> PathBuf {
        self.path.join("samples.jsonl")
    }

    /// `report`.
    pub fn report(&self) -> PathBuf {
        self.path.join("report")
    }

    /// The steps of the checkpoints that are whole, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn checkpoint_steps(&self) -> Result<Vec<u64>> {
        let entries = match fs_err::read_dir(self.checkpoints()) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut steps = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let step = name.to_str().and_then(|n| n.strip_prefix("step-")).and_then(|n| n.parse().ok());
            // state.json is written last: without it the checkpoint is not whole
            if let Some(step) = step.filter(|_| entry.path().join("state.json").is_file()) {
                steps.push(step);
            }
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// The best step so far, where validation has run.
    ///
    /// # Errors
    /// When the file is there and is not readable.
    pub fn best(&self) -> Result<Option<Best>> {
        read_json(&self.checkpoints().join("best.json"))
    }

    /// What the mean of the last checkpoints was worth, where it was made.
    ///
    /// # Errors
    /// When the file is there and is not readable.
    pub fn average(&self) -> Result<Option<Average>> {
        read_json(&self.checkpoints().join("average.json"))
    }

    /// Says what the mean of the last checkpoints was worth.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_average(&self, average: &Average) -> Result<()> {
        write_json(&self.checkpoints().join("average.json"), average)
    }

    /// Names another step the best.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_best(&self, best: &Best) -> Result<()> {
        write_json(&self.checkpoints().join("best.json"), best)
    }

    /// Forgets which step is the best.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn remove_best(&self) -> Result<()> {
        match fs_err::remove_file(self.checkpoints().join("best.json")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// What the run is.
    ///
    /// # Errors
    /// When the file is absent or of another version.
    pub fn provenance(&self) -> Result<Provenance> {
        let path = self.provenance_path();
        let found: Provenance = read_json(&path)?.ok_or_else(|| Error::input("missing").at(&path))?;
        match found.version {
            RUN_VERSION => Ok(found),
            other => Err(Error::input(format!("run version {other}, this program reads {RUN_VERSION}")).at(path)),
        }
    }

    /// Writes what the run is.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_provenance(&self, provenance: &Provenance) -> Result<()> {
        write_json(&self.provenance_path(), provenance)
    }

    /// The lines of `metrics.jsonl`; an unfinished last line, left by a kill, is not one.
    ///
    /// # Errors
    /// When a whole line is no metric line.
    pub fn metrics(&self) -> Result<Vec<MetricLine>> {
        read_lines(&self.metrics_path(), "metric line")
    }

    /// The lines of `samples.jsonl`; none where there is no such file.
    ///
    /// # Errors
    /// When a whole line is no sample.
    pub fn samples(&self) -> Result<Vec<Sample>> {
        read_lines(&self.samples_path(), "sample")
    }
}

/// The whole lines of a JSON Lines file; an unfinished last line, left by a kill, is not one.
fn read_lines<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<Vec<T>> {
    let text = match fs_err::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let lines = whole.lines().enumerate().map(|(i, line)| {
        serde_json::from_str(line).map_err(|e| Error::input(format!("not a {what}: {e}")).at(path).row(i as u64 + 1))
    });
    lines.collect()
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain data can be written");
    bytes.push(b'\n');
    write_atomic(path, &bytes)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match fs_err::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let value = serde_json::from_slice(&bytes).map_err(|e| Error::input(format!("not readable: {e}")).at(path))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_checkpoint_and_line_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path());
        fs_err::create_dir_all(run.checkpoint(10)).unwrap();
        fs_err::create_dir_all(run.checkpoint(20)).unwrap();
        fs_err::write(run.checkpoint(10).join("state.json"), "{}").unwrap();
        assert_eq!(run.checkpoint_steps().unwrap(), [10]);
        let line = r#"{"step":1,"split":"train","values":{"loss":4.1}}"#;
        fs_err::write(run.metrics_path(), format!("{line}\n{{\"step\":2,")).unwrap();
        assert_eq!(run.metrics().unwrap().len(), 1);
    }

    #[test]
    fn a_sample_with_a_wrong_key_names_its_row() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path());
        assert!(run.samples().unwrap().is_empty());
        let line = r#"{"prompt":"a","text":"b","seed":1,"temperature":0.8,"top_k":0,"top_p":1.0}"#;
        fs_err::write(run.samples_path(), format!("{line}\n{}\n", line.replace("seed", "sead"))).unwrap();
        let error = run.samples().unwrap_err().to_string();
        assert!(error.contains("row 2: not a sample: unknown field `sead`"), "{error}");
    }

    #[test]
    fn a_folder_that_is_no_run_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(RunDir::open(dir.path()).unwrap_err().to_string().contains("no run here"));
    }
}
