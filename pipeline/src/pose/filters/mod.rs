//! Filters of keypoint tracks, after BU-CVKit's processors.
//!
//! Each takes a [`Track`] with the numbers of its frames and notes in a [`Log`] what it did to which
//! keypoint and why. Frame numbers that jump are a gap in time; numbers that do not grow are a
//! break, across which nothing is compared.
//!
//! Where BU-CVKit 0.0.3.2 is not followed:
//!
//! - `MedianDistanceFilter` goes through the keypoints in order and removes the first that is far
//!   from the others, though it may be the others that are wrong; see [`median_distance`]
//! - `DistanceStatisticsFilter` removes a keypoint that is the only one of its frame, because it
//!   counts itself as an unfit distance; here there is nothing to hold it against
//! - `VelocityFilter` trusts the first point, and removes all others until enough time has passed
//!   where that one was wrong; see [`velocity`]
//! - `KalmanFilter` with `skip = False` learns from its own predictions as if they were
//!   measurements, and fails where the recording begins with a gap; here a gap is predicted
//! - `MovingAverageFilter` averages what it has averaged before; see [`average`]
//! - a filled gap has the likelihood of the threshold, which some filters take for missing and some
//!   do not; here there are masks
//! - the filters of BU-CVKit know frames by their row; here they have numbers

pub mod average;
pub mod bone_distances;
pub mod clusters;
pub mod gaps;
pub mod kalman;
mod log;
pub mod median_distance;
pub mod velocity;

use std::ops::Range;

use tessera_datasets::pose::Track;

pub use log::Log;

/// The runs of numbers below `end` for which something holds, in order.
pub fn runs(end: usize, holds: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = (next..end).find(|i| holds(*i))?;
        let stop = (start..end).find(|i| !holds(*i)).unwrap_or(end);
        next = stop;
        Some(start..stop)
    })
}

/// The stretches of a recording in which a keypoint is known in every frame and no frame number is
/// left out.
fn known_runs(track: &Track, frames: &[i64], keypoint: usize) -> Vec<Range<usize>> {
    let known = |t: usize| track.known_tk[t * track.keypoints + keypoint];
    let mut pieces = Vec::new();
    for run in runs(track.frames(), known) {
        let mut start = run.start;
        for t in run.start + 1..run.end {
            if elapsed(frames, t - 1, t) != Some(1) {
                pieces.push(start..t);
                start = t;
            }
        }
        pieces.push(start..run.end);
    }
    pieces
}

/// How many frames later a row is than one before; nothing where the numbers do not grow.
fn elapsed(frames: &[i64], from: usize, to: usize) -> Option<u64> {
    let later = frames[to].checked_sub(frames[from])?;
    u64::try_from(later).ok().filter(|later| *later > 0)
}

/// A known point in double precision.
fn point(track: &Track, frame: usize, keypoint: usize) -> Option<[f64; 3]> {
    track.point(frame, keypoint).map(|point| point.map(f64::from))
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

#[cfg(test)]
mod tests;
