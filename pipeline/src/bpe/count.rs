//! Counting words: the half of training that merges.

use std::num::NonZeroUsize;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::pretoken::pre_tokens;

/// How words are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountOptions {
    /// The longest word in bytes; a longer one is cut into pieces of at most this length.
    ///
    /// Text without spaces (some scripts, base64, protein sequences) otherwise makes words of
    /// megabytes that occur once and teach nothing. Cuts fall between characters, save where one
    /// character alone is longer. Default: 1024.
    pub longest_word: NonZeroUsize,
    /// Whether a text that does not start with a space is counted as if it did, so that its first
    /// word is the same as elsewhere: `add_prefix_space` of Hugging Face. Default: false.
    pub prefix_space: bool,
}

impl Default for CountOptions {
    fn default() -> Self {
        const LONGEST_WORD: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
        Self { longest_word: LONGEST_WORD, prefix_space: false }
    }
}

/// How often each word occurs in a corpus, or in a part of one.
///
/// Two counts of two parts [merge](Self::merge) into the count of both, in any order.
#[derive(Debug, Clone, Default)]
pub struct WordCounts {
    options: CountOptions,
    counts: FxHashMap<Box<[u8]>, u64>,
    cut_words: u64,
    /// The summed length of the distinct words, in bytes.
    distinct_bytes: usize,
    /// Where a text is put together with the space before it.
    prefixed: String,
}

/// Counts are equal when every word occurs equally often; how they were made does not matter.
impl PartialEq for WordCounts {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts && self.cut_words == other.cut_words
    }
}

impl Eq for WordCounts {}

impl WordCounts {
    /// Counts of nothing.
    pub fn new(options: CountOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Counts `texts` on all threads of the current rayon pool.
    pub fn of_texts<T: AsRef<str> + Sync>(texts: &[T], options: CountOptions) -> Self {
        texts
            .par_iter()
            .fold(
                || Self::new(options),
                |mut counts, text| {
                    counts.add_text(text.as_ref());
                    counts
                },
            )
            .reduce(|| Self::new(options), Self::merge)
    }

    /// Adds the words of one text. No word reaches over the end of a text into the next.
    pub fn add_text(&mut self, text: &str) {
        if !self.options.prefix_space || text.is_empty() || text.starts_with(' ') {
            return self.add_words(text);
        }
        let mut prefixed = std::mem::take(&mut self.prefixed);
        prefixed.clear();
        prefixed.push(' ');
        prefixed.push_str(text);
        self.add_words(&prefixed);
        self.prefixed = prefixed;
    }

    fn add_words(&mut self, text: &str) {
        let longest = self.options.longest_word.get();
        for word in pre_tokens(text) {
            if word.len() <= longest {
                self.add_word(word.as_bytes(), 1);
            } else {
                self.add_in_pieces(word);
            }
        }
    }

    /// Adds `count` occurrences of one word, as it is: from counts that were written out earlier.
    pub fn add_word(&mut self, word: &[u8], count: u64) {
        if word.is_empty() || count == 0 {
            return;
        }
        if let Some(known) = self.counts.get_mut(word) {
            *known = known.saturating_add(count);
        } else {
            self.distinct_bytes += word.len();
            self.counts.insert(word.into(), count);
        }
    }

    #[cold]
    fn add_in_pieces(&mut self, word: &str) {
        let longest = self.options.longest_word.get();
        self.cut_words += 1;
        let mut rest = word;
        while rest.len() > longest {
            let mut end = longest;
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            if end == 0 {
                end = rest.chars().next().map_or(rest.len(), char::len_utf8);
            }
            self.add_word(&rest.as_bytes()[..end], 1);
            rest = &rest[end..];
        }
        self.add_word(rest.as_bytes(), 1);
    }

    /// The counts of two parts together. The options are those of `self`.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let options = self.options;
        let (mut large, small) = if self.counts.len() < other.counts.len() { (other, self) } else { (self, other) };
        large.options = options;
        large.cut_words += small.cut_words;
        for (word, count) in small.counts {
            if let Some(known) = large.counts.get_mut(&word) {
                *known = known.saturating_add(count);
            } else {
                large.distinct_bytes += word.len();
                large.counts.insert(word, count);
            }
        }
        large
    }

    /// How the words were counted.
    pub fn options(&self) -> CountOptions {
        self.options
    }

