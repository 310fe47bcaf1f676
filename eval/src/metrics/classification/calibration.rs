//! Expected calibration error: how far the model's confidence is from how often it is right
//! (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017), as
//! `torchmetrics.classification.MulticlassCalibrationError` computes it.

use serde::{Deserialize, Serialize};
use tessera_datasets::Result;

use super::classes::reach;
use super::{COUNTS, Of, TASKS, judged};
use crate::metric::{About, Direction, Metric, Statistic};
use crate::number::percent;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;
use crate::sum::Sum;

/// Bins where a config does not say.
const BINS: usize = 15;
const MOST_BINS: usize = 1000;

/// How the gaps of the bins become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Their mean, weighted by the images in each: the expected calibration error.
    #[default]
    L1,
    /// The root of their mean square.
    L2,
    /// The largest: the maximum calibration error.
    Max,
}

/// Calibration error in equal bins of the confidence.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Settings")]
pub struct CalibrationError {
    bins: usize,
    norm: Norm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    bins: usize,
    norm: Norm,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bins: BINS, norm: Norm::default() }
    }
}

impl Default for CalibrationError {
    fn default() -> Self {
        Self { bins: BINS, norm: Norm::default() }
    }
}

impl TryFrom<Settings> for CalibrationError {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Self, String> {
        match (1..=MOST_BINS).contains(&settings.bins) {
            true => Ok(Self { bins: settings.bins, norm: settings.norm }),
            false => Err(format!("`bins` is {}, not 1 to {MOST_BINS}", settings.bins)),
        }
    }
}

/// What is kept of the images: which bin, how confident, how often right.
#[derive(Clone, Debug, Default)]
pub enum Calibration {
    /// Of no image.
    #[default]
    Empty,
    /// Of one image.
    One {
        /// Its bin.
        bin: usize,
        /// The probability of the class that the model says.
        confidence: f32,
        /// Whether that is the right one.
        correct: bool,
    },
    /// Of many images, by bin.
    Many(Vec<Bin>),
}

/// The images of a bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    count: u64,
    correct: u64,
    confidence: Sum,
}

impl Bin {
    /// Images.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Images that were classified rightly.
    pub fn correct(&self) -> u64 {
        self.correct
    }

    /// The mean confidence; 0 of an empty bin.
    pub fn confidence(&self) -> f64 {
        self.confidence.value() / self.count.max(1) as f64
    }

    /// The share of right ones; 0 of an empty bin.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count.max(1) as f64
    }
}

impl Calibration {
    /// The bins; those after the last that is not empty are left out.
    pub fn bins(&self) -> Vec<Bin> {
        let mut all = Self::Many(Vec::new());
        all.merge(self);
        match all {
            Self::Many(bins) => bins,
            _ => Vec::new(),
        }
    }
}

impl Statistic for Calibration {
    fn merge(&mut self, other: &Self) {
        if matches!(other, Self::Empty) {
            return;
        }
        if !matches!(self, Self::Many(_)) {
            let first = std::mem::replace(self, Self::Many(Vec::new()));
            self.merge(&first);
        }
        let Self::Many(bins) = self else { return };
        match other {
            Self::Empty => {}
            Self::One { bin, confidence, correct } => {
                reach(bins, bin + 1);
                bins[*bin].count += 1;
                bins[*bin].correct += u64::from(*correct);
                bins[*bin].confidence.add(f64::from(*confidence));
            }
            Self::Many(others) => {
                reach(bins, others.len());
                for (bin, other) in bins.iter_mut().zip(others) {
                    bin.count += other.count;
                    bin.correct += other.correct;
                    bin.confidence.merge(&other.confidence);
                }
            }
        }
    }
}

impl CalibrationError {
    /// So many bins and this norm.
    pub fn new(bins: usize, norm: Norm) -> Self {
        Self { bins, norm }
    }

    /// How many equal bins lie between 0 and 1.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// How the gaps become one number.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The edges of the bins, as `torch.linspace(0, 1, bins + 1)` says they are: the first half is
    /// counted up from 0 and the second down from 1, in single precision. Torch's vector code rounds
    /// in an order that depends on the processor, so that its edges may be one unit in the last
    /// place away.
    pub fn edges(&self) -> Vec<f32> {
        let step = 1.0 / self.bins as f32;
        let half = self.bins.div_ceil(2);
        let edge = |i: usize| if i < half { step * i as f32 } else { 1.0 - step * (self.bins - i) as f32 };
        (0..=self.bins).map(edge).collect()
    }

    /// The bin of a confidence: one that lies on an edge belongs to the upper bin, so that exactly 1
    /// has a bin of its own after the last (`torch.bucketize(…, right=True) - 1`).
    pub fn bin(&self, confidence: f32, edges: &[f32]) -> usize {
        edges.partition_point(|edge| *edge <= confidence).saturating_sub(1)
    }

    /// What is kept of some images.
    pub fn statistic(&self, confidence: f32, correct: bool, edges: &[f32]) -> Calibration {
        Calibration::One { bin: self.bin(confidence, edges), confidence, correct }
    }

    /// The error; none of no images.
    pub fn of(&self, bins: &[Bin]) -> Option<f64> {
        let all: u64 = bins.iter().map(|bin| bin.count).sum();
        if all == 0 {
            return None;
        }
        let gaps = bins.iter().map(|bin| ((bin.accuracy() - bin.confidence()).abs(), bin.count as f64 / all as f64));
        Some(match self.norm {
            Norm::L1 => gaps.map(|(gap, share)| gap * share).sum(),
            Norm::L2 => gaps.map(|(gap, share)| gap * gap * share).sum::<f64>().sqrt(),
            Norm::Max => gaps.map(|(gap, _)| gap).fold(0.0, f64::max),
        })
    }
}

impl Metric for CalibrationError {
    type Statistic = Of<Calibration>;

    const ABOUT: About = About {
        kind: "calibration-error",
        label: "Calibration error",
        summary: "mean gap of confidence and accuracy in 15 bins (ECE), as torchmetrics; norm l1, l2 or max",
        tasks: TASKS,
        columns: &["id", "label", "prediction", "log_probabilities"],
        unit: "fraction",
        direction: Direction::LowerIsBetter,
        counts: COUNTS,
        comparable_across_tokenizers: true,
    };

    fn label(&self) -> String {
        match self.norm {
            Norm::L1 => "Calibration error (ECE)",
            Norm::L2 => "Calibration error (L2)",
            Norm::Max => "Calibration error (maximum)",
        }
        .to_owned()
    }

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        let edges = self.edges();
        Ok(Of::rows(&judged(rows)?, |row, label| self.statistic(row.confidence(), label == row.prediction, &edges)))
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        self.of(&total.statistic.bins())
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.bins().iter().map(Bin::count).sum()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        let norm = match self.norm {
            Norm::L1 => "l1",
            Norm::L2 => "l2",
            Norm::Max => "max",
        };
        total.seen.signature(details).with("bins", self.bins).with("norm", norm)
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let gap = percent(value);
        match self.norm {
            Norm::L1 => format!("confidence and accuracy are {gap} apart in the mean"),
            Norm::L2 => format!("confidence and accuracy are {gap} apart in the quadratic mean"),
            Norm::Max => format!("confidence and accuracy are {gap} apart in the worst bin"),
        }
    }
}
