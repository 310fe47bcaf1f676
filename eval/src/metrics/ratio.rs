//! The statistic of every metric that is a sum over a count.

use crate::metric::Statistic;
use crate::sum::Sum;

/// A sum and what it is divided by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ratio {
    sum: Sum,
    count: u64,
}

impl Ratio {
    pub(super) fn new(sum: f64, count: u32) -> Self {
        Self { sum: sum.into(), count: count.into() }
    }

    /// The sum over the count; none where the count is 0.
    pub(super) fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

impl Statistic for Ratio {
    fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.count += other.count;
    }
}
