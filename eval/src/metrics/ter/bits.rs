//! Edit distances sixty-four cells at a time.
//!
//! A row of the matrix is kept as the differences between neighbouring cells, which are -1, 0 or
//! 1, in two machine words, and a row follows from the one above in a dozen operations: Myers 1999,
//! "A fast bit-vector algorithm for approximate string matching based on dynamic programming", in
//! the form of Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit
//! distances". There is no beam here: see [`Band::exact_below`](super::band::Band::exact_below)
//! for where that makes no difference.

use super::alignment::{Alignment, Edit};
use super::shift::Blocks;

/// The longest reference that fits.
pub(super) const MOST_WORDS: usize = u64::BITS as usize;

/// A row: bit `j` is about the step from `j` to `j + 1` reference words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// The distance grows.
    up: u64,
    /// The distance falls.
    down: u64,
}

/// The matrix of a hypothesis and a reference of at most [`MOST_WORDS`] words.
#[derive(Debug, Default)]
pub(super) struct BitMatrix {
    /// The reference positions of every word.
    places: Vec<u64>,
    /// The bits that are in use.
    used: u64,
    rows: Vec<Row>,
    /// Bit `j` of row `i`: the cell of `i + 1` and `j + 1` words is the same as the one of `i` and
    /// `j`.
    level: Vec<u64>,
}

impl BitMatrix {
    /// Starts with a reference whose words are numbers below `vocabulary`.
    pub(super) fn set_reference(&mut self, reference: &[u32], vocabulary: usize) {
        self.places.clear();
        self.places.resize(vocabulary + 1, 0);
        for (j, word) in reference.iter().enumerate() {
            self.places[*word as usize] |= 1 << j;
        }
        self.used = u64::MAX >> (MOST_WORDS - reference.len());
        self.rows.clear();
    }

    /// Computes the rows of a hypothesis, of which the first `same` words are those of last time.
    pub(super) fn fill(&mut self, hypothesis: &[u32], same: usize) {
        self.rows.truncate(same + 1);
        self.level.truncate(same);
        if self.rows.is_empty() {
            self.level.clear();
            self.rows.push(Row { up: u64::MAX, down: 0 });
        }
        for word in &hypothesis[self.level.len()..] {
            let (row, level) = self.rows[self.level.len()].next(self.places[*word as usize]);
            self.rows.push(row);
            self.level.push(level);
        }
    }

    /// The edit distance.
    pub(super) fn distance(&self) -> u32 {
        self.rows[self.level.len()].last(self.level.len(), self.used)
    }

    /// The edit distance if two blocks of the hypothesis changed places.
    pub(super) fn distance_after(&self, hypothesis: &[u32], blocks: Blocks) -> u32 {
        let Blocks { first, second, end } = blocks;
        let mut row = self.rows[first];
        for word in hypothesis[second..end].iter().chain(&hypothesis[first..second]) {
            row = row.next(self.places[*word as usize]).0;
        }
        for (i, word) in hypothesis.iter().enumerate().skip(end) {
            // from here on everything is as it was
            if row.is(self.rows[i], self.used) {
                return self.distance();
            }
            row = row.next(self.places[*word as usize]).0;
        }
        row.last(hypothesis.len(), self.used)
    }

    /// The path that sacrebleu prefers: to keep or substitute, else to delete, else to insert.
    pub(super) fn align(&self, hypothesis: &[u32], reference: usize, alignment: &mut Alignment) {
        alignment.trace(hypothesis.len(), reference, |i, j| {
            let bit = 1 << (j - 1);
            if self.places[hypothesis[i - 1] as usize] & bit != 0 {
                Edit::Keep
            } else if self.level[i - 1] & bit == 0 {
                Edit::Substitute
            } else if self.rows[i - 1].down & bit != 0 {
                // this cell is the one to the upper left, and the one above is less by 1
                Edit::Delete
            } else {
                Edit::Insert
            }
        });
    }
}

impl Row {
    /// The row for one more word, which stands at these places of the reference, and which of its
    /// cells are the same as those to their upper left.
    fn next(self, places: u64) -> (Self, u64) {
        let Self { up, down } = self;
        let same = places | down;
        let level = ((up.wrapping_add(same & up)) ^ up) | same;
        let fallen = up & level;
        let risen = down | !(up | level);
        // the column without reference words grows by 1 from row to row
        let risen = (risen << 1) | 1;
        (Self { up: (fallen << 1) | !(level | risen), down: risen & level }, level)
    }

    /// The last cell of row `i`.
    fn last(self, i: usize, used: u64) -> u32 {
        i as u32 + (self.up & used).count_ones() - (self.down & used).count_ones()
    }

    fn is(self, other: Self, used: u64) -> bool {
        ((self.up ^ other.up) | (self.down ^ other.down)) & used == 0
    }
}
