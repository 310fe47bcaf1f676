//! What chrF keeps of a sentence, and of many.

use crate::metric::Statistic;
use crate::metrics::translation::References;

/// Orders of character and word n-grams together at most.
pub const MOST_ORDERS: usize = 12;

/// N-grams of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the hypothesis; none where the reference is too short for this order.
    pub hypothesis: u64,
    /// Of the reference.
    pub reference: u64,
    /// Of both.
    pub matches: u64,
}

/// The sufficient statistic of chrF: orders of characters first, then those of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChrfStatistic {
    /// The counts of every order.
    pub orders: [Counts; MOST_ORDERS],
    /// How many references there were, and which.
    pub references: References,
}

impl Statistic for ChrfStatistic {
    fn merge(&mut self, other: &Self) {
        for (sum, term) in self.orders.iter_mut().zip(&other.orders) {
            sum.hypothesis += term.hypothesis;
            sum.reference += term.reference;
            sum.matches += term.matches;
        }
        self.references.merge(&other.references);
    }
}
