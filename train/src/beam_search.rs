//! Beam search over anything that says what may come next.
//!
//! Sentences are searched side by side on the device. A finished sentence leaves the batch, so
//! that the others do not wait for it.
//!
//! How hypotheses are ranked: a finished one scores `log p / lp(n)` with the length penalty of
//! GNMT (Wu et al. 2016, equation 14), `lp(n) = ((5 + n) / 6)^α`, where n counts its tokens with
//! the end. (fairseq divides by `n^α` and Marian too: their α is another.) Each step takes the
//! best `2 · beam` continuations of a sentence by log-probability; among the first `beam` of them
//! those that end are finished, and the others fill the beam again. A sentence is done when no live
//! hypothesis could still beat the worst of the finished ones that are wanted, or at its longest
//! length, where all that is left must end. So the fewer are wanted the sooner it is done, and the
//! best is the same however many are.

use tch::{Device, Tensor};
use tessera_datasets::{Error, Result};

/// `[train.decode]` and its options on the command line: how to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeamSearch {
    /// Hypotheses kept per sentence; 1 is greedy.
    pub beam: usize,
    /// Hypotheses that are wanted of each sentence, at most `beam`.
    pub wanted: usize,
    /// α of the length penalty; 0 ranks by log-probability alone.
    pub length_penalty: f64,
    /// The token that ends a hypothesis, and that every one starts behind.
    pub end: u32,
}

/// A way to end a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Its tokens, without the end.
    pub tokens: Vec<u32>,
    /// The log-probability of each in nats, that of the end included.
    pub token_scores: Vec<f32>,
    /// Their sum.
    pub log_probability: f64,
    /// What it was ranked by: `log_probability` over the length penalty.
    pub score: f64,
}

/// What came of a step: which rows go on, and with what.
pub struct Advance<'a> {
    /// The sentences that are still searched, as numbers among those of the step before; `None`
    /// for all of them.
    pub sentences: Option<&'a Tensor>,
    /// For every row the row of the step before that it goes on from; `None` at the first step.
    pub parents: Option<&'a Tensor>,
    /// For every row its last token.
    pub tokens: &'a Tensor,
    /// Rows per sentence.
    pub width: usize,
}

/// What may come next.
pub trait Continuation {
    /// Log-probabilities of every next token.
    ///
    /// # Shapes
    /// `[sentences · width, vocabulary]`, float32, rows of a sentence side by side.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn next(&mut self, advance: &Advance<'_>) -> Result<Tensor>;

    /// Where the log-probabilities lie.
    fn device(&self) -> Device;
}

/// A sentence that is still searched.
struct Search {
    number: usize,
    /// Tokens that a hypothesis may have, with the end.
    longest: usize,
    live: Vec<Live>,
    /// Best first, at most as many as are wanted.
    finished: Vec<Hypothesis>,
}

#[derive(Clone)]
struct Live {
    tokens: Vec<u32>,
    token_scores: Vec<f32>,
    log_probability: f64,
    /// Its row in the step before.
    row: i64,
}

/// One continuation of a sentence: its row, token and log-probability.
struct Candidate {
    row: usize,
    token: u32,
    token_score: f32,
}

impl BeamSearch {
    /// The divisor of a log-probability.
    pub fn penalty(&self, length: usize) -> f64 {
        ((5.0 + length as f64) / 6.0).powf(self.length_penalty)
    }

    /// The best hypotheses of every sentence, best first, at most `wanted` each. `longest` has one
    /// entry per sentence: the tokens that a hypothesis may have, with the end, at least 1.
    ///
    /// # Errors
    /// When the model fails.
    pub fn search(&self, model: &mut dyn Continuation, longest: &[usize]) -> Result<Vec<Vec<Hypothesis>>> {
        let mut out = vec![Vec::new(); longest.len()];
        let start = |(number, longest): (usize, &usize)| Search {
            number,
            longest: (*longest).max(1),
            live: vec![Live { tokens: Vec::new(), token_scores: Vec::new(), log_probability: 0.0, row: number as i64 }],
            finished: Vec::new(),
        };
        let mut searches: Vec<Search> = longest.iter().enumerate().map(start).collect();
        let mut kept: Option<Vec<i64>> = None;
        let mut first = true;
        while !searches.is_empty() {
            let width = if first { 1 } else { self.beam };
            let scores = self.advance(model, &searches, kept.as_deref(), width, first)?;
            let candidates = self.candidates(&scores, &searches, width)?;
            let mut going_on = Vec::new();
            let mut still = Vec::new();
            for (place, (mut search, candidates)) in searches.into_iter().zip(candidates).enumerate() {
                if self.extend(&mut search, candidates, place * width) {
                    still.push(place as i64);
                    going_on.push(search);
                } else {
                    out[search.number] = search.finished;
                }
            }
            kept = (still.len() != scores.size()[0] as usize / width).then_some(still);
            searches = going_on;
            first = false;
        }
        Ok(out)
    }

