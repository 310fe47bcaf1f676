//! How a model translates: what its BLEU is made of, which lengths it can do, sentences to read,
//! what looks wrong, and where its heads look.

mod attention;
mod difference;
mod examples;
mod habit;
mod lengths;
mod ngrams;
mod oddities;
mod paired;
mod sentence;
mod words;

use std::path::Path;

use serde::Serialize;
use tessera_datasets::Result;

pub use attention::{Attended, Attention, AttentionMap, Head, Layer};
pub use difference::{Difference, Mark, Run};
pub use examples::{Example, Examples};
pub use lengths::Length;
pub use ngrams::{Ngrams, Order};
pub use oddities::Oddity;
pub use paired::{Apart, Paired, Refused, Test, Wording};

pub(super) use ngrams::formula;
pub(super) use paired::Side;
pub(super) use sentence::{Sentence, Worth};

use crate::bootstrap::Bootstrap;
use crate::metric::Tally;
use crate::metrics::bleu::Bleu;
use crate::predictions::Predictions;
use crate::rows::Rows;
use crate::score::Score;

/// The `task` of the predictions that this section is about.
pub(super) const TASK: &str = "translation";

/// What the predictions of a translation show beyond their scores.
#[derive(Clone, Debug, Serialize)]
pub struct Translation {
    /// The language of the sources, such as `en`.
    pub source_language: Option<String>,
    /// The language of the translations.
    pub target_language: Option<String>,
    /// Hypotheses that the search kept at each step; 1 is greedy.
    pub beam: Option<u64>,
    /// The exponent of the length penalty (Wu et al. 2016, equation 14).
    pub length_penalty: Option<f64>,
    /// SHA-256 of the tokenizer.
    pub tokenizer_sha256: Option<String>,
    /// Sentences.
    pub sentences: u64,
    /// The most references that a sentence has.
    pub references: u64,
    /// Tokens of the first references, ends of sentences included.
    pub tokens: u64,
    /// UTF-8 bytes of the first references.
    pub bytes: u64,
    /// What BLEU is made of, where it was scored.
    pub ngrams: Option<Ngrams>,
    /// The score by the length of the source.
    pub by_length: Option<ByLength>,
    /// Sentences to read.
    pub examples: Examples,
    /// What looks wrong.
    pub oddities: Vec<Oddity>,
    /// References that look tokenised, over all references.
    pub tokenised_references: f64,
    /// Where the heads look.
    pub attention: Attention,
    #[serde(skip)]
    pub(super) rows: Vec<Sentence>,
    #[serde(skip)]
    pub(super) worth: Vec<Option<Worth>>,
}

/// One metric by the length of the source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByLength {
    /// The metric's kind.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// Its value over all sentences.
    pub value: f64,
    /// The groups, the shortest sources first.
    pub groups: Vec<Length>,
}

/// The scores of the predictions, with the statistics behind each.
pub(super) struct Scored<'a> {
    pub(super) scores: &'a [Score],
    pub(super) tallies: &'a [Box<dyn Tally>],
    pub(super) bootstrap: &'a Bootstrap,
}

impl Scored<'_> {
    /// BLEU, or else the headline.
    fn of_text(&self) -> Option<(&Score, &dyn Tally)> {
        let place = self.scores.iter().position(|score| score.name == "bleu").unwrap_or(0);
        Some((self.scores.get(place)?, self.tallies.get(place)?.as_ref()))
    }
}

impl Translation {
    /// Reads all predictions once.
    ///
    /// # Errors
    /// When a column is absent or the explanations are not what they should be.
    pub(super) fn read(predictions: &Predictions, explanations: &Path, scored: &Scored<'_>) -> Result<Self> {
        let mut rows = Vec::new();
        predictions
            .each_batch(|batch, first| sentence::read(&Rows::new(batch, "the report", first), first, &mut rows))?;
        let details = predictions.details();
        let by_length = scored.of_text().map(|(score, tally)| ByLength {
            metric: score.name.clone(),
            label: score.label.clone(),
            value: score.value,
            groups: lengths::by_length(&rows, tally, scored.bootstrap),
        });
        let scored_by = scored.tallies.iter().find_map(|tally| tally.metric().downcast_ref::<Bleu>());
        let bleu = scored_by.copied().unwrap_or_default();
        let statistics = sentence::statistics(&rows, &bleu);
        let worth = sentence::worth(&rows, &statistics, &bleu);
        let references = rows.iter().flat_map(|row| &row.references);
        let tokenised = references.clone().filter(|reference| oddities::ends_in_token(reference)).count();
        Ok(Self {
            source_language: details.text("source_language").map(str::to_owned),
            target_language: details.text("target_language").map(str::to_owned),
            beam: details.number("beam"),
            length_penalty: details.real("length_penalty"),
            tokenizer_sha256: details.text("tokenizer_sha256").map(str::to_owned),
            sentences: rows.len() as u64,
            references: rows.iter().map(|row| row.references.len() as u64).max().unwrap_or(0),
            tokens: rows.iter().map(|row| row.tokens).sum(),
            bytes: rows.iter().map(|row| row.bytes).sum(),
            ngrams: scored_by.map(|bleu| Ngrams::of(bleu, &statistics)),
            by_length,
            examples: Examples::choose(&rows, &worth),
            oddities: oddities::find(&rows),
            tokenised_references: tokenised as f64 / references.count().max(1) as f64,
            attention: Attention::read(explanations, predictions.split(), &rows)?,
            rows,
            worth,
        })
    }

    /// UTF-8 bytes per token; none where nothing was scored.
    pub fn bytes_per_token(&self) -> Option<f64> {
        (self.tokens > 0).then(|| self.bytes as f64 / self.tokens as f64)
    }

    /// How it was searched, in words.
    pub fn search(&self) -> String {
        match (self.beam, self.length_penalty) {
            (Some(1), _) => "greedy search".to_owned(),
            (Some(beam), Some(penalty)) => format!("beam search with {beam} hypotheses, length penalty {penalty}"),
            (Some(beam), None) => format!("beam search with {beam} hypotheses"),
            (None, _) => "a search that the predictions do not describe".to_owned(),
        }
    }
}

/// A number in as many digits as are worth storing.
fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
