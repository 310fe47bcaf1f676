//! Token accuracy: how often the most probable token was the right one.

use serde::Deserialize;
use tessera_datasets::Result;

use super::language_model::{TASKS, signature};
use super::ratio::Ratio;
use crate::metric::{About, Direction, Metric};
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Token accuracy. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenAccuracy {}

impl Metric for TokenAccuracy {
    type Statistic = Ratio;

    const ABOUT: About = About {
        kind: "token-accuracy",
        label: "Token accuracy",
        summary: "tokens whose most probable guess was right / tokens; only for models that share a tokenizer",
        tasks: TASKS,
        columns: &["correct", "tokens"],
        unit: "fraction",
        direction: Direction::HigherIsBetter,
        counts: "tokens",
        comparable_across_tokenizers: false,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Ratio>> {
        let correct = rows.u32s("correct")?;
        let tokens = rows.u32s("tokens")?;
        if let Some(row) = correct.iter().zip(tokens).position(|(correct, tokens)| correct > tokens) {
            return Err(rows.error(row, format!("{} tokens are correct, of {}", correct[row], tokens[row])));
        }
        Ok(correct.iter().zip(tokens).map(|(correct, tokens)| Ratio::new((*correct).into(), *tokens)).collect())
    }

    fn value(&self, total: &Ratio) -> Option<f64> {
        total.value()
    }

    fn counted(&self, total: &Ratio) -> u64 {
        total.count()
    }

    fn signature(&self, total: &Ratio, segments: u64, details: &Details) -> Signature {
        signature("token", "tokens", total, segments, details)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        format!("the most probable token was the right one {:.0} times in 100", 100.0 * value)
    }
}
