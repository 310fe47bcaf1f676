//! Poses: the 3D keypoints of an animal over time.
//!
//! - [`Skeleton`]: which keypoints there are and how they hang together
//! - [`Track`]: where they are in each frame, and which of them are known
//! - [`interpolate`], [`kalman`], [`template`]: a position for every keypoint of every frame,
//!   without a model
//! - [`formats`]: the files that other programs keep them in
//! - [`geometry`]: moving poses onto one another
//!
//! What the programs share about them is here, without I/O but for the formats' readers and
//! writers: the pipeline filters tracks, training optimises them, and both are scored beside the
//! same baselines.

pub mod formats;
pub mod geometry;
pub mod interpolate;
pub mod kalman;
mod skeleton;
pub mod template;
mod track;

pub use skeleton::{DETAIL, Skeleton};
pub use track::Track;

/// What BU-CVKit and OptiPose write into every coordinate of a keypoint that is missing. It is
/// understood where files are read and written; inside, masks say what is known.
pub const MISSING: f32 = -4668.0;
