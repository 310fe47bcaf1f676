//! Straight lines through short gaps.

use tessera_datasets::pose::Track;

use super::{Log, elapsed, point, runs};

/// Of a point on a line between two known ones.
pub const FILLED: &str = "interpolated";

/// Fills gaps of at most `longest` frames that have a known point on both sides, as BU-CVKit's
/// `LinearInterpolationFilter`. Frames whose numbers are left out count for the length.
pub fn fill(track: &mut Track, frames: &[i64], longest: u64, log: &mut Log) {
    for k in 0..track.keypoints {
        let missing: Vec<_> = runs(track.frames(), |t| !track.known_tk[t * track.keypoints + k]).collect();
        for gap in missing {
            if gap.start == 0 || gap.end == track.frames() {
                continue;
            }
            let (before, after) = (gap.start - 1, gap.end);
            let steps = elapsed(frames, before, after).filter(|steps| steps - 1 <= longest);
            let (Some(steps), Some(from), Some(to)) = (steps, point(track, before, k), point(track, after, k)) else {
                continue;
            };
            for t in gap {
                let Some(step) = elapsed(frames, before, t).filter(|step| *step < steps) else {
                    continue;
                };
                let share = step as f64 / steps as f64;
                let filled = [0, 1, 2].map(|c| (from[c] + share * (to[c] - from[c])) as f32);
                track.set(t, k, Some(filled));
                log.count(FILLED, k);
            }
        }
    }
}
