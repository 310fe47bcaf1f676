//! The mean F1 of the classes: `f1_score(average="macro")` of scikit-learn and torchmetrics. Classes
//! that have no image and are never said do not count.

use serde::Deserialize;
use tessera_datasets::Result;

use super::classes::ClassCount;
use super::{COUNTS, ClassCounts, Of, TASKS, judged};
use crate::metric::{About, Direction, Metric};
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Macro F1. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::metrics) struct MacroF1 {}

impl Metric for MacroF1 {
    type Statistic = Of<ClassCounts>;

    const ABOUT: About = About {
        kind: "macro-f1",
        label: "Macro F1",
        summary: "mean over the classes of the harmonic mean of precision and recall, as scikit-learn's f1_score",
        tasks: TASKS,
        columns: &["id", "label", "prediction", "log_probabilities"],
        unit: "fraction",
        direction: Direction::HigherIsBetter,
        counts: COUNTS,
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        Ok(Of::rows(&judged(rows)?, |row, label| ClassCounts::One { label, prediction: row.prediction }))
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        total.statistic.mean(ClassCount::f1)
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.images()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        total.seen.signature(details)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        format!("{value:.3} of 1, which it is only where every class is found and never said wrongly")
    }
}
