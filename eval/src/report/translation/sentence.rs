//! One row of the predictions of a translation.

use tessera_datasets::Result;

use crate::metrics::bleu::{self, Bleu, BleuStatistic};
use crate::metrics::chrf::{self, Chrf};
use crate::rows::Rows;

/// A sentence, its references and what the model made of it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Sentence {
    /// Its row, from 1.
    pub(in crate::report) row: u64,
    pub(in crate::report) id: String,
    pub(in crate::report) source: String,
    pub(in crate::report) references: Vec<String>,
    pub(in crate::report) hypothesis: String,
    /// What beam search ranked it by.
    pub(in crate::report) score: f64,
    /// Tokens of the first reference.
    pub(in crate::report) tokens: u64,
    /// Bytes of the first reference.
    pub(in crate::report) bytes: u64,
}

/// What a translation is worth by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Worth {
    /// Sentence BLEU, 0 to 100.
    pub(in crate::report) bleu: f64,
    /// Sentence chrF, 0 to 100.
    pub(in crate::report) chrf: f64,
}

/// The statistics of all sentences for BLEU; of one without a reference none.
pub(super) fn statistics(rows: &[Sentence], bleu: &Bleu) -> Vec<Option<BleuStatistic>> {
    let mut workspace = bleu::Workspace::default();
    let statistic = |row: &Sentence| {
        let references = row.given_references();
        (!references.is_empty()).then(|| bleu.segment(&mut workspace, &row.hypothesis, &references))
    };
    rows.iter().map(statistic).collect()
}

/// What every translation is worth by itself; of one without a reference nothing is known.
pub(super) fn worth(rows: &[Sentence], statistics: &[Option<BleuStatistic>], bleu: &Bleu) -> Vec<Option<Worth>> {
    let chrf = Chrf::default();
    let mut workspace = chrf::Workspace::default();
    let worth = |(row, statistic): (&Sentence, &Option<BleuStatistic>)| {
        let counts = chrf.segment(&mut workspace, &row.hypothesis, &row.given_references());
        Some(Worth { bleu: bleu.sentence_score(statistic.as_ref()?).score, chrf: chrf.score(&counts) })
    };
    rows.iter().zip(statistics).map(worth).collect()
}

impl Sentence {
    /// The references that are not empty.
    fn given_references(&self) -> Vec<&str> {
        self.references.iter().map(String::as_str).filter(|reference| !reference.trim().is_empty()).collect()
    }
}

/// Reads some rows.
///
/// # Errors
/// When a column is absent or of another type.
pub(super) fn read(rows: &Rows<'_>, first: u64, into: &mut Vec<Sentence>) -> Result<()> {
    let (ids, sources, hypotheses) = (rows.strings("id")?, rows.strings("source")?, rows.strings("hypothesis")?);
    let (references, scores) = (rows.string_lists("references")?, rows.f64s("score")?);
    let (tokens, bytes) = (rows.u32s("tokens")?, rows.u32s("bytes")?);
    for (i, references) in references.into_iter().enumerate() {
        if !scores[i].is_finite() {
            return Err(rows.error(i, format!("`score` is {}", scores[i])));
        }
        into.push(Sentence {
            row: first + i as u64 + 1,
            id: ids.value(i).to_owned(),
            source: sources.value(i).to_owned(),
            references: references.into_iter().map(str::to_owned).collect(),
            hypothesis: hypotheses.value(i).to_owned(),
            score: scores[i],
            tokens: tokens[i].into(),
            bytes: bytes[i].into(),
        });
    }
    Ok(())
}

#[cfg(test)]
impl Sentence {
    /// A sentence without references.
    pub(super) fn plain(source: &str, hypothesis: &str) -> Self {
        Self {
            row: 1,
            id: "a".to_owned(),
            source: source.to_owned(),
            references: Vec::new(),
            hypothesis: hypothesis.to_owned(),
            score: -1.0,
            tokens: 0,
            bytes: 0,
        }
    }
}
