//! Top-k accuracy: how often the right class is among the k most probable, as timm's `accuracy()`
//! counts it.

use serde::Deserialize;
use tessera_datasets::Result;

use super::{COUNTS, Of, TASKS, judged};
use crate::bootstrap::Interval;
use crate::metric::{About, Direction, Metric, Statistic};
use crate::number::percent;
use crate::predictions::Details;
use crate::proportion::wilson;
use crate::rows::Rows;
use crate::score::Signature;

/// Top-`K` accuracy. It has no settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::metrics) struct TopK<const K: usize> {}

/// Images whose class was among the most probable, and all.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::metrics) struct Hits {
    hits: u64,
    of: u64,
}

impl Statistic for Hits {
    fn merge(&mut self, other: &Self) {
        self.hits += other.hits;
        self.of += other.of;
    }
}

impl<const K: usize> Metric for TopK<K> {
    type Statistic = Of<Hits>;

    const ABOUT: About = About {
        kind: if K == 1 { "top-1" } else { "top-5" },
        label: if K == 1 { "Top-1 accuracy" } else { "Top-5 accuracy" },
        summary: match K {
            1 => "images whose most probable class is the right one / images, with Wilson's interval",
            _ => "images whose class is among the five most probable / images, with Wilson's interval",
        },
        tasks: TASKS,
        columns: &["id", "label", "prediction", "log_probabilities"],
        unit: "fraction",
        direction: Direction::HigherIsBetter,
        counts: COUNTS,
        comparable_across_tokenizers: true,
    };

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        let hit = |rank: usize| Hits { hits: u64::from(rank < K), of: 1 };
        Ok(Of::rows(&judged(rows)?, |row, label| hit(row.rank(label))))
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        let Hits { hits, of } = total.statistic;
        (of > 0).then(|| hits as f64 / of as f64)
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.of
    }

    fn interval(&self, total: &Self::Statistic) -> Option<Interval> {
        wilson(total.statistic.hits, total.statistic.of)
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        total.seen.signature(details)
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let chance = details.count("classes").map(|classes| K.min(classes) as f64 / classes as f64);
        let chance =
            chance.map_or_else(String::new, |chance| format!("; blind guessing would be at {}", percent(chance)));
        match (K, details.count("classes")) {
            (1, _) => format!("the class was right for {:.0} of 100 images{chance}", 100.0 * value),
            (_, Some(classes)) if classes <= K => {
                format!("with {classes} classes the right one is always among the first {K}")
            }
            _ => format!("the right class was among the first {K} for {:.0} of 100 images{chance}", 100.0 * value),
        }
    }
}
