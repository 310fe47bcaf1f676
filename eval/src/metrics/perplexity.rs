//! Perplexity per token: the exponential of the mean negative log-likelihood (Jelinek et al.
//! 1977, "Perplexity: a measure of the difficulty of speech recognition tasks").

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::console::thousands;

use super::language_model::{TASKS, nll_over, signature};
use super::ratio::Ratio;
use crate::metric::{About, Direction, Metric};
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Perplexity per token. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Perplexity {}

impl Metric for Perplexity {
    type Statistic = Ratio;

    const ABOUT: About = About {
        kind: "perplexity",
        label: "Perplexity per token",
        summary: "exp(sum of nll / tokens); only for models that share a tokenizer",
        tasks: TASKS,
        columns: &["nll", "tokens"],
        unit: "",
        direction: Direction::LowerIsBetter,
        counts: "tokens",
        comparable_across_tokenizers: false,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Ratio>> {
        nll_over(rows, "tokens")
    }

    fn value(&self, total: &Ratio) -> Option<f64> {
        total.value().map(f64::exp)
    }

    fn counted(&self, total: &Ratio) -> u64 {
        total.count()
    }

    fn signature(&self, total: &Ratio, segments: u64, details: &Details) -> Signature {
        signature("token", "tokens", total, segments, details)
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let of = match details.number("vocabulary") {
            Some(vocabulary) => format!(", where blind guessing would have {}", thousands(vocabulary)),
            None => String::new(),
        };
        format!("as unsure as a fair choice among {} tokens{of}", significant(value, 3))
    }
}
