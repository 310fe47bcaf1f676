//! What a metric is: typed inside, erased outside.
//!
//! A [`Metric`] turns every row of the predictions (a *segment*: a window, a sentence, an image)
//! into a sufficient [`Statistic`]. Statistics merge, and the score is computed from the merged
//! one: a corpus score is never the mean of the scores of batches. Because the statistics of the
//! segments are kept, bootstrap intervals and paired tests between two runs come from the same
//! numbers as the score.
//!
//! The registry, the config and the report know only [`AnyMetric`] and [`Tally`];
//! [`AnyMetric::of`] makes one from a [`Metric`].

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use tessera_datasets::{Error, Result, VERSION};

use crate::bootstrap::{Bootstrap, Interval, percentile_interval};
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::{Score, Signature, Spread};
use crate::significance::{Method, PairedResult, Resamples, Scoring};

/// Bins of the histogram of replicates that a score carries.
const SPREAD_BINS: usize = 32;

/// Which way a score gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Such as perplexity.
    LowerIsBetter,
    /// Such as accuracy.
    HigherIsBetter,
}

/// What predictions are of: the `task` in the details of their manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name, such as `language-model`.
    pub name: &'static str,
    /// What a row is, such as `windows`.
    pub segments: &'static str,
}

/// What a metric always says about itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name in configs and signatures, such as `bits-per-byte`.
    pub kind: &'static str,
    /// What people call it, such as `Bits per byte`.
    pub label: &'static str,
    /// One line for `tessera-eval list`: the formula and where it comes from.
    pub summary: &'static str,
    /// The tasks whose predictions it is for.
    pub tasks: &'static [Task],
    /// The columns it reads.
    pub columns: &'static [&'static str],
    /// The unit of its value; `fraction` is shown in per cent.
    pub unit: &'static str,
    /// Which way it gets better.
    pub direction: Direction,
    /// What it divides by, such as `tokens`.
    pub counts: &'static str,
    /// Whether two models with different tokenizers may be compared by it.
    pub comparable_across_tokenizers: bool,
}

impl About {
    /// Whether it is for predictions of a task.
    pub fn is_for(&self, task: &str) -> bool {
        self.tasks.iter().any(|known| known.name == task)
    }

    /// What a row of a task is; of the first task where it is not for that one.
    pub fn segments(&self, task: &str) -> &'static str {
        let task = self.tasks.iter().find(|known| known.name == task).or(self.tasks.first());
        task.map_or("rows", |task| task.segments)
    }
}

/// What a metric keeps of a segment, and of many.
pub trait Statistic: Clone + Default + Send + Sync + 'static {
    /// Adds the statistic of other segments.
    fn merge(&mut self, other: &Self);
}

/// A metric, with its settings.
pub trait Metric: Send + Sync + 'static {
    /// What it keeps of a segment.
    type Statistic: Statistic;

    /// What it always says about itself.
    const ABOUT: About;

    /// What tells its score from those of the same metric with other settings.
    fn name(&self) -> String {
        Self::ABOUT.kind.to_owned()
    }

    /// The unit of its value, of predictions that were made this way.
    fn unit(&self, _details: &Details) -> String {
        Self::ABOUT.unit.to_owned()
    }

    /// What people call it with these settings.
    fn label(&self) -> String {
        Self::ABOUT.label.to_owned()
    }

    /// The statistics of some rows, one each, in order.
    ///
    /// # Errors
    /// When a column is absent or a value cannot be.
    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>>;

    /// Which of some rows are about the same thing and therefore drawn together when an interval is
    /// made: rows with the same number are. None where each row stands for itself.
    ///
    /// # Errors
    /// When a column is absent or a value cannot be.
    fn groups(&self, _rows: &Rows<'_>) -> Result<Option<Vec<u64>>> {
        Ok(None)
    }

    /// The score of merged statistics; none where nothing was counted.
    fn value(&self, total: &Self::Statistic) -> Option<f64>;

    /// What stands below the fraction line: [`About::counts`].
    fn counted(&self, total: &Self::Statistic) -> u64;

    /// The interval of merged statistics, where theory has one: such a score is not resampled.
    fn interval(&self, _total: &Self::Statistic) -> Option<Interval> {
        None
    }

    /// What else must agree for two values to be comparable.
    fn signature(&self, total: &Self::Statistic, segments: u64, details: &Details) -> Signature;

    /// A value in words, as one says it to a person who has not met the metric.
    fn meaning(&self, value: f64, details: &Details) -> String;
}

