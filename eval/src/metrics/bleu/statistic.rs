//! What BLEU keeps of a sentence, and of many.

use super::MOST_ORDERS;
use crate::metric::Statistic;
use crate::metrics::translation::References;

/// The sufficient statistic of BLEU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BleuStatistic {
    /// Tokens of the hypothesis.
    pub hypothesis_length: u64,
    /// Tokens of the reference whose length is closest to that of the hypothesis; of two that are
    /// as close, the shorter one.
    pub reference_length: u64,
    /// N-grams of each order of the hypothesis that stand in a reference.
    pub matches: [u64; MOST_ORDERS],
    /// N-grams of each order of the hypothesis.
    pub totals: [u64; MOST_ORDERS],
    /// How many references there were, and which.
    pub references: References,
}

impl Statistic for BleuStatistic {
    fn merge(&mut self, other: &Self) {
        self.hypothesis_length += other.hypothesis_length;
        self.reference_length += other.reference_length;
        self.matches.iter_mut().zip(&other.matches).for_each(|(sum, term)| *sum += term);
        self.totals.iter_mut().zip(&other.totals).for_each(|(sum, term)| *sum += term);
        self.references.merge(&other.references);
    }
}
