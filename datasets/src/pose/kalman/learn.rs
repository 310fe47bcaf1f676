//! Noise and motion, learned from tracks.

use super::{Motion, Options, Point, State};
use crate::pose::Track;

/// How many frames of a run are only watched, until the state has settled.
const SETTLING: usize = 5;
/// Runs shorter than this say little.
const SHORTEST: usize = 3 * SETTLING;
/// How many frames are looked at, of all keypoints together.
const ENOUGH: usize = 20_000;
/// The deviations of the process, as shares of that of the measurement, that are tried.
const STEPS: i32 = 33;

impl Options {
    /// Learns noise and motion from tracks, as the values under which the prediction of each next
    /// frame is likeliest. Only frames between gaps count, 20,000 points at most; single mistaken
    /// points do no harm, because the size of errors is judged by their median.
    ///
    /// Where there is nothing to learn from, the unit is taken for the noise.
    #[must_use]
    pub fn learn<'a>(tracks: impl IntoIterator<Item = &'a Track>, frames_per_second: f64) -> Self {
        let runs = runs(tracks);
        let per_second = frames_per_second.powi(2);
        let usual = Self { frames_per_second, measurement: 1.0, process: 0.3 * per_second };
        let candidates = (0..STEPS).map(|step| 1e-4 * 10.0_f64.powf(f64::from(step) / 6.0));
        let judged = candidates.filter_map(|share| Some((share, judge(&runs, share)?)));
        let best = judged.min_by(|(_, (one, _)), (_, (other, _))| one.total_cmp(other));
        best.map_or(usual, |(share, (_, measurement))| Self {
            frames_per_second,
            measurement,
            process: share * measurement * per_second,
        })
    }
}

/// Stretches of a keypoint without gaps and jumps, of all keypoints about as much.
fn runs<'a>(tracks: impl IntoIterator<Item = &'a Track>) -> Vec<Vec<Point>> {
    let (mut runs, mut taken) = (Vec::new(), Vec::new());
    for track in tracks {
        let enough = ENOUGH.div_ceil(track.keypoints.max(1));
        taken.resize(track.keypoints.max(taken.len()), 0);
        for (k, taken) in taken.iter_mut().enumerate().take(track.keypoints) {
            let farthest = farthest_step(track, k);
            let mut t = 0;
            while t < track.frames() && *taken < enough {
                let mut run: Vec<Point> = Vec::new();
                for t in t..track.frames().min(t + enough - *taken) {
                    let point = track.point(t, k).map(|point| point.map(f64::from));
                    let near = |point: &Point| run.last().is_none_or(|last| distance(last, point) <= farthest);
                    let Some(point) = point.filter(near) else {
                        break;
                    };
                    run.push(point);
                }
                t += run.len().max(1);
                if run.len() >= SHORTEST {
                    *taken += run.len();
                    runs.push(run);
                }
            }
        }
        if taken.iter().all(|taken| *taken + SHORTEST > enough) {
            break;
        }
    }
    runs
}

/// A step that is no motion: twenty times what a keypoint moves from frame to frame in the median. A
/// mistaken point would pull the prediction of the next frames after it.
fn farthest_step(track: &Track, keypoint: usize) -> f64 {
    let point = |t: usize| Some(track.point(t, keypoint)?.map(f64::from));
    let step = |t: usize| Some(distance(&point(t - 1)?, &point(t)?));
    let mut steps: Vec<f64> = (1..track.frames()).filter_map(step).take(ENOUGH).collect();
    if steps.is_empty() {
        return 0.0;
    }
    let middle = steps.len() / 2;
    20.0 * *steps.select_nth_unstable_by(middle, f64::total_cmp).1
}

fn distance(a: &Point, b: &Point) -> f64 {
    (0..3).map(|c| (a[c] - b[c]).powi(2)).sum::<f64>().sqrt()
}

/// How unlikely the runs are if the process has this share of the measurement's deviation, and the
/// deviation of the measurement that fits best.
fn judge(runs: &[Vec<Point>], share: f64) -> Option<(f64, f64)> {
    let motion = Motion { measurement: 1.0, process: share * share };
    let (mut errors, mut logarithms) = (Vec::new(), 0.0);
    for run in runs {
        let Some((first, rest)) = run.split_first() else {
            continue;
        };
        let mut state = State::unmoved(*first, &motion);
        for (t, point) in rest.iter().enumerate() {
            state.predict(&motion);
            if t >= SETTLING {
                let expected = state.expected(&motion);
                let position = state.position();
                errors.extend((0..3).map(|c| (point[c] - position[c]).abs() / expected.sqrt()));
                logarithms += 3.0 * expected.ln();
            }
            state.update(*point, &motion);
        }
    }
    if errors.is_empty() {
        return None;
    }
    let count = errors.len();
    let (_, median, _) = errors.select_nth_unstable_by(count / 2, f64::total_cmp);
    // of a normal distribution the median of absolute values is 0.6745 of the deviation
    let deviation = *median / 0.674_489_750_196_081_7;
    (deviation > 0.0 && deviation.is_finite()).then(|| (2.0 * deviation.ln() + logarithms / count as f64, deviation))
}
