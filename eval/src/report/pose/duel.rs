//! Whether one is nearer to the truth than another on the same windows.

use serde::Serialize;

use super::row::Errors;
use crate::bootstrap::{Bootstrap, percentile_interval};
use crate::metrics::pose::Estimate;

/// The model beside a simpler method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Duel {
    /// The simpler method.
    pub baseline: Estimate,
    /// The model's mean error less that of the simpler method: below 0 the model is nearer.
    pub difference: Apart,
    /// The difference over the error of the simpler method.
    pub share: f64,
    /// What that says about the model.
    pub outcome: Outcome,
}

/// A difference with its paired interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Apart {
    /// The difference.
    pub value: f64,
    /// The lower end of its interval, where it could be resampled.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// Who is nearer to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is, and the interval of the difference says so too.
    Better,
    /// The other is, and the interval says so too.
    Worse,
    /// The interval holds 0, or there is none.
    Unclear,
}

impl Outcome {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Unclear => "no clear difference",
        }
    }
}

impl Apart {
    /// The difference with the interval of some replicates of it.
    pub(super) fn of(value: f64, replicates: &[f64]) -> Self {
        let interval = percentile_interval(replicates);
        Self { value, low: interval.map(|i| i.low), high: interval.map(|i| i.high) }
    }

    /// What an error that is so much larger says.
    pub fn outcome(&self) -> Outcome {
        match (self.low, self.high) {
            (_, Some(high)) if high < 0.0 => Outcome::Better,
            (Some(low), _) if low > 0.0 => Outcome::Worse,
            _ => Outcome::Unclear,
        }
    }
}

impl Duel {
    pub(super) fn of(baseline: Estimate, model: f64, other: f64, replicates: &[f64]) -> Self {
        let difference = Apart::of(model - other, replicates);
        Self { baseline, difference, share: (model - other) / other, outcome: difference.outcome() }
    }
}

/// Windows of the same frames put together: what is drawn together when an interval is made.
pub(super) fn grouped<'a>(rows: impl Iterator<Item = (u64, &'a Errors)>) -> Vec<Errors> {
    let mut places = std::collections::HashMap::new();
    let mut grouped: Vec<Errors> = Vec::new();
    for (group, errors) in rows {
        let place = *places.entry(group).or_insert(grouped.len());
        if place == grouped.len() {
            grouped.push(Errors::default());
        }
        grouped[place].add(errors);
    }
    grouped
}

/// The replicates of a number that is made of errors; none of fewer than two groups.
pub(super) fn replicates(bootstrap: &Bootstrap, groups: &[Errors], value: impl Fn(&Errors) -> Option<f64>) -> Vec<f64> {
    if groups.len() < 2 {
        return Vec::new();
    }
    bootstrap.replicates(groups.len(), |drawn| {
        let mut total = Errors::default();
        drawn.iter().for_each(|i| total.add(&groups[*i]));
        value(&total)
    })
}
