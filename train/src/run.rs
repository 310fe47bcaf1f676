//! The commands, from a config or a run's folder to what they leave on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tch::Device;
use tessera_datasets::config::RunConfig;
use tessera_datasets::console::{duration, say, thousands};
use tessera_datasets::files::{remove_dir, write_atomic};
use tessera_datasets::hash::sha256;
use tessera_datasets::run_dir::{Average, Provenance, RUN_VERSION, RunDir};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result, ResultExt};

use crate::average::average;
use crate::checkpoint::{self, Weights};
use crate::config::{Precision, TrainConfig};
use crate::device::{device_name, libtorch_version, machine, set_threads};
use crate::fit::{Plan, fit};
use crate::models;
use crate::task::{Context, Task};
use crate::weights;

/// The parts of a config among which is all that decides what a run's weights are.
const DECISIVE: [&str; 6] = ["version", "name", "seed", "data", "pipeline", "train"];

/// A config with everything that is needed to make its task.
pub struct Setup {
    config: RunConfig,
    train: TrainConfig,
    dataset: Dataset,
    device: Device,
}

impl Setup {
    /// Parses `[train]` and opens the dataset, whose hashes are checked.
    ///
    /// # Errors
    /// When the config or the dataset is wrong.
    pub fn new(config: RunConfig, dataset: &Path, device: Device) -> Result<Self> {
        let train = check(&config)?;
        let dataset = Dataset::open(dataset)?;
        dataset.verify()?;
        Ok(Self { config, train, dataset, device })
    }

    /// Makes the task: data in memory, parameters drawn.
    ///
    /// # Errors
    /// When the dataset does not fit the model.
    pub fn task(&self) -> Result<Box<dyn Task>> {
        let model = self.config.section("train")?.child("model")?;
        let (entry, rest) = models::find(&model)?;
        let context = Context {
            config: &self.train,
            model: rest,
            dataset: self.dataset.clone(),
            device: self.device,
            seed: self.config.seed,
        };
        (entry.create)(context)
    }

    fn kind(&self) -> Result<String> {
        Ok(self.config.section("train")?.child("model")?.kind()?.0)
    }
}

/// Parses `[train]` and the model's table, without data.
///
/// # Errors
/// At the first thing that is wrong.
pub fn check(config: &RunConfig) -> Result<TrainConfig> {
    let section = config.section("train")?;
    if section.is_empty() {
        return Err(section.error("", "the config has no `[train]`"));
    }
    let train = TrainConfig::parse(&section)?;
    let (entry, rest) = models::find(&section.child("model")?)?;
    (entry.check)(&rest)?;
    Ok(train)
}

/// Trains, or goes on where the same command stopped.
///
/// # Errors
/// When the run exists with another config or dataset, or training fails.
pub fn run_fit(setup: &Setup, run: &RunDir, replace: bool, command: &[String]) -> Result<()> {
    if replace {
        remove_dir(run.path())?;
    }
    refuse_another(setup, run)?;
    let threads = set_threads(setup.train.threads);
    let mut task = setup.task()?;
    if let Some(path) = &setup.train.init_from {
        start_from(path, task.as_mut())?;
    }
    // before the run's folder is touched: what is wrong with the data leaves no run behind
    let batches = task.batches()?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // the second signal ends the program at once
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    write_atomic(run.config_path(), setup.config.resolved().as_bytes())?;
    let mut provenance = provenance(setup, task.as_ref(), threads, command)?;
    if let Ok(before) = run.provenance() {
        provenance.started = before.started;
    }
    run.write_provenance(&provenance)?;
    say(format!(
        "{} · {} parameters · {} · {} {} · {}",
        setup.config.name,
        thousands(provenance.parameters),
        provenance.device,
        threads,
        if threads == 1 { "thread" } else { "threads" },
        provenance.precision,
    ));
    let plan = Plan { config: &setup.train, seed: setup.config.seed, batches, stop, extra: tokenizers(&setup.dataset) };
    let outcome = fit(task.as_mut(), &plan, run)?;
    provenance.train_seconds = outcome.train_seconds;
    provenance.steps = outcome.step;
    run.write_provenance(&provenance)?;
    if setup.train.average > 0 {
        average(run, task.as_mut(), &setup.train, &plan.extra)?;
    }
    let best = run
        .best()?
        .map_or(String::new(), |b| format!(", best validation {} {:.4} at step {}", b.metric, b.value, b.step));
    say(format!("{} steps in {}{best} · `{}`", outcome.step, duration(outcome.train_seconds), run.path().display()));
    Ok(())
}

