//! A score: a number that says how sure it is, what it counts and how it was made.

use serde::Serialize;

use crate::bootstrap::Interval;
use crate::metric::{About, Direction};

/// What a metric finds about a set of predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The metric's kind, such as `perplexity`.
    pub name: String,
    /// What people call it, such as `Perplexity per token`.
    pub label: String,
    /// The value.
    pub value: f64,
    /// The unit of the value; `fraction` is shown in per cent.
    pub unit: String,
    /// Where the true value plausibly lies, where that was asked for.
    pub interval: Option<Interval>,
    /// Segments that were scored and resampled.
    pub n: u64,
    /// What a segment is, such as `windows`.
    pub segments: String,
    /// What stands below the fraction line: the tokens, bytes or images that were counted.
    pub counted: u64,
    /// What those are, such as `tokens`.
    pub counts: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// Whether two models with different tokenizers may be compared by it.
    pub comparable_across_tokenizers: bool,
    /// Everything that must agree for two values to be comparable, in sacrebleu's manner.
    pub signature: String,
    /// The value in words.
    pub meaning: String,
    /// How the replicates of the bootstrap are spread.
    pub replicates: Option<Spread>,
}

/// A histogram with equal bins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The lower edge of the first bin.
    pub from: f64,
    /// The upper edge of the last bin.
    pub to: f64,
    /// Values in each bin.
    pub counts: Vec<u32>,
}

impl Score {
    /// Whether this value is better than another of the same metric.
    pub fn is_better_than(&self, other: &Score) -> bool {
        match self.higher_is_better {
            true => self.value > other.value,
            false => self.value < other.value,
        }
    }

    /// The parts of a score that a metric always says the same about.
    pub(crate) fn of(about: &About, task: &str, value: f64) -> Self {
        Self {
            name: about.kind.to_owned(),
            label: about.label.to_owned(),
            value,
            unit: about.unit.to_owned(),
            interval: None,
            n: 0,
            segments: about.segments(task).to_owned(),
            counted: 0,
            counts: about.counts.to_owned(),
            higher_is_better: about.direction == Direction::HigherIsBetter,
            comparable_across_tokenizers: about.comparable_across_tokenizers,
            signature: String::new(),
            meaning: String::new(),
            replicates: None,
        }
    }
}

impl Spread {
    /// The histogram of some values; none where they are all the same.
    pub fn of(values: &[f64], bins: usize) -> Option<Self> {
        let from = values.iter().copied().fold(f64::INFINITY, f64::min);
        let to = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if bins == 0 || from >= to || !(to - from).is_finite() {
            return None;
        }
        let mut counts = vec![0; bins];
        for value in values {
            let bin = ((value - from) / (to - from) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1;
        }
        Some(Self { from, to, counts })
    }
}

/// What must agree for two scores to be comparable: `perplexity|unit:token|context:64|…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Vec<(&'static str, String)>);

impl Signature {
    /// A signature without parts.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a part. `|` and `:` separate the parts, so a value cannot hold them.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        let value = value.to_string().replace(['|', ':'], "_");
        self.0.push((key, value));
        self
    }

    /// The parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// The signature of a metric of this kind.
    pub fn of(&self, kind: &str) -> String {
        self.0.iter().fold(kind.to_owned(), |out, (key, value)| format!("{out}|{key}:{value}"))
    }
}

impl Default for Signature {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_keeps_its_separators_to_itself() {
        let signature = Signature::new().with("unit", "token").with("split", "a|b:c");
        assert_eq!(signature.of("perplexity"), "perplexity|unit:token|split:a_b_c");
    }

    #[test]
    fn a_spread_counts_every_value_once() {
        let spread = Spread::of(&[0.0, 0.1, 0.9, 1.0], 2).unwrap();
        assert_eq!(spread.counts, [2, 2]);
        assert!(Spread::of(&[1.0, 1.0], 2).is_none());
        assert!(Spread::of(&[], 2).is_none());
    }
}
