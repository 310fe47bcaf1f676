//! The weighted mean of some frames.
//!
//! BU-CVKit's `MovingAverageFilter` weighs the last `window` frames with 1, 4, 9 …, the newest
//! most, and puts the mean in place of the point before it goes on: what it averages was averaged
//! before, so that the whole past counts. Any mean over the past comes late. Here the mean is
//! by default over frames before and after, and always of points as they came.

use tessera_datasets::pose::Track;

use super::{Log, known_runs, point};

/// Of points that were replaced by a mean.
pub const AVERAGED: &str = "averaged";

/// Which frames are averaged, and with what weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// As many before as after, at the ends of a stretch fewer; the nearer, the more, falling with
    /// the square.
    Centred,
    /// The frame and those before it, with 1, 4, 9 …
    Causal,
    /// The same of what was averaged before, as BU-CVKit.
    Recursive,
}

/// Averages over `frames_in_window` frames. A gap or a jump of the frame's number starts anew.
pub fn average(track: &mut Track, frames: &[i64], frames_in_window: usize, window: Window, log: &mut Log) {
    let most = frames_in_window.max(1);
    let mut points = Vec::new();
    for k in 0..track.keypoints {
        for run in known_runs(track, frames, k) {
            points.clear();
            points.extend(run.clone().filter_map(|t| point(track, t, k)));
            for (i, t) in run.enumerate() {
                let mean = match window {
                    Window::Centred => {
                        let half = (most / 2).min(i).min(points.len() - 1 - i);
                        let weight = |j: usize| (half + 1 - i.abs_diff(j)).pow(2) as f64;
                        mean(&points, i - half..i + half + 1, weight)
                    }
                    Window::Causal | Window::Recursive => {
                        let first = (i + 1).saturating_sub(most);
                        mean(&points, first..i + 1, |j| (j - first + 1).pow(2) as f64)
                    }
                };
                if window == Window::Recursive {
                    points[i] = mean;
                }
                track.set(t, k, Some(mean.map(|value| value as f32)));
                log.count_whole(AVERAGED);
            }
        }
    }
}

fn mean(points: &[[f64; 3]], range: std::ops::Range<usize>, weight: impl Fn(usize) -> f64) -> [f64; 3] {
    let (mut sum, mut weights) = ([0.0; 3], 0.0);
    for j in range {
        let weight = weight(j);
        weights += weight;
        (0..3).for_each(|c| sum[c] += weight * points[j][c]);
    }
    sum.map(|sum| sum / weights)
}
