//! Sentences to read: the best, the worst, and some that nobody chose.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

use super::difference::Difference;
use super::sentence::{Sentence, Worth};
use crate::bootstrap::SEED;

/// Sentences of each sort.
const SHOWN: usize = 5;
/// Where there are enough, only references of this many words are candidates for the best and the
/// worst: of two words a model gets all or nothing.
const FEWEST_WORDS: usize = 4;
/// Characters of a text that are shown; beyond is what no one reads.
const MOST_CHARACTERS: usize = 2000;

/// Sentences with their differences to the reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Examples {
    /// The highest sentence BLEU, the highest first; of equals the longest.
    pub best: Vec<Example>,
    /// The lowest sentence BLEU, the lowest first; of equals the one with the lower chrF.
    pub worst: Vec<Example>,
    /// Drawn from the seed of the bootstrap: the same rows for every run on this split.
    pub random: Vec<Example>,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// Its row, from 1.
    pub row: u64,
    /// Its id.
    pub id: String,
    /// The source.
    pub source: String,
    /// Sentence BLEU (exponential smoothing, effective order), 0 to 100.
    pub bleu: f64,
    /// Sentence chrF, 0 to 100.
    pub chrf: f64,
    /// What beam search ranked it by.
    pub score: f64,
    /// References there are; the nearest is shown.
    pub references: u64,
    /// The translation beside the reference.
    pub difference: Difference,
}

impl Examples {
    /// Chooses from sentences with what each is worth; those without reference are no candidates.
    pub(super) fn choose(sentences: &[Sentence], worth: &[Option<Worth>]) -> Self {
        let all: Vec<(usize, Worth)> = worth.iter().enumerate().filter_map(|(i, worth)| Some((i, (*worth)?))).collect();
        let words = |i: usize| sentences[i].references.iter().map(|r| r.split_whitespace().count()).max().unwrap_or(0);
        let long: Vec<(usize, Worth)> = all.iter().copied().filter(|(i, _)| words(*i) >= FEWEST_WORDS).collect();
        let mut ranked = if long.len() >= 2 * SHOWN { long } else { all.clone() };
        let length = |i: usize| sentences[i].source.chars().count();
        let by_worth = |a: &Worth, b: &Worth| a.bleu.total_cmp(&b.bleu).then(a.chrf.total_cmp(&b.chrf));
        // the sort is stable: of equals the first row
        ranked.sort_by(|a, b| by_worth(&b.1, &a.1).then(length(b.0).cmp(&length(a.0))));
        let best: Vec<_> = ranked.iter().copied().take(SHOWN).collect();
        ranked.sort_by(|a, b| by_worth(&a.1, &b.1).then(length(b.0).cmp(&length(a.0))));
        // of a handful of sentences none is shown as both
        let worst: Vec<_> = ranked.iter().copied().filter(|w| best.iter().all(|b| b.0 != w.0)).take(SHOWN).collect();
        let random: Vec<_> = drawn(all.len(), SHOWN).into_iter().map(|i| all[i]).collect();
        let examples = |chosen: Vec<(usize, Worth)>| {
            chosen.into_iter().filter_map(|(i, worth)| Example::of(&sentences[i], worth)).collect()
        };
        Self { best: examples(best), worst: examples(worst), random: examples(random) }
    }
}

impl Example {
    fn of(sentence: &Sentence, worth: Worth) -> Option<Self> {
        let references: Vec<String> = sentence.references.iter().map(|r| shortened(r)).collect();
        Some(Self {
            row: sentence.row,
            id: sentence.id.clone(),
            source: shortened(&sentence.source),
            bleu: worth.bleu,
            chrf: worth.chrf,
            score: sentence.score,
            references: references.len() as u64,
            difference: Difference::of_nearest(&shortened(&sentence.hypothesis), &references)?,
        })
    }
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Up to `count` different numbers below `n`, in order: the first places of a shuffle.
fn drawn(n: usize, count: usize) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut numbers: Vec<usize> = (0..n).collect();
    for i in 0..count.min(n) {
        let other = i + (random.next_u64() % (n - i) as u64) as usize;
        numbers.swap(i, other);
    }
    numbers.truncate(count);
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(count: usize) -> (Vec<Sentence>, Vec<Option<Worth>>) {
        let sentence = |i: usize| Sentence {
            row: i as u64 + 1,
            references: vec!["ein Hund läuft weg".to_owned()],
            ..Sentence::plain(&"a".repeat(i % 3 + 1), "ein Hund rennt weg")
        };
        let worth = |i: usize| Some(Worth { bleu: (i * 7 % 20) as f64, chrf: i as f64 });
        ((0..count).map(sentence).collect(), (0..count).map(worth).collect())
    }

    fn rows(examples: &[Example]) -> Vec<u64> {
        examples.iter().map(|e| e.row).collect()
    }

    #[test]
    fn best_and_worst_by_score_and_the_same_random_ones() {
        let (sentences, worth) = sentences(20);
        let found = Examples::choose(&sentences, &worth);
        assert_eq!(found.best.iter().map(|e| e.bleu).collect::<Vec<_>>(), [19.0, 18.0, 17.0, 16.0, 15.0]);
        assert_eq!(found.worst.iter().map(|e| e.bleu).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(found.random.len(), 5);
        let other = worth.iter().map(|w| w.map(|w| Worth { bleu: 20.0 - w.bleu, ..w })).collect::<Vec<_>>();
        assert_eq!(rows(&found.random), rows(&Examples::choose(&sentences, &other).random));
        assert_eq!(found, Examples::choose(&sentences, &worth));
        assert_eq!(found.best[0].difference.edits, 1);
    }

    #[test]
    fn short_references_and_rows_without_one_are_passed_over() {
        let (mut sentences, mut worth) = sentences(20);
        sentences[3].references = vec!["ja".to_owned()];
        (worth[3], worth[4]) = (Some(Worth { bleu: 100.0, chrf: 100.0 }), None);
        let found = Examples::choose(&sentences, &worth);
        assert!(!rows(&found.best).contains(&4) && !rows(&found.worst).contains(&5));
        let few = Examples::choose(&sentences[..4], &worth[..4]);
        assert_eq!((rows(&few.best)[0], few.worst.len(), few.random.len()), (4, 0, 4));
        assert_eq!(Examples::choose(&[], &[]), Examples::default());
    }

    #[test]
    fn draws_are_different_numbers_in_range() {
        for n in [0, 1, 4, 5, 1000] {
            let numbers = drawn(n, 5);
            assert_eq!(numbers.len(), n.min(5));
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.iter().all(|i| *i < n));
        }
    }
}
