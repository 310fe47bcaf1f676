//! What the task asks of a network that optimises poses.

use std::collections::BTreeMap;

use serde_json::Value;
use tch::{Device, Tensor};
use tessera_datasets::Result;
use tessera_datasets::config::Section;
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::shard::Dataset;

use super::data::{Shape, training_frames};
pub use crate::classification::Exhibit;
use crate::optimizer::Rule;
use crate::task::Measures;

/// Windows of coarse poses as a network sees them. Axes: b windows, t frames, k keypoints, c the
/// coordinates x, y, z.
#[derive(Clone, Copy, Debug)]
pub struct Poses<'a> {
    /// Positions in the skeleton's unit, float32; 0 where they are not given.
    pub input_btkc: &'a Tensor,
    /// Which are given.
    pub given_btk: &'a Tensor,
    /// Which frames are there; the others are padding.
    pub frames_bt: &'a Tensor,
}

/// A network from coarse poses to optimised ones. It holds its parameters, which share their
/// storage with those of the task.
pub trait Network {
    /// Optimised poses `y_btkc` in the skeleton's unit. `training` switches dropout on.
    fn optimise(&self, poses: &Poses<'_>, training: bool) -> Tensor;

    /// The loss of a batch, as a mean over its windows, and what else to log of it. Of
    /// `target_btkc` only what is `known_btk` says something; the rest is 0.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn loss(
        &self,
        poses: &Poses<'_>,
        target_btkc: &Tensor,
        known_btk: &Tensor,
        training: bool,
    ) -> Result<(Tensor, Measures)>;

    /// How a parameter is stepped.
    fn rule(&self, _name: &str, tensor: &Tensor) -> Rule {
        Rule::by_shape(tensor)
    }

    /// What the network can show about how it came to the poses of one window.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn explain(&self, _poses: &Poses<'_>) -> Result<Vec<Exhibit>> {
        Ok(Vec::new())
    }

    /// Weights of another implementation under our names and in our shapes.
    ///
    /// # Errors
    /// When a tensor cannot be brought into our shape.
    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        Ok(found)
    }

    /// The network's description (`config.json`).
    fn reference_config(&self) -> Value;
}

/// What a network is made from.
pub struct Wanted<'a> {
    /// The model's table.
    pub table: Section,
    /// Whose poses it sees.
    pub skeleton: Skeleton,
    /// How large a window is.
    pub shape: Shape,
    /// The windows.
    pub dataset: &'a Dataset,
    /// Where its parameters lie.
    pub device: Device,
    /// From which they are drawn.
    pub seed: u64,
}

impl Wanted<'_> {
    /// Frames of a window.
    pub fn window(&self) -> i64 {
        self.shape.frames as i64
    }

    /// Keypoints of a frame.
    pub fn keypoints(&self) -> i64 {
        self.shape.keypoints as i64
    }

    /// The training frames with what is known of them, from which a network may work something out
    /// once: it goes into parameters that are not trained, which a checkpoint then overwrites.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn training_frames(&self) -> Result<Track> {
        training_frames(self.dataset, self.shape)
    }
}
