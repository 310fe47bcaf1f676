//! The distinct words of a corpus, cut into tokens, in one flat array.

use rustc_hash::FxHashMap;

use super::count::WordCounts;
use super::error::Error;

/// Two tokens side by side. Pairs sort by the left id, then by the right id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair(u64);

impl Pair {
    pub(super) fn new(left: u32, right: u32) -> Self {
        Self(u64::from(left) << 32 | u64::from(right))
    }

    pub(super) fn left(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn right(self) -> u32 {
        self.0 as u32
    }
}

/// Where a pair occurs, and how often.
#[derive(Debug)]
pub(super) struct Occurrences {
    /// How often the pair occurs in the corpus now.
    pub(super) count: u64,
    /// The cells where its left token started when the pair came to be, ascending. Some may be out
    /// of date; none is missing, because all occurrences of a pair come to be in one merge: the
    /// later of the two that made its tokens.
    pub(super) positions: Box<[u32]>,
}

/// The pairs that can still be merged.
pub(super) type PairTable = FxHashMap<Pair, Occurrences>;

/// Words as tokens, one cell per byte, with a border cell before each word and after the last.
///
/// A token fills as many cells as it has bytes. Its id stands in its first and in its last cell, so
/// that both neighbours of a token are found in one step with no links; cells between are blank.
#[derive(Debug)]
pub(super) struct Arena {
    cells: Vec<u32>,
    /// For each cell, the index of its word in `counts`.
    words: Vec<u32>,
    /// For each word, how often it occurs.
    counts: Vec<u64>,
    /// For each token id, how many bytes it has.
    lengths: Vec<u32>,
}

/// A border cell or the inside of a token; never a token id.
const BLANK: u32 = u32::MAX;

/// What one merge changed; kept from merge to merge for its memory.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Pairs that stood beside a merged pair, with the count of their word.
    pub(super) lost: Vec<(Pair, u64)>,
    /// Pairs that hold the new token, with the cell where they start.
    pub(super) gained: Vec<(Pair, u32)>,
    /// Where the new token starts.
    joined: Vec<u32>,
}

impl Arena {
    /// Lays out the words of two bytes and more, each byte as the token `byte_ids[byte]`.
    ///
    /// # Errors
    ///
    /// If the distinct words do not fit 32-bit positions, or the corpus a 64-bit length.
    pub(super) fn new(words: &WordCounts, byte_ids: &[u32; 256]) -> Result<Self, Error> {
        const LIMIT: usize = u32::MAX as usize;
        let cells = words.distinct_bytes().saturating_add(words.len());
        if cells >= LIMIT {
            return Err(Error::TooManyBytes { limit: LIMIT });
        }
        let corpus_bytes: u128 = words.iter().map(|(word, count)| word.len() as u128 * u128::from(count)).sum();
        if corpus_bytes > u128::from(u64::MAX) {
            return Err(Error::CountsTooLarge);
        }

        let tokens = byte_ids.iter().max().map_or(0, |&id| id as usize + 1);
        let mut arena = Self {
            cells: Vec::with_capacity(cells + 1),
            words: Vec::with_capacity(cells + 1),
            counts: Vec::with_capacity(words.len()),
            lengths: vec![1; tokens],
        };
        for (word, count) in words.iter().filter(|(word, _)| word.len() > 1) {
            let index = arena.counts.len() as u32;
            arena.counts.push(count);
            arena.cells.push(BLANK);
            let tokens = word.iter().map(|&byte| byte_ids[usize::from(byte)]);
            arena.cells.extend(tokens);
            arena.words.resize(arena.cells.len(), index);
        }
        arena.cells.push(BLANK);
        Ok(arena)
    }

    /// How often the word that holds the cell `position` occurs.
    pub(super) fn count_at(&self, position: u32) -> u64 {
        self.counts[self.words[position as usize] as usize]
    }

    /// All pairs of the words as they were laid out that occur at least `min_frequency` times.
    pub(super) fn pairs(&self, min_frequency: u64) -> PairTable {
        let mut found: FxHashMap<Pair, (u64, Vec<u32>)> = FxHashMap::default();
        for (cells, position) in self.cells.windows(2).zip(0_u32..) {
            if cells[0] != BLANK && cells[1] != BLANK {
                let (count, positions) = found.entry(Pair::new(cells[0], cells[1])).or_default();
                *count += self.count_at(position);
                positions.push(position);
            }
        }
        found.retain(|_, (count, _)| *count >= min_frequency);
        let occurrences = found.into_iter().map(|(pair, (count, positions))| {
            let positions = positions.into_boxed_slice();
            (pair, Occurrences { count, positions })
        });
        occurrences.collect()
    }

