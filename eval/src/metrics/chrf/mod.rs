//! chrF and chrF++ as sacrebleu 2.6.0 computes them (Popović, "chrF: character n-gram F-score for
//! automatic MT evaluation", 2015, and "chrF++: words helping character n-grams", 2017).

mod score;
mod statistic;
#[cfg(test)]
mod tests;
mod words;

use serde::Deserialize;
use tessera_datasets::{Error, Result};

pub use statistic::{ChrfStatistic, Counts, MOST_ORDERS};

use super::ngrams::{NgramTree, Vocabulary, ngrams_in};
use super::tokenize::whitespace;
use super::translation::{self, REFERENCE_VERSION, References, TASK};
use crate::metric::{About, Direction, Metric};
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The longest n-grams of characters that can be asked for.
const MOST_CHARACTERS: usize = 8;
/// The longest n-grams of words.
const MOST_WORDS: usize = MOST_ORDERS - MOST_CHARACTERS;
/// The largest weight of recall.
const MOST_BETA: u32 = 100;

/// chrF with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Settings")]
pub struct Chrf {
    /// The longest n-grams of characters, from 1 to 8, usually 6.
    pub char_order: usize,
    /// The longest n-grams of words, at most 4: 0 is chrF, 2 is chrF++.
    pub word_order: usize,
    /// How many times recall weighs as much as precision, usually 2.
    pub beta: u32,
    /// Whether upper and lower case are the same.
    pub lowercase: bool,
    /// Whether spaces are characters.
    pub whitespace: bool,
    /// Whether the F-scores of all orders are averaged, instead of precision and recall of those
    /// that occur.
    pub epsilon_smoothing: bool,
}

/// The keys of the config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    char_order: usize,
    word_order: usize,
    beta: u32,
    lowercase: bool,
    whitespace: bool,
    epsilon_smoothing: bool,
}

/// What counting keeps from one sentence to the next, so that it need not be made again.
#[derive(Debug, Default)]
pub struct Workspace {
    vocabulary: Vocabulary,
    ngrams: NgramTree,
    hypothesis: Symbols,
    reference: Symbols,
}

/// A sentence as numbers.
#[derive(Debug, Default)]
struct Symbols {
    characters: Vec<u32>,
    words: Vec<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let Chrf { char_order, word_order, beta, lowercase, whitespace, epsilon_smoothing } = Chrf::default();
        Self { char_order, word_order, beta, lowercase, whitespace, epsilon_smoothing }
    }
}

impl TryFrom<Settings> for Chrf {
    type Error = Error;

    fn try_from(settings: Settings) -> Result<Self> {
        let Settings { char_order, word_order, beta, lowercase, whitespace, epsilon_smoothing } = settings;
        let limits = [
            ("char_order", char_order, 1, MOST_CHARACTERS),
            ("word_order", word_order, 0, MOST_WORDS),
            ("beta", beta as usize, 1, MOST_BETA as usize),
        ];
        for (key, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return Err(Error::input(format!("`{key}` is {value}, not from {least} to {most}")));
            }
        }
        Ok(Self { char_order, word_order, beta, lowercase, whitespace, epsilon_smoothing })
    }
}

impl Default for Chrf {
    fn default() -> Self {
        Self { char_order: 6, word_order: 0, beta: 2, lowercase: false, whitespace: false, epsilon_smoothing: false }
    }
}

impl Chrf {
    /// chrF with these orders and weight.
    ///
    /// # Errors
    /// When one is out of its range.
    pub fn new(char_order: usize, word_order: usize, beta: u32) -> Result<Self> {
        Settings { char_order, word_order, beta, ..Settings::default() }.try_into()
    }

    /// What people call it: `chrF2`, `chrF2++`.
    pub fn name(&self) -> String {
        format!("chrF{}{}", self.beta, "+".repeat(self.word_order))
    }

    /// The statistic of a sentence: that of the reference with the best score, the first of those
    /// that are as good.
    pub fn segment(&self, workspace: &mut Workspace, hypothesis: &str, references: &[&str]) -> ChrfStatistic {
        let Workspace { vocabulary, ngrams, hypothesis: ours, reference: theirs } = workspace;
        ours.read(self, vocabulary, hypothesis);
        let mut best = ChrfStatistic::default();
        let mut best_score = -1.0;
        for reference in references {
            theirs.read(self, vocabulary, reference);
            let mut found = ChrfStatistic::default();
            let (characters, words) = found.orders[..self.orders()].split_at_mut(self.char_order);
            count(ngrams, &ours.characters, &theirs.characters, characters);
            count(ngrams, &ours.words, &theirs.words, words);
            let score = self.score(&found);
            if score > best_score {
                (best, best_score) = (found, score);
            }
        }
        best.references = References::of(references);
        best
    }

