//! The training loop. It knows nothing of any model.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tch::Tensor;
use tessera_datasets::console::{Progress, Unit, say};
use tessera_datasets::hash::derive_seed;
use tessera_datasets::run_dir::{Best, RunDir};
use tessera_datasets::{Error, Result};

use crate::checkpoint::{self, State};
use crate::config::TrainConfig;
use crate::journal::Journal;
use crate::loader::Loader;
use crate::task::{Step, Task};

/// What the loop needs besides the task.
pub struct Plan<'a> {
    /// `[train]`.
    pub config: &'a TrainConfig,
    /// The run's seed.
    pub seed: u64,
    /// Set by a signal: the loop saves a checkpoint and ends.
    pub stop: Arc<AtomicBool>,
    /// Files that every checkpoint carries, such as the tokenizer, with their names there.
    pub extra: Vec<(PathBuf, &'static str)>,
}

/// Where a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Steps done.
    pub step: u64,
    /// Seconds of training over all sittings, validation excluded.
    pub train_seconds: f64,
}

/// Trains from the latest checkpoint, or from the start, to the last step.
///
/// # Errors
/// When the loss is not finite, a signal asked to stop, or the disk is full.
pub fn fit(task: &mut dyn Task, plan: &Plan<'_>, run: &RunDir) -> Result<Outcome> {
    let config = plan.config;
    let restored = checkpoint::restore_latest(run, task, &|line| say(line))?;
    let (first, mut seconds, mut best) = restored.map_or((0, 0.0, None), |s| (s.step, s.train_seconds, s.best));
    if first > 0 {
        say(format!("going on from the checkpoint of step {first}"));
    }
    let mut journal = Journal::open(run, first)?;
    restore_best(run, &mut best)?;
    let mut loader = Loader::start(task.batches(), first..config.steps)?;
    let progress = Progress::new("train", config.steps, Unit::Count("steps")).starting_at(first);
    let mut clock = Clock::start();
    let pause = test_pause();
    for index in first..config.steps {
        let batch = loader.next_batch()?;
        tch::manual_seed(derive_seed(plan.seed, "step", index) as i64);
        let rate = config.schedule.factor(index, config.steps);
        let measures = task.train_step(&batch, &Step { index, rate })?;
        std::thread::sleep(pause);
        clock.items += batch.items;
        let step = index + 1;
        let (last, stopped) = (step == config.steps, plan.stop.load(Ordering::Relaxed));

        if step == first + 1 || step.is_multiple_of(config.log_every) || last || stopped {
            let mut values = read(&measures);
            refuse_non_finite(&values, step, run)?;
            values.push((format!("{}_per_second", task.item()), clock.rate()));
            journal.write(step, "train", &values)?;
            let text = summary(&values, task.item());
            progress.advance(clock.steps_since(index), || text);
        }
        if step.is_multiple_of(config.validate_every) || last {
            seconds += clock.pause();
            let values = task.validate()?;
            journal.write(step, "validation", &values)?;
            let loss = values.iter().find(|(name, _)| name == "loss").map(|(_, v)| *v);
            let better = loss.is_some_and(|value| note_best(&mut best, step, value));
            let mark = if better { " (best so far)" } else { "" };
            let loss = loss.map_or(String::new(), |v| format!("validation loss {v:.4}"));
            progress.line(format!("step {step:>6}  {loss}{mark}"));
            if better || last {
                save(task, plan, run, step, seconds, &best)?;
            }
            clock = Clock::start();
        }
        if (step.is_multiple_of(config.checkpoint_every) || stopped) && !last {
            seconds += clock.pause();
            save(task, plan, run, step, seconds, &best)?;
            clock = Clock::start();
        }
        if stopped && !last {
            return Err(Error::input(format!("stopped by a signal after step {step}"))
                .hint("the checkpoint is saved: the same command goes on from here"));
        }
    }
    progress.finish("");
    Ok(Outcome { step: config.steps, train_seconds: seconds })
}

fn save(
    task: &mut dyn Task,
    plan: &Plan<'_>,
    run: &RunDir,
    step: u64,
    train_seconds: f64,
    best: &Option<Best>,
) -> Result<()> {
    let state =
        State { version: 1, step, seed: plan.seed, train_seconds, weights_sha256: String::new(), best: best.clone() };
    checkpoint::save(run, task, state, &plan.extra)?;
    if let Some(best) = best {
        run.write_best(best)?;
    }
    checkpoint::prune(run, plan.config.keep_last)
}

/// A pause per step, so that a test can kill a run of a toy model in its middle.
fn test_pause() -> Duration {
    let milliseconds = std::env::var("TESSERA_TEST_STEP_MILLISECONDS").ok();
    Duration::from_millis(milliseconds.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Reads values off the device: the only sync of a step, and only of a step that is logged.
fn read(measures: &[(&'static str, Tensor)]) -> Vec<(String, f64)> {
    let value = |t: &Tensor| t.double_value(&[]);
    measures.iter().map(|(name, tensor)| ((*name).to_owned(), value(tensor))).collect()
}

fn refuse_non_finite(values: &[(String, f64)], step: u64, run: &RunDir) -> Result<()> {
    match values.iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some((name, value)) => Err(Error::input(format!("`{name}` is {value} at step {step}"))
            .at(run.path())
            .hint("training has diverged: lower `train.optimizer.learning_rate` or lengthen the warm-up; the last checkpoint is sound")),
    }
}

/// The best step is part of a checkpoint's state: what a killed run noted after its last
/// checkpoint is forgotten, because those steps will be done again.
fn restore_best(run: &RunDir, best: &mut Option<Best>) -> Result<()> {
    if best.as_ref().is_some_and(|b| !run.checkpoint(b.step).is_dir()) {
        *best = None;
    }
    match best {
        Some(best) => run.write_best(best),
        None => run.remove_best(),
    }
}

fn note_best(best: &mut Option<Best>, step: u64, value: f64) -> bool {
    let better = best.as_ref().is_none_or(|best| value < best.value);
    if better {
        let metric = "loss".to_owned();
        *best = Some(Best { step, metric, value });
    }
    better
}

fn summary(values: &[(String, f64)], item: &str) -> String {
    let find = |name: &str| values.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, v)| *v);
    let rate = find(&format!("{item}_per_second"));
    format!("loss {:.4}, {} {item}/s", find("loss"), tessera_datasets::console::thousands(rate as u64))
}

/// Time and items since the last pause.
struct Clock {
    started: Instant,
    mark: Instant,
    items: u64,
    reported: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Self { started: now, mark: now, items: 0, reported: None }
    }

    /// Items per second since the last line.
    fn rate(&mut self) -> f64 {
        let rate = self.items as f64 / self.mark.elapsed().as_secs_f64().max(1e-9);
        self.mark = Instant::now();
        self.items = 0;
        rate
    }

    /// Steps since the last line.
    fn steps_since(&mut self, index: u64) -> u64 {
        let before = self.reported.replace(index);
        before.map_or(1, |b| index - b)
    }

    /// Seconds since the start of the clock.
    fn pause(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}
