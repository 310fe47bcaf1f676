//! Windows that are shown whole: coarse, by the best simpler method, by the model, and true.

use serde::Serialize;

use super::gaps::GapValue;
use super::row::{Errors, Row};
use super::strata::Stratum;
use crate::metrics::pose::{Estimate, Points, Which, Window, errors};

/// Strata that have a film of their own.
const STRATA: usize = 4;
/// Digits of a place in `report.json`: finer than a picture.
const DIGITS: usize = 5;

/// A window with everything that was said about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Film {
    /// Its row, from 1.
    pub row: u64,
    /// Its id.
    pub id: String,
    /// The recording that it is from.
    pub subject: String,
    /// The number of its first frame there.
    pub frame: i64,
    /// How many frames it has.
    pub frames: usize,
    /// What was done to the input.
    pub corruption: String,
    /// Why it is shown.
    pub reason: Reason,
    /// The best simpler method in windows like this.
    pub baseline: Estimate,
    /// Keypoints that were hidden.
    pub masked: u64,
    /// The mean error of each method where a keypoint was hidden; of all where none was.
    pub errors: Vec<GapValue>,
    /// The keypoint whose track is shown.
    pub tracked: usize,
    /// What was given, flat in the order frame, keypoint, coordinate; 0 where nothing was.
    pub input: Vec<f32>,
    /// 1 where a keypoint was given.
    pub given: Vec<u8>,
    /// The truth.
    pub target: Vec<f32>,
    /// 1 where the truth is known.
    pub known: Vec<u8>,
    /// By the model.
    pub optimised: Vec<f32>,
    /// By linear interpolation.
    pub interpolated: Vec<f32>,
    /// By the Kalman smoother.
    pub kalman: Vec<f32>,
    /// By the nearest poses.
    pub template: Vec<f32>,
}

/// Why a window is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Half of the windows of its kind are better, half are worse.
    Typical,
    /// Nowhere is the model further ahead of the best simpler method.
    Ahead,
    /// Nowhere is it further behind.
    Behind,
}

/// A window that is to be shown.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) row: u64,
    reason: Reason,
    baseline: Estimate,
}

impl Chosen {
    pub(super) fn is(&self, film: &Film) -> bool {
        self.row == film.row && self.reason == film.reason
    }
}

/// A typical window of each of the first strata, and those where the model gains and loses most.
pub(super) fn choose(rows: &[Row], strata: &[Stratum]) -> Vec<Chosen> {
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut gains: Vec<(f64, &Row, Estimate)> = Vec::new();
    for (i, stratum) in strata.iter().enumerate() {
        let errors = |row: &Row| if stratum.of_masked { row.masked } else { row.all };
        let of_stratum = rows.iter().filter(|row| row.corruption == stratum.corruption && errors(row).count > 0);
        let mut found: Vec<(f64, &Row)> = of_stratum.map(|row| (errors(row).mean(0).unwrap_or(0.0), row)).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.row.cmp(&b.1.row)));
        let baseline = stratum.best_baseline;
        if i < STRATA
            && let Some((_, row)) = found.get(found.len() / 2)
        {
            chosen.push(Chosen { row: row.row, reason: Reason::Typical, baseline });
        }
        let gain = |errors: Errors| Some(errors.mean(baseline as usize)? - errors.mean(0)?);
        gains.extend(found.iter().filter_map(|(_, row)| Some((gain(errors(row))?, *row, baseline))));
    }
    gains.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.row.cmp(&b.1.row)));
    let ahead = gains.last().filter(|(gain, ..)| *gain > 0.0).map(|found| (Reason::Ahead, found));
    let behind = gains.first().filter(|(gain, ..)| *gain < 0.0).map(|found| (Reason::Behind, found));
    for (reason, (_, row, baseline)) in ahead.into_iter().chain(behind) {
        if chosen.iter().all(|other| other.row != row.row) {
            chosen.push(Chosen { row: row.row, reason, baseline: *baseline });
        }
    }
    chosen
}

impl Film {
    pub(super) fn of(window: &Window<'_>, chosen: &Chosen) -> Self {
        let there = window.frames * window.keypoints;
        let places = |values: &[f32]| values[..there * 3].iter().map(|value| rounded(*value)).collect();
        let marks = |of: &dyn Fn(usize, usize) -> bool| {
            (0..there).map(|i| u8::from(of(i / window.keypoints, i % window.keypoints))).collect()
        };
        let (_, masked) = errors::position(window, Estimate::Optimised, Points::Masked, Which::All);
        let points = if masked > 0 { Points::Masked } else { Points::All };
        let value = |by: Estimate| {
            let (sum, count) = errors::position(window, by, points, Which::All);
            (count > 0).then(|| GapValue { estimate: by, value: sum / f64::from(count) })
        };
        Self {
            row: chosen.row,
            id: window.id.to_owned(),
            subject: window.subject.to_owned(),
            frame: window.frame,
            frames: window.frames,
            corruption: window.corruption.to_owned(),
            reason: chosen.reason,
            baseline: chosen.baseline,
            masked: u64::from(masked),
            errors: Estimate::ALL.into_iter().filter_map(value).collect(),
            tracked: tracked(window),
            input: places(window.input_tkc),
            given: marks(&|t, k| window.given(t, k)),
            target: places(window.target_tkc),
            known: marks(&|t, k| window.known(t, k)),
            optimised: places(window.estimate(Estimate::Optimised)),
            interpolated: places(window.estimate(Estimate::Interpolated)),
            kalman: places(window.estimate(Estimate::Kalman)),
            template: places(window.estimate(Estimate::Template)),
        }
    }

    /// The mean error of a method.
    pub fn error(&self, by: Estimate) -> Option<f64> {
        self.errors.iter().find(|error| error.estimate == by).map(|error| error.value)
    }

    /// The places by a method.
    pub fn estimate(&self, by: Estimate) -> &[f32] {
        match by {
            Estimate::Optimised => &self.optimised,
            Estimate::Interpolated => &self.interpolated,
            Estimate::Kalman => &self.kalman,
            Estimate::Template => &self.template,
        }
    }
}

/// The keypoint that is hidden most often, of several the one that moves most.
fn tracked(window: &Window<'_>) -> usize {
    let hidden = |k: usize| (0..window.frames).filter(|t| Points::Masked.hold(window, *t, k)).count();
    let reach = |k: usize| {
        let places = (0..window.frames).filter(|t| window.known(*t, k)).map(|t| window.place(window.target_tkc, t, k));
        let places: Vec<[f64; 3]> = places.collect();
        let span = |c: usize| {
            let ends = places.iter().map(|p| p[c]);
            ends.clone().fold(f64::NEG_INFINITY, f64::max) - ends.fold(f64::INFINITY, f64::min)
        };
        (0..3).map(span).fold(0.0, f64::max)
    };
    let score = |k: usize| (hidden(k), reach(k));
    let better = |a: &usize, b: &usize| {
        let (a, b) = (score(*a), score(*b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    (0..window.keypoints).max_by(better).unwrap_or(0)
}

fn rounded(value: f32) -> f32 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}
