//! The words of a hypothesis and a reference as numbers.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

/// A hypothesis and a reference. Words of the reference are numbered from 0; all words that only
/// the hypothesis has share one number, because nothing asks whether they are the same.
#[derive(Debug, Default)]
pub(super) struct Words {
    hypothesis: Vec<u32>,
    reference: Vec<u32>,
    vocabulary: usize,
    /// The places of all words in the reference, word after word, and where each word's begin.
    places: Vec<u32>,
    begins: Vec<u32>,
    /// How often every word of the reference is not yet paired.
    unpaired: Vec<u32>,
    common: u32,
}

impl Words {
    /// Takes the words of a segment.
    pub(super) fn set(&mut self, hypothesis: &[&str], reference: &[&str]) {
        let mut numbers: HashMap<&str, u32, FxBuildHasher> = HashMap::default();
        numbers.reserve(reference.len());
        self.reference.clear();
        for word in reference {
            let unused = numbers.len() as u32;
            self.reference.push(*numbers.entry(word).or_insert(unused));
        }
        self.vocabulary = numbers.len();
        let unknown = self.vocabulary as u32;
        self.hypothesis.clear();
        self.hypothesis.extend(hypothesis.iter().map(|word| numbers.get(word).copied().unwrap_or(unknown)));
        self.find_places();
        self.common = self.count_common();
    }

    /// The words of the hypothesis.
    pub(super) fn hypothesis(&self) -> &[u32] {
        &self.hypothesis
    }

    /// The words of the hypothesis, to be shifted.
    pub(super) fn hypothesis_mut(&mut self) -> &mut [u32] {
        &mut self.hypothesis
    }

    /// The words of the reference.
    pub(super) fn reference(&self) -> &[u32] {
        &self.reference
    }

    /// Different words in the reference.
    pub(super) fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The places in the reference of the word at a place of the hypothesis, in order, as far as
    /// they are not farther away.
    pub(super) fn places_near(&self, place: usize, farthest: usize) -> impl Iterator<Item = usize> + '_ {
        let places = self.places_of(self.hypothesis[place]);
        let begin = places.partition_point(|other| *other as usize + farthest < place);
        let near = places[begin..].iter().map(|other| *other as usize);
        near.take_while(move |other| *other <= place + farthest)
    }

    /// What no order of the words can bring the edit distance below.
    pub(super) fn least_distance(&self) -> u32 {
        self.hypothesis.len().max(self.reference.len()) as u32 - self.common
    }

    fn places_of(&self, word: u32) -> &[u32] {
        let word = word as usize;
        &self.places[self.begins[word] as usize..self.begins[word + 1] as usize]
    }

    /// Sorts the places by word, by counting.
    fn find_places(&mut self) {
        self.begins.clear();
        self.begins.resize(self.vocabulary + 2, 0);
        self.reference.iter().for_each(|word| self.begins[*word as usize + 2] += 1);
        let mut sum = 0;
        for begin in &mut self.begins {
            sum += *begin;
            *begin = sum;
        }
        // a word's begin stands one too far to the right, and is its end when all are placed
        self.places.clear();
        self.places.resize(self.reference.len(), 0);
        for (place, word) in (0..).zip(&self.reference) {
            let next = &mut self.begins[*word as usize + 1];
            self.places[*next as usize] = place;
            *next += 1;
        }
    }

    /// Words that can be paired with the same word.
    fn count_common(&mut self) -> u32 {
        self.unpaired.clear();
        self.unpaired.extend(self.begins.windows(2).map(|pair| pair[1] - pair[0]));
        let mut paired = 0;
        for word in &self.hypothesis {
            let unpaired = &mut self.unpaired[*word as usize];
            paired += u32::from(*unpaired > 0);
            *unpaired = unpaired.saturating_sub(1);
        }
        paired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_and_finds_their_places() {
        let mut words = Words::default();
        words.set(&["the", "x", "cat", "y", "the"], &["a", "the", "the", "b", "the"]);
        let [the, x, cat, y, the_again] = words.hypothesis() else { panic!("five words") };
        assert_eq!((the, x, cat), (the_again, y, y));
        assert_eq!(words.places_of(*the), [1, 2, 4]);
        assert_eq!(words.places_of(*x).len(), 0);
        assert_eq!(words.places_near(0, 2).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(words.places_near(4, 2).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(words.vocabulary(), 3);
        assert_eq!(words.least_distance(), 3);
    }
}
