//! Edit distances within a band, cell by cell: for what [`super::bits`] cannot do.

use super::alignment::{Alignment, Edit};
use super::band::Band;
use super::shift::Blocks;

/// Outside of the band. Twice this, and the length of a segment, do not overflow.
const FAR: u32 = u32::MAX / 4;

/// The cost of the best path from the first words to every cell of the band, and from every cell
/// to the last words.
#[derive(Debug, Default)]
pub(super) struct BeamMatrix {
    band: Band,
    /// Where every row begins in the vectors of cells.
    offsets: Vec<usize>,
    forward: Vec<u32>,
    backward: Vec<u32>,
    /// Rows that hold; the others are of another hypothesis.
    filled: usize,
    has_backward: bool,
    above: Vec<u32>,
    below: Vec<u32>,
}

impl BeamMatrix {
    /// Starts with a band, before anything is known about the words.
    pub(super) fn set_band(&mut self, band: Band) {
        self.band = band;
        self.offsets.clear();
        self.filled = 0;
        self.has_backward = false;
    }

    /// Forgets what the words behind the first `same` have a part in.
    pub(super) fn words_changed(&mut self, same: usize) {
        self.filled = self.filled.min(same + 1);
        self.has_backward = false;
    }

    /// Computes the rows of a hypothesis that are not there.
    pub(super) fn fill(&mut self, hypothesis: &[u32], reference: &[u32]) {
        if self.offsets.is_empty() {
            self.lay_out();
        }
        if self.filled == 0 {
            (0_u32..).zip(&mut self.forward[..=reference.len()]).for_each(|(j, cell)| *cell = j);
            self.filled = 1;
        }
        for i in self.filled..=hypothesis.len() {
            let (done, rest) = self.forward.split_at_mut(self.offsets[i]);
            let above = Cells { first: self.band.row(i - 1).0, cells: &done[self.offsets[i - 1]..] };
            let (first, behind) = self.band.row(i);
            next_row(above, hypothesis[i - 1], reference, first, &mut rest[..behind - first]);
        }
        self.filled = hypothesis.len() + 1;
    }

    /// The edit distance.
    pub(super) fn distance(&self) -> u32 {
        self.forward(self.band.hypothesis()).at(self.band.reference())
    }

    /// The edit distance if two blocks of the hypothesis changed places; none where it is above
    /// `most`.
    pub(super) fn distance_after(
        &mut self,
        hypothesis: &[u32],
        reference: &[u32],
        blocks: Blocks,
        most: u32,
    ) -> Option<u32> {
        if !self.has_backward {
            self.fill_backward(hypothesis, reference);
        }
        let Blocks { first, second, end } = blocks;
        let mut above = std::mem::take(&mut self.above);
        let mut below = std::mem::take(&mut self.below);
        above.clear();
        above.extend_from_slice(self.forward(first).cells);
        let mut least = 0;
        for (i, word) in (first + 1..=end).zip(hypothesis[second..end].iter().chain(&hypothesis[first..second])) {
            let (from, behind) = self.band.row(i);
            below.resize(behind - from, FAR);
            least =
                next_row(Cells { first: self.band.row(i - 1).0, cells: &above }, *word, reference, from, &mut below);
            std::mem::swap(&mut above, &mut below);
            if least > most {
                break;
            }
        }
        // below the blocks the words are as they were
        let distance = match least > most {
            true => FAR,
            false => above.iter().zip(self.backward(end)).map(|(a, b)| a + b).min().unwrap_or(FAR),
        };
        (self.above, self.below) = (above, below);
        (distance <= most).then_some(distance)
    }

    /// The path that sacrebleu prefers: to keep or substitute, else to delete, else to insert.
    pub(super) fn align(&self, hypothesis: &[u32], reference: &[u32], alignment: &mut Alignment) {
        alignment.trace(hypothesis.len(), reference.len(), |i, j| {
            let (above, row) = (self.forward(i - 1), self.forward(i));
            let here = row.at(j);
            let differs = hypothesis[i - 1] != reference[j - 1];
            if above.at(j - 1) + u32::from(differs) == here {
                if differs { Edit::Substitute } else { Edit::Keep }
            } else if above.at(j) + 1 == here {
                Edit::Delete
            } else {
                Edit::Insert
            }
        });
    }

    fn lay_out(&mut self) {
        let mut cells = 0;
        for i in 0..=self.band.hypothesis() {
            let (first, behind) = self.band.row(i);
            self.offsets.push(cells);
            cells += behind - first;
        }
        self.forward.resize(cells, FAR);
        self.backward.resize(cells, FAR);
    }

    fn forward(&self, row: usize) -> Cells<'_> {
        let (first, behind) = self.band.row(row);
        Cells { first, cells: &self.forward[self.offsets[row]..][..behind - first] }
    }

    fn backward(&self, row: usize) -> &[u32] {
        let (first, behind) = self.band.row(row);
        &self.backward[self.offsets[row]..][..behind - first]
    }

    fn fill_backward(&mut self, hypothesis: &[u32], reference: &[u32]) {
        let last = hypothesis.len();
        let begin = self.offsets[last];
        let (first, behind) = self.band.row(last);
        for (j, cell) in (first..behind).zip(&mut self.backward[begin..]) {
            *cell = (reference.len() - j) as u32;
        }
        for i in (0..last).rev() {
            let (upper, lower) = self.backward.split_at_mut(self.offsets[i + 1]);
            let (first, behind) = self.band.row(i);
            let (below_first, below_behind) = self.band.row(i + 1);
            let below = Cells { first: below_first, cells: &lower[..below_behind - below_first] };
            let cells = &mut upper[self.offsets[i]..];
            let mut right = FAR;
            for j in (first..behind).rev() {
                let differs = reference.get(j) != Some(&hypothesis[i]);
                let diagonal = below.at(j + 1) + u32::from(differs);
                right = diagonal.min(below.at(j) + 1).min(right + 1).min(FAR);
                cells[j - first] = right;
            }
        }
        self.has_backward = true;
    }
}

/// Part of a row.
#[derive(Clone, Copy)]
struct Cells<'a> {
    first: usize,
    cells: &'a [u32],
}

impl Cells<'_> {
    fn at(self, column: usize) -> u32 {
        self.cells.get(column.wrapping_sub(self.first)).copied().unwrap_or(FAR)
    }
}

/// Computes the row below for one more word; returns its least cell.
fn next_row(above: Cells<'_>, word: u32, reference: &[u32], first: usize, cells: &mut [u32]) -> u32 {
    let mut left = FAR;
    let mut least = FAR;
    let mut upper_left = if first == 0 { FAR } else { above.at(first - 1) };
    for (j, cell) in (first..).zip(cells) {
        let upper = above.at(j);
        let differs = j == 0 || reference[j - 1] != word;
        left = (upper_left + u32::from(differs)).min(upper + 1).min(left + 1).min(FAR);
        upper_left = upper;
        least = least.min(left);
        *cell = left;
    }
    least
}
