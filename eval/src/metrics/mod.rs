//! The metrics there are. Adding one is a file with its [`Metric`] and a line in [`METRICS`].

mod bits_per_byte;
pub mod bleu;
pub mod chrf;
pub mod classification;
mod language_model;
mod loss;
mod ngrams;
mod perplexity;
pub mod pose;
mod ratio;
pub mod ter;
#[cfg(test)]
mod tests;
mod token_accuracy;
pub mod tokenize;
pub mod translation;

use serde::de::DeserializeOwned;
use tessera_datasets::config::Section;
use tessera_datasets::{Error, Result};

use crate::metric::{About, AnyMetric, Metric};

/// All metrics, in the order in which a report shows them when a config names none.
pub const METRICS: &[Entry] = &[
    Entry::of::<bleu::Bleu>(),
    Entry::of::<chrf::Chrf>(),
    Entry::of::<ter::Ter>(),
    Entry::of::<perplexity::Perplexity>(),
    Entry::of::<bits_per_byte::BitsPerByte>(),
    Entry::of::<loss::Loss>(),
    Entry::of::<token_accuracy::TokenAccuracy>(),
    Entry::of::<classification::TopK<1>>(),
    Entry::of::<classification::TopK<5>>(),
    Entry::of::<classification::MacroAccuracy>(),
    Entry::of::<classification::MacroF1>(),
    Entry::of::<classification::CrossEntropy>(),
    Entry::of::<classification::CalibrationError>(),
    Entry::of::<pose::PositionError<1>>(),
    Entry::of::<pose::PositionError<0>>(),
    Entry::of::<pose::PositionError<2>>(),
    Entry::of::<pose::AlignedError>(),
    Entry::of::<pose::Pck>(),
    Entry::of::<pose::AccelerationError>(),
    Entry::of::<pose::BoneLengthDeviation>(),
];

/// A metric as the registry lists it.
pub struct Entry {
    /// What it says about itself.
    pub about: &'static About,
    /// Makes it from its table of the config, from which `kind` was taken.
    pub from_config: fn(&Section) -> Result<AnyMetric>,
    /// Makes it with its usual settings.
    pub usual: fn() -> AnyMetric,
}

impl Entry {
    const fn of<M: Metric + Default + DeserializeOwned>() -> Self {
        Self { about: &M::ABOUT, from_config: from_config::<M>, usual: usual::<M> }
    }
}

fn from_config<M: Metric + DeserializeOwned>(section: &Section) -> Result<AnyMetric> {
    Ok(AnyMetric::of(section.parse::<M>()?))
}

fn usual<M: Metric + Default>() -> AnyMetric {
    AnyMetric::of(M::default())
}

/// The metric that a table of the config names.
///
/// # Errors
/// When `kind` is missing or unknown, or another key is unknown.
pub fn parse(section: Section) -> Result<AnyMetric> {
    let (kind, settings) = section.clone().kind()?;
    match METRICS.iter().find(|entry| entry.about.kind == kind) {
        Some(entry) => (entry.from_config)(&settings),
        None => {
            let known: Vec<&str> = METRICS.iter().map(|entry| entry.about.kind).collect();
            Err(section.unknown_kind("metric", &kind, &known))
        }
    }
}

/// All metrics for a task, with their usual settings.
///
/// # Errors
/// When there is none.
pub fn for_task(task: &str) -> Result<Vec<AnyMetric>> {
    let fitting = METRICS.iter().filter(|entry| entry.about.is_for(task));
    let metrics: Vec<AnyMetric> = fitting.map(|entry| (entry.usual)()).collect();
    match metrics.is_empty() {
        false => Ok(metrics),
        true => Err(Error::input(format!("no metric is for predictions of task `{task}`"))
            .hint("`tessera-eval list` shows the metrics and their tasks")),
    }
}