    /// Joins every `pair` at `positions`, from left to right, to the token `token`; says in
    /// `changes` which other pairs that takes away and which it makes.
    pub(super) fn join(&mut self, pair: Pair, token: u32, positions: &[u32], changes: &mut Changes) {
        let (left, right) = (pair.left(), pair.right());
        let left_length = self.lengths[left as usize] as usize;
        let right_length = self.lengths[right as usize] as usize;
        let length = left_length + right_length;
        self.lengths.resize(self.lengths.len().max(token as usize + 1), 0);
        self.lengths[token as usize] = length as u32;
        changes.lost.clear();
        changes.gained.clear();
        changes.joined.clear();

        for &position in positions {
            let start = position as usize;
            let middle = start + left_length;
            let end = start + length;
            // Out of date if another merge took either token since. A cell that holds `left` starts
            // a token: where it ends one, that token is longer than the one this position was noted
            // for, and so another.
            if self.cells[start] != left || self.cells[middle] != right {
                continue;
            }
            let count = self.count_at(position);
            let before = self.cells[start - 1];
            let after = self.cells[end];
            // Beside a token of this same merge, the pair was already taken away from its side.
            if before != BLANK && before != token {
                changes.lost.push((Pair::new(before, left), count));
            }
            if after != BLANK {
                changes.lost.push((Pair::new(right, after), count));
            }
            self.cells[middle - 1] = BLANK;
            self.cells[middle] = BLANK;
            self.cells[start] = token;
            self.cells[end - 1] = token;
            changes.joined.push(position);
        }

        for &position in &changes.joined {
            let start = position as usize;
            let before = self.cells[start - 1];
            let after = self.cells[start + length];
            if before != BLANK {
                let position = position - self.lengths[before as usize];
                changes.gained.push((Pair::new(before, token), position));
            }
            // A pair of two new tokens was noted, or will be, by the right one.
            if after != BLANK && after != token {
                changes.gained.push((Pair::new(token, after), position));
            }
        }
        changes.gained.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Token ids are byte values; `count` words spelled as given.
    fn arena(words: &[(&str, u64)]) -> Arena {
        let mut counts = WordCounts::default();
        for &(word, count) in words {
            counts.add_word(word.as_bytes(), count);
        }
        Arena::new(&counts, &std::array::from_fn(|byte| byte as u32)).unwrap()
    }

    fn pair(left: char, right: char) -> Pair {
        Pair::new(left as u32, right as u32)
    }

    #[test]
    fn pairs_sort_by_left_then_right_id() {
        let mut pairs = [Pair::new(2, 1), Pair::new(1, 300), Pair::new(1, 2)];
        pairs.sort();
        assert_eq!(pairs, [Pair::new(1, 2), Pair::new(1, 300), Pair::new(2, 1)]);
        assert_eq!((pairs[1].left(), pairs[1].right()), (1, 300));
    }

    #[test]
    fn pairs_of_words_and_not_across_them() {
        let arena = arena(&[("aab", 3), ("ba", 2), ("c", 9)]);
        let pairs = arena.pairs(1);
        let mut counts: Vec<_> = pairs.iter().map(|(&pair, o)| (pair, o.count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [(pair('a', 'a'), 3), (pair('a', 'b'), 3), (pair('b', 'a'), 2)]);
        assert_eq!(arena.pairs(3).len(), 2);
    }

    #[test]
    fn joining_a_run_goes_from_left_to_right() {
        let mut arena = arena(&[("xaaaab", 5)]);
        let positions = arena.pairs(1)[&pair('a', 'a')].positions.clone();
        assert_eq!(*positions, [2, 3, 4]);
        let mut changes = Changes::default();
        arena.join(pair('a', 'a'), 256, &positions, &mut changes);
        let [x, b] = ['x', 'b'].map(u32::from);
        assert_eq!(arena.cells[1..7], [x, 256, 256, 256, 256, b]);
        // the pairs `aa` that are lost beside the merged ones no longer matter to anyone
        let lost: Vec<_> = changes.lost.iter().filter(|(p, _)| *p != pair('a', 'a')).collect();
        assert_eq!(lost, [&(pair('x', 'a'), 5), &(pair('a', 'b'), 5)]);
        let gained = [(Pair::new(x, 256), 1), (Pair::new(256, b), 4), (Pair::new(256, 256), 2)];
        assert_eq!(changes.gained.len(), 3);
        assert!(gained.iter().all(|gain| changes.gained.contains(gain)));
    }

    #[test]
    fn positions_out_of_date_are_passed_over() {
        let mut arena = arena(&[("abc", 1)]);
        let pairs = arena.pairs(1);
        let mut changes = Changes::default();
        arena.join(pair('a', 'b'), 256, &pairs[&pair('a', 'b')].positions, &mut changes);
        assert_eq!(changes.lost, [(pair('b', 'c'), 1)]);
        arena.join(pair('b', 'c'), 257, &pairs[&pair('b', 'c')].positions, &mut changes);
        assert!(changes.lost.is_empty() && changes.gained.is_empty());
        assert_eq!(arena.cells[1..4], [256, 256, u32::from('c')]);
    }

    #[test]
    fn counts_beyond_64_bits_are_refused() {
        let mut counts = WordCounts::default();
        counts.add_word(b"abc", u64::MAX / 2);
        let ids = std::array::from_fn(|byte| byte as u32);
        assert_eq!(Arena::new(&counts, &ids).unwrap_err(), Error::CountsTooLarge);
    }
}
