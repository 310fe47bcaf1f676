//! The greedy search for shifts (Snover et al. 2006), as sacrebleu does it.

use super::alignment::Alignment;
use super::band::Band;
use super::beam::BeamMatrix;
use super::bits::{BitMatrix, MOST_WORDS};
use super::shift::{self, Blocks, Shift};
use super::words::Words;

/// Where nothing is known about how far the band is off.
const UNKNOWN: u32 = u32::MAX / 2;

/// What one search after the other can use again.
#[derive(Debug, Default)]
pub(super) struct Search {
    words: Words,
    band: Band,
    bits: BitMatrix,
    beam: BeamMatrix,
    alignment: Alignment,
    shifts: Vec<Shift>,
}

impl Search {
    /// The edits that make a hypothesis into a reference: shifts, and the edit distance after them.
    ///
    /// Round by round the shift is made that shortens the edit distance most, until none does.
    /// sacrebleu gives up in the middle of a round when it has looked at a thousand shifts.
    pub(super) fn edits(&mut self, hypothesis: &[&str], reference: &[&str]) -> u32 {
        if reference.is_empty() {
            return hypothesis.len() as u32;
        }
        self.words.set(hypothesis, reference);
        self.band = Band::new(hypothesis.len(), reference.len());
        self.beam.set_band(self.band);
        if self.fits_bits() {
            self.bits.set_reference(self.words.reference(), self.words.vocabulary());
        }
        let (mut same, mut looked_at) = (0, 0);
        for shifts in 0.. {
            let distance = self.fill(same);
            match self.best_shift(distance, &mut looked_at) {
                None => return shifts + distance,
                Some(blocks) => {
                    blocks.apply(self.words.hypothesis_mut());
                    same = blocks.first;
                }
            }
        }
        unreachable!("every shift shortens the distance")
    }

    /// Computes the matrices of the hypothesis, whose first `same` words did not change; returns
    /// the edit distance.
    fn fill(&mut self, same: usize) -> u32 {
        self.beam.words_changed(same);
        if self.fits_bits() {
            self.bits.fill(self.words.hypothesis(), same);
            let distance = self.bits.distance();
            if distance < self.band.exact_below() {
                return distance;
            }
        }
        self.beam.fill(self.words.hypothesis(), self.words.reference());
        self.beam.distance()
    }

    /// The shift that shortens the distance most, if there is one.
    fn best_shift(&mut self, distance: u32, looked_at: &mut usize) -> Option<Blocks> {
        let most_gain = distance - self.words.least_distance();
        if most_gain == 0 {
            return None;
        }
        self.align(distance);
        shift::find(&self.words, &self.alignment, looked_at, &mut self.shifts)?;
        let slack = self.slack(distance);
        let words = self.band.hypothesis();
        let (mut gain, mut best) = (0, None);
        let shifts = std::mem::take(&mut self.shifts);
        for shift in &shifts {
            if gain == most_gain || 2 * shift.length() as u32 + slack <= gain {
                break;
            }
            let blocks = shift.blocks(words);
            if blocks.most_gain() + slack <= gain {
                continue;
            }
            // of those that gain the same, the first is preferred
            if let Some(after) = self.distance_after(blocks, distance - gain - 1) {
                (gain, best) = (distance - after, Some(blocks));
            }
        }
        self.shifts = shifts;
        best
    }

    fn align(&mut self, distance: u32) {
        let (hypothesis, reference) = (self.words.hypothesis(), self.words.reference());
        match self.fits_bits() && distance < self.band.exact_below() {
            true => self.bits.align(hypothesis, reference.len(), &mut self.alignment),
            false => self.beam.align(hypothesis, reference, &mut self.alignment),
        }
    }

    /// The edit distance after a shift; none where it is above `most`.
    fn distance_after(&mut self, blocks: Blocks, most: u32) -> Option<u32> {
        let (hypothesis, reference) = (self.words.hypothesis(), self.words.reference());
        if self.fits_bits() {
            let distance = self.bits.distance_after(hypothesis, blocks);
            // the band can only make it longer
            if distance > most || distance < self.band.exact_below() {
                return (distance <= most).then_some(distance);
            }
        }
        self.beam.distance_after(hypothesis, reference, blocks, most)
    }

    /// How much longer the distance is than it would be without a band. So much more than
    /// [`Blocks::most_gain`] may a shift gain by leading into the band.
    fn slack(&self, distance: u32) -> u32 {
        match distance < self.band.exact_below() {
            true => 0,
            false if self.fits_bits() => distance - self.bits.distance(),
            false => UNKNOWN,
        }
    }

    fn fits_bits(&self) -> bool {
        self.band.reference() <= MOST_WORDS
    }
}
