//! From statistics to BLEU.

use serde::Serialize;

use super::statistic::BleuStatistic;
use super::{Bleu, Smoothing};

/// What stands for the logarithm of 0, as in sacrebleu: its exponential is 0 in whatever mean.
const LOG_OF_ZERO: f64 = -9_999_999_999.0;

/// BLEU with everything that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BleuScore {
    /// BLEU, from 0 to 100.
    pub score: f64,
    /// The smoothed precision of every order, in per cent.
    pub precisions: Vec<f64>,
    /// N-grams of every order that stand in a reference.
    pub matches: Vec<u64>,
    /// N-grams of every order.
    pub totals: Vec<u64>,
    /// What hypotheses shorter than the references are multiplied by: 1 where they are not.
    pub brevity_penalty: f64,
    /// Tokens of the hypotheses over those of the references; 0 where these have none.
    pub ratio: f64,
    /// Tokens of the hypotheses.
    pub hypothesis_length: u64,
    /// Tokens of the references that are closest in length.
    pub reference_length: u64,
}

impl Bleu {
    /// BLEU of merged statistics (Papineni et al., "BLEU: a method for automatic evaluation of
    /// machine translation", 2002): the brevity penalty times the geometric mean of the precisions.
    pub fn score(&self, total: &BleuStatistic) -> BleuScore {
        self.score_by(total, self.effective_order, |part, whole| part / whole)
    }

    /// BLEU of one sentence. Orders for which it is too short are left out of the mean.
    pub fn sentence_score(&self, sentence: &BleuStatistic) -> BleuScore {
        self.score_by(sentence, true, |part, whole| part / whole)
    }

    /// BLEU with precisions rounded to single precision, which sacrebleu computes of the
    /// statistics that it resamples.
    pub fn resampled_score(&self, total: &BleuStatistic) -> f64 {
        let single = |part, whole| f64::from(part as f32 / whole as f32);
        self.score_by(total, self.effective_order, single).score
    }

    fn score_by(&self, total: &BleuStatistic, effective_order: bool, over: fn(f64, f64) -> f64) -> BleuScore {
        let orders = self.max_order;
        let (hypothesis, reference) = (total.hypothesis_length, total.reference_length);
        let mut out = BleuScore {
            score: 0.0,
            precisions: vec![0.0; orders],
            matches: total.matches[..orders].to_vec(),
            totals: total.totals[..orders].to_vec(),
            brevity_penalty: brevity_penalty(hypothesis, reference),
            ratio: if reference == 0 { 0.0 } else { hypothesis as f64 / reference as f64 },
            hypothesis_length: hypothesis,
            reference_length: reference,
        };
        if out.matches.iter().all(|matches| *matches == 0) {
            return out;
        }
        let mut zeros = 0;
        let mut counted = orders;
        for order in 0..orders {
            let added = match self.smoothing {
                Smoothing::Add(value) if order > 0 => value,
                _ => 0.0,
            };
            let matches = out.matches[order] as f64 + added;
            let total = out.totals[order] as f64 + added;
            if total == 0.0 {
                break;
            }
            if effective_order {
                counted = order + 1;
            }
            zeros += i32::from(matches == 0.0);
            out.precisions[order] = self.smoothing.precision(matches, total, zeros, over);
        }
        let logs: f64 = out.precisions[..counted].iter().map(|p| log(*p)).sum();
        out.score = out.brevity_penalty * (logs / counted as f64).exp();
        out
    }
}

fn brevity_penalty(hypothesis: u64, reference: u64) -> f64 {
    match hypothesis {
        0 if reference > 0 => 0.0,
        _ if hypothesis < reference => (1.0 - reference as f64 / hypothesis as f64).exp(),
        _ => 1.0,
    }
}

fn log(precision: f64) -> f64 {
    if precision == 0.0 { LOG_OF_ZERO } else { precision.ln() }
}
