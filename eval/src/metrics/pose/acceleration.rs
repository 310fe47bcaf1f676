//! Acceleration error: how much more or less a keypoint jerks than it should (SmoothNet, Zeng et
//! al. 2022, after Kanazawa et al. 2019).

use serde::Deserialize;
use tessera_datasets::Result;

use super::scope::Scope;
use super::{COLUMNS, Of, TASKS, errors};
use crate::metric::{About, Direction, Metric};
use crate::metrics::ratio::Ratio;
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The mean distance of second differences over time to those of the truth.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::metrics) struct AccelerationError(Scope);

impl Metric for AccelerationError {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: "acceleration-error",
        label: "Acceleration error",
        summary: "mean distance of second differences over frames to those of the truth, as SmoothNet; options corruption, keypoint, estimate",
        tasks: TASKS,
        columns: COLUMNS,
        unit: "of the skeleton/frame²",
        direction: Direction::LowerIsBetter,
        counts: "keypoints known in three frames in succession",
        comparable_across_tokenizers: true,
    };

    fn name(&self) -> String {
        self.0.name(Self::ABOUT.kind)
    }

    fn unit(&self, details: &Details) -> String {
        super::unit(details) + "/frame²"
    }

    fn label(&self) -> String {
        self.0.label(Self::ABOUT.label)
    }

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        self.0.rows(rows, |window, which| {
            let (sum, count) = errors::acceleration(window, self.0.estimate, which);
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
        self.0.signature(&total.seen, details).with("mean", "keypoints")
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let unit = self.unit(details);
        format!("{} {} {unit} off in their acceleration in the mean", self.0.subject(), significant(value, 3))
    }
}
