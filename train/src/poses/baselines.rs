//! What simpler methods make of the same windows.

use tessera_datasets::Result;
use tessera_datasets::pose::template::Template;
use tessera_datasets::pose::{Skeleton, Track, interpolate, kalman};
use tessera_datasets::shard::Dataset;

use super::data::{PoseData, Shape, training_frames};

/// Of a skeleton that does not say how many frames there are in a second. Only the unit of the
/// smoother's settings depends on it, and these are learnt.
const FRAMES_PER_SECOND: f64 = 60.0;
/// Training windows from which the smoother's settings are learnt.
const LEARNT: usize = 2000;

/// Linear interpolation, a Kalman smoother with settings learnt from the training windows, and the
/// nearest poses of the training frames.
pub struct Baselines {
    smoother: kalman::Options,
    template: Template,
}

/// A position for every keypoint of every frame by each of them, `y_tkc`.
pub struct Filled {
    /// By linear interpolation.
    pub interpolated: Vec<f32>,
    /// By the Kalman smoother.
    pub kalman: Vec<f32>,
    /// By the nearest poses.
    pub template: Vec<f32>,
}

impl Baselines {
    /// Learns from the training windows of a dataset.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn new(dataset: &Dataset, skeleton: &Skeleton, shape: Shape) -> Result<Self> {
        let data = PoseData::open(dataset, "train", shape)?;
        let inputs: Vec<Track> = (0..data.len().min(LEARNT)).map(|row| data.input(row)).collect();
        let frames_per_second = skeleton.frames_per_second.unwrap_or(FRAMES_PER_SECOND);
        Ok(Self {
            smoother: kalman::Options::learn(&inputs, frames_per_second),
            template: Template::new(&training_frames(dataset, shape)?),
        })
    }

    /// What they make of a track.
    pub fn fill(&self, track: &Track) -> Filled {
        Filled {
            interpolated: interpolate::fill(track),
            kalman: kalman::smooth(track, &self.smoother),
            template: self.template.fill(track),
        }
    }
}