/// A metric whose statistic is hidden.
#[derive(Clone)]
pub struct AnyMetric {
    about: &'static About,
    start: Arc<dyn Fn() -> Box<dyn Tally> + Send + Sync>,
}

/// The statistics that one metric has gathered so far.
pub trait Tally: Send {
    /// Reads some rows.
    ///
    /// # Errors
    /// When a column is absent or a value cannot be.
    fn read(&mut self, rows: &Rows<'_>) -> Result<()>;

    /// Appends what another tally of the same metric gathered.
    ///
    /// # Errors
    /// When it is of another metric, which is a fault of the caller.
    fn append(&mut self, other: Box<dyn Tally>) -> Result<()>;

    /// Segments so far.
    fn segments(&self) -> usize;

    /// Whether there is anything to divide by.
    fn counts(&self) -> bool;

    /// The score of the segments with these numbers; a number may come more than once.
    fn value_of(&self, segments: &[usize]) -> Option<f64>;

    /// Tests whether the score of another tally differs from this one's by more than chance; see
    /// [`crate::significance::paired`].
    ///
    /// # Errors
    /// When it is of another metric or of other segments, or there is nothing to divide by.
    fn paired(&self, system: &dyn Tally, method: Method, resamples: &Resamples) -> Result<PairedResult>;

    /// The score of all segments, with its interval and signature.
    ///
    /// # Errors
    /// When nothing was counted or the score is not a finite number.
    fn finish(&self, details: &Details, bootstrap: &Bootstrap) -> Result<Score>;

    /// The metric with its settings, for those who know its type.
    fn metric(&self) -> &dyn Any;

    /// Itself, for [`Tally::append`].
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Itself, for [`Tally::paired`].
    fn as_any(&self) -> &dyn Any;
}

impl AnyMetric {
    /// Hides the statistic of a metric.
    pub fn of<M: Metric>(metric: M) -> Self {
        let metric = Arc::new(metric);
        let start = move || -> Box<dyn Tally> { Box::new(TypedTally::of(metric.clone())) };
        Self { about: &M::ABOUT, start: Arc::new(start) }
    }

    /// What it always says about itself.
    pub fn about(&self) -> &'static About {
        self.about
    }

    /// A tally with nothing in it.
    pub fn start(&self) -> Box<dyn Tally> {
        (self.start)()
    }
}

impl std::fmt::Debug for AnyMetric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AnyMetric").field(&self.about.kind).finish()
    }
}

struct TypedTally<M: Metric> {
    metric: Arc<M>,
    segments: Vec<M::Statistic>,
    /// The group of each segment; empty where each stands for itself.
    groups: Vec<u64>,
}

impl<M: Metric> TypedTally<M> {
    fn of(metric: Arc<M>) -> Self {
        Self { metric, segments: Vec::new(), groups: Vec::new() }
    }

    /// The statistics that a bootstrap draws from, where segments go together.
    fn grouped(&self) -> Option<Vec<M::Statistic>> {
        if self.groups.is_empty() {
            return None;
        }
        let mut places = HashMap::new();
        let mut grouped: Vec<M::Statistic> = Vec::new();
        for (group, segment) in self.groups.iter().zip(&self.segments) {
            let place = *places.entry(*group).or_insert(grouped.len());
            if place == grouped.len() {
                grouped.push(M::Statistic::default());
            }
            grouped[place].merge(segment);
        }
        Some(grouped)
    }

