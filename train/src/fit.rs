//! The training loop. It knows nothing of any model.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tch::Tensor;
use tessera_datasets::console::{Progress, Unit, say, thousands};
use tessera_datasets::hash::derive_seed;
use tessera_datasets::run_dir::{Best, RunDir};
use tessera_datasets::{Error, Result};

use crate::checkpoint::{self, State};
use crate::config::TrainConfig;
use crate::ema::Ema;
use crate::journal::Journal;
use crate::loader::{BatchSource, Loader};
use crate::task::{Step, Task};

/// What the loop needs besides the task.
pub struct Plan<'a> {
    /// `[train]`.
    pub config: &'a TrainConfig,
    /// The run's seed.
    pub seed: u64,
    /// What makes the batches.
    pub batches: Arc<dyn BatchSource>,
    /// Set by a signal: the loop saves a checkpoint and ends.
    pub stop: Arc<AtomicBool>,
    /// Files that every checkpoint carries, such as the tokenizer, with their names there.
    pub extra: Vec<(PathBuf, String)>,
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
    let mut ema = config.ema.map(|config| Ema::new(config, task.parameters()));
    let restored = checkpoint::restore_latest(run, task, ema.as_mut(), &|line| say(line))?;
    let (first, seconds, mut best) = restored.map_or((0, 0.0, None), |s| (s.step, s.train_seconds, s.best));
    restore_best(run, &mut best)?;
    if first >= config.steps {
        say(format!("trained to step {first} already"));
        return Ok(Outcome { step: first, train_seconds: seconds });
    }
    if first > 0 {
        say(format!("going on from the checkpoint of step {first}"));
    }
    let mut loader = Loader::start(plan.batches.clone(), first..config.steps, config.loader_threads)?;
    let pause = test_pause();
    let mut sitting = Sitting::start(task, ema, plan, run, first, seconds, best)?;
    for index in first..config.steps {
        let batch = loader.next_batch()?;
        tch::manual_seed(derive_seed(plan.seed, "step", index).cast_signed());
        let at = Step { index, rate: config.schedule.factor(index, config.steps) };
        let measures = sitting.task.train_step(&batch, &at)?;
        if let Some(ema) = &mut sitting.ema {
            ema.update(index)?;
        }
        std::thread::sleep(pause);
        sitting.items += batch.items;

        let step = index + 1;
        let last = step == config.steps;
        let stopped = plan.stop.load(Ordering::Relaxed) && !last;
        let validates = step.is_multiple_of(config.validate_every) || last;
        let saves = step.is_multiple_of(config.checkpoint_every) || last || stopped;
        // a step that is kept is looked at first: nothing that is not finite is ever saved
        if step == 1 || step.is_multiple_of(config.log_every) || validates || saves {
            sitting.note(step, &measures)?;
        }
        let better = validates && sitting.validate(step)?;
        if saves || better {
            sitting.save(step)?;
        }
        if stopped {
            return Err(Error::input(format!("stopped by a signal after step {step}"))
                .hint("the checkpoint is saved: the same command goes on from here"));
        }
    }
    let train_seconds = sitting.seconds;
    sitting.progress.finish("");
    Ok(Outcome { step: config.steps, train_seconds })
}

/// One sitting of a run: from its start, or from a checkpoint, to its end or a signal.
struct Sitting<'a> {
    task: &'a mut dyn Task,
    ema: Option<Ema>,
    plan: &'a Plan<'a>,
    run: &'a RunDir,
    journal: Journal,
    progress: Progress,
    best: Option<Best>,
    /// Seconds of training up to `clock`.
    seconds: f64,
    clock: Instant,
    /// Since the last line: when, how many items, and at which step it was.
    noted: Instant,
    items: u64,
    shown: u64,
}

impl<'a> Sitting<'a> {
    fn start(
        task: &'a mut dyn Task,
        ema: Option<Ema>,
        plan: &'a Plan<'a>,
        run: &'a RunDir,
        first: u64,
        seconds: f64,
        best: Option<Best>,
    ) -> Result<Self> {
        let progress = Progress::new("train", plan.config.steps, Unit::Count("steps")).starting_at(first);
        let now = Instant::now();
        Ok(Self {
            task,
            ema,
            plan,
            run,
            journal: Journal::open(run, first)?,
            progress,
            best,
            seconds,
            clock: now,
            noted: now,
            items: 0,
            shown: first,
        })
    }

    /// Reads a step's values off the device, which is its only sync, and writes them down.
    fn note(&mut self, step: u64, measures: &[(&'static str, Tensor)]) -> Result<()> {
        let read = |(name, tensor): &(&'static str, Tensor)| ((*name).to_owned(), tensor.double_value(&[]));
        let mut values: Vec<(String, f64)> = measures.iter().map(read).collect();
        refuse_non_finite(&values, step, self.run)?;
        let rate = self.items as f64 / self.noted.elapsed().as_secs_f64().max(1e-9);
        (self.noted, self.items) = (Instant::now(), 0);
        let item = self.task.item();
        let loss = values.iter().find(|(name, _)| name == "loss").map_or(f64::NAN, |(_, value)| *value);
        values.push((format!("{item}_per_second"), rate));
        self.journal.write(step, "train", &values)?;
        let text = || format!("loss {loss:.4}, {} {item}/s", thousands(rate as u64));
        self.progress.advance(step - self.shown, text);
        self.shown = step;
        Ok(())
    }

    /// Scores the validation split, with the moving average of the weights where there is one;
    /// says whether the loss is the best so far.
    fn validate(&mut self, step: u64) -> Result<bool> {
        self.pause();
        let values = match &mut self.ema {
            Some(ema) => ema.in_place(|| self.task.validate())?,
            None => self.task.validate()?,
        };
        self.go_on();
        let Some(loss) = values.iter().find(|(name, _)| name == "loss").map(|(_, value)| *value) else {
            return Ok(false);
        };
        self.journal.write(step, "validation", &values)?;
        let better = self.best.as_ref().is_none_or(|best| loss < best.value);
        if better {
            self.best = Some(Best { step, metric: "loss".to_owned(), value: loss });
        }
        let mark = if better { " (best so far)" } else { "" };
        self.progress.line(format!("step {step:>6}  validation loss {loss:.4}{mark}"));
        Ok(better)
    }

    fn save(&mut self, step: u64) -> Result<()> {
        self.pause();
        let state = State {
            version: 1,
            step,
            seed: self.plan.seed,
            train_seconds: self.seconds,
            weights_sha256: String::new(),
            ema_sha256: None,
            best: self.best.clone(),
        };
        checkpoint::save(self.run, self.task, self.ema.as_ref(), state, &self.plan.extra)?;
        if let Some(best) = &self.best {
            self.run.write_best(best)?;
        }
        checkpoint::prune(self.run, self.plan.config)?;
        self.go_on();
        Ok(())
    }

    /// Training time stands still during validation and saving.
    fn pause(&mut self) {
        self.seconds += self.clock.elapsed().as_secs_f64();
    }

    fn go_on(&mut self) {
        self.clock = Instant::now();
        self.noted = self.clock;
    }
}

/// A pause per step, so that a test can kill a run of a toy model in its middle.
fn test_pause() -> Duration {
    let milliseconds = std::env::var("TESSERA_TEST_STEP_MILLISECONDS").ok();
    Duration::from_millis(milliseconds.and_then(|text| text.parse().ok()).unwrap_or(0))
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
