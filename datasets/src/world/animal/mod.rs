//! A simulated four-legged animal, about the size of a rat, that walks about a round open field.
//!
//! It gives 3D keypoint tracks of known truth with the faults of real ones: noise, jumps, and
//! occlusions of one keypoint, of a limb and of the whole body. Units are millimetres; z is up and
//! the floor is at 0; the field's centre is the origin.

mod body;
mod observation;
mod path;
mod space;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::random;
use crate::pose;
use body::{Body, KEYPOINTS};
use path::{Path, distances};

pub use observation::Faults;

/// The frame rate of all tracks.
pub const FRAMES_PER_SECOND: f64 = 60.0;

/// No keypoint is ever further than this from the centre of the field, in the plane.
pub const FIELD_RADIUS_MM: f64 = 550.0;

/// Sets the streams of tracks apart from those of scenes.
const TRACK: u64 = 0x77a1_c000_0000_0003;

/// Which keypoints an animal has and how they hang together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skeleton {
    /// The name of each keypoint; positions in this list are the index k of a [`Track`].
    pub names: Vec<String>,
    /// The bones, as pairs of keypoints. Their lengths do not change over time.
    pub edges: Vec<[usize; 2]>,
    /// Groups of keypoints that are hidden together: the lower parts of the four legs.
    pub limbs: Vec<Vec<usize>>,
}

impl Skeleton {
    /// The skeleton of the built-in animal: 16 keypoints and 15 bones, which form a tree.
    #[must_use]
    pub fn quadruped() -> Self {
        Self {
            names: body::NAMES.iter().map(|&name| name.into()).collect(),
            edges: body::EDGES.to_vec(),
            limbs: body::LIMBS.iter().map(|limb| limb.to_vec()).collect(),
        }
    }

    /// The skeleton as datasets have it.
    #[must_use]
    pub fn card(&self) -> pose::Skeleton {
        let name = |i: &usize| self.names[*i].clone();
        let other_side = |left: &String| {
            let right = left.replacen("left_", "right_", 1);
            (right != *left && self.names.contains(&right)).then(|| [left.clone(), right])
        };
        pose::Skeleton {
            name: "quadruped".to_owned(),
            unit: "mm".to_owned(),
            keypoints: self.names.clone(),
            edges: self.edges.iter().map(|[a, b]| [name(a), name(b)]).collect(),
            frames_per_second: Some(FRAMES_PER_SECOND),
            scale: None,
            mirror: self.names.iter().filter_map(other_side).collect(),
        }
    }
}

/// A walk of the animal at [`FRAMES_PER_SECOND`], as it was and as it was observed.
///
/// The name of each vector ends in the order of its axes: t for frames, k for keypoints and c for
/// the coordinates x, y, z. So the x of keypoint k in frame t is at `(t * keypoints + k) * 3`.
#[derive(Clone, Debug)]
pub struct Track {
    /// The keypoints.
    pub skeleton: Skeleton,
    /// How many frames there are.
    pub frames: usize,
    /// Where each keypoint is, in millimetres.
    pub truth_tkc: Vec<f32>,
    /// Where each keypoint was observed, in millimetres; NaN where it is not visible.
    pub observed_tkc: Vec<f32>,
    /// Whether each keypoint is visible.
    pub visible_tk: Vec<bool>,
    /// Whether the observation of each keypoint is a jump: visible, but far from the truth. A
    /// filter may be scored against it; nothing that is being tested should read it.
    pub jumped_tk: Vec<bool>,
}

impl Track {
    /// Track number `index` of `seed`: a pure function of its arguments. A longer track begins
    /// with the shorter one.
    #[must_use]
    pub fn draw(seed: u64, index: u64, frames: usize, faults: &Faults) -> Self {
        // A generator for each purpose, so that each goes on from where a shorter track ended.
        let mut seeds = random::generator(seed ^ TRACK, index);
        let mut generator = || random::generator(seeds.next_u64(), 0);
        let along = distances(&mut generator(), frames);
        let furthest = along.last().copied().unwrap_or(0.0);
        let path = Path::draw(&mut generator(), furthest + body::LEAD + body::TRAIL);
        let body = Body::new(&path, &mut generator());

        let mut truth_tkc = Vec::with_capacity(frames * KEYPOINTS * 3);
        for (frame, distance) in along.into_iter().enumerate() {
            let pose = body.pose(distance + body::TRAIL, frame as f64 / FRAMES_PER_SECOND);
            truth_tkc.extend(pose.as_flattened().iter().map(|&value| value as f32));
        }
        let jumped_tk = faults.jumps(&mut generator(), frames);
        let visible_tk = faults.visible(&mut generator(), frames);
        let jumped_tk: Vec<bool> =
            jumped_tk.into_iter().zip(&visible_tk).map(|(jump, &visible)| jump && visible).collect();
        let mut rng = generator();
        let observed_tkc = faults.observe(&mut rng, &truth_tkc, &visible_tk, &jumped_tk);
        Self { skeleton: Skeleton::quadruped(), frames, truth_tkc, observed_tkc, visible_tk, jumped_tk }
    }

    /// How many keypoints each frame has.
    #[must_use]
    pub fn keypoints(&self) -> usize {
        self.skeleton.names.len()
    }

    /// The true position of a keypoint in millimetres, or `None` outside the track.
    #[must_use]
    pub fn truth(&self, frame: usize, keypoint: usize) -> Option<[f32; 3]> {
        self.point(&self.truth_tkc, frame, keypoint)
    }

    /// The observed position of a keypoint in millimetres, or `None` where it is not visible or
    /// outside the track.
    #[must_use]
    pub fn observed(&self, frame: usize, keypoint: usize) -> Option<[f32; 3]> {
        let point = self.point(&self.observed_tkc, frame, keypoint)?;
        self.visible_tk[frame * self.keypoints() + keypoint].then_some(point)
    }

    fn point(&self, values: &[f32], frame: usize, keypoint: usize) -> Option<[f32; 3]> {
        if frame >= self.frames || keypoint >= self.keypoints() {
            return None;
        }
        let start = (frame * self.keypoints() + keypoint) * 3;
        values.get(start..start + 3)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests;