/// The parts of a config that decide what a run's weights are: how a trained model searches and
/// what it writes as samples may change later.
fn decisive(config: &RunConfig) -> Result<toml::Table> {
    let text = config.resolved_parts(&DECISIVE);
    let mut parts: toml::Table = toml::from_str(&text).map_err(|e| Error::internal(e.to_string()))?;
    if let Some(train) = parts.get_mut("train").and_then(toml::Value::as_table_mut) {
        train.remove("decode");
        train.remove("samples");
    }
    Ok(parts)
}

/// The dataset's tokenizers, which every checkpoint carries, with their names.
fn tokenizers(dataset: &Dataset) -> Vec<(PathBuf, String)> {
    let names = dataset.manifest().files.iter().map(|file| file.path.clone());
    let names = names.filter(|name| name.starts_with("tokenizer.") && name.ends_with(".json"));
    names.map(|name| (dataset.dir().join(&name), name)).collect()
}

/// A finished or begun run is never mixed with another config or dataset.
fn refuse_another(setup: &Setup, run: &RunDir) -> Result<()> {
    if !run.provenance_path().is_file() {
        return Ok(());
    }
    let hint = "give the run another `name`, or start it anew with `--replace`";
    let before = RunConfig::load(run.config_path(), &[])?;
    if decisive(&before)? != decisive(&setup.config)? {
        return Err(Error::input("the run was made with another config").at(run.path()).hint(hint));
    }
    if run.provenance()?.manifest_sha256 != setup.dataset.manifest().sha256() {
        return Err(Error::input("the run was made with another version of the dataset").at(run.path()).hint(hint));
    }
    Ok(())
}

fn start_from(path: &Path, task: &mut dyn Task) -> Result<()> {
    let found = task.import(weights::load(path)?).at(path)?;
    weights::load_into(path, task.parameters().iter(), found)?;
    let own = task.reference_config().get("layer_norm_eps").and_then(Value::as_f64);
    if let (Some(theirs), Some(own)) = (epsilon_beside(path), own)
        && (theirs - own).abs() > 1e-3 * own.max(theirs)
    {
        say(format!("the file's norms add {theirs:e} to the variance, the model's {own:e}: see `epsilon`"));
    }
    Ok(())
}

/// What the norms of a Hugging Face model add, from the `config.json` beside its weights.
fn epsilon_beside(weights: &Path) -> Option<f64> {
    let text = fs_err::read(weights.with_file_name("config.json")).ok()?;
    serde_json::from_slice::<Value>(&text).ok()?.get("layer_norm_eps")?.as_f64()
}

fn provenance(setup: &Setup, task: &dyn Task, threads: u32, command: &[String]) -> Result<Provenance> {
    let resolved = setup.config.resolved();
    let on_cpu = setup.device == Device::Cpu;
    let reproducible = match on_cpu {
        true => "yes, with the same number of threads on the same kind of processor",
        false => "no: some CUDA kernels add in any order",
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Ok(Provenance {
        version: RUN_VERSION,
        name: setup.config.name.clone(),
        task: setup.kind()?,
        program: format!("tessera {}", tessera_datasets::VERSION),
        revision: revision(),
        command: command.to_vec(),
        config_sha256: sha256(resolved.as_bytes()),
        seed: setup.config.seed,
        device: device_name(setup.device),
        threads,
        precision: match setup.train.precision {
            Precision::Float32 => "float32".to_owned(),
            Precision::Bfloat16 => "bfloat16".to_owned(),
        },
        libtorch: libtorch_version(),
        machine: machine(),
        dataset: setup.dataset.dir().display().to_string(),
        manifest_sha256: setup.dataset.manifest().sha256(),
        parameters: task.parameters().count(),
        reproducible: reproducible.to_owned(),
        started,
        train_seconds: 0.0,
        steps: 0,
    })
}

/// The git revision of the working directory, with `+` where it has changes.
fn revision() -> String {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        None => String::new(),
        Some(revision) => match git(&["status", "--porcelain"]).is_some_and(|s| s.is_empty()) {
            true => revision,
            false => format!("{revision}+"),
        },
    }
}

