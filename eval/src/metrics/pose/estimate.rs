//! The ways in which a place is found for every keypoint.

use serde::{Deserialize, Serialize};

/// Who says where a keypoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimate {
    /// The model.
    #[default]
    Optimised,
    /// Straight lines over time between the frames in which a keypoint is given.
    Interpolated,
    /// A Kalman filter of constant acceleration, with its backward pass.
    Kalman,
    /// The mean of the nearest poses of the training split.
    Template,
}

impl Estimate {
    /// The model and what it is compared with.
    pub const ALL: [Self; 4] = [Self::Optimised, Self::Interpolated, Self::Kalman, Self::Template];

    /// What the model is compared with.
    pub const BASELINES: [Self; 3] = [Self::Interpolated, Self::Kalman, Self::Template];

    /// Its column.
    pub fn column(self) -> &'static str {
        match self {
            Self::Optimised => "optimised",
            Self::Interpolated => "interpolated",
            Self::Kalman => "kalman",
            Self::Template => "template",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Optimised => "model",
            Self::Interpolated => "linear interpolation",
            Self::Kalman => "Kalman smoother",
            Self::Template => "nearest poses",
        }
    }

    /// The same within a sentence.
    pub fn within(self) -> &'static str {
        match self {
            Self::Optimised => "the model",
            Self::Interpolated => "linear interpolation",
            Self::Kalman => "the Kalman smoother",
            Self::Template => "the mean of the nearest poses",
        }
    }
}
