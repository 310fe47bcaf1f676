//! Merging: from word counts to a vocabulary.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;

use super::arena::{Arena, Changes, Occurrences, Pair, PairTable};
use super::count::WordCounts;
use super::error::Error;
use super::vocabulary::Vocabulary;

/// Trains a byte-level vocabulary by byte-pair encoding.
///
/// It starts from the special tokens and the 256 bytes. Each step merges the pair of neighbouring
/// tokens that occurs most often; among equals, the pair with the lowest ids, the left one first.
/// The result depends on the counts alone: not on the order of words, nor on threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trainer {
    /// How many tokens to aim for, special tokens and bytes included. Training ends earlier when no
    /// pair is frequent enough.
    pub vocabulary_size: usize,
    /// How often a pair must occur to be merged; 0 means the same as 1.
    pub min_frequency: u64,
    /// Tokens that no text is split into, such as `<|endoftext|>`; they take the ids from 0 on.
    pub special_tokens: Vec<String>,
}

impl Trainer {
    /// Learns merges from `words`.
    ///
    /// # Errors
    ///
    /// If the vocabulary size leaves no room for the bytes, a special token is empty, repeated or a
    /// symbol of the alphabet, or the words are more than 32-bit positions and 64-bit counts hold.
    pub fn train(&self, words: &WordCounts) -> Result<Vocabulary, Error> {
        let mut vocabulary =
            Vocabulary::untrained(&self.special_tokens)?.with_prefix_space(words.options().prefix_space);
        self.check_size(vocabulary.len())?;
        let mut arena = Arena::new(words, &vocabulary.byte_ids())?;
        let mut queue = Queue::new(&arena, self.min_frequency.max(1));
        let mut changes = Changes::default();

        while vocabulary.len() < self.vocabulary_size
            && let Some((pair, positions)) = queue.pop()
        {
            let token = vocabulary.merge(pair.left(), pair.right());
            arena.join(pair, token, &positions, &mut changes);
            queue.update(&arena, &changes);
        }
        Ok(vocabulary)
    }

    fn check_size(&self, needed: usize) -> Result<(), Error> {
        let size = self.vocabulary_size;
        if size < needed {
            let special_tokens = self.special_tokens.len();
            return Err(Error::VocabularyTooSmall { size, special_tokens, needed });
        }
        // the last id is the arena's mark for a blank cell
        if u32::try_from(size).is_err() {
            return Err(Error::VocabularyTooLarge { size });
        }
        Ok(())
    }
}

/// The pairs by falling count, then by rising ids.
///
/// Counts of pairs only ever fall once a pair exists, so the heap may hold counts that are too high:
/// they are put right when they come to the top.
struct Queue {
    pairs: PairTable,
    heap: BinaryHeap<(u64, Reverse<Pair>)>,
    min_frequency: u64,
}

impl Queue {
    fn new(arena: &Arena, min_frequency: u64) -> Self {
        let pairs = arena.pairs(min_frequency);
        let heap = pairs.iter().map(|(&pair, occurrences)| (occurrences.count, Reverse(pair))).collect();
        Self { pairs, heap, min_frequency }
    }

    /// Takes out the most frequent pair, with where it occurs.
    fn pop(&mut self) -> Option<(Pair, Box<[u32]>)> {
        while let Some((noted, Reverse(pair))) = self.heap.pop() {
            let Entry::Occupied(entry) = self.pairs.entry(pair) else {
                continue;
            };
            let count = entry.get().count;
            if count == noted {
                return Some((pair, entry.remove().positions));
            }
            self.heap.push((count, Reverse(pair)));
        }
        None
    }

