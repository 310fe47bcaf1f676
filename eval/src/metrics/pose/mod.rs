//! What the metrics of pose optimisation share: the windows, checked, and the signature.
//!
//! Only keypoints whose true place is known count, and frames that are padding never do.

mod acceleration;
mod aligned;
mod bones;
pub mod errors;
mod estimate;
mod pck;
mod position;
mod scope;
mod window;

pub(super) use acceleration::AccelerationError;
pub(super) use aligned::AlignedError;
pub(super) use bones::BoneLengthDeviation;
pub use errors::{Points, Which};
pub use estimate::Estimate;
pub(super) use pck::Pck;
pub(super) use position::PositionError;
pub use window::{Window, windows};

use crate::metric::{Statistic, Task};
use crate::predictions::Details;
use crate::score::Signature;

/// The task of the predictions.
pub(crate) const TASK: Task = Task { name: "pose-optimisation", segments: "windows" };

pub(super) const TASKS: &[Task] = &[TASK];

/// What all of them read.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "subject",
    "frame",
    "frames",
    "corruption",
    "input",
    "given",
    "target",
    "known",
    "optimised",
    "interpolated",
    "kalman",
    "template",
];

/// Which windows were scored, with what was hidden in them and what is true of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    windows: u64,
    digest: u64,
}

impl Seen {
    fn of(window: &Window<'_>) -> Self {
        Self { windows: 1, digest: window.digest() }
    }

    fn merge(&mut self, other: &Self) {
        self.windows += other.windows;
        self.digest = self.digest.wrapping_add(other.digest);
    }

    /// The parts of a signature that name the windows.
    fn signature(&self, details: &Details) -> Signature {
        let skeleton = details.all().get(tessera_datasets::pose::DETAIL);
        let name = skeleton.and_then(|s| s.get("name")).and_then(|name| name.as_str()).unwrap_or("unknown");
        Signature::new()
            .with("windows", self.windows)
            .with("truth", format_args!("{:08x}", self.digest >> 32))
            .with("skeleton", name)
    }
}

/// The statistic of a metric with the windows that it is of.
#[derive(Clone, Debug, Default)]
pub struct Of<S> {
    seen: Seen,
    statistic: S,
}

impl<S: Statistic> Statistic for Of<S> {
    fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        self.statistic.merge(&other.statistic);
    }
}

/// The unit of positions.
fn unit(details: &Details) -> String {
    let skeleton = details.all().get(tessera_datasets::pose::DETAIL);
    skeleton.and_then(|s| s.get("unit")).and_then(|unit| unit.as_str()).unwrap_or("units").to_owned()
}
