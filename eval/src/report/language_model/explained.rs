//! What the model would have said: candidates and their probabilities at every position of a few
//! windows, as `predict` writes them to `explanations/<split>`.

use std::path::Path;

use serde::Serialize;
use tessera_datasets::manifest::MANIFEST;
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Result, ResultExt};

use super::rounded;
use crate::rows::Rows;

/// The `name` of the explanations that hold candidates.
const CANDIDATES: &str = "candidates";
/// Windows that are shown, at most.
const MOST_STRIPS: usize = 6;
/// Tokens of a window that are shown, at most.
const MOST_TOKENS: usize = 256;
/// Candidates of a position that are shown, at most.
const MOST_CANDIDATES: usize = 6;
/// Guesses are taken at these quantiles of the loss: from the surest to the most surprised.
const QUANTILES: [f64; 6] = [0.05, 0.3, 0.55, 0.75, 0.9, 0.985];
/// Characters before a guess that are shown.
const PREFIX: usize = 44;

/// Windows with what the model would have said.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explained {
    /// The windows.
    pub strips: Vec<Strip>,
    /// A few positions, from one where the model is sure to one where it is surprised.
    pub guesses: Vec<Guess>,
    /// Explanations that this report does not show.
    pub others: u64,
}

/// A window, token by token.
#[derive(Clone, Debug, Serialize)]
pub struct Strip {
    /// The row.
    pub id: String,
    /// Its first token in the split, where the predictions have this row.
    pub offset: Option<u64>,
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Whether there are more.
    pub cut: bool,
    #[serde(skip)]
    whole: usize,
}

/// A token with the guesses at its place.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// The token that stood there, as a person reads it.
    pub text: String,
    /// Its loss in nats, where it was scored.
    pub nll: Option<f64>,
    /// What the model would have said, the most probable first.
    pub candidates: Vec<Candidate>,
}

/// A token that the model would have said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// The token as a person reads it.
    pub text: String,
    /// Its probability.
    pub p: f64,
}

/// One position, set out.
#[derive(Clone, Debug, Serialize)]
pub struct Guess {
    /// The number of the strip.
    pub strip: usize,
    /// The position in it, from 1.
    pub position: usize,
    /// The end of the text before it.
    pub before: String,
    /// The token that stood there.
    pub truth: String,
    /// Its loss in nats.
    pub nll: f64,
    /// Its probability.
    pub p: f64,
    /// Its place among the candidates, from 1, where it is one.
    pub rank: Option<usize>,
    /// What the model would have said.
    pub candidates: Vec<Candidate>,
}

impl Explained {
    /// Reads the explanations of a split; nothing where there are none.
    ///
    /// # Errors
    /// When there are some and they are not what they should be.
    pub(super) fn read(dir: &Path, split: &str) -> Result<Self> {
        let mut explained = Self::default();
        if !dir.join(MANIFEST).is_file() {
            return Ok(explained);
        }
        let dataset = Dataset::open_kind(dir, Kind::Explanations)?;
        dataset.verify()?;
        let mut first = 0;
        for batch in dataset.batches(split, &[])? {
            let batch = batch?;
            explained.read_rows(&Rows::new(&batch, "the report", first)).at(dir)?;
            first += batch.num_rows() as u64;
        }
        Ok(explained)
    }

    fn read_rows(&mut self, rows: &Rows<'_>) -> Result<()> {
        let (ids, names) = (rows.strings("id")?, rows.strings("name")?);
        let (truths, candidates) = (rows.string_lists("row_labels")?, rows.string_lists("column_labels")?);
        let (shapes, values) = (rows.u32_lists("shape")?, rows.f32_lists("values")?);
        for i in 0..rows.len() {
            if names.value(i) != CANDIDATES {
                self.others += 1;
            } else if self.strips.len() < MOST_STRIPS {
                let array = Array { truth: &truths[i], names: &candidates[i], shape: shapes[i], values: values[i] };
                let strip = array.strip(ids.value(i)).map_err(|message| rows.error(i, message))?;
                self.strips.push(strip);
            }
        }
        Ok(())
    }

    /// Joins the losses of a window to its strip.
    pub(super) fn add_losses(&mut self, id: &str, offset: u64, token_nll: &[f32]) {
        let Some(strip) = self.strips.iter_mut().find(|strip| strip.id == id) else {
            return;
        };
        strip.offset = Some(offset);
        // where windows overlap, only their last tokens are scored
        let before = strip.whole.saturating_sub(token_nll.len());
        for (token, nll) in strip.tokens.iter_mut().skip(before).zip(token_nll) {
            token.nll = Some(rounded((*nll).into()));
        }
    }

    /// The tokens of a window, where it is one of those explained and was shown whole.
    pub(super) fn labels_of(&self, id: &str, tokens: usize) -> Option<Vec<String>> {
        let strip = self.strips.iter().find(|strip| strip.id == id && strip.tokens.len() == tokens)?;
        Some(strip.tokens.iter().map(|token| token.text.clone()).collect())
    }

    /// Sets a few positions out, spread over how surprised the model was.
    pub(super) fn choose(&mut self) {
        let mut places: Vec<(f64, usize, usize)> = Vec::new();
        for (s, strip) in self.strips.iter().enumerate() {
            // without some text before it a guess tells a reader nothing
            let first = (strip.tokens.len() / 4).min(12);
            let scored = strip.tokens.iter().enumerate().skip(first);
            places.extend(scored.filter_map(|(t, token)| Some((token.nll?, s, t))));
        }
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        if places.is_empty() {
            return;
        }
        let mut chosen: Vec<usize> =
            QUANTILES.iter().map(|q| (q * (places.len() - 1) as f64).round() as usize).collect();
        chosen.dedup();
        self.guesses = chosen.into_iter().map(|i| self.guess(places[i].1, places[i].2)).collect();
    }

