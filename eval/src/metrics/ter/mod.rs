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

pub use self::statistic::TerStatistic;
use crate::metric::{About, Direction, Metric};
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The release of sacrebleu that this agrees with.
const SACREBLEU: &str = "2.6.0";

/// Translation edit rate and its settings, which are those of sacrebleu.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ter {
    /// Separate punctuation and resolve the entities of XML, as tercom does when it normalises.
    pub normalized: bool,
    /// Remove punctuation.
    pub no_punct: bool,
    /// Where the text is normalised, make every ideograph a word; where punctuation is removed,
    /// remove that of Chinese and Japanese too. Alone it does nothing.
    pub asian_support: bool,
    /// Do not lower-case.
    pub case_sensitive: bool,
}

/// Scores segments one after the other and keeps its memory between them.
#[derive(Debug)]
pub struct TerScorer<'a> {
    settings: &'a Ter,
    search: search::Search,
}

impl Ter {
    /// A scorer for many segments.
    pub fn scorer(&self) -> TerScorer<'_> {
        TerScorer { settings: self, search: search::Search::default() }
    }

    /// The statistic of one segment; see [`TerScorer::segment`].
    pub fn segment(&self, hypothesis: &str, references: &[&str]) -> TerStatistic {
        self.scorer().segment(hypothesis, references)
    }
}

impl TerScorer<'_> {
    /// The statistic of one segment: the fewest edits for any reference, and the average length of
    /// the references in words. To an empty reference every word of the hypothesis is an edit.
    /// Without references there are no edits.
    pub fn segment(&mut self, hypothesis: &str, references: &[&str]) -> TerStatistic {
        let hypothesis = tokenizer::normalise(self.settings, hypothesis);
        let hypothesis: Vec<&str> = hypothesis.split(tokenizer::is_space).filter(|word| !word.is_empty()).collect();
        let (mut edits, mut words) = (None, 0);
        for reference in references {
            let reference = tokenizer::normalise(self.settings, reference);
            let reference: Vec<&str> = reference.split(tokenizer::is_space).filter(|word| !word.is_empty()).collect();
            let found = self.search.edits(&hypothesis, &reference);
            edits = Some(edits.unwrap_or(found).min(found));
            words += reference.len();
        }
        TerStatistic::new(edits.unwrap_or(0), words, references.len())
    }
}

impl Metric for Ter {
    type Statistic = TerStatistic;

    const ABOUT: About = About {
        kind: "ter",
        label: "TER",
        summary: "100 × edits, shifts of blocks among them / words of the reference; as sacrebleu's",
        task: "translation",
        columns: &["hypothesis", "references"],
        unit: "",
        direction: Direction::LowerIsBetter,
        segments: "sentences",
        counts: "reference words",
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<TerStatistic>> {
        let hypotheses = rows.strings("hypothesis")?;
        let references = rows.string_lists("references")?;
        let mut scorer = self.scorer();
        let segment = |(row, references): (usize, &Vec<&str>)| match references.is_empty() {
            true => Err(rows.error(row, "no reference: `references` is an empty list")),
            false => Ok(scorer.segment(hypotheses.value(row), references)),
        };
        references.iter().enumerate().map(segment).collect()
    }

    fn value(&self, total: &TerStatistic) -> Option<f64> {
        total.value()
    }

    fn counted(&self, total: &TerStatistic) -> u64 {
        total.reference_words().round() as u64
    }

    fn signature(&self, total: &TerStatistic, _segments: u64, _details: &Details) -> Signature {
        let yes = |is: bool| if is { "yes" } else { "no" };
        Signature::new()
            .with("nrefs", total.references().map_or("var".to_owned(), |references| references.to_string()))
            .with("case", if self.case_sensitive { "mixed" } else { "lc" })
            .with("tok", "tercom")
            .with("norm", yes(self.normalized))
            .with("punct", yes(!self.no_punct))
            .with("asian", yes(self.asian_support))
            .with("version", SACREBLEU)
    }

    fn meaning(&self, value: f64, _details: &Details) -> String {
        format!("{} edits for every 100 words of the reference", significant(value, 3))
    }
}
