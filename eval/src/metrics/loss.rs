//! The mean negative log-likelihood per token, in nats: what training minimises and what people
//! call the validation loss.

use serde::Deserialize;
use tessera_datasets::Result;

use super::language_model::{TASKS, nll_over, signature};
use super::ratio::Ratio;
use crate::metric::{About, Direction, Metric};
use crate::number::{percent, significant};
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Cross-entropy per token. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loss {}

impl Metric for Loss {
    type Statistic = Ratio;

    const ABOUT: About = About {
        kind: "loss",
        label: "Loss per token",
        summary: "sum of nll / tokens in nats, the validation loss; only for models that share a tokenizer",
        tasks: TASKS,
        columns: &["nll", "tokens"],
        unit: "nats",
        direction: Direction::LowerIsBetter,
        counts: "tokens",
        comparable_across_tokenizers: false,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Ratio>> {
        nll_over(rows, "tokens")
    }

    fn value(&self, total: &Ratio) -> Option<f64> {
        total.value()
    }

    fn counted(&self, total: &Ratio) -> u64 {
        total.count()
    }

    fn signature(&self, total: &Ratio, segments: u64, details: &Details) -> Signature {
        signature("nats/token", "tokens", total, segments, details)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let bits = significant(value / std::f64::consts::LN_2, 3);
        let probability = percent((-value).exp());
        format!(
            "{bits} bits of surprise per token: the right token got a probability of {probability} in the geometric mean"
        )
    }
}
