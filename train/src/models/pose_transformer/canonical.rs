//! A window in the animal's own frame of reference.

use tessera_datasets::pose::geometry::Point;

use super::anatomy::Anatomy;

/// How strongly a window is taken to stand still, in squared frames of each frame.
const STILLNESS: f64 = 30.0;

/// One window of coarse poses.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) keypoints: usize,
    /// x, y, z of each keypoint of each frame.
    pub(super) positions: &'a [f32],
    /// Which are given.
    pub(super) given: &'a [bool],
}

impl Window<'_> {
    pub(super) fn frames(&self) -> usize {
        self.given.len() / self.keypoints
    }

    pub(super) fn is_given(&self, frame: usize, keypoint: usize) -> bool {
        self.given[frame * self.keypoints + keypoint]
    }

    pub(super) fn point(&self, frame: usize, keypoint: usize) -> Point {
        let at = (frame * self.keypoints + keypoint) * 3;
        [0, 1, 2].map(|c| f64::from(self.positions[at + c]))
    }
}

/// The way from a window to the mean pose: one steady motion is taken out, then the window is moved
/// and turned about the vertical as a whole. One for the whole window, so that nothing jumps from
/// frame to frame when other keypoints are given.
pub(super) struct Canonical {
    velocity: Point,
    from: Point,
    to: Point,
    cosine: f64,
    sine: f64,
    /// The frame in the middle.
    middle: f64,
}

impl Canonical {
    /// From what is given of a window.
    pub(super) fn fit(window: &Window<'_>, anatomy: &Anatomy) -> Self {
        let (frames, keypoints) = (window.frames(), window.keypoints);
        let middle = (frames as f64 - 1.0) / 2.0;
        let velocity = velocity(window, &anatomy.weights, middle);
        let (mut total, mut from, mut to) = (0.0, [0.0; 3], [0.0; 3]);
        let still = |frame: usize, keypoint: usize| {
            let (point, past) = (window.point(frame, keypoint), frame as f64 - middle);
            [0, 1, 2].map(|c| point[c] - velocity[c] * past)
        };
        let given = || {
            let all = (0..frames).flat_map(|frame| (0..keypoints).map(move |keypoint| (frame, keypoint)));
            all.filter(|(frame, keypoint)| window.is_given(*frame, *keypoint))
        };
        for (frame, keypoint) in given() {
            let (weight, point) = (anatomy.weights[keypoint], still(frame, keypoint));
            total += weight;
            (0..3).for_each(|c| from[c] += weight * point[c]);
            (0..3).for_each(|c| to[c] += weight * anatomy.mean[keypoint][c]);
        }
        let total = total.max(1e-9);
        (from, to) = (from.map(|v| v / total), to.map(|v| v / total));
        let (mut along, mut across) = (0.0, 0.0);
        for (frame, keypoint) in given() {
            let (weight, point, mean) = (anatomy.weights[keypoint], still(frame, keypoint), anatomy.mean[keypoint]);
            let (x, y) = (point[0] - from[0], point[1] - from[1]);
            let (mx, my) = (mean[0] - to[0], mean[1] - to[1]);
            along += weight * (x * mx + y * my);
            across += weight * (x * my - y * mx);
        }
        let length = along.hypot(across);
        let (cosine, sine) = if length > 1e-12 { (along / length, across / length) } else { (1.0, 0.0) };
        Self { velocity, from, to, cosine, sine, middle }
    }

    /// Where a point of a frame is in the animal's frame of reference, in the skeleton's unit.
    pub(super) fn apply(&self, frame: usize, point: Point) -> Point {
        let past = frame as f64 - self.middle;
        let [x, y, z] = [0, 1, 2].map(|c| point[c] - self.velocity[c] * past - self.from[c]);
        let turned = [self.cosine * x - self.sine * y, self.sine * x + self.cosine * y, z];
        [0, 1, 2].map(|c| turned[c] + self.to[c])
    }

    /// The way back.
    pub(super) fn invert(&self, frame: usize, point: Point) -> Point {
        let past = frame as f64 - self.middle;
        let [x, y, z] = [0, 1, 2].map(|c| point[c] - self.to[c]);
        let turned = [self.cosine * x + self.sine * y, self.cosine * y - self.sine * x, z];
        [0, 1, 2].map(|c| turned[c] + self.from[c] + self.velocity[c] * past)
    }
}

/// The slope that all keypoints share, each about its own mean.
fn velocity(window: &Window<'_>, weights: &[f64], middle: f64) -> Point {
    let frames = window.frames();
    let (mut along, mut spread) = ([0.0; 3], STILLNESS * frames as f64);
    for (keypoint, weight) in weights.iter().enumerate() {
        let given = || (0..frames).filter(|frame| window.is_given(*frame, keypoint));
        let count = given().count().max(1) as f64;
        let (mut mean, mut mean_past) = ([0.0; 3], 0.0);
        for frame in given() {
            let point = window.point(frame, keypoint);
            (0..3).for_each(|c| mean[c] += point[c] / count);
            mean_past += (frame as f64 - middle) / count;
        }
        for frame in given() {
            let (point, past) = (window.point(frame, keypoint), frame as f64 - middle - mean_past);
            (0..3).for_each(|c| along[c] += weight * past * (point[c] - mean[c]));
            spread += weight * past * past;
        }
    }
    along.map(|v| v / spread)
}
