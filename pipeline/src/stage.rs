//! The three shapes of a stage.
//!
//! - A [`Source`] finds raw files, or makes rows from a seed. It divides its work into [`Part`]s,
//!   the same whatever the number of threads.
//! - A [`Map`] goes record batch by record batch through one part: it keeps, changes, divides or
//!   drops rows. A row that is dropped goes to the [`Rejects`] with its reason.
//! - A [`Fold`] sees all rows once (or several times) and makes files beside the shards, such as a
//!   tokenizer, from a state that merges.
//!
//! Rows travel as Arrow record batches with the columns of their [`RecordSchema`] and a leading
//! `split` column, see [`crate::rows`]. Sources and maps are prepared once before their rows flow:
//! only then do they touch files, so that a config can be checked without any.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::record_batch::RecordBatch;
use serde_json::{Map as JsonMap, Value};
use tessera_datasets::config::DataConfig;
use tessera_datasets::console::Unit;
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use crate::artifacts::Artifacts;
use crate::inputs::{InputFile, hash_inputs};
use crate::rejects::Rejects;

/// What a batch should hold at most, in bytes; a single row may be larger.
pub const BATCH_BYTES: usize = 8 << 20;

/// One stage, parsed from its table in the config.
pub enum Stage {
    /// Makes rows.
    Source(Box<dyn Source>),
    /// Changes rows.
    Map(Box<dyn Map>),
    /// Makes files from all rows.
    Fold(Box<dyn AnyFold>),
    /// Several stages one behind the other, none of them a source, that a config and the counts in
    /// the manifest know as one: a fold that looks at all rows for a map that follows.
    Chain(Vec<Stage>),
}

impl Stage {
    /// A source.
    pub fn source(stage: impl Source + 'static) -> Self {
        Self::Source(Box::new(stage))
    }

    /// A map.
    pub fn map(stage: impl Map + 'static) -> Self {
        Self::Map(Box::new(stage))
    }

    /// A fold.
    pub fn fold(stage: impl Fold + 'static) -> Self {
        Self::Fold(Box::new(stage))
    }
}

/// What a stage may know of the config beside its own table.
#[derive(Clone, Debug)]
pub struct StageContext {
    /// The dataset's name.
    pub name: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Where the data comes from.
    pub data: DataConfig,
}

/// A unit of work: a file, a group of small files, a range of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is, for messages.
    pub label: String,
    /// How large it is, in the source's [`PreparedSource::unit`].
    pub size: u64,
}

/// A stage that makes rows.
pub trait Source: Send + Sync {
    /// What its rows are.
    fn output(&self) -> Kind;

    /// Finds the files.
    ///
    /// # Errors
    /// When there are none, or they cannot be listed.
    fn prepare(&self) -> Result<Box<dyn PreparedSource>>;
}

/// A source that knows its files.
pub trait PreparedSource: Send + Sync {
    /// The columns of its rows.
    fn schema(&self) -> RecordSchema;

    /// The raw files; their hashes decide whether a dataset is up to date.
    fn inputs(&self) -> &[InputFile];

    /// The raw files as the manifest lists them; where there are many small ones, folders of them.
    ///
    /// # Errors
    /// When a file cannot be read or is not the one that its card means.
    fn sources(&self) -> Result<Vec<SourceFile>> {
        hash_inputs(self.inputs())
    }

    /// The parts: a function of the config and the files only.
    fn parts(&self) -> &[Part];

    /// What the sizes of the parts count.
    fn unit(&self) -> Unit;

    /// What else the manifest should say, such as the languages.
    fn details(&self) -> JsonMap<String, Value> {
        JsonMap::new()
    }

    /// Reads part number `part`, in batches of about [`BATCH_BYTES`].
    ///
    /// # Errors
    /// When a file cannot be read to its end; a bad row is a reject, not an error.
    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()>;
}

/// Where a source puts what it reads.
pub struct Outlet<'a> {
    /// Takes a batch of rows.
    pub emit: &'a mut dyn FnMut(RecordBatch) -> Result<()>,
    /// Takes the rows that are none.
    pub rejects: &'a mut Rejects,
    /// What the rows do not say as their file says it, by reason.
    pub changes: &'a mut BTreeMap<String, u64>,
    /// Counts the units that were read since the last call.
    pub advance: &'a dyn Fn(u64),
}

impl Outlet<'_> {
    /// Hands a batch on.
    ///
    /// # Errors
    /// When a later stage or the disk fails.
    pub fn emit(&mut self, batch: RecordBatch) -> Result<()> {
        (self.emit)(batch)
    }
}

/// A stage that changes rows.
pub trait Map: Send + Sync {
    /// What its rows are, given what comes in.
    ///
    /// # Errors
    /// When it cannot work on such rows.
    fn output(&self, input: Kind) -> Result<Kind>;

    /// The files that an earlier stage must have made.
    fn needs(&self) -> Vec<String> {
        Vec::new()
    }

    /// The files that it puts beside the shards itself.
    fn provides(&self) -> Vec<String> {
        Vec::new()
    }

    /// Files that decide its output and are no part of the dataset.
    fn inputs(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Opens what it needs, once for all parts.
    ///
    /// # Errors
    /// When a file that it needs cannot be read.
    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>>;
}

/// A map that is ready for rows.
pub trait PreparedMap: Send + Sync {
    /// The columns of its rows.
    fn schema(&self) -> RecordSchema;

