//! Cluster analysis: keypoints that are seen only briefly, and frames of which little is known.
//!
//! BU-CVKit's `ClusterAnalysis` finds the runs and the share of known keypoints, its occupancy, and
//! leaves to other programs what to do with them. Here what is too short or too little goes.

use tessera_datasets::pose::Track;

use super::{Log, elapsed, known_runs};

/// Of a frame of which too few keypoints are known.
pub const SPARSE: &str = "too little of the pose";
/// Of a keypoint that is known only briefly between two gaps.
pub const BRIEF: &str = "seen too briefly";

/// The share of keypoints that are known in a frame.
#[must_use]
pub fn occupancy(track: &Track, frame: usize) -> f64 {
    let known = &track.known_tk[frame * track.keypoints..][..track.keypoints];
    known.iter().filter(|known| **known).count() as f64 / track.keypoints.max(1) as f64
}

/// Removes what is known of frames with less than `least` of their keypoints, then of each keypoint
/// the runs of fewer than `shortest` frames. A run that reaches the start or the end of the
/// recording stays: nobody knows how long it was.
pub fn remove_sparse(track: &mut Track, frames: &[i64], shortest: u64, least: f64, log: &mut Log) {
    let last = track.frames().saturating_sub(1);
    for t in 0..track.frames() {
        if occupancy(track, t) < least {
            (0..track.keypoints).for_each(|k| remove(track, t, k, SPARSE, log));
        }
    }
    for k in 0..track.keypoints {
        for run in known_runs(track, frames, k) {
            let length = elapsed(frames, run.start, run.end - 1).unwrap_or(0) + 1;
            let inside = run.start > 0 && run.end <= last;
            if inside && length < shortest {
                run.for_each(|t| remove(track, t, k, BRIEF, log));
            }
        }
    }
}

fn remove(track: &mut Track, frame: usize, keypoint: usize, reason: &'static str, log: &mut Log) {
    if track.known_tk[frame * track.keypoints + keypoint] {
        track.set(frame, keypoint, None);
        log.count(reason, keypoint);
    }
}