/// Which checkpoint of a run to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The best by validation, the average among them; else the last.
    Best,
    /// The average of the last ones.
    Average,
    /// The last.
    Last,
    /// The one of a step.
    Step(u64),
}

impl std::str::FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "best" => Ok(Which::Best),
            "last" => Ok(Which::Last),
            "average" => Ok(Which::Average),
            step => step
                .parse()
                .map(Which::Step)
                .map_err(|_| format!("`{step}` is neither `best`, `last`, `average` nor a step")),
        }
    }
}

/// A trained task with the checkpoint that it was read from.
pub struct Trained {
    /// The task.
    pub task: Box<dyn Task>,
    /// The run's config.
    pub config: RunConfig,
    /// The checkpoint's step.
    pub step: u64,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
    /// Whether they are the moving average of the run's weights.
    pub averaged: bool,
    /// How many hypotheses per sentence are wanted of it.
    pub n_best: usize,
}

/// Reads a run's config, dataset and checkpoint.
///
/// # Errors
/// When one of them is absent or they do not belong together.
pub fn open_trained(
    run: &RunDir,
    which: &Which,
    weights: Weights,
    dataset: Option<PathBuf>,
    device: Device,
    overrides: &[String],
) -> Result<Trained> {
    let provenance = run.provenance()?;
    let config = RunConfig::load(run.config_path(), overrides)?;
    let dataset = dataset.unwrap_or_else(|| PathBuf::from(&provenance.dataset));
    let hint = "give the dataset's folder with `--dataset DIR`";
    let setup = Setup::new(config, &dataset, device).hint(hint)?;
    if provenance.manifest_sha256 != setup.dataset.manifest().sha256() {
        return Err(Error::input("not the dataset that the run was trained on").at(dataset).hint(hint));
    }
    let (folder, label) = choose(run, which)?;
    set_threads(setup.train.threads);
    let mut task = setup.task()?;
    let loaded = checkpoint::load_weights(&folder, weights, task.as_mut())?;
    say(format!("{label}, `{}`", loaded.path.display()));
    Ok(Trained {
        task,
        config: setup.config,
        step: loaded.step,
        weights_sha256: loaded.sha256,
        averaged: loaded.averaged,
        n_best: setup.train.decode.n_best,
    })
}

/// The folder of a checkpoint, and what to call it.
fn choose(run: &RunDir, which: &Which) -> Result<(PathBuf, String)> {
    let steps = run.checkpoint_steps()?;
    let best = run.best()?.filter(|best| steps.contains(&best.step));
    let average = run.average()?.filter(|_| run.average_checkpoint().join("state.json").is_file());
    let of_average = |average: &Average| {
        (run.average_checkpoint(), format!("average of the checkpoints of {} steps", average.steps.len()))
    };
    let step = match which {
        Which::Best => match (&best, &average) {
            (Some(best), Some(average)) if average.average_loss <= best.value => return Ok(of_average(average)),
            _ => best.map(|b| b.step).or(steps.last().copied()),
        },
        Which::Average => {
            let hint = "`train.average` in the config says how many checkpoints to average at the end of training";
            let missing = || Error::input("the run has no average of checkpoints").at(run.path()).hint(hint);
            return Ok(of_average(&average.ok_or_else(missing)?));
        }
        Which::Last => steps.last().copied(),
        Which::Step(step) => steps.contains(step).then_some(*step),
    };
    let step = step.ok_or_else(|| {
        let known: Vec<String> = steps.iter().map(u64::to_string).collect();
        Error::input("no such checkpoint").at(run.path()).hint(format!("checkpoints: {}", known.join(", ")))
    })?;
    Ok((run.checkpoint(step), format!("checkpoint of step {step}")))
}
