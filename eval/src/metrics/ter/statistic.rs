//! What TER keeps of a sentence, and of many.

use crate::metric::Statistic;
use crate::metrics::translation::References;
use crate::sum::Sum;

/// The sufficient statistic of TER.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerStatistic {
    /// Shifts, insertions, deletions and substitutions, each sentence's to the reference that is
    /// nearest.
    pub edits: u64,
    /// How many references there were, and which.
    pub references: References,
    reference_words: Sum,
}

impl TerStatistic {
    /// Of one sentence: the fewest edits for any of its references, and the words of all of them.
    pub(super) fn new(edits: u32, reference_words: usize, references: &[&str]) -> Self {
        let average = reference_words as f64 / references.len().max(1) as f64;
        Self { edits: edits.into(), references: References::of(references), reference_words: average.into() }
    }

    /// The words of the references, averaged over the references of each sentence.
    pub fn reference_words(&self) -> f64 {
        self.reference_words.value()
    }
}

impl Statistic for TerStatistic {
    fn merge(&mut self, other: &Self) {
        self.edits += other.edits;
        self.references.merge(&other.references);
        self.reference_words.merge(&other.reference_words);
    }
}