    /// How many distinct words there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no word was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How often `word` occurs.
    pub fn get(&self, word: &[u8]) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// How many words were longer than [`CountOptions::longest_word`], and were cut.
    pub fn cut_words(&self) -> u64 {
        self.cut_words
    }

    /// The summed length of the distinct words, in bytes: the size of the problem for the trainer.
    pub fn distinct_bytes(&self) -> usize {
        self.distinct_bytes
    }

    /// The words with their counts, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.counts.iter().map(|(word, &count)| (&**word, count))
    }

    /// The words with their counts, sorted by their bytes: the same list whatever the order in
    /// which texts were added and parts merged.
    pub fn into_sorted(self) -> Vec<(Box<[u8]>, u64)> {
        let mut words: Vec<_> = self.counts.into_iter().collect();
        words.sort_unstable();
        words
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::any_text;
    use super::*;
    use proptest::prelude::*;

    fn count(texts: &[String]) -> WordCounts {
        let mut counts = WordCounts::default();
        for text in texts {
            counts.add_text(text);
        }
        counts
    }

    fn options(longest_word: usize) -> CountOptions {
        let longest_word = NonZeroUsize::new(longest_word).unwrap();
        CountOptions { longest_word, ..CountOptions::default() }
    }

    #[test]
    fn words_are_counted() {
        let counts = count(&["the cat the".into(), "the".into()]);
        let expected: [(Box<[u8]>, u64); 3] = [((*b" cat").into(), 1), ((*b" the").into(), 1), ((*b"the").into(), 2)];
        assert_eq!((counts.len(), counts.distinct_bytes()), (3, 11));
        assert_eq!(counts.get(b"the"), 2);
        assert_eq!(counts.get(b"dog"), 0);
        assert_eq!(counts.into_sorted(), expected);
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let mut counts = WordCounts::new(options(5));
        counts.add_text("abcdefghijkl 漢字漢字 short");
        let words: Vec<_> = counts.iter().map(|(word, _)| word.len()).collect();
        assert!(words.iter().all(|&length| length <= 5), "{words:?}");
        assert_eq!(counts.cut_words(), 3);
        assert_eq!(counts.get(b"abcde"), 1);
        assert_eq!(counts.get(b"kl"), 1);
        assert_eq!(counts.get(" 漢".as_bytes()), 1);
        assert_eq!(counts.get("字".as_bytes()), 2);
        assert_eq!(counts.get("漢".as_bytes()), 1);
    }

    #[test]
    fn a_character_longer_than_the_longest_word_stays_whole() {
        let mut counts = WordCounts::new(options(2));
        counts.add_text("漢字");
        assert_eq!((counts.get("漢".as_bytes()), counts.get("字".as_bytes())), (1, 1));
        assert_eq!(counts.cut_words(), 1);
    }

    #[test]
    fn counts_saturate_and_empty_words_do_not_count() {
        let mut counts = WordCounts::default();
        counts.add_word(b"a", u64::MAX);
        counts.add_word(b"a", 2);
        counts.add_word(b"", 2);
        counts.add_word(b"b", 0);
        assert_eq!((counts.len(), counts.get(b"a")), (1, u64::MAX));
    }

    proptest! {
        #[test]
        fn merged_parts_are_the_whole(
            texts in proptest::collection::vec(any_text(), 0..12), cut in 0_usize..12,
        ) {
            let whole = count(&texts);
            let (left, right) = texts.split_at(cut.min(texts.len()));
            prop_assert_eq!(&count(left).merge(count(right)), &whole);
            prop_assert_eq!(&count(right).merge(count(left)), &whole);
            prop_assert_eq!(&WordCounts::of_texts(&texts, CountOptions::default()), &whole);
            prop_assert_eq!(
                count(left).merge(count(right)).distinct_bytes(),
                whole.distinct_bytes()
            );
        }

        #[test]
        fn order_of_texts_does_not_matter(
            texts in proptest::collection::vec(any_text(), 0..12),
        ) {
            let mut backwards = texts.clone();
            backwards.reverse();
            prop_assert_eq!(count(&texts).into_sorted(), count(&backwards).into_sorted());
        }

        #[test]
        fn cutting_loses_no_bytes(text in any_text(), longest in 1_usize..9) {
            let mut counts = WordCounts::new(options(longest));
            counts.add_text(&text);
            let bytes: u64 = counts.iter().map(|(word, count)| word.len() as u64 * count).sum();
            prop_assert_eq!(bytes, text.len() as u64);
        }
    }
}
