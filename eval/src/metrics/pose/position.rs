//! Mean per-joint position error: over all keypoints, over the hidden ones, over those given.

use serde::Deserialize;
use tessera_datasets::Result;

use super::scope::Scope;
use super::{COLUMNS, Of, Points, TASKS, errors};
use crate::metric::{About, Direction, Metric};
use crate::metrics::ratio::Ratio;
use crate::number::significant;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// Over all keypoints.
const ALL: u8 = 0;
/// Over the hidden ones.
const MASKED: u8 = 1;

/// The mean distance to the truth of all keypoints (0), the masked (1) or the visible ones (2).
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::metrics) struct PositionError<const OF: u8>(Scope);

impl<const OF: u8> PositionError<OF> {
    const POINTS: Points = match OF {
        ALL => Points::All,
        MASKED => Points::Masked,
        _ => Points::Visible,
    };
}

impl<const OF: u8> Metric for PositionError<OF> {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: match OF {
            ALL => "mpjpe",
            MASKED => "mpjpe-masked",
            _ => "mpjpe-visible",
        },
        label: match OF {
            ALL => "MPJPE",
            MASKED => "MPJPE of masked keypoints",
            _ => "MPJPE of visible keypoints",
        },
        summary: match OF {
            ALL => {
                "mean distance of keypoints to the truth, over frames, then windows, as BU-CVKit; options corruption, keypoint, estimate"
            }
            MASKED => {
                "mean distance to the truth of the keypoints that were hidden; options corruption, keypoint, estimate"
            }
            _ => "mean distance to the truth of the keypoints that were given; options corruption, keypoint, estimate",
        },
        tasks: TASKS,
        columns: COLUMNS,
        unit: "of the skeleton",
        direction: Direction::LowerIsBetter,
        counts: match OF {
            ALL => "windows with a known keypoint",
            MASKED => "masked keypoints",
            _ => "visible keypoints",
        },
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
        let by = self.0.estimate;
        self.0.rows(rows, |window, which| match OF {
            ALL => errors::mpjpe(window, by, which).map_or_else(Ratio::default, |error| Ratio::new(error, 1)),
            _ => {
                let (sum, count) = errors::position(window, by, Self::POINTS, which);
                Ratio::new(sum, count)
            }
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
        let mean = if OF == ALL { "keypoints,frames,windows" } else { "keypoints" };
        self.0.signature(&total.seen, details).with("mean", mean)
    }

    fn meaning(&self, value: f64, details: &Details) -> String {
        let which = match OF {
            ALL => "",
            MASKED => " where a keypoint was hidden",
            _ => " where a keypoint was given",
        };
        format!(
            "{} {} {} from the truth in the mean{which}",
            self.0.subject(),
            significant(value, 3),
            super::unit(details)
        )
    }
}
