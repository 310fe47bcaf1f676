//! Translation edit rate: the edits that make a hypothesis into a reference, over the length of the
//! reference (Snover et al. 2006, "A study of translation edit rate with targeted human
//! annotation").
//!
//! Moving a block of words counts as one edit, like inserting, deleting or substituting a word. The
//! best order of shifts is too hard to find, so every implementation is a greedy search with
//! limits, and the limits are part of the measure: this one finds what sacrebleu 2.6.0 finds, edit
//! for edit.
//!
//! - `tokenizer`: tercom's normalisation
//! - `words`: words as numbers; `search`: the rounds; `shift`: which shifts are looked at
//! - `band`, `beam`: the edit distance as sacrebleu has it; `bits`: the same, faster, where it can
//!
//! What makes it fast and changes nothing: rows of the matrix above a shift are not computed again;
//! a search is over when the words that both sides share allow no shorter distance; a shift that
//! cannot gain more than one that was found is not tried; and sixty-four cells are computed at a
//! time.

mod alignment;
mod band;
mod beam;
mod bits;
#[cfg(test)]
mod plain;
mod search;
mod shift;
mod statistic;
#[cfg(test)]
mod tests;
mod tokenizer;
mod words;

use serde::Deserialize;
use tessera_datasets::Result;

pub use statistic::TerStatistic;

use super::tokenize::whitespace;
use super::translation::{self, REFERENCE_VERSION, TASK};
use crate::metric::{About, Direction, Metric};
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Translation edit rate and its settings, which are those of sacrebleu.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ter {
    /// Whether punctuation is separated and the entities of XML are resolved, as tercom does when
    /// it normalises.
    pub normalized: bool,
    /// Whether punctuation is removed.
    pub no_punct: bool,
    /// Whether, where text is normalised, every ideograph is a word, and where punctuation is
    /// removed, that of Chinese and Japanese is too. Alone it does nothing.
    pub asian_support: bool,
    /// Whether upper and lower case are different.
    pub case_sensitive: bool,
}

/// What a search keeps from one sentence to the next, so that it need not be made again.
#[derive(Debug, Default)]
pub struct Workspace {
    search: search::Search,
}

impl Ter {
    /// The statistic of a sentence: the fewest edits for any reference, and the average length of
    /// the references in words. To an empty reference every word of the hypothesis is an edit.
    /// There must be a reference; without one there are no edits.
    pub fn segment(&self, workspace: &mut Workspace, hypothesis: &str, references: &[&str]) -> TerStatistic {
        let hypothesis = tokenizer::normalise(self, hypothesis);
        let hypothesis: Vec<&str> = whitespace::split(&hypothesis).collect();
        let (mut edits, mut words) = (None, 0);
        for reference in references {
            let reference = tokenizer::normalise(self, reference);
            let reference: Vec<&str> = whitespace::split(&reference).collect();
            let found = workspace.search.edits(&hypothesis, &reference);
            edits = Some(edits.unwrap_or(found).min(found));
            words += reference.len();
        }
        TerStatistic::new(edits.unwrap_or(0), words, references)
    }

    /// Edits for every hundred words of the references; 100 where there are edits and no reference
    /// words, 0 where there is neither.
    pub fn score(&self, total: &TerStatistic) -> f64 {
        let words = total.reference_words();
        match (words > 0.0, total.edits) {
            (true, edits) => 100.0 * (edits as f64 / words),
            (false, 0) => 0.0,
            (false, _) => 100.0,
        }
    }

    /// The score in single precision, in which sacrebleu computes it of what it resamples.
    pub fn resampled_score(&self, total: &TerStatistic) -> f64 {
        let words = total.reference_words() as f32;
        match words > 0.0 {
            true => f64::from(100.0 * (total.edits as f32 / words)),
            false => self.score(total),
        }
    }

    /// The parts of the signature between the references and the version, in sacrebleu's order.
    pub fn settings(&self, signature: Signature) -> Signature {
        let yes = |is: bool| if is { "yes" } else { "no" };
        signature
            .with("case", if self.case_sensitive { "mixed" } else { "lc" })
            .with("tok", "tercom")
            .with("norm", yes(self.normalized))
            .with("punct", yes(!self.no_punct))
            .with("asian", yes(self.asian_support))
    }
}

impl Metric for Ter {
    type Statistic = TerStatistic;

    const ABOUT: About = About {
        kind: "ter",
        label: "TER",
        summary: "edits, among them shifts of blocks, / words of the reference, as sacrebleu 2.6.0; keys: normalized, no_punct, asian_support, case_sensitive",
        tasks: &[TASK],
        columns: &["hypothesis", "references"],
        unit: "",
        direction: Direction::LowerIsBetter,
        counts: "reference words",
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<TerStatistic>> {
        let mut workspace = Workspace::default();
        translation::read(rows, |hypothesis, references| self.segment(&mut workspace, hypothesis, references))
    }

    fn value(&self, total: &TerStatistic) -> Option<f64> {
        (total.reference_words() > 0.0).then(|| self.score(total))
    }

    fn counted(&self, total: &TerStatistic) -> u64 {
        total.reference_words().round() as u64
    }

    fn signature(&self, total: &TerStatistic, segments: u64, _: &Details) -> Signature {
        self.settings(Signature::new().with("nrefs", total.references))
            .with("sentences", segments)
            .with("refs", total.references.digest())
            .with("as", format_args!("sacrebleu-{REFERENCE_VERSION}"))
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let edits = significant(value, 3);
        format!(
            "about {edits} edits for every 100 words of the reference make the translations into it (a word inserted, \
             deleted or replaced, or some words moved together)"
        )
    }
}
