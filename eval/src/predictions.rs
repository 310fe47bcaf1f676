//! The rows that a model wrote about a split, and the scores of them.

use std::path::Path;

use arrow::record_batch::RecordBatch;
use serde_json::{Map, Value};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result, ResultExt};

use crate::bootstrap::Bootstrap;
use crate::config::EvalConfig;
use crate::metric::{AnyMetric, Tally};
use crate::metrics::pose;
use crate::rows::Rows;
use crate::score::Score;

/// A dataset of kind `predictions` whose files are what was published.
#[derive(Clone, Debug)]
pub struct Predictions {
    dataset: Dataset,
    split: String,
    details: Details,
}

/// What the predictions say about how they were made: the `details` of their manifest.
#[derive(Clone, Debug, Default)]
pub struct Details(Map<String, Value>);

impl Details {
    /// The details of a manifest.
    pub fn new(details: Map<String, Value>) -> Self {
        Self(details)
    }

    /// All of them.
    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    /// A text, such as `task`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// What sort of predictions they are, such as `language-model`.
    pub fn task(&self) -> &str {
        self.text("task").unwrap_or("unknown")
    }

    /// A whole number from 0, such as `context`.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key).and_then(Value::as_u64)
    }

    /// Any number, such as `length_penalty`.
    pub fn real(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    /// A list of texts, such as `classes`; empty where there is none.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let items = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        items.map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
    }

    /// How many items a list has, such as `classes`.
    pub fn count(&self, key: &str) -> Option<usize> {
        self.0.get(key).and_then(Value::as_array).map(Vec::len)
    }

    /// Whether something holds, such as `average`; false where it is not said.
    pub fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The first eight digits of a hash, or `unknown`.
    pub fn short_hash(&self, key: &str) -> &str {
        self.text(key).and_then(|hash| hash.get(..8)).unwrap_or("unknown")
    }

    /// A whole number as it stands in a signature: `unknown` where there is none.
    pub fn number_or_unknown(&self, key: &str) -> String {
        self.number(key).map_or_else(|| "unknown".to_owned(), |n| n.to_string())
    }
}

impl Predictions {
    /// Opens a folder of predictions and checks every hash.
    ///
    /// # Errors
    /// When it holds no dataset, one of another kind, a file that was changed, or several splits
    /// and no word about which is meant.
    pub fn open(dir: &Path) -> Result<Self> {
        let dataset = Dataset::open_kind(dir, Kind::Predictions)
            .hint("the predictions of a run lie in `predictions/<split>`; `tessera-train predict RUN` writes them")?;
        dataset.verify()?;
        let details = Details::new(dataset.manifest().details.clone());
        let splits: Vec<&String> = dataset.manifest().splits.keys().collect();
        let split = match (details.text("split"), splits.as_slice()) {
            (Some(split), _) => split.to_owned(),
            (None, [split]) => (*split).clone(),
            (None, _) => {
                let message = format!("{} splits, and `details.split` does not say which was predicted", splits.len());
                return Err(Error::input(message).at(dir));
            }
        };
        dataset.shards(&split)?;
        Ok(Self { dataset, split, details })
    }

    /// What was predicted: `validation`, `test`.
    pub fn split(&self) -> &str {
        &self.split
    }

    /// How the predictions were made.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// What sort of predictions they are, such as `language-model`.
    pub fn task(&self) -> &str {
        self.details.task()
    }

    /// Their manifest.
    pub fn manifest(&self) -> &Manifest {
        self.dataset.manifest()
    }

    /// Hands all rows on, batch by batch, with the number of rows before the batch.
    ///
    /// # Errors
    /// When a shard cannot be read, and those of `with`, which get the folder as their place.
    pub fn each_batch(&self, mut with: impl FnMut(&RecordBatch, u64) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for batch in self.dataset.batches(&self.split, &[])? {
            let batch = batch?;
            with(&batch, first).at(self.dataset.dir())?;
            first += batch.num_rows() as u64;
        }
        match first {
            0 => Err(Error::input(format!("split `{}` has no rows", self.split)).at(self.dataset.dir())),
            _ => Ok(()),
        }
    }

    /// The scores of these predictions, one for each metric, in order.
    ///
    /// # Errors
    /// When a metric is for another task, lacks a column, or finds a value that cannot be.
    pub fn score(&self, metrics: &[AnyMetric], bootstrap: &Bootstrap) -> Result<Vec<Score>> {
        self.finish(&self.tallies(metrics)?, bootstrap)
    }

    /// The tallies by a config. Of the metrics of poses, where the config names none, those are left
    /// out that have nothing to divide by here: not every window hides a keypoint, and not every
    /// skeleton has bones.
    ///
    /// # Errors
    /// As [`Self::tallies`].
    pub fn tallies_by(&self, config: &EvalConfig, metrics: &[AnyMetric]) -> Result<Vec<Box<dyn Tally>>> {
        let mut tallies = self.tallies(metrics)?;
        let optional = config.metrics.is_empty() && self.task() == pose::TASK.name;
        if optional && tallies.iter().any(|tally| tally.counts()) {
            tallies.retain(|tally| tally.counts());
        }
        Ok(tallies)
    }

    /// The scores of tallies of these predictions, in order.
    ///
    /// # Errors
    /// When one has nothing to divide by.
    pub fn finish(&self, tallies: &[Box<dyn Tally>], bootstrap: &Bootstrap) -> Result<Vec<Score>> {
        let scores = tallies.iter().map(|tally| tally.finish(&self.details, bootstrap));
        scores.collect::<Result<_>>().at(self.dataset.dir())
    }

    /// The statistics of these predictions, one tally for each metric, in order: what a score, an
    /// interval and a paired test are computed from.
    ///
    /// # Errors
    /// When a metric lacks a column, or finds a value that cannot be.
    pub fn tallies(&self, metrics: &[AnyMetric]) -> Result<Vec<Box<dyn Tally>>> {
        let readers: Vec<String> = metrics.iter().map(|m| format!("metric `{}`", m.about().kind)).collect();
        let mut tallies: Vec<_> = metrics.iter().map(AnyMetric::start).collect();
        self.each_batch(|batch, first| {
            let mut pairs = tallies.iter_mut().zip(&readers);
            pairs.try_for_each(|(tally, reader)| {
                tally.read(&Rows::new(batch, reader, first).with_details(&self.details))
            })
        })?;
        Ok(tallies)
    }
}
