//! The mean of the last checkpoints' weights (Vaswani et al. 2017, section 6.1; fairseq's
//! `average_checkpoints.py`).

use std::path::PathBuf;

use tch::{Kind, Tensor};
use tessera_datasets::console::say;
use tessera_datasets::run_dir::{Average, RunDir};
use tessera_datasets::{Error, Result};

use crate::checkpoint::{self, WEIGHTS, Weights};
use crate::config::TrainConfig;
use crate::task::Task;
use crate::weights;

/// Averages the last `train.average` checkpoints of a run into `checkpoints/average`, and notes its loss
/// on the validation split beside that of the last one. The task is left with the average.
///
/// # Errors
/// When a checkpoint cannot be read, or there is none.
pub fn average(
    run: &RunDir,
    task: &mut dyn Task,
    config: &TrainConfig,
    extra: &[(PathBuf, String)],
) -> Result<Average> {
    let steps = checkpoint::to_average(&run.checkpoint_steps()?, config);
    let last = *steps.last().ok_or_else(|| Error::internal("no checkpoint to average").at(run.path()))?;
    checkpoint::load_weights(&run.checkpoint(last), Weights::Raw, task)?;
    let last_loss = validation_loss(task)?;
    load_mean(run, task, &steps)?;
    let average_loss = validation_loss(task)?;
    checkpoint::save_weights(&run.average_checkpoint(), task, &run.checkpoint(last), extra)?;
    let count = steps.len();
    let average = Average { version: 1, steps, last_loss, average_loss };
    run.write_average(&average)?;
    let verdict = if average_loss <= last_loss { "no worse than" } else { "WORSE than" };
    say(format!(
        "average of {count} checkpoints: validation loss {average_loss:.4}, {verdict} the last one's {last_loss:.4}"
    ));
    Ok(average)
}

fn load_mean(run: &RunDir, task: &dyn Task, steps: &[u64]) -> Result<()> {
    let mut sums: Vec<(String, Tensor)> = Vec::new();
    for step in steps {
        let path = run.checkpoint(*step).join(WEIGHTS);
        let mut found = weights::load(&path)?;
        let mut take = |name: &str| {
            let tensor = found.remove(name).map(|tensor| tensor.to_kind(Kind::Double));
            tensor.ok_or_else(|| Error::input(format!("`{name}` is missing")).at(&path))
        };
        if sums.is_empty() {
            let names = task.parameters().iter().map(|(name, _)| name.to_owned());
            sums = names.map(|name| take(&name).map(|tensor| (name, tensor))).collect::<Result<_>>()?;
        } else {
            for (name, sum) in &mut sums {
                *sum += take(name)?;
            }
        }
    }
    let means = sums.into_iter().map(|(name, sum)| (name, (sum / steps.len() as f64).to_kind(Kind::Float)));
    weights::load_into(&run.average_checkpoint(), task.parameters().iter(), means.collect())
}

fn validation_loss(task: &mut dyn Task) -> Result<f64> {
    let values = task.validate()?;
    let loss = values.iter().find(|(name, _)| name == "loss").map(|(_, value)| *value);
    loss.ok_or_else(|| {
        Error::input("`train.average` needs a validation split, to say what the average is worth")
            .hint("add a `split` stage to the pipeline, or set `train.average` to 0")
    })
}