    /// Starts part number `part`.
    fn open(&self, part: usize) -> Box<dyn Mapper + '_>;
}

/// A map at work on one part.
pub trait Mapper {
    /// Takes a batch; gives one where there are rows to hand on.
    ///
    /// # Errors
    /// When the machine fails; a bad row is a reject, not an error.
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>>;

    /// Gives what is left at the end of the part; asked again until there is nothing more.
    ///
    /// # Errors
    /// As [`Mapper::map`].
    fn flush(&mut self, _rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        Ok(None)
    }

    /// What was changed inside of rows, by reason; asked for at the end of the part.
    fn changes(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// What a fold knows when it starts on a part.
pub struct FoldStart<'a> {
    /// The columns of the rows.
    pub schema: &'a RecordSchema,
    /// What earlier stages, and earlier passes of this one, have made.
    pub artifacts: &'a Artifacts,
    /// The number of the part.
    pub part: usize,
    /// How many passes over the rows were finished before.
    pub pass: u32,
    /// A folder for what does not fit into memory, of this part and pass alone. It does not exist
    /// yet; it is removed when the fold is done.
    pub scratch: PathBuf,
}

/// What follows a pass over all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The files are made.
    Done,
    /// The rows must be seen once more, as k-means wants.
    Again,
}

/// A stage that makes files from all rows.
///
/// Each part has a state of its own; the states are merged in the order of the parts, so that even
/// sums of floating-point numbers do not depend on the number of threads.
pub trait Fold: Send + Sync {
    /// What is known of some rows.
    type State: Send + 'static;

    /// Refuses rows that it cannot work on.
    ///
    /// # Errors
    /// When it cannot.
    fn check(&self, input: Kind) -> Result<()>;

    /// The files that it makes.
    fn provides(&self, input: Kind) -> Vec<String>;

    /// The files that an earlier stage must have made.
    fn needs(&self, _input: Kind) -> Vec<String> {
        Vec::new()
    }

    /// The state of no rows.
    ///
    /// # Errors
    /// When something that it needs cannot be read.
    fn start(&self, at: &FoldStart<'_>) -> Result<Self::State>;

    /// Adds rows.
    ///
    /// # Errors
    /// When the machine fails.
    fn add(&self, state: &mut Self::State, batch: &RecordBatch) -> Result<()>;

    /// The state of the rows of both.
    ///
    /// # Errors
    /// When the machine fails.
    fn merge(&self, first: Self::State, second: Self::State) -> Result<Self::State>;

    /// Makes the files.
    ///
    /// # Errors
    /// When the rows do not suffice, or the disk is full.
    fn finish(&self, state: Self::State, pass: u32, artifacts: &mut Artifacts) -> Result<Pass>;
}

/// The state of some [`Fold`].
pub type AnyState = Box<dyn Any + Send>;

/// A [`Fold`] whose state's type is forgotten; every fold is one.
pub trait AnyFold: Send + Sync {
    /// As [`Fold::check`].
    ///
    /// # Errors
    /// As there.
    fn check(&self, input: Kind) -> Result<()>;
    /// As [`Fold::provides`].
    fn provides(&self, input: Kind) -> Vec<String>;
    /// As [`Fold::needs`].
    fn needs(&self, input: Kind) -> Vec<String>;
    /// As [`Fold::start`].
    ///
    /// # Errors
    /// As there.
    fn start(&self, at: &FoldStart<'_>) -> Result<AnyState>;
    /// As [`Fold::add`].
    ///
    /// # Errors
    /// As there.
    fn add(&self, state: &mut AnyState, batch: &RecordBatch) -> Result<()>;
    /// As [`Fold::merge`].
    ///
    /// # Errors
    /// As there.
    fn merge(&self, first: AnyState, second: AnyState) -> Result<AnyState>;
    /// As [`Fold::finish`].
    ///
    /// # Errors
    /// As there.
    fn finish(&self, state: AnyState, pass: u32, artifacts: &mut Artifacts) -> Result<Pass>;
}

impl<F: Fold> AnyFold for F {
    fn check(&self, input: Kind) -> Result<()> {
        Fold::check(self, input)
    }

    fn provides(&self, input: Kind) -> Vec<String> {
        Fold::provides(self, input)
    }

    fn needs(&self, input: Kind) -> Vec<String> {
        Fold::needs(self, input)
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<AnyState> {
        Ok(Box::new(Fold::start(self, at)?))
    }

    fn add(&self, state: &mut AnyState, batch: &RecordBatch) -> Result<()> {
        let state = state.downcast_mut().ok_or_else(mixed_up)?;
        Fold::add(self, state, batch)
    }

    fn merge(&self, first: AnyState, second: AnyState) -> Result<AnyState> {
        let merged = Fold::merge(self, state_of::<F>(first)?, state_of::<F>(second)?)?;
        Ok(Box::new(merged))
    }

    fn finish(&self, state: AnyState, pass: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        Fold::finish(self, state_of::<F>(state)?, pass, artifacts)
    }
}

fn state_of<F: Fold>(state: AnyState) -> Result<F::State> {
    state.downcast().map(|state| *state).map_err(|_| mixed_up())
}

fn mixed_up() -> Error {
    Error::internal("the state of another fold")
}

/// The error of a stage that cannot work on rows of a kind.
pub fn needs_kind(needed: &[Kind], found: Kind) -> Error {
    let needed: Vec<String> = needed.iter().map(|k| format!("`{k}`")).collect();
    Error::input(format!("needs rows of kind {}, but rows of kind `{found}` come in", needed.join(" or ")))
}