    /// Runs the model one token further.
    fn advance(
        &self,
        model: &mut dyn Continuation,
        searches: &[Search],
        kept: Option<&[i64]>,
        width: usize,
        first: bool,
    ) -> Result<Tensor> {
        let (mut parents, mut tokens) = (Vec::new(), Vec::new());
        for search in searches {
            for place in 0..width {
                // a beam that is not full repeats its best: a row that no candidate is taken from
                let live = search.live.get(place).unwrap_or(&search.live[0]);
                parents.push(live.row);
                tokens.push(i64::from(live.tokens.last().copied().unwrap_or(self.end)));
            }
        }
        let device = model.device();
        let place = |numbers: &[i64]| Tensor::from_slice(numbers).to_device(device);
        let (parents, tokens) = (place(&parents), place(&tokens));
        let kept = kept.map(place);
        model.next(&Advance { sentences: kept.as_ref(), parents: (!first).then_some(&parents), tokens: &tokens, width })
    }

    /// The best continuations of every sentence by log-probability, best first.
    fn candidates(&self, scores: &Tensor, searches: &[Search], width: usize) -> Result<Vec<Vec<Candidate>>> {
        let vocabulary = scores.size()[1];
        let sentences = searches.len() as i64;
        let mut before = Vec::with_capacity(searches.len() * width);
        for search in searches {
            let row = |place: usize| search.live.get(place).map_or(f32::NEG_INFINITY, |l| l.log_probability as f32);
            before.extend((0..width).map(row));
        }
        let before = Tensor::from_slice(&before).unsqueeze(1).to_device(scores.device());
        let count = (2 * self.beam as i64).min(vocabulary);
        // the best of a sentence are among the best of its rows
        let (values, tokens) = scores.topk(count, 1, true, true);
        let totals = (&values + before).view([sentences, -1]);
        let take = (2 * self.beam as i64).min(totals.size()[1]);
        let (_, places) = totals.topk(take, 1, true, true);
        let chosen = values.view([sentences, -1]).gather(1, &places, false);
        let tokens = tokens.view([sentences, -1]).gather(1, &places, false);
        let wrong = |e: tch::TchError| Error::internal(e.to_string());
        let places = Vec::<Vec<i64>>::try_from(places.to_device(Device::Cpu)).map_err(wrong)?;
        let chosen = Vec::<Vec<f32>>::try_from(chosen.to_device(Device::Cpu)).map_err(wrong)?;
        let tokens = Vec::<Vec<i64>>::try_from(tokens.to_device(Device::Cpu)).map_err(wrong)?;
        // the last position can only end: the end's own log-probability is wanted there
        let ends = searches.iter().any(|s| s.live[0].tokens.len() + 1 >= s.longest);
        let ends = ends.then(|| scores.select(1, i64::from(self.end)).to_device(Device::Cpu));
        let ends = ends.map(Vec::<f32>::try_from).transpose().map_err(wrong)?;
        let mut out = Vec::with_capacity(searches.len());
        for (index, search) in searches.iter().enumerate() {
            out.push(match &ends {
                Some(ends) if search.live[0].tokens.len() + 1 >= search.longest => {
                    let row = |row: usize| Candidate { row, token: self.end, token_score: ends[index * width + row] };
                    (0..search.live.len()).map(row).collect()
                }
                _ => {
                    let entries = places[index].iter().zip(&chosen[index]).zip(&tokens[index]);
                    let candidate = |((place, score), token): ((&i64, &f32), &i64)| Candidate {
                        row: (*place / count) as usize,
                        token: *token as u32,
                        token_score: *score,
                    };
                    // the rows that only fill the beam up have −∞ and come last
                    entries.map(candidate).filter(|c| c.row < search.live.len()).collect()
                }
            });
        }
        Ok(out)
    }

    /// Takes the candidates into a sentence; says whether it goes on. `first_row` is the row of
    /// its first live hypothesis.
    fn extend(&self, search: &mut Search, candidates: Vec<Candidate>, first_row: usize) -> bool {
        let mut next: Vec<Live> = Vec::new();
        for (rank, candidate) in candidates.into_iter().enumerate() {
            let live = &search.live[candidate.row];
            let mut token_scores = live.token_scores.clone();
            token_scores.push(candidate.token_score);
            let log_probability = live.log_probability + f64::from(candidate.token_score);
            if log_probability == f64::NEG_INFINITY {
                continue;
            }
            if candidate.token == self.end {
                if rank < self.beam {
                    let score = log_probability / self.penalty(token_scores.len());
                    let tokens = live.tokens.clone();
                    search.finished.push(Hypothesis { tokens, token_scores, log_probability, score });
                }
            } else if next.len() < self.beam {
                let mut tokens = live.tokens.clone();
                tokens.push(candidate.token);
                let row = (first_row + candidate.row) as i64;
                next.push(Live { tokens, token_scores, log_probability, row });
            }
        }
        search.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        search.finished.truncate(self.wanted);
        search.live = next;
        let Some(best) = search.live.first() else {
            return false;
        };
        // log-probabilities only fall and the divisor only grows: none can end above this
        let bound = best.log_probability / self.penalty(search.longest);
        match search.finished.get(self.wanted - 1) {
            Some(worst) => bound > worst.score,
            None => true,
        }
    }
}

#[cfg(test)]
#[path = "beam_search_tests.rs"]
mod tests;
