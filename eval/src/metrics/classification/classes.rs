//! Counts by class: how many images it has, how often it was said, and how often rightly.

use crate::metric::Statistic;

/// The counts of all classes. One image is kept as it is, so that segments stay small.
#[derive(Clone, Debug, Default)]
pub enum ClassCounts {
    /// Of no image.
    #[default]
    Empty,
    /// Of one image: its class and the one that the model says.
    One {
        /// The class of the image.
        label: usize,
        /// The class that the model says.
        prediction: usize,
    },
    /// Of many images, by class.
    Many(Vec<ClassCount>),
}

/// The counts of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCount {
    /// Its images.
    pub support: u64,
    /// Images that the model says are of it.
    pub predicted: u64,
    /// Those among them that are.
    pub correct: u64,
}

impl ClassCount {
    /// The share of its images that the model finds: its accuracy. None where it has no image.
    pub fn recall(&self) -> Option<f64> {
        (self.support > 0).then(|| self.correct as f64 / self.support as f64)
    }

    /// The share of right ones where the model says this class. None where it never does.
    pub fn precision(&self) -> Option<f64> {
        (self.predicted > 0).then(|| self.correct as f64 / self.predicted as f64)
    }

    /// The harmonic mean of both. None where it has no image and is never said.
    pub fn f1(&self) -> Option<f64> {
        let both = self.support + self.predicted;
        (both > 0).then(|| 2.0 * self.correct as f64 / both as f64)
    }
}

impl ClassCounts {
    /// The counts by class; those after the last class that occurs are left out.
    pub fn by_class(&self) -> Vec<ClassCount> {
        let mut all = Self::Many(Vec::new());
        all.merge(self);
        match all {
            Self::Many(counts) => counts,
            _ => Vec::new(),
        }
    }

    /// Images.
    pub fn images(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::One { .. } => 1,
            Self::Many(counts) => counts.iter().map(|class| class.support).sum(),
        }
    }

    /// The mean of a value over the classes that have one.
    pub fn mean(&self, of: fn(&ClassCount) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.by_class().iter().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// Makes room for so many counts.
pub(super) fn reach<T: Clone + Default>(counts: &mut Vec<T>, length: usize) {
    if counts.len() < length {
        counts.resize(length, T::default());
    }
}

impl Statistic for ClassCounts {
    fn merge(&mut self, other: &Self) {
        if matches!(other, Self::Empty) {
            return;
        }
        if !matches!(self, Self::Many(_)) {
            let first = std::mem::replace(self, Self::Many(Vec::new()));
            self.merge(&first);
        }
        let Self::Many(counts) = self else { return };
        match other {
            Self::Empty => {}
            Self::One { label, prediction } => {
                reach(counts, label.max(prediction) + 1);
                counts[*label].support += 1;
                counts[*prediction].predicted += 1;
                counts[*label].correct += u64::from(label == prediction);
            }
            Self::Many(others) => {
                reach(counts, others.len());
                for (class, other) in counts.iter_mut().zip(others) {
                    class.support += other.support;
                    class.predicted += other.predicted;
                    class.correct += other.correct;
                }
            }
        }
    }
}
