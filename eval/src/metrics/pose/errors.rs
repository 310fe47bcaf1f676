//! How far places are from the truth, window by window.
//!
//! MPJPE and PCK are those of `cvkit.pose_estimation.metrics` (mahir1010/BU-CVKit); of keypoints
//! whose truth is not known, which it has not, they take the known ones of each frame.

use tessera_datasets::pose::geometry::Similarity;

use super::window::squared;
use super::{Estimate, Window};

/// Which keypoints count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// All whose truth is known.
    All,
    /// Those of them that were hidden from the model.
    Masked,
    /// Those of them that it was given.
    Visible,
}

impl Points {
    /// Whether a keypoint of a frame counts.
    pub fn hold(self, window: &Window<'_>, frame: usize, keypoint: usize) -> bool {
        window.known(frame, keypoint)
            && match self {
                Self::All => true,
                Self::Masked => !window.given(frame, keypoint),
                Self::Visible => window.given(frame, keypoint),
            }
    }

    /// The keypoints that count, frame by frame.
    pub fn of<'a>(self, window: &'a Window<'_>) -> impl Iterator<Item = (usize, usize)> + 'a {
        let all = (0..window.frames).flat_map(|t| (0..window.keypoints).map(move |k| (t, k)));
        all.filter(move |(t, k)| self.hold(window, *t, *k))
    }
}

/// All keypoints, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// One, by its number.
    One(usize),
}

impl Which {
    fn of(self, window: &Window<'_>) -> std::ops::Range<usize> {
        match self {
            Self::All => 0..window.keypoints,
            Self::One(k) => k..k + 1,
        }
    }

    fn holds(self, keypoint: usize) -> bool {
        self == Self::All || self == Self::One(keypoint)
    }
}

/// The mean; none of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Mean per-joint position error of a window: the mean over its frames of the mean over their
/// keypoints. A frame in which nothing is known does not count.
pub fn mpjpe(window: &Window<'_>, by: Estimate, which: Which) -> Option<f64> {
    let frame = |t: usize| mean(which.of(window).filter(|k| window.known(t, *k)).map(|k| window.error(by, t, k)));
    mean((0..window.frames).filter_map(frame))
}

/// The sum of the position errors of a window and how many they are.
pub fn position(window: &Window<'_>, by: Estimate, points: Points, which: Which) -> (f64, u32) {
    let points = points.of(window).filter(|(_, k)| which.holds(*k));
    points.fold((0.0, 0), |(sum, count), (t, k)| (sum + window.error(by, t, k), count + 1))
}

/// The share of keypoints that are nearer to the truth than a fraction of the frame's extent, in
/// the mean over the frames of a window.
pub fn pck(window: &Window<'_>, by: Estimate, threshold: f64, which: Which) -> Option<f64> {
    let frame = |t: usize| {
        let extent = window.extent(t)?;
        let right = |k: usize| f64::from(u8::from(window.error(by, t, k) < threshold * extent));
        mean(which.of(window).filter(|k| window.known(t, *k)).map(right))
    };
    mean((0..window.frames).filter_map(frame))
}

/// How many of some keypoints of a window are nearer to the truth than a fraction of the frame's
/// extent, and how many there are.
pub fn correct(window: &Window<'_>, by: Estimate, threshold: f64, points: Points) -> (u32, u32) {
    let frame = |t: usize| {
        let extent = window.extent(t)?;
        let counted = (0..window.keypoints).filter(|k| points.hold(window, t, *k));
        Some(counted.fold((0, 0), |(right, count), k| {
            (right + u32::from(window.error(by, t, k) < threshold * extent), count + 1)
        }))
    };
    (0..window.frames).filter_map(frame).fold((0, 0), |(a, b), (right, count)| (a + right, b + count))
}

/// The sum of the acceleration errors of a window and how many they are: |(p₋₁ − 2p₀ + p₊₁) − the
/// same of the truth|, where a keypoint is known in three frames in succession (SmoothNet's
/// `compute_error_accel`).
pub fn acceleration(window: &Window<'_>, by: Estimate, which: Which) -> (f64, u32) {
    let (found, truth) = (window.estimate(by), window.target_tkc);
    let bend = |values: &[f32], t: usize, k: usize| {
        let [a, b, c] = [t - 1, t, t + 1].map(|t| window.place(values, t, k));
        [0, 1, 2].map(|i| a[i] - 2.0 * b[i] + c[i])
    };
    let middle = (1..window.frames.saturating_sub(1)).flat_map(|t| which.of(window).map(move |k| (t, k)));
    let known = middle.filter(|(t, k)| (t - 1..=t + 1).all(|t| window.known(t, *k)));
    known.fold((0.0, 0), |(sum, count), (t, k)| (sum + squared(bend(found, t, k), bend(truth, t, k)).sqrt(), count + 1))
}

/// The length of a bone in some list of places.
pub fn bone_length(window: &Window<'_>, values: &[f32], frame: usize, [a, b]: [usize; 2]) -> f64 {
    squared(window.place(values, frame, a), window.place(values, frame, b)).sqrt()
}

/// The sum of |length − true length| over the bones of a window and how many they are; a bone
/// counts in the frames in which both of its ends are known. Those of one keypoint end at it.
pub fn bones(window: &Window<'_>, by: Estimate, edges: &[[usize; 2]], which: Which) -> (f64, u32) {
    let all = (0..window.frames).flat_map(|t| edges.iter().map(move |edge| (t, *edge)));
    let known =
        all.filter(|(t, [a, b])| window.known(*t, *a) && window.known(*t, *b) && (which.holds(*a) || which.holds(*b)));
    known.fold((0.0, 0), |(sum, count), (t, edge)| {
        let length = |values: &[f32]| bone_length(window, values, t, edge);
        (sum + (length(window.estimate(by)) - length(window.target_tkc)).abs(), count + 1)
    })
}

/// Mean per-joint position error of a window after each frame was turned, moved and scaled onto the
/// truth (PA-MPJPE: Procrustes alignment, as Kanazawa et al. 2018 take it). A frame in which fewer
/// than three keypoints are known does not count: two always fit.
pub fn aligned(window: &Window<'_>, by: Estimate, which: Which) -> Option<f64> {
    let frame = |t: usize| {
        let known: Vec<usize> = (0..window.keypoints).filter(|k| window.known(t, *k)).collect();
        if known.len() < 3 {
            return None;
        }
        let places = |values: &[f32]| known.iter().map(|k| window.place(values, t, *k)).collect::<Vec<_>>();
        let (found, truth) = (places(window.estimate(by)), places(window.target_tkc));
        let fit = Similarity::fit(&found, &truth, true)?;
        let counted = known.iter().zip(found.iter().zip(&truth)).filter(|(k, _)| which.holds(**k));
        mean(counted.map(|(_, (found, truth))| squared(fit.apply(*found), *truth).sqrt()))
    };
    mean((0..window.frames).filter_map(frame))
}
