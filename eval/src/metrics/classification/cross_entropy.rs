//! Cross-entropy: the mean negative log-probability of the right class, in nats; the loss that
//! training minimises, without label smoothing.

use serde::Deserialize;
use tessera_datasets::Result;

use super::{COUNTS, Of, TASKS, judged};
use crate::metric::{About, Direction, Metric};
use crate::metrics::ratio::Ratio;
use crate::number::percent;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Cross-entropy per image. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::metrics) struct CrossEntropy {}

impl Metric for CrossEntropy {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: "cross-entropy",
        label: "Cross-entropy",
        summary: "mean negative log-probability of the right class in nats, as torch's cross_entropy",
        tasks: TASKS,
        columns: &["id", "label", "prediction", "log_probabilities"],
        unit: "nats",
        direction: Direction::LowerIsBetter,
        counts: COUNTS,
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        let judged = judged(rows)?;
        let impossible =
            |row: &super::Judged<'_>| row.label.is_some_and(|l| row.log_probabilities[l] == f32::NEG_INFINITY);
        if let Some(row) = judged.iter().position(impossible) {
            let hint = "a model that gives the right class no probability at all has an infinite cross-entropy";
            return Err(rows.error(row, "the right class has the probability 0").hint(hint));
        }
        // rounding may leave a probability a hair above 1
        let nll = |row: &super::Judged<'_>, label: usize| (-f64::from(row.log_probabilities[label])).max(0.0);
        Ok(Of::rows(&judged, |row, label| Ratio::new(nll(row, label), 1)))
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        total.statistic.value()
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.count()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        total.seen.signature(details).with("unit", "nats/image")
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        format!("the right class got a probability of {} in the geometric mean", percent((-value).exp()))
    }
}
