//! Bone-length deviation: by how much the distances along the skeleton differ from the true ones.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::pose::Skeleton;

use super::scope::Scope;
use super::{COLUMNS, Of, TASKS, errors};
use crate::metric::{About, Direction, Metric};
use crate::metrics::ratio::Ratio;
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The mean difference of the lengths of bones to the true lengths.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::metrics) struct BoneLengthDeviation(Scope);

impl Metric for BoneLengthDeviation {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: "bone-length-deviation",
        label: "Bone-length deviation",
        summary: "mean |length − true length| over the bones of the skeleton and frames; options corruption, keypoint, estimate",
        tasks: TASKS,
        columns: COLUMNS,
        unit: "of the skeleton",
        direction: Direction::LowerIsBetter,
        counts: "bones with two known ends",
        comparable_across_tokenizers: true,
    };

    fn name(&self) -> String {
        self.0.name(Self::ABOUT.kind)
    }

    fn unit(&self, details: &Details) -> String {
        super::unit(details)
    }

    fn label(&self) -> String {
        self.0.label(Self::ABOUT.label)
    }

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        let edges = match rows.details() {
            Ok(details) => Skeleton::of_details(details.all())?.edge_indices(),
            // a missing column is the better message
            Err(_) => Vec::new(),
        };
        self.0.rows(rows, |window, which| {
            let (sum, count) = errors::bones(window, self.0.estimate, &edges, which);
            Ratio::new(sum, count)
        })
    }

    fn groups(&self, rows: &Rows<'_>) -> Result<Option<Vec<u64>>> {
        Scope::groups(rows)
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        total.statistic.value()
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.count()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        self.0.signature(&total.seen, details).with("mean", "bones")
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let (length, unit) = (significant(value, 3), super::unit(details));
        format!("the bones between {} {length} {unit} too long or too short in the mean", self.0.subject())
    }
}
