//! What the metrics of image classification share: the rows, checked, and the signature.
//!
//! Images whose class is not known (label -1) count in no metric.

pub mod calibration;
mod classes;
mod cross_entropy;
pub mod judged;
mod macro_accuracy;
mod macro_f1;
mod top;

pub use calibration::{Calibration, CalibrationError};
pub use classes::ClassCounts;
pub(super) use cross_entropy::CrossEntropy;
pub use judged::{Judged, judged};
pub(super) use macro_accuracy::MacroAccuracy;
pub(super) use macro_f1::MacroF1;
pub(super) use top::TopK;

use crate::metric::{Statistic, Task};
use crate::predictions::Details;
use crate::score::Signature;

/// The task of the predictions.
pub(crate) const TASK: Task = Task { name: "image-classification", segments: "images" };

pub(super) const TASKS: &[Task] = &[TASK];

/// What all of them count.
pub(super) const COUNTS: &str = "labelled images";

/// Which images were seen with which labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    images: u64,
    digest: u64,
}

impl Seen {
    /// The image of a row; nothing where its class is not known.
    fn of(row: &Judged<'_>) -> Self {
        match row.label {
            None => Self::default(),
            Some(label) => Self { images: 1, digest: fnv1a(row.id, label) },
        }
    }

    fn merge(&mut self, other: &Self) {
        self.images += other.images;
        self.digest = self.digest.wrapping_add(other.digest);
    }

    /// The parts of a signature that name the images and how they were cut.
    fn signature(&self, details: &Details) -> Signature {
        let text = |key: &str| details.text(key).unwrap_or("unknown").to_owned();
        let crop = details.real("crop").map_or_else(|| "unknown".to_owned(), |crop| crop.to_string());
        Signature::new()
            .with("images", self.images)
            .with("labels", format_args!("{:08x}", self.digest >> 32))
            .with("classes", details.count("classes").map_or_else(|| "unknown".to_owned(), |n| n.to_string()))
            .with("size", details.number_or_unknown("image_size"))
            .with("crop", crop)
            .with("interpolation", text("interpolation"))
    }
}

/// The 64-bit hash of Fowler, Noll and Vo (variant 1a) of an id and its class; its values never change.
fn fnv1a(id: &str, label: usize) -> u64 {
    let bytes = id.bytes().chain([0]).chain((label as u64).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The statistic of a metric with the images that it is of.
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

impl<S: Default> Of<S> {
    /// The statistics of some rows; that of an image whose class is not known is empty.
    fn rows(rows: &[Judged<'_>], statistic: impl Fn(&Judged<'_>, usize) -> S) -> Vec<Self> {
        let one = |row: &Judged<'_>| Self {
            seen: Seen::of(row),
            statistic: row.label.map_or_else(S::default, |label| statistic(row, label)),
        };
        rows.iter().map(one).collect()
    }
}
