//! Running a pipeline: in parts, on all threads, so that a kill loses at most the parts in flight.
//!
//! Each group of the [`Plan`] has a folder below `.work` in the dataset's folder. Its name is the
//! hash of all that decides its content, so that what is found there can be used as it is:
//!
//! ```text
//! .work/0-3f2a…/part-00000.train.parquet   the rows of a part and split
//!               part-00000.json            written after them: the part is done
//!               files/tokenizer.json       what the folds made
//!               folds.json                 written after them: the folds are done
//! ```
//!
//! The shards of the last group become those of the dataset: they get their final names, and the
//! manifest, written last, makes it exist.

mod chain;
mod fold;
mod group;
mod key;
mod lock;
mod part;
mod publish;

use std::path::{Path, PathBuf};

use tessera_datasets::config::RunConfig;
use tessera_datasets::manifest::{MANIFEST, Manifest};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result, files};

use crate::artifacts::Artifacts;
use crate::plan::Plan;
use crate::stage::PreparedSource;
use group::{GroupInput, GroupRun};
use key::Keys;
use lock::{LOCK, Lock};

/// The folder of unfinished work.
const WORK: &str = ".work";

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder above the dataset's.
    pub data_root: PathBuf,
    /// How many parts are worked on at once; 0 means one for each core.
    pub threads: usize,
    /// Whether a dataset that was made from something else is thrown away.
    pub replace: bool,
}

/// What a run has come to.
#[derive(Debug)]
pub enum Outcome {
    /// The dataset was made.
    Made(PathBuf, Box<Manifest>),
    /// It was there already, made from the same config and files.
    UpToDate(PathBuf, Box<Manifest>),
}

/// Makes the dataset of a config.
///
/// # Errors
/// When the config, the raw files or the disk are at fault, or the folder holds another dataset.
pub fn run(config: &RunConfig, options: &Options) -> Result<Outcome> {
    let plan = Plan::of(config)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let threads = threads.map_err(|e| Error::input(format!("threads: {e}")))?;
    threads.install(|| {
        let source = plan.open_source()?;
        run_plan(&plan, source.as_ref(), &config.dataset_dir(&options.data_root), options.replace)
    })
}

fn run_plan(plan: &Plan, source: &dyn PreparedSource, dir: &Path, replace: bool) -> Result<Outcome> {
    let sources = source.sources()?;
    let keys = Keys::of(plan, source, &sources)?;
    if dir.join(MANIFEST).is_file() && !replace {
        let manifest = check_same(dir, plan, &keys)?;
        // what a kill between the manifest and the end has left
        if dir.join(WORK).exists() || dir.join(LOCK).exists() {
            let _lock = Lock::take(dir)?;
            files::remove_dir(dir.join(WORK))?;
        }
        return Ok(Outcome::UpToDate(dir.to_path_buf(), Box::new(manifest)));
    }

    let _lock = Lock::take(dir)?;
    let work = dir.join(WORK);
    publish::withdraw(dir, &work)?;
    keys.remove_other_work(&work)?;
    let mut artifacts = Artifacts::new(&work);
    source.details().into_iter().for_each(|(name, value)| artifacts.detail(&name, value));

    let mut done: Vec<GroupRun> = Vec::new();
    for (i, group) in plan.groups.iter().enumerate() {
        let input = match done.last() {
            None => GroupInput::Source(plan.source.name, source),
            Some(before) => GroupInput::Parts(before),
        };
        let finished = group::run(group, &input, &work.join(keys.folder(i)), &mut artifacts)?;
        done.push(finished);
    }
    artifacts.detail("fingerprint", keys.fingerprint());
    let manifest = publish::publish(plan, &done, &artifacts, sources, dir, &work)?;
    files::remove_dir(&work)?;
    Ok(Outcome::Made(dir.to_path_buf(), Box::new(manifest)))
}

/// The manifest of the dataset that is there, if it is the one that would be made.
fn check_same(dir: &Path, plan: &Plan, keys: &Keys) -> Result<Manifest> {
    let manifest = Manifest::read(dir)?;
    let hint = "give the command again with `--replace` to make it anew, or change `name` in the config";
    if manifest.config.sha256 != plan.config.sha256 {
        let message = match manifest.program == format!("tessera {}", tessera_datasets::VERSION) {
            true => "this dataset was made from another config".to_owned(),
            false => format!("this dataset was made by {}", manifest.program),
        };
        return Err(Error::input(message).at(dir).hint(hint));
    }
    if manifest.details.get("fingerprint").and_then(|v| v.as_str()) != Some(keys.fingerprint()) {
        return Err(Error::input("the source files have changed since this dataset was made").at(dir).hint(hint));
    }
    Dataset::open(dir)?;
    Ok(manifest)
}