    /// chrF of merged statistics, from 0 to 100.
    pub fn score(&self, total: &ChrfStatistic) -> f64 {
        score::f_score(self, &total.orders[..self.orders()], |value| value)
    }

    /// chrF in single precision, in which sacrebleu computes it of the statistics that it
    /// resamples.
    pub fn resampled_score(&self, total: &ChrfStatistic) -> f64 {
        // an operation of f32 is that of f64, rounded
        score::f_score(self, &total.orders[..self.orders()], |value| f64::from(value as f32))
    }

    /// The parts of the signature between the references and the version, in sacrebleu's order.
    pub fn settings(&self, signature: Signature) -> Signature {
        let yes = |is: bool| if is { "yes" } else { "no" };
        signature
            .with("case", if self.lowercase { "lc" } else { "mixed" })
            .with("eff", yes(!self.epsilon_smoothing))
            .with("nc", self.char_order)
            .with("nw", self.word_order)
            .with("space", yes(self.whitespace))
    }

    fn orders(&self) -> usize {
        self.char_order + self.word_order
    }
}

impl Symbols {
    fn read(&mut self, chrf: &Chrf, vocabulary: &mut Vocabulary, text: &str) {
        match chrf.lowercase {
            true => self.read_cased(chrf, vocabulary, &text.to_lowercase()),
            false => self.read_cased(chrf, vocabulary, text),
        }
    }

    fn read_cased(&mut self, chrf: &Chrf, vocabulary: &mut Vocabulary, text: &str) {
        self.characters.clear();
        let kept = text.chars().filter(|c| chrf.whitespace || !whitespace::is_space(*c));
        self.characters.extend(kept.map(u32::from));
        self.words.clear();
        if chrf.word_order > 0 {
            words::each_word(text, |word| self.words.push(vocabulary.number(word)));
        }
    }
}

/// The counts of every order of two sequences.
fn count(ngrams: &mut NgramTree, hypothesis: &[u32], reference: &[u32], counts: &mut [Counts]) {
    let mut matches = [0; MOST_ORDERS];
    ngrams.clear();
    ngrams.add_reference(reference, counts.len());
    ngrams.count_matches(hypothesis, &mut matches[..counts.len()]);
    for ((order, counts), matches) in (1..).zip(counts).zip(matches) {
        counts.reference = ngrams_in(reference.len(), order);
        counts.hypothesis = if counts.reference > 0 { ngrams_in(hypothesis.len(), order) } else { 0 };
        counts.matches = matches;
    }
}

impl Metric for Chrf {
    type Statistic = ChrfStatistic;

    const ABOUT: About = About {
        kind: "chrf",
        label: "chrF",
        summary: "F-score of character n-grams, as sacrebleu 2.6.0; keys: word_order (2 is chrF++), char_order, beta, lowercase, whitespace, epsilon_smoothing",
        tasks: &[TASK],
        columns: &["hypothesis", "references"],
        unit: "",
        direction: Direction::HigherIsBetter,
        counts: "reference characters",
        comparable_across_tokenizers: true,
    };

    fn label(&self) -> String {
        self.name()
    }

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<ChrfStatistic>> {
        let mut workspace = Workspace::default();
        translation::read(rows, |hypothesis, references| self.segment(&mut workspace, hypothesis, references))
    }

    fn value(&self, total: &ChrfStatistic) -> Option<f64> {
        (self.counted(total) > 0).then(|| self.score(total))
    }

    fn counted(&self, total: &ChrfStatistic) -> u64 {
        total.orders[0].reference
    }

    fn signature(&self, total: &ChrfStatistic, segments: u64, _: &Details) -> Signature {
        self.settings(Signature::new().with("nrefs", total.references))
            .with("beta", self.beta)
            .with("sentences", segments)
            .with("refs", total.references.digest())
            .with("as", format_args!("sacrebleu-{REFERENCE_VERSION}"))
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let with_words = match self.word_order {
            0 => String::new(),
            n => format!(" and of 1 to {n} words"),
        };
        format!(
            "about {} of 100 runs of 1 to {} characters{with_words} are shared with the reference (F-score, recall \
             weighed {} times as much)",
            significant(value, 3),
            self.char_order,
            self.beta * self.beta
        )
    }
}