    fn guess(&self, s: usize, t: usize) -> Guess {
        let token = &self.strips[s].tokens[t];
        let before: String = self.strips[s].tokens[..t].iter().map(|token| token.text.as_str()).collect();
        let skipped = before.chars().count().saturating_sub(PREFIX);
        let nll = token.nll.unwrap_or(0.0);
        Guess {
            strip: s,
            position: t + 1,
            before: before.chars().skip(skipped).collect(),
            truth: token.text.clone(),
            nll,
            p: rounded((-nll).exp()),
            rank: token.candidates.iter().position(|c| c.text == token.text).map(|i| i + 1),
            candidates: token.candidates.clone(),
        }
    }
}

/// One row of the explanations.
struct Array<'a> {
    /// The tokens that stood there.
    truth: &'a [&'a str],
    /// The candidates of all positions, one position after the other.
    names: &'a [&'a str],
    /// Positions and candidates at each.
    shape: &'a [u32],
    /// The probabilities of the candidates.
    values: &'a [f32],
}

impl Array<'_> {
    /// The array as a strip, or what is wrong with it.
    fn strip(&self, id: &str) -> Result<Strip, String> {
        let (tokens, k) = match self.shape {
            [tokens, k] => (*tokens as usize, *k as usize),
            other => return Err(format!("`shape` is {other:?}, not [tokens, candidates]")),
        };
        let (rows, columns, values) = (self.truth.len(), self.names.len(), self.values.len());
        let expected = tokens.checked_mul(k);
        if rows != tokens || Some(columns) != expected || Some(values) != expected {
            return Err(format!(
                "`shape` is [{tokens}, {k}], but there are {rows} row labels, {columns} column labels and {values} values"
            ));
        }
        if let Some(wrong) = self.values.iter().find(|p| !(0.0..=1.0 + 1e-3).contains(*p)) {
            return Err(format!("`values` holds {wrong}, which is no probability"));
        }
        let shown = self.truth.iter().take(MOST_TOKENS).enumerate();
        let token = |(t, text): (usize, &&str)| Token {
            text: (*text).to_owned(),
            nll: None,
            candidates: self.candidates(t * k, k),
        };
        Ok(Strip {
            id: id.to_owned(),
            offset: None,
            tokens: shown.map(token).collect(),
            cut: tokens > MOST_TOKENS,
            whole: tokens,
        })
    }

    /// The most probable of the `k` candidates from place `first` on.
    fn candidates(&self, first: usize, k: usize) -> Vec<Candidate> {
        let pairs = self.names[first..first + k].iter().zip(&self.values[first..first + k]);
        let candidate = |(text, p): (&&str, &f32)| Candidate { text: (*text).to_owned(), p: rounded((*p).into()) };
        let mut found: Vec<Candidate> = pairs.map(candidate).collect();
        found.sort_by(|a, b| b.p.total_cmp(&a.p));
        found.truncate(MOST_CANDIDATES);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(tokens: usize) -> Strip {
        let token = |i: usize| Token {
            text: format!("{i}"),
            nll: None,
            candidates: vec![Candidate { text: "0".to_owned(), p: 0.5 }],
        };
        Strip { id: "a".to_owned(), offset: None, tokens: (0..tokens).map(token).collect(), cut: false, whole: tokens }
    }

    #[test]
    fn losses_belong_to_the_last_tokens() {
        let mut explained = Explained { strips: vec![strip(4)], ..Explained::default() };
        explained.add_losses("b", 0, &[9.0]);
        explained.add_losses("a", 7, &[1.0, 2.0]);
        let nll: Vec<Option<f64>> = explained.strips[0].tokens.iter().map(|t| t.nll).collect();
        assert_eq!(nll, [None, None, Some(1.0), Some(2.0)]);
        assert_eq!(explained.strips[0].offset, Some(7));
    }

    #[test]
    fn guesses_go_from_sure_to_surprised() {
        let mut explained = Explained { strips: vec![strip(40)], ..Explained::default() };
        let nll: Vec<f32> = (0..40).map(|i| (i * 7 % 40) as f32 / 10.0).collect();
        explained.add_losses("a", 0, &nll);
        explained.choose();
        assert_eq!(explained.guesses.len(), QUANTILES.len());
        assert!(explained.guesses.windows(2).all(|pair| pair[0].nll < pair[1].nll));
        assert!(explained.guesses.iter().all(|g| g.position > 10 && g.rank.is_none()));
    }

    #[test]
    fn candidates_are_sorted_and_must_be_probabilities() {
        let array =
            |values: &'static [f32]| Array { truth: &["a", "b"], names: &["a", "c", "d", "b"], shape: &[2, 2], values };
        let strip = array(&[0.5, 0.25, 0.25, 0.75]).strip("x").unwrap();
        let names: Vec<&str> = strip.tokens[1].candidates.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(names, ["b", "d"]);
        assert!(array(&[0.5, 0.5, f32::NAN, 0.5]).strip("x").unwrap_err().contains("NaN"));
        assert!(array(&[0.5, 0.5, 0.5]).strip("x").unwrap_err().contains("3 values"));
    }

    #[test]
    fn nothing_explained_is_nothing_chosen() {
        let mut explained = Explained::default();
        explained.choose();
        assert!(explained.guesses.is_empty());
    }
}
