//! Counting n-grams of a hypothesis that references have too.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

/// Words as numbers; the same word always has the same one.
#[derive(Debug, Default)]
pub(super) struct Vocabulary(HashMap<Box<str>, u32, FxBuildHasher>);

impl Vocabulary {
    /// The number of a word, which is a new one where the word is.
    pub(super) fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.0.get(word) {
            return *number;
        }
        let number = self.0.len() as u32;
        self.0.insert(word.into(), number);
        number
    }
}

/// The n-grams of the references of one segment, of every order up to a limit, as a tree: an
/// n-gram hangs below the one without its last symbol.
///
/// A hypothesis is then only followed as far as a reference goes, and nothing is copied or joined.
#[derive(Debug, Default)]
pub(super) struct NgramTree {
    children: HashMap<u64, u32, FxBuildHasher>,
    ngrams: Vec<Ngram>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ngram {
    order: u32,
    /// Times in the reference that is being read.
    here: u32,
    /// Times in the reference that has it most often.
    most: u32,
    /// Times in the hypothesis.
    hypothesis: u32,
}

/// The number of the empty n-gram, which all others hang below.
const ROOT: u32 = 0;

impl NgramTree {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.children.clear();
        self.ngrams.clear();
        self.ngrams.push(Ngram::default());
    }

    /// Reads a reference. What counts of several is the largest count of each n-gram.
    pub(super) fn add_reference(&mut self, symbols: &[u32], most_order: usize) {
        for start in 0..symbols.len() {
            let mut at = ROOT;
            for (order, symbol) in (1..).zip(symbols[start..].iter().take(most_order)) {
                at = self.child_or_new(at, *symbol, order);
                self.ngrams[at as usize].here += 1;
            }
        }
        for ngram in &mut self.ngrams {
            ngram.most = ngram.most.max(ngram.here);
            ngram.here = 0;
        }
    }

    /// Adds, for each order, how many n-grams of the hypothesis stand in the references, each at
    /// most as often as in the reference that has it most often (Papineni et al. 2002, 2.1.1).
    pub(super) fn count_matches(&mut self, hypothesis: &[u32], matches: &mut [u64]) {
        for start in 0..hypothesis.len() {
            let mut at = ROOT;
            for symbol in hypothesis[start..].iter().take(matches.len()) {
                match self.children.get(&key(at, *symbol)) {
                    Some(child) => at = *child,
                    None => break,
                }
                let ngram = &mut self.ngrams[at as usize];
                if ngram.hypothesis < ngram.most {
                    ngram.hypothesis += 1;
                    matches[ngram.order as usize - 1] += 1;
                }
            }
        }
    }

    fn child_or_new(&mut self, parent: u32, symbol: u32, order: u32) -> u32 {
        let next = self.ngrams.len() as u32;
        let child = *self.children.entry(key(parent, symbol)).or_insert(next);
        if child == next {
            self.ngrams.push(Ngram { order, ..Ngram::default() });
        }
        child
    }
}

fn key(parent: u32, symbol: u32) -> u64 {
    u64::from(parent) << 32 | u64::from(symbol)
}

/// How many n-grams of an order a sequence has.
pub(super) fn ngrams_in(length: usize, order: usize) -> u64 {
    (length + 1).saturating_sub(order) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_clipped_by_the_reference_that_has_most() {
        let mut tree = NgramTree::default();
        tree.clear();
        // "the the the" against "the cat the", "the dog"
        tree.add_reference(&[0, 1, 0], 2);
        tree.add_reference(&[0, 2], 2);
        let mut matches = [0; 2];
        tree.count_matches(&[0, 0, 0], &mut matches);
        assert_eq!(matches, [2, 0]);
        tree.clear();
        tree.count_matches(&[0], &mut matches);
        assert_eq!(matches, [2, 0], "nothing is left of what was cleared");
    }

    #[test]
    fn counts_of_ngrams() {
        assert_eq!([0, 1, 3, 4, 5].map(|length| ngrams_in(length, 4)), [0, 0, 0, 1, 2]);
        let mut words = Vocabulary::default();
        assert_eq!(["a", "b", "a"].map(|word| words.number(word)), [0, 1, 0]);
    }
}
