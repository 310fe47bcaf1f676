//! The predictions as the report keeps them.

use crate::metrics::pose::{Estimate, Points, Which, Window, errors};

/// How many ways of finding places there are.
pub(super) const METHODS: usize = Estimate::ALL.len();

/// Errors of some keypoints, in the order of [`Estimate::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::report) struct Errors {
    /// The sum of each method.
    pub(in crate::report) sums: [f64; METHODS],
    /// Keypoints.
    pub(in crate::report) count: u32,
}

impl Errors {
    pub(super) fn add(&mut self, other: &Self) {
        (0..METHODS).for_each(|m| self.sums[m] += other.sums[m]);
        self.count += other.count;
    }

    /// The mean of a method; none of nothing.
    pub(super) fn mean(&self, method: usize) -> Option<f64> {
        (self.count > 0).then(|| self.sums[method] / f64::from(self.count))
    }
}

/// What is kept of every window.
#[derive(Clone, Debug)]
pub(in crate::report) struct Row {
    /// Its row, from 1.
    pub(in crate::report) row: u64,
    pub(in crate::report) id: String,
    pub(in crate::report) subject: String,
    pub(in crate::report) corruption: String,
    /// What windows of the same frames share.
    pub(in crate::report) group: u64,
    /// What was asked and what is true, as a number.
    pub(in crate::report) digest: u64,
    /// Errors of the hidden keypoints.
    pub(in crate::report) masked: Errors,
    /// Errors of all keypoints.
    pub(in crate::report) all: Errors,
}

impl Row {
    pub(super) fn of(window: &Window<'_>, row: u64) -> Self {
        let errors = |points: Points| {
            let each = Estimate::ALL.map(|by| errors::position(window, by, points, Which::All));
            Errors { sums: each.map(|(sum, _)| sum), count: each[0].1 }
        };
        Self {
            row,
            id: window.id.to_owned(),
            subject: window.subject.to_owned(),
            corruption: window.corruption.to_owned(),
            group: window.group(),
            digest: window.digest(),
            masked: errors(Points::Masked),
            all: errors(Points::All),
        }
    }
}

/// Pairs of simpler methods whose errors are the same in every window in which something is hidden.
pub(super) fn alike(rows: &[Row]) -> Vec<[Estimate; 2]> {
    let [interpolated, kalman, template] = Estimate::BASELINES;
    let pairs = [[interpolated, kalman], [interpolated, template], [kalman, template]];
    let hidden: Vec<&Row> = rows.iter().filter(|row| row.masked.count > 0).collect();
    let same =
        |[a, b]: &[Estimate; 2]| hidden.iter().all(|row| row.masked.sums[*a as usize] == row.masked.sums[*b as usize]);
    pairs.into_iter().filter(|pair| !hidden.is_empty() && same(pair)).collect()
}