    fn total<'a>(segments: impl Iterator<Item = &'a M::Statistic>) -> M::Statistic {
        segments.fold(M::Statistic::default(), |mut total, segment| {
            total.merge(segment);
            total
        })
    }

    /// The statistic of all segments and its score, which must be a number.
    fn whole(&self, segments: &[M::Statistic]) -> Result<(M::Statistic, f64)> {
        let About { kind, counts, .. } = M::ABOUT;
        let total = Self::total(segments.iter());
        match self.metric.value(&total) {
            Some(value) if value.is_finite() => Ok((total, value)),
            Some(_) => Err(Error::input(format!("metric `{kind}` is not a finite number"))),
            None => {
                let message = format!("metric `{kind}` has nothing to divide by: the predictions hold no {counts}");
                Err(Error::input(message))
            }
        }
    }
}

impl<M: Metric> Tally for TypedTally<M> {
    fn read(&mut self, rows: &Rows<'_>) -> Result<()> {
        let read = self.metric.read(rows)?;
        if read.len() != rows.len() {
            let kind = M::ABOUT.kind;
            return Err(Error::internal(format!("metric `{kind}` made {} of {} rows", read.len(), rows.len())));
        }
        self.segments.extend(read);
        if let Some(groups) = self.metric.groups(rows)? {
            self.groups.extend(groups);
            if self.groups.len() != self.segments.len() {
                return Err(Error::internal(format!("metric `{}` made other groups than rows", M::ABOUT.kind)));
            }
        }
        Ok(())
    }

    fn append(&mut self, other: Box<dyn Tally>) -> Result<()> {
        match other.into_any().downcast::<Self>() {
            Ok(other) => {
                self.segments.extend(other.segments);
                self.groups.extend(other.groups);
            }
            Err(_) => return Err(Error::internal("tallies of two metrics cannot be one")),
        }
        Ok(())
    }

    fn segments(&self) -> usize {
        self.segments.len()
    }

    fn counts(&self) -> bool {
        self.metric.value(&Self::total(self.segments.iter())).is_some()
    }

    fn value_of(&self, segments: &[usize]) -> Option<f64> {
        self.metric.value(&Self::total(segments.iter().map(|i| &self.segments[*i])))
    }

    fn paired(&self, system: &dyn Tally, method: Method, resamples: &Resamples) -> Result<PairedResult> {
        let system = system.as_any().downcast_ref::<Self>();
        let system = system.ok_or_else(|| Error::internal("tallies of two metrics cannot be compared"))?;
        for segments in [&self.segments, &system.segments] {
            self.whole(segments)?;
        }
        // a resample without anything to divide by counts as 0
        let score = |total: &M::Statistic| self.metric.value(total).unwrap_or(0.0);
        let scoring = Scoring { exact: score, resampled: score };
        method.test(&self.segments, &system.segments, resamples, &scoring)
    }

    fn finish(&self, details: &Details, bootstrap: &Bootstrap) -> Result<Score> {
        let about = &M::ABOUT;
        let (total, value) = self.whole(&self.segments)?;
        let own = self.metric.interval(&total);
        let grouped = self.grouped();
        let drawn_from = grouped.as_deref().unwrap_or(&self.segments);
        let replicates = match drawn_from.len() {
            0 | 1 => Vec::new(),
            _ if own.is_some() => Vec::new(),
            n => {
                bootstrap.replicates(n, |drawn| self.metric.value(&Self::total(drawn.iter().map(|i| &drawn_from[*i]))))
            }
        };
        let n = self.segments.len() as u64;
        let signature = self.metric.signature(&total, n, details);
        let signature = match &grouped {
            Some(grouped) => signature.with("groups", grouped.len()),
            None => signature,
        };
        let signature = match own {
            Some(interval) => signature.with("interval", interval.method),
            None => signature.with("bootstrap", bootstrap.count).with("seed", bootstrap.seed),
        };
        let signature = signature.with("version", format_args!("tessera-{VERSION}"));
        Ok(Score {
            interval: own.or_else(|| percentile_interval(&replicates)),
            n,
            name: self.metric.name(),
            unit: self.metric.unit(details),
            label: self.metric.label(),
            counted: self.metric.counted(&total),
            signature: signature.of(about.kind),
            meaning: self.metric.meaning(value, details),
            replicates: Spread::of(&replicates, SPREAD_BINS),
            ..Score::of(about, details.task(), value)
        })
    }

    fn metric(&self) -> &dyn Any {
        self.metric.as_ref()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
