//! Moving a window about as a whole.

use tessera_datasets::pose::Track;

use super::draw::Draw;

/// How training windows are moved; what is not switched on stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Motions {
    /// Whether they are turned about z by any angle.
    pub(super) rotation: bool,
    /// The deviation of a factor of mean 1 by which they become larger.
    pub(super) scale_deviation: f64,
    /// Where the smallest x and y may come to lie, less the window's own extent.
    pub(super) range: Option<[f64; 2]>,
    /// How far up they are lifted at most.
    pub(super) lift: f64,
    /// For each keypoint its counterpart in a mirror, where every other window is mirrored.
    pub(super) mirror: Option<Vec<usize>>,
    /// Whether every other window runs backwards.
    pub(super) reverse: bool,
}

/// How one window is moved: mirrored, turned about z and scaled, about its middle, and shifted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Motion<'a> {
    /// The order of keypoints in the mirror.
    pub(super) mirror: Option<&'a [usize]>,
    pub(super) reverse: bool,
    /// Cosine and sine of the angle, times the factor.
    pub(super) turn: [f32; 2],
    pub(super) scale: f32,
    pub(super) middle: [f32; 3],
    /// Where the middle goes.
    pub(super) place: [f32; 3],
}

impl Motions {
    /// Draws how a window is moved whose points these are.
    pub(super) fn draw(&self, window: &Track, draw: &mut Draw) -> Motion<'_> {
        let mirror = self.mirror.as_deref().filter(|_| draw.chance(0.5));
        let reverse = self.reverse && draw.chance(0.5);
        let angle = match self.rotation {
            // whole multiples of a step of 3 to 10 degrees, as OptiPose has them
            true => {
                let step = draw.whole(3, 10);
                (step * draw.whole(0, 360_usize.div_ceil(step) - 1)) as f64
            }
            false => 0.0,
        };
        let scale = match self.scale_deviation > 0.0 {
            true => (1.0 + self.scale_deviation * draw.normal()).max(0.1),
            false => 1.0,
        };
        let (sine, cosine) = angle.to_radians().sin_cos();
        // what does not move keeps its last bits
        let moves = mirror.is_some() || self.rotation || scale != 1.0;
        let middle = if moves { middle(window) } else { [0.0; 3] };
        let turn = [cosine * scale, sine * scale].map(|v| v as f32);
        let mut motion = Motion { mirror, reverse, turn, scale: scale as f32, middle, place: middle };
        if let Some([low, high]) = self.range {
            let [least, most] = motion.extent(window);
            for c in 0..2 {
                let extent = f64::from(most[c] - least[c]);
                motion.place[c] += draw.between(low, (high - extent).max(low)) as f32 - least[c];
            }
        }
        if self.lift > 0.0 {
            motion.place[2] += draw.between(0.0, self.lift) as f32;
        }
        motion
    }
}

impl Motion<'_> {
    /// Where a point goes.
    pub(super) fn apply(&self, point: [f32; 3]) -> [f32; 3] {
        let [mut x, y, z] = [0, 1, 2].map(|c| point[c] - self.middle[c]);
        if self.mirror.is_some() {
            x = -x;
        }
        let [cosine, sine] = self.turn;
        let moved = [cosine * x - sine * y, sine * x + cosine * y, self.scale * z];
        [0, 1, 2].map(|c| moved[c] + self.place[c])
    }

    /// The window moved, into points and marks in the order frame, keypoint, coordinate. Points
    /// that are not known become 0.
    pub(super) fn copy(&self, window: &Track, points_tkc: &mut [f32], known_tk: &mut [bool]) {
        let (frames, keypoints) = (window.frames(), window.keypoints);
        let points = points_tkc.as_chunks_mut::<3>().0.iter_mut().zip(known_tk).take(frames * keypoints);
        for (i, (point, known)) in points.enumerate() {
            let (frame, keypoint) = (i / keypoints, i % keypoints);
            let frame = if self.reverse { frames - 1 - frame } else { frame };
            let keypoint = self.mirror.map_or(keypoint, |order| order[keypoint]);
            let found = window.point(frame, keypoint);
            *known = found.is_some();
            *point = found.map_or([0.0; 3], |found| self.apply(found));
        }
    }

    /// The smallest and the largest coordinates of the points that are known.
    fn extent(&self, window: &Track) -> [[f32; 3]; 2] {
        let points = (0..window.known_tk.len()).filter(|i| window.known_tk[*i]);
        let points = points.map(|i| self.apply([0, 1, 2].map(|c| window.positions_tkc[i * 3 + c])));
        let start = [[f32::INFINITY; 3], [f32::NEG_INFINITY; 3]];
        let out = points.fold(start, |[low, high], point| {
            [[0, 1, 2].map(|c| low[c].min(point[c])), [0, 1, 2].map(|c| high[c].max(point[c]))]
        });
        if out[0][0].is_finite() { out } else { [self.place; 2] }
    }
}

/// The mean of the points that are known.
fn middle(window: &Track) -> [f32; 3] {
    let mut sum = [0.0_f64; 3];
    let mut count = 0.0_f64;
    for (point, _) in window.positions_tkc.as_chunks::<3>().0.iter().zip(&window.known_tk).filter(|(_, known)| **known)
    {
        (0..3).for_each(|c| sum[c] += f64::from(point[c]));
        count += 1.0;
    }
    sum.map(|sum| (sum / count.max(1.0)) as f32)
}

#[cfg(test)]
pub(super) const STILL: Motion<'static> =
    Motion { mirror: None, reverse: false, turn: [1.0, 0.0], scale: 1.0, middle: [0.0; 3], place: [0.0; 3] };
