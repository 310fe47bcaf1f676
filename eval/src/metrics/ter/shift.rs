//! Shifts: moving a few words of the hypothesis to where the reference has them.

use super::alignment::Alignment;
use super::words::Words;

/// Words that one shift moves at most.
const LONGEST: usize = 10;
/// How far the words may stand from their place in the reference.
const FARTHEST: usize = 50;
/// Shifts that are looked at before a segment is given up.
const MOST: usize = 1000;

/// Two neighbouring blocks of the hypothesis, `first..second` and `second..end`, that change
/// places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) end: usize,
}

impl Blocks {
    /// The blocks that change places where `length` words from `start` on are moved to `target`, in
    /// a hypothesis of `words` words. A target within the words moves them to the right, by as many
    /// words as it lies within.
    fn of(start: usize, length: usize, target: usize, words: usize) -> Self {
        let behind = start + length;
        match target {
            _ if target < start => Self { first: target, second: start, end: behind },
            _ if target > behind => Self { first: start, second: behind, end: target },
            _ => Self { first: start, second: behind, end: words.min(target + length) },
        }
    }

    /// What changing places can take off the edit distance: to delete the smaller block and insert
    /// it on the other side does the same.
    pub(super) fn most_gain(self) -> u32 {
        2 * (self.second - self.first).min(self.end - self.second) as u32
    }

    /// Makes them change places.
    pub(super) fn apply(self, hypothesis: &mut [u32]) {
        hypothesis[self.first..self.end].rotate_left(self.second - self.first);
    }
}

/// A shift that may be made, in the order of preference among those that gain the same: the
/// longest, then the first in the hypothesis, then the one with the first target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shift {
    shortness: u32,
    start: u32,
    target: u32,
}

impl Shift {
    fn new(start: usize, length: usize, target: u32) -> Self {
        Self { shortness: (LONGEST - length) as u32, start: start as u32, target }
    }

    /// Words that are moved.
    pub(super) fn length(self) -> usize {
        LONGEST - self.shortness as usize
    }

    /// What it does to a hypothesis of so many words.
    pub(super) fn blocks(self, words: usize) -> Blocks {
        Blocks::of(self.start as usize, self.length(), self.target as usize, words)
    }
}

/// The shifts that tercom would look at: of words that stand elsewhere in the reference, where both
/// places are wrong. They come with the preferred first.
///
/// `looked_at` counts them over the rounds of a segment; none where it reaches the limit, at which
/// sacrebleu throws the round away.
pub(super) fn find(words: &Words, alignment: &Alignment, looked_at: &mut usize, found: &mut Vec<Shift>) -> Option<()> {
    found.clear();
    let (hypothesis, reference) = (words.hypothesis(), words.reference());
    for start in 0..hypothesis.len() {
        for place in words.places_near(start, FARTHEST) {
            let (mut hypothesis_wrong, mut reference_wrong) = (false, false);
            let longest = LONGEST.min(hypothesis.len() - start).min(reference.len() - place);
            for length in 1..=longest {
                let last = length - 1;
                if hypothesis[start + last] != reference[place + last] {
                    break;
                }
                hypothesis_wrong |= alignment.hypothesis_wrong[start + last];
                reference_wrong |= alignment.reference_wrong[place + last];
                let behind = alignment.behind[place + 1] as usize;
                let is_within = start < behind && behind <= start + length;
                if !hypothesis_wrong || !reference_wrong || is_within {
                    continue;
                }
                let mut previous = None;
                for target in &alignment.behind[place..=place + length] {
                    if previous != Some(target) {
                        found.push(Shift::new(start, length, *target));
                        previous = Some(target);
                    }
                }
                if *looked_at + found.len() >= MOST {
                    return None;
                }
            }
        }
    }
    *looked_at += found.len();
    found.sort_unstable();
    found.dedup();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(start: usize, length: usize, target: usize) -> String {
        let mut words: Vec<u32> = (0..6).collect();
        Blocks::of(start, length, target, words.len()).apply(&mut words);
        words.iter().map(u32::to_string).collect()
    }

    #[test]
    fn shifts_as_sacrebleu_does() {
        // sacrebleu 2.6.0: _perform_shift(list("012345"), start, length, target)
        assert_eq!(moved(3, 2, 1), "034125");
        assert_eq!(moved(1, 2, 5), "034125");
        assert_eq!(moved(1, 2, 2), "031245");
        assert_eq!(moved(1, 2, 3), "034125");
        assert_eq!(moved(3, 3, 5), "012345");
        assert_eq!(moved(2, 2, 2), "012345");
    }

    #[test]
    fn the_longest_is_preferred_then_the_first() {
        let mut shifts = [Shift::new(0, 1, 3), Shift::new(2, 2, 5), Shift::new(1, 2, 6), Shift::new(1, 2, 4)];
        shifts.sort_unstable();
        assert_eq!(shifts.map(|s| (s.length(), s.start, s.target)), [(2, 1, 4), (2, 1, 6), (2, 2, 5), (1, 0, 3)]);
    }
}
