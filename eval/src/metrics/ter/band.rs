//! The part of an edit-distance matrix that sacrebleu looks at.

/// Columns on either side of the pseudo-diagonal: tercom's beam.
const BEAM: usize = 25;

/// Paths that cost less than this stay within the beam.
///
/// A path through a cell that is `d` columns right of the plain diagonal costs at least
/// `|d| + |D - d|`, where `D` is the reference's length less the hypothesis's. The pseudo-diagonal
/// of row `i` of `n` is `D · i / n` right of the plain one, give or take the rounding, so a cell
/// outside of the beam has a `d` that makes this at least 24.
const SURELY_WITHIN: u32 = BEAM as u32 - 1;

/// Which columns of which rows are computed, as in sacrebleu's `BeamEditDistance`: those around a
/// diagonal that goes from corner to corner. Row `i` is about the first `i` words of the
/// hypothesis, column `j` about the first `j` of the reference.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Band {
    hypothesis: usize,
    reference: usize,
    slope: f64,
    beam: usize,
}

impl Band {
    /// The band for two numbers of words.
    pub(super) fn new(hypothesis: usize, reference: usize) -> Self {
        let slope = match hypothesis {
            0 => 1.0,
            _ => reference as f64 / hypothesis as f64,
        };
        // where one row would begin behind the end of the row above, the beam is wider
        let beam = match (BEAM as f64) < slope / 2.0 {
            true => (slope / 2.0 + BEAM as f64).ceil() as usize,
            false => BEAM,
        };
        Self { hypothesis, reference, slope, beam }
    }

    /// Words of the hypothesis.
    pub(super) fn hypothesis(&self) -> usize {
        self.hypothesis
    }

    /// Words of the reference.
    pub(super) fn reference(&self) -> usize {
        self.reference
    }

    /// The first column of a row, and the one behind its last.
    pub(super) fn row(&self, row: usize) -> (usize, usize) {
        let end = self.reference + 1;
        if row == 0 {
            return (0, end);
        }
        let diagonal = (row as f64 * self.slope).floor() as usize;
        let first = diagonal.saturating_sub(self.beam);
        match row == self.hypothesis {
            true => (first, end),
            false => (first, end.min(diagonal + self.beam)),
        }
    }

    /// Whether it leaves out nothing.
    fn is_whole(&self) -> bool {
        self.row(1.min(self.hypothesis)).1 > self.reference && self.row(self.hypothesis).0 == 0
    }

    /// An upper limit, not included: where the edit distance is below it, the distance and the
    /// best path are the same within the band as without one.
    pub(super) fn exact_below(&self) -> u32 {
        match self.is_whole() {
            true => u32::MAX,
            false => SURELY_WITHIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_pseudo_diagonal() {
        let band = Band::new(100, 200);
        assert_eq!(band.row(0), (0, 201));
        assert_eq!(band.row(1), (0, 27));
        assert_eq!(band.row(50), (75, 125));
        assert_eq!(band.row(100), (175, 201));
        assert_eq!(band.exact_below(), 24);
        assert_eq!(Band::new(20, 25).exact_below(), u32::MAX);
    }

    #[test]
    fn widens_for_steep_diagonals() {
        // 150 words for one: sacrebleu takes ceil(75 + 25)
        assert_eq!(Band::new(2, 300).row(1), (50, 250));
        assert_eq!(Band::new(0, 3).row(0), (0, 4));
    }
}
