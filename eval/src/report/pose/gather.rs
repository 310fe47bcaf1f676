//! What is summed up while the windows go by.

use std::collections::{BTreeMap, HashSet};

use super::bones::Lengths;
use super::gaps::Lags;
use super::row::{Errors, METHODS, Row};
use crate::metrics::pose::{Estimate, Points, Which, Window, errors};

/// Sums over all windows.
pub(super) struct Gathered<'a> {
    edges: &'a [[usize; 2]],
    keypoints: usize,
    /// Frames of the longest window.
    pub(super) frames: usize,
    pub(super) rows: Vec<Row>,
    /// By what was done to the input.
    pub(super) strata: BTreeMap<String, Sums>,
    /// By the length of the gap.
    pub(super) gaps: Lags,
    /// By the distance to the next frame in which the keypoint is given.
    pub(super) distances: Lags,
    /// The lengths of each bone.
    pub(super) bones: Vec<Lengths>,
}

/// Sums over the windows of a stratum.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Errors of the hidden keypoints, keypoint by keypoint.
    pub(super) by_keypoint: Vec<Errors>,
    /// How many of the hidden keypoints are near enough, by threshold and method.
    pub(super) correct: [[u64; METHODS]; THRESHOLDS.len()],
    /// Hidden keypoints of frames that have an extent.
    pub(super) judged: u64,
    /// The sum of a window's mean error and how many windows have one.
    pub(super) mpjpe: Mean,
    /// The same after a rigid alignment with scale.
    pub(super) aligned: Mean,
    /// Errors of the keypoints that were given.
    pub(super) visible: Mean,
    /// Errors of the given places themselves.
    pub(super) input: (f64, u64),
    /// Errors of the acceleration.
    pub(super) acceleration: Mean,
    /// Errors of the lengths of bones.
    pub(super) bones: Mean,
}

/// Thresholds of the percentage of correct keypoints.
pub(super) const THRESHOLDS: [f64; 2] = [0.05, 0.10];

/// Sums with a count, in the order of [`Estimate::ALL`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sums: [f64; METHODS],
    count: u64,
}

impl Mean {
    fn add(&mut self, each: [(f64, u32); METHODS]) {
        (0..METHODS).for_each(|m| self.sums[m] += each[m].0);
        self.count += u64::from(each[0].1);
    }

    pub(super) fn of(&self, method: usize) -> Option<f64> {
        (self.count > 0).then(|| self.sums[method] / self.count as f64)
    }
}

impl<'a> Gathered<'a> {
    pub(super) fn new(keypoints: usize, edges: &'a [[usize; 2]]) -> Self {
        Self {
            edges,
            keypoints,
            frames: 0,
            rows: Vec::new(),
            strata: BTreeMap::new(),
            gaps: Lags::default(),
            distances: Lags::default(),
            bones: vec![Lengths::default(); edges.len()],
        }
    }

    /// Takes in a window; `row` counts from 1.
    pub(super) fn add(&mut self, window: &Window<'_>, row: u64) {
        self.frames = self.frames.max(window.frames);
        self.rows.push(Row::of(window, row));
        let sums = self.strata.entry(window.corruption.to_owned()).or_default();
        sums.add(window, self.keypoints, self.edges);
        self.gaps.add_gaps(window);
        self.distances.add_distances(window);
        for (lengths, edge) in self.bones.iter_mut().zip(self.edges) {
            lengths.add(window, *edge);
        }
    }

    pub(super) fn stretches(&self) -> u64 {
        self.rows.iter().map(|row| row.group).collect::<HashSet<u64>>().len() as u64
    }

    pub(super) fn subjects(&self) -> u64 {
        self.rows.iter().map(|row| row.subject.as_str()).collect::<HashSet<&str>>().len() as u64
    }
}

impl Sums {
    fn add(&mut self, window: &Window<'_>, keypoints: usize, edges: &[[usize; 2]]) {
        self.by_keypoint.resize(keypoints, Errors::default());
        for (t, k) in Points::Masked.of(window) {
            let sums = Estimate::ALL.map(|by| window.error(by, t, k));
            self.by_keypoint[k].add(&Errors { sums, count: 1 });
        }
        for (i, threshold) in THRESHOLDS.into_iter().enumerate() {
            let each = Estimate::ALL.map(|by| errors::correct(window, by, threshold, Points::Masked));
            (0..METHODS).for_each(|m| self.correct[i][m] += u64::from(each[m].0));
            self.judged += if i == 0 { u64::from(each[0].1) } else { 0 };
        }
        let once = |value: Option<f64>| value.map_or((0.0, 0), |value| (value, 1));
        self.mpjpe.add(Estimate::ALL.map(|by| once(errors::mpjpe(window, by, Which::All))));
        self.aligned.add(Estimate::ALL.map(|by| once(errors::aligned(window, by, Which::All))));
        self.visible.add(Estimate::ALL.map(|by| errors::position(window, by, Points::Visible, Which::All)));
        for (t, k) in Points::Visible.of(window) {
            self.input = (self.input.0 + window.input_error(t, k), self.input.1 + 1);
        }
        self.acceleration.add(Estimate::ALL.map(|by| errors::acceleration(window, by, Which::All)));
        self.bones.add(Estimate::ALL.map(|by| errors::bones(window, by, edges, Which::All)));
    }
}
