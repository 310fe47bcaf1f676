//! What TER keeps of a segment.

use crate::metric::Statistic;
use crate::sum::Sum;

/// The edits and the length of the references of some segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerStatistic {
    edits: u64,
    reference_words: Sum,
    segments: u64,
    fewest_references: u64,
    most_references: u64,
}

impl TerStatistic {
    /// Of one segment: the fewest edits for any of its references, and the words of all of them.
    pub(super) fn new(edits: u32, reference_words: usize, references: usize) -> Self {
        let average = reference_words as f64 / references.max(1) as f64;
        Self {
            edits: edits.into(),
            reference_words: average.into(),
            segments: 1,
            fewest_references: references as u64,
            most_references: references as u64,
        }
    }

    /// The edits, each segment's to the reference that is nearest: shifts, insertions, deletions
    /// and substitutions.
    pub fn edits(&self) -> u64 {
        self.edits
    }

    /// The words of the references, averaged over the references of each segment.
    pub fn reference_words(&self) -> f64 {
        self.reference_words.value()
    }

    /// How many segments.
    pub fn segments(&self) -> u64 {
        self.segments
    }

    /// How many references every segment has; none where they differ.
    pub fn references(&self) -> Option<u64> {
        (self.fewest_references == self.most_references).then_some(self.most_references)
    }

    /// Edits for every hundred words of the references, as sacrebleu has it: 100 where there are
    /// edits and no reference words, 0 where there is neither. None without segments.
    pub fn value(&self) -> Option<f64> {
        let words = self.reference_words();
        match (self.segments, words > 0.0, self.edits) {
            (0, _, _) => None,
            (_, true, edits) => Some(100.0 * (edits as f64 / words)),
            (_, false, 0) => Some(0.0),
            (_, false, _) => Some(100.0),
        }
    }
}

impl Statistic for TerStatistic {
    fn merge(&mut self, other: &Self) {
        if other.segments == 0 {
            return;
        }
        self.fewest_references = match self.segments {
            0 => other.fewest_references,
            _ => self.fewest_references.min(other.fewest_references),
        };
        self.most_references = self.most_references.max(other.most_references);
        self.segments += other.segments;
        self.edits += other.edits;
        self.reference_words.merge(&other.reference_words);
    }
}
