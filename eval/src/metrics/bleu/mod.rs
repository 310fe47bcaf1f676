//! BLEU as sacrebleu 2.6.0 computes it, and says so in its signature.
//!
//! Corpus BLEU comes from merged counts; it is not the mean of the BLEU of sentences.

mod score;
mod smoothing;
mod statistic;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use tessera_datasets::{Error, Result};

pub use score::BleuScore;
pub use smoothing::{Method, Smoothing};
pub use statistic::BleuStatistic;

use super::ngrams::{NgramTree, Vocabulary, ngrams_in};
use super::tokenize::Tokenizer;
use super::translation::{self, REFERENCE_VERSION, References, TASK};
use crate::metric::{About, Direction, Metric};
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The longest n-grams that can be asked for.
pub const MOST_ORDERS: usize = 8;

/// BLEU with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Settings")]
pub struct Bleu {
    /// How text becomes tokens.
    pub tokenizer: Tokenizer,
    /// What is done about orders without a match.
    pub smoothing: Smoothing,
    /// Whether upper and lower case are the same.
    pub lowercase: bool,
    /// Whether orders for which the text is too short are left out, as is usual for sentences.
    pub effective_order: bool,
    /// The longest n-grams, usually 4; at most [`MOST_ORDERS`].
    pub max_order: usize,
}

/// The keys of the config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    tokenize: Tokenizer,
    smooth: Method,
    smooth_value: Option<f64>,
    lowercase: bool,
    effective_order: bool,
    max_order: usize,
}

/// What counting keeps from one sentence to the next, so that it need not be made again.
#[derive(Debug, Default)]
pub struct Workspace {
    words: Vocabulary,
    ngrams: NgramTree,
    tokens: Vec<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tokenize: Tokenizer::default(),
            smooth: Method::default(),
            smooth_value: None,
            lowercase: false,
            effective_order: false,
            max_order: 4,
        }
    }
}

impl TryFrom<Settings> for Bleu {
    type Error = Error;

    fn try_from(settings: Settings) -> Result<Self> {
        if !(1..=MOST_ORDERS).contains(&settings.max_order) {
            let message = format!("`max_order` is {}, not from 1 to {MOST_ORDERS}", settings.max_order);
            return Err(Error::input(message));
        }
        Ok(Self {
            tokenizer: settings.tokenize,
            smoothing: Smoothing::new(settings.smooth, settings.smooth_value)?,
            lowercase: settings.lowercase,
            effective_order: settings.effective_order,
            max_order: settings.max_order,
        })
    }
}

impl Default for Bleu {
    fn default() -> Self {
        Self {
            tokenizer: Tokenizer::default(),
            smoothing: Smoothing::default(),
            lowercase: false,
            effective_order: false,
            max_order: 4,
        }
    }
}

impl Bleu {
    /// The statistic of a sentence. There must be a reference; without one all lengths are 0.
    pub fn segment(&self, workspace: &mut Workspace, hypothesis: &str, references: &[&str]) -> BleuStatistic {
        let Workspace { words, ngrams, tokens } = workspace;
        let mut read = |text: &str, tokens: &mut Vec<u32>| {
            tokens.clear();
            let mut push = |token: &str| tokens.push(words.number(token));
            match self.lowercase {
                true => self.tokenizer.each_token(&text.to_lowercase(), &mut push),
                false => self.tokenizer.each_token(text, &mut push),
            }
        };
        let mut out = BleuStatistic { references: References::of(references), ..BleuStatistic::default() };
        ngrams.clear();
        let mut lengths = Vec::with_capacity(references.len());
        for reference in references {
            read(reference, tokens);
            lengths.push(tokens.len());
            ngrams.add_reference(tokens, self.max_order);
        }
        read(hypothesis, tokens);
        let length = tokens.len();
        ngrams.count_matches(tokens, &mut out.matches[..self.max_order]);
        for (order, total) in (1..=self.max_order).zip(&mut out.totals) {
            *total = ngrams_in(length, order);
        }
        out.hypothesis_length = length as u64;
        let closest = lengths.into_iter().min_by_key(|reference| (reference.abs_diff(length), *reference));
        out.reference_length = closest.unwrap_or(0) as u64;
        out
    }

    /// The parts of the signature between the references and the version, in sacrebleu's order.
    pub fn settings(&self, signature: Signature) -> Signature {
        let signature = signature
            .with("case", if self.lowercase { "lc" } else { "mixed" })
            .with("eff", if self.effective_order { "yes" } else { "no" })
            .with("tok", self.tokenizer)
            .with("smooth", self.smoothing);
        match self.max_order {
            4 => signature,
            // sacrebleu is silent about it
            order => signature.with("order", order),
        }
    }
}

impl Metric for Bleu {
    type Statistic = BleuStatistic;

    const ABOUT: About = About {
        kind: "bleu",
        label: "BLEU",
        summary: "brevity penalty × geometric mean of n-gram precisions, as sacrebleu 2.6.0; keys: tokenize, smooth, smooth_value, lowercase, effective_order, max_order",
        tasks: &[TASK],
        columns: &["hypothesis", "references"],
        unit: "",
        direction: Direction::HigherIsBetter,
        counts: "reference tokens",
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<BleuStatistic>> {
        let mut workspace = Workspace::default();
        translation::read(rows, |hypothesis, references| self.segment(&mut workspace, hypothesis, references))
    }

    fn value(&self, total: &BleuStatistic) -> Option<f64> {
        (total.reference_length > 0).then(|| self.score(total).score)
    }

    fn counted(&self, total: &BleuStatistic) -> u64 {
        total.reference_length
    }

    fn signature(&self, total: &BleuStatistic, segments: u64, _: &Details) -> Signature {
        self.settings(Signature::new().with("nrefs", total.references))
            .with("sentences", segments)
            .with("refs", total.references.digest())
            .with("as", format_args!("sacrebleu-{REFERENCE_VERSION}"))
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let order = self.max_order;
        format!(
            "of 100 runs of 1 to {order} words in the translations about {} are in a reference too (geometric mean over \
             lengths, lowered where translations are too short)",
            significant(value, 3)
        )
    }
}