    /// Follows what a merge changed. Pairs that are too rare are dropped: they cannot come back.
    fn update(&mut self, arena: &Arena, changes: &Changes) {
        for &(pair, count) in &changes.lost {
            if let Entry::Occupied(mut entry) = self.pairs.entry(pair) {
                let left = entry.get().count.saturating_sub(count);
                entry.get_mut().count = left;
                if left < self.min_frequency {
                    entry.remove();
                }
            }
        }
        for group in changes.gained.chunk_by(|a, b| a.0 == b.0) {
            let pair = group[0].0;
            let count = group.iter().map(|&(_, at)| arena.count_at(at)).sum();
            if count >= self.min_frequency {
                let positions = group.iter().map(|&(_, at)| at).collect();
                self.pairs.insert(pair, Occurrences { count, positions });
                self.heap.push((count, Reverse(pair)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::count::CountOptions;
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn trainer(vocabulary_size: usize, min_frequency: u64) -> Trainer {
        Trainer { vocabulary_size, min_frequency, special_tokens: Vec::new() }
    }

    fn merges(vocabulary: &Vocabulary) -> Vec<String> {
        let spell = |id: u32| vocabulary.tokens()[id as usize].as_str();
        let merges = vocabulary.merges().iter();
        merges.map(|&(left, right)| format!("{} {}", spell(left), spell(right))).collect()
    }

    /// The same training by the book: count all pairs anew before each merge.
    fn train_by_the_book(words: &WordCounts, size: usize, min_frequency: u64) -> Vec<(u32, u32)> {
        let ids = Vocabulary::untrained::<&str>(&[]).unwrap().byte_ids();
        let mut words: Vec<(Vec<u32>, u64)> =
            words.iter().map(|(word, count)| (word.iter().map(|&b| ids[usize::from(b)]).collect(), count)).collect();
        let mut merges = Vec::new();
        while merges.len() + 256 < size {
            let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
            for (tokens, count) in &words {
                for pair in tokens.windows(2) {
                    *counts.entry((pair[0], pair[1])).or_default() += count;
                }
            }
            let best = counts.iter().max_by_key(|(pair, count)| (**count, Reverse(**pair)));
            let Some((&pair, &count)) = best else { break };
            if count < min_frequency {
                break;
            }
            let joined = 256 + merges.len() as u32;
            merges.push(pair);
            for (tokens, _) in &mut words {
                let mut at = 0;
                while at + 1 < tokens.len() {
                    if (tokens[at], tokens[at + 1]) == pair {
                        tokens.splice(at..at + 2, [joined]);
                    }
                    at += 1;
                }
            }
        }
        merges
    }

    #[test]
    fn most_frequent_pair_first_then_lowest_ids() {
        let mut words = WordCounts::default();
        words.add_word(b"ab", 2);
        words.add_word(b"zy", 3);
        words.add_word(b"cd", 2);
        let vocabulary = trainer(300, 1).train(&words).unwrap();
        assert_eq!(merges(&vocabulary), ["z y", "a b", "c d"]);
    }

    #[test]
    fn stops_where_no_pair_is_frequent_enough() {
        let mut words = WordCounts::default();
        words.add_word(b"abc", 4);
        words.add_word(b"xyz", 3);
        let merges_from = |min_frequency| {
            let vocabulary = trainer(1000, min_frequency).train(&words).unwrap();
            vocabulary.merges().len()
        };
        assert_eq!([0, 1, 3, 4, 5].map(merges_from), [4, 4, 4, 2, 0]);
        assert_eq!(trainer(257, 1).train(&words).unwrap().len(), 257);
        assert_eq!(trainer(256, 1).train(&words).unwrap().merges(), []);
    }

    #[test]
    fn counts_past_32_bits_are_exact() {
        let mut words = WordCounts::default();
        words.add_word(b"ab", 1 << 40);
        words.add_word(b"cd", (1 << 40) + 1);
        words.add_word(b"ef", 3);
        let vocabulary = trainer(300, 2).train(&words).unwrap();
        assert_eq!(merges(&vocabulary), ["c d", "a b", "e f"]);
    }

    #[test]
    fn a_merge_spelled_like_a_special_token_takes_its_id() {
        let mut words = WordCounts::default();
        words.add_word(b"the", 5);
        let trainer = Trainer { special_tokens: vec!["he".into()], ..trainer(300, 1) };
        let vocabulary = trainer.train(&words).unwrap();
        assert_eq!(merges(&vocabulary), ["h e", "t he"]);
        assert_eq!(vocabulary.len(), 1 + 256 + 1);
        assert_eq!(vocabulary.merges()[1].1, 0);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let words = WordCounts::default();
        assert_eq!(
            trainer(255, 1).train(&words).unwrap_err().to_string(),
            "vocabulary size `255` is too small: 0 special tokens and 256 bytes need `256`"
        );
        let size = usize::MAX;
        assert_eq!(trainer(size, 1).train(&words), Err(Error::VocabularyTooLarge { size }));
    }

    proptest! {
        #[test]
        fn same_merges_as_by_the_book(
            texts in proptest::collection::vec("[ab]{0,12}|[abc ]{0,20}|[xyz1-3]{1,5}", 0..8),
            size in 256_usize..330,
            min_frequency in 1_u64..4,
        ) {
            let words = WordCounts::of_texts(&texts, CountOptions::default());
            let vocabulary = trainer(size, min_frequency).train(&words).unwrap();
            let expected = train_by_the_book(&words, size, min_frequency);
            prop_assert_eq!(vocabulary.merges(), expected);
            let distinct: BTreeSet<_> = vocabulary.tokens().iter().collect();
            prop_assert_eq!(distinct.len(), vocabulary.len());
        }

        #[test]
        fn order_of_texts_does_not_matter(
            texts in proptest::collection::vec(super::super::tests::any_text(), 0..8),
        ) {
            let mut backwards = texts.clone();
            backwards.reverse();
            let [forth, back] = [texts, backwards].map(|texts| {
                let words = WordCounts::of_texts(&texts, CountOptions::default());
                trainer(320, 1).train(&words).unwrap()
            });
            prop_assert_eq!(forth, back);
        }
    }
}
