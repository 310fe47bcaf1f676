//! The mean accuracy of the classes, so that a rare class counts as much as a frequent one:
//! `balanced_accuracy_score` of scikit-learn. Classes without an image do not count.

use serde::Deserialize;
use tessera_datasets::Result;

use super::classes::ClassCount;
use super::{COUNTS, ClassCounts, Of, TASKS, judged};
use crate::metric::{About, Direction, Metric};
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Macro accuracy. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::metrics) struct MacroAccuracy {}

impl Metric for MacroAccuracy {
    type Statistic = Of<ClassCounts>;

    const ABOUT: About = About {
        kind: "macro-accuracy",
        label: "Macro accuracy",
        summary: "mean over the classes with images of their accuracy (recall), as scikit-learn's balanced_accuracy_score",
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
        total.statistic.mean(ClassCount::recall)
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.images()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        total.seen.signature(details)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        format!(
            "in the mean of the classes {:.0} of 100 images are recognised, however many images a class has",
            100.0 * value
        )
    }
}
