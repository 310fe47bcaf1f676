//! Noise and motion, learned from tracks.

use std::ops::Range;

use super::{Motion, Options, Point, State};
use crate::pose::Track;

/// How many frames of a run are only watched, until the state has settled.
const SETTLING: usize = 5;
/// Runs shorter than this say little.
const SHORTEST: usize = 3 * SETTLING;
/// How many points are looked at, of all keypoints together and of a single one.
const ENOUGH: [usize; 2] = [20_000, 4_000];
/// Of longer tracks pieces of this length are looked at, evenly spread.
const PIECE: usize = 150;
/// The deviations of the process, as shares of that of the measurement, that are tried: six to a
/// decade.
const SHARES: (f64, i32) = (1e-4, 33);
/// The degrees of freedom of Student's distribution: few enough that mistaken points weigh little.
const FREEDOM: f64 = 4.0;

impl Options {
    /// Learns noise and motion from tracks, as the values under which the prediction of each next
    /// frame is likeliest. Only frames between gaps count, 20,000 points at most. Errors are taken
    /// to be of Student's distribution, so that single mistaken points do little harm and an
    /// animal that rests half of the time is not taken for one that never moves.
    ///
    /// Where there is nothing to learn from, the unit is taken for the noise.
    #[must_use]
    pub fn learn<'a>(tracks: impl IntoIterator<Item = &'a Track>, frames_per_second: f64) -> Self {
        Self::likeliest(&runs(tracks, None), frames_per_second)
    }

    /// The same from one keypoint, of which 4,000 points are looked at: a paw moves otherwise than
    /// a back.
    #[must_use]
    pub fn learn_keypoint(track: &Track, keypoint: usize, frames_per_second: f64) -> Self {
        Self::likeliest(&runs([track], Some(keypoint)), frames_per_second)
    }

    fn likeliest(runs: &[Vec<Point>], frames_per_second: f64) -> Self {
        let per_second = frames_per_second.powi(2);
        let usual = Self { frames_per_second, measurement: 1.0, process: 0.3 * per_second };
        let (least, steps) = SHARES;
        let candidates = (0..steps).map(|step| least * 10.0_f64.powf(f64::from(step) / 6.0));
        let mut errors = Vec::new();
        let judged = candidates.filter_map(|share| Some((share, judge(runs, share, &mut errors)?)));
        let best = judged.min_by(|(_, (one, _)), (_, (other, _))| one.total_cmp(other));
        best.map_or(usual, |(share, (_, measurement))| Self {
            frames_per_second,
            measurement,
            process: share * measurement * per_second,
        })
    }
}

/// Stretches without gaps of one keypoint, or of all about as much.
fn runs<'a>(tracks: impl IntoIterator<Item = &'a Track>, keypoint: Option<usize>) -> Vec<Vec<Point>> {
    let (mut runs, mut taken) = (Vec::new(), Vec::new());
    for track in tracks {
        let (keypoints, enough) = match keypoint {
            Some(k) => (k..k + 1, ENOUGH[1]),
            None => (0..track.keypoints, ENOUGH[0].div_ceil(track.keypoints.max(1))),
        };
        taken.resize(keypoints.end.max(taken.len()), 0);
        if taken[keypoints.clone()].iter().all(|taken| *taken >= enough) {
            break;
        }
        for k in keypoints {
            for piece in pieces(track.frames(), enough.saturating_sub(taken[k])) {
                taken[k] += runs_of(track, k, piece, &mut runs);
            }
        }
    }
    runs
}

/// All frames, or evenly spread pieces of a longer track.
fn pieces(frames: usize, enough: usize) -> impl Iterator<Item = Range<usize>> {
    let (count, length) = match enough {
        0 => (0, 0),
        enough if frames <= enough => (1, frames),
        enough => (enough.div_ceil(PIECE), PIECE),
    };
    (0..count).map(move |piece| {
        let start = piece * frames / count;
        start..(start + length).min(frames)
    })
}

/// Adds the stretches of a keypoint within a piece; gives how many points they have.
fn runs_of(track: &Track, keypoint: usize, piece: Range<usize>, runs: &mut Vec<Vec<Point>>) -> usize {
    let (mut t, mut points) = (piece.start, 0);
    while t < piece.end {
        let run: Vec<Point> = (t..piece.end).map_while(|t| Some(track.point(t, keypoint)?.map(f64::from))).collect();
        t += run.len() + 1;
        if run.len() >= SHORTEST {
            points += run.len();
            runs.push(run);
        }
    }
    points
}

/// How unlikely the runs are if the process has this share of the measurement's deviation, and the
/// deviation of the measurement that fits best. `errors` is room to work in.
fn judge(runs: &[Vec<Point>], share: f64, errors: &mut Vec<f64>) -> Option<(f64, f64)> {
    let motion = Motion { measurement: 1.0, process: share * share };
    errors.clear();
    let mut logarithms = 0.0;
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
                errors.extend((0..3).map(|c| (point[c] - position[c]).powi(2) / expected));
                logarithms += 3.0 * expected.ln();
            }
            state.update(*point, &motion);
        }
    }
    if errors.is_empty() {
        return None;
    }
    let count = errors.len() as f64;
    let variance = scale(errors)?;
    let tail = errors.iter().map(|error| (error / (FREEDOM * variance)).ln_1p()).sum::<f64>();
    let unlikely = variance.ln() + (FREEDOM + 1.0) * tail / count + logarithms / count;
    Some((unlikely, variance.sqrt()))
}

/// The square of the scale under which squared errors are likeliest of Student's distribution, by
/// expectation maximisation.
fn scale(errors: &mut [f64]) -> Option<f64> {
    let half = errors.len() / 2;
    let (_, median, _) = errors.select_nth_unstable_by(half, f64::total_cmp);
    // of a normal distribution the median of squares is 0.455 of the variance
    let mut variance = *median / 0.455;
    for _ in 0..12 {
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        let weighted = errors.iter().map(|error| error * (FREEDOM + 1.0) / (FREEDOM + error / variance));
        variance = weighted.sum::<f64>() / errors.len() as f64;
    }
    Some(variance)
}
