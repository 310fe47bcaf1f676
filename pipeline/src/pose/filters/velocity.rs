//! Points that could not have come so far in so little time.
//!
//! After BU-CVKit's `VelocityFilter`: a point goes if it is too far from the last one that was
//! kept for the time between them. But the first point is only trusted if one of the next two known
//! points can be reached from it; BU-CVKit trusts any, and removes good points until enough time
//! has passed for the way.

use tessera_datasets::pose::Track;

use super::bone_distances::median;
use super::{Log, distance, elapsed, point};

/// Of a point that moved too fast.
pub const FAST: &str = "too fast";

/// With fewer steps than this nothing is said of a keypoint.
const FEWEST: usize = 30;
/// The share of steps that are slower than what is called usual.
const USUAL: f64 = 0.95;

/// What is usual of each keypoint in a recording: the length of a step from one frame to the next
/// that 95 % of its steps do not exceed, at least twice the median. Infinite where too little is
/// known of it.
#[must_use]
pub fn learn(track: &Track, frames: &[i64]) -> Vec<f64> {
    let mut steps = Vec::with_capacity(track.frames());
    let usual = |k: usize| {
        steps.clear();
        steps.extend(
            (1..track.frames())
                .filter(|t| elapsed(frames, t - 1, *t) == Some(1))
                .filter_map(|t| Some(distance(point(track, t - 1, k)?, point(track, t, k)?))),
        );
        if steps.len() < FEWEST {
            return f64::INFINITY;
        }
        let place = (USUAL * steps.len() as f64) as usize;
        let (_, long, _) = steps.select_nth_unstable_by(place, f64::total_cmp);
        let long = *long;
        // of a keypoint that never moves any step is unusual, which is no reason to remove it
        let usual = long.max(2.0 * median(&mut steps));
        if usual > 0.0 { usual } else { f64::INFINITY }
    };
    (0..track.keypoints).map(usual).collect()
}

/// Removes points that are further from the last kept point of their keypoint than `fastest_k`
/// times the frames between them.
pub fn remove_fast(track: &mut Track, frames: &[i64], fastest_k: &[f64], log: &mut Log) {
    for (k, fastest) in fastest_k.iter().enumerate() {
        let mut last = None;
        for t in 0..track.frames() {
            let Some(here) = point(track, t, k) else {
                continue;
            };
            let reached = match last {
                Some((before, there)) => reaches((before, there), (t, here), frames, *fastest),
                None => is_trusted(track, frames, t, k, *fastest),
            };
            match reached {
                true => last = Some((t, here)),
                false => {
                    track.set(t, k, None);
                    log.count(FAST, k);
                }
            }
        }
    }
}

/// Whether a point can be reached from one before. Across a break anything can.
fn reaches(from: (usize, [f64; 3]), to: (usize, [f64; 3]), frames: &[i64], fastest: f64) -> bool {
    match elapsed(frames, from.0, to.0) {
        Some(later) => distance(from.1, to.1) <= fastest * later as f64,
        None => true,
    }
}

/// Whether one of the next two known points can be reached from this, or there are none.
fn is_trusted(track: &Track, frames: &[i64], t: usize, k: usize, fastest: f64) -> bool {
    let Some(here) = point(track, t, k) else {
        return false;
    };
    let mut next =
        (t + 1..track.frames()).filter_map(|later| Some((later, point(track, later, k)?))).take(2).peekable();
    next.peek().is_none() || next.any(|to| reaches((t, here), to, frames, fastest))
}
