//! The error of hidden keypoints by how long they are hidden, and by how far the next sight is.

use serde::Serialize;

use super::row::{Errors, METHODS};
use crate::metrics::pose::{Estimate, Window};

/// Errors by a number of frames, from 1; those of keypoints that a window never gives are apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Lags {
    by_frames: Vec<Errors>,
    never: Errors,
}

/// Gaps of about one length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The shortest, in frames; none where the keypoint is hidden in the whole window.
    pub from: Option<usize>,
    /// The longest.
    pub to: Option<usize>,
    /// Hidden keypoints in such gaps.
    pub keypoints: u64,
    /// The mean error of each method.
    pub methods: Vec<GapValue>,
}

/// The mean error of a method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GapValue {
    /// The method.
    pub estimate: Estimate,
    /// Its mean error.
    pub value: f64,
}

impl Gap {
    /// Its frames in words: `3 – 4`, `whole window`.
    pub fn frames(&self) -> String {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from == to => from.to_string(),
            (Some(from), Some(to)) => format!("{from} – {to}"),
            _ => "whole window".to_owned(),
        }
    }
}

impl Lags {
    fn add(&mut self, frames: Option<usize>, window: &Window<'_>, t: usize, k: usize) {
        let errors = Errors { sums: Estimate::ALL.map(|by| window.error(by, t, k)), count: 1 };
        match frames {
            None => self.never.add(&errors),
            Some(frames) => {
                if self.by_frames.len() <= frames {
                    self.by_frames.resize(frames + 1, Errors::default());
                }
                self.by_frames[frames].add(&errors);
            }
        }
    }

    /// By the number of frames in succession in which a keypoint is not given.
    pub(super) fn add_gaps(&mut self, window: &Window<'_>) {
        for k in 0..window.keypoints {
            let mut t = 0;
            while t < window.frames {
                let end = (t..window.frames).find(|t| window.given(*t, k)).unwrap_or(window.frames);
                let length = (end - t < window.frames).then_some(end - t);
                (t..end).filter(|t| window.known(*t, k)).for_each(|t| self.add(length, window, t, k));
                t = end + 1;
            }
        }
    }

    /// By the distance to the nearest frame in which the keypoint is given.
    pub(super) fn add_distances(&mut self, window: &Window<'_>) {
        for k in 0..window.keypoints {
            let given: Vec<usize> = (0..window.frames).filter(|t| window.given(*t, k)).collect();
            for t in (0..window.frames).filter(|t| !window.given(*t, k) && window.known(*t, k)) {
                self.add(given.iter().map(|other| t.abs_diff(*other)).min(), window, t, k);
            }
        }
    }
}

/// Lengths in steps that double, the whole window last.
pub(super) fn of(lags: &Lags, frames: usize) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut from = 1;
    while from < frames {
        let to = if from < 3 { from } else { (2 * from - 2).min(frames - 1) };
        let mut errors = Errors::default();
        (from..=to).filter_map(|frames| lags.by_frames.get(frames)).for_each(|more| errors.add(more));
        gaps.extend(gap(Some((from, to)), &errors));
        from = to + 1;
    }
    gaps.extend(gap(None, &lags.never));
    gaps
}

fn gap(frames: Option<(usize, usize)>, errors: &Errors) -> Option<Gap> {
    let value = |m: usize| Some(GapValue { estimate: Estimate::ALL[m], value: errors.mean(m)? });
    let methods: Vec<GapValue> = (0..METHODS).filter_map(value).collect();
    let (from, to) = frames.unzip();
    (errors.count > 0).then(|| Gap { from, to, keypoints: u64::from(errors.count), methods })
}
