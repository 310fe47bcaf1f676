//! Bits per byte: the negative log-likelihood over the UTF-8 bytes of the text instead of over the
//! tokens. It is what two models with different tokenizers can be compared by, and agrees with
//! `bits_per_byte` of EleutherAI's lm-evaluation-harness.

use serde::Deserialize;
use tessera_datasets::Result;

use super::language_model::{TASKS, nll_over, signature};
use super::ratio::Ratio;
use crate::metric::{About, Direction, Metric};
use crate::number::percent;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Bits per byte. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BitsPerByte {}

impl Metric for BitsPerByte {
    type Statistic = Ratio;

    const ABOUT: About = About {
        kind: "bits-per-byte",
        label: "Bits per byte",
        summary: "sum of nll / bytes / ln 2; comparable between different tokenizers",
        tasks: TASKS,
        columns: &["nll", "bytes"],
        unit: "bits",
        direction: Direction::LowerIsBetter,
        counts: "bytes",
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Ratio>> {
        nll_over(rows, "bytes")
    }

    fn value(&self, total: &Ratio) -> Option<f64> {
        total.value().map(|nats| nats / std::f64::consts::LN_2)
    }

    fn counted(&self, total: &Ratio) -> u64 {
        total.count()
    }

    fn signature(&self, total: &Ratio, segments: u64, details: &Details) -> Signature {
        signature("bits/byte", "bytes", total, segments, details)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        match value < 8.0 {
            true => format!(
                "an arithmetic coder with this model would shrink the text to {} of its size",
                percent(value / 8.0)
            ),
            false => "worse than writing every byte out".to_owned(),
        }
    }
}
