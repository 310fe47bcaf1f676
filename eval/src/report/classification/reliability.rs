//! Whether the model's confidence can be trusted.

use serde::Serialize;

use super::row::Row;
use crate::metric::Statistic;
use crate::metrics::classification::calibration::{Bin, Norm};
use crate::metrics::classification::{Calibration, CalibrationError};
use crate::proportion::wilson;

/// Confidence beside accuracy, in bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reliability {
    /// The calibration error with the settings of the run's metric; none where no class is known.
    pub error: Option<f64>,
    /// The largest gap of a bin.
    pub largest: Option<f64>,
    /// The mean probability of the class that the model says.
    pub confidence: f64,
    /// How often it is right.
    pub accuracy: f64,
    /// The bins, and one more for a confidence of exactly 1 where there is any.
    pub groups: Vec<Group>,
}

/// The images of a bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The lower edge, which belongs to it.
    pub from: f64,
    /// The upper edge, which does not.
    pub to: f64,
    /// Images.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: Option<f64>,
    /// The share that was classified rightly.
    pub accuracy: Option<f64>,
    /// The lower end of its Wilson interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

impl Reliability {
    pub(super) fn of(rows: &[&Row], metric: &CalibrationError) -> Self {
        let edges = metric.edges();
        let mut all = Calibration::default();
        for row in rows {
            all.merge(&metric.statistic(row.confidence, row.correct() == Some(true), &edges));
        }
        let mut bins = all.bins();
        bins.resize(bins.len().max(metric.bins()), Bin::default());
        let group = |(i, bin): (usize, &Bin)| {
            let interval = wilson(bin.correct(), bin.count());
            let there = |value: f64| (bin.count() > 0).then_some(value);
            let edge = |i: usize| f64::from(edges[i.min(edges.len() - 1)]);
            Group {
                from: edge(i),
                to: edge(i + 1),
                count: bin.count(),
                confidence: there(bin.confidence()),
                accuracy: there(bin.accuracy()),
                low: interval.map(|interval| interval.low),
                high: interval.map(|interval| interval.high),
            }
        };
        let count = rows.len().max(1) as f64;
        Self {
            error: metric.of(&bins),
            largest: CalibrationError::new(metric.bins(), Norm::Max).of(&bins),
            confidence: rows.iter().map(|row| f64::from(row.confidence)).sum::<f64>() / count,
            accuracy: rows.iter().filter(|row| row.correct() == Some(true)).count() as f64 / count,
            groups: bins.iter().enumerate().map(group).collect(),
        }
    }
}
