//! Position error after each frame was turned, moved and scaled onto the truth: whether the pose is
//! right, wherever it is (Procrustes alignment, as Kanazawa et al. 2018 take it).

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

/// The mean distance to the truth after alignment.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::metrics) struct AlignedError(Scope);

impl Metric for AlignedError {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: "pa-mpjpe",
        label: "PA-MPJPE",
        summary: "MPJPE after a Procrustes alignment with scale of each frame; options corruption, keypoint, estimate",
        tasks: TASKS,
        columns: COLUMNS,
        unit: "of the skeleton",
        direction: Direction::LowerIsBetter,
        counts: "windows with three known keypoints",
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
        self.0.rows(rows, |window, which| {
            errors::aligned(window, self.0.estimate, which).map_or_else(Ratio::default, |error| Ratio::new(error, 1))
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
        self.0.signature(&total.seen, details).with("mean", "keypoints,frames,windows")
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let unit = self.unit(details);
        format!(
            "{} {} {unit} off in the mean once each pose is laid over the true one",
            self.0.subject(),
            significant(value, 3)
        )
    }
}
