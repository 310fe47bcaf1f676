//! Images of a dataset as batches: read, decoded, augmented and normalised on the CPU.
//!
//! The augmentations are those of timm 1.0 and torchvision 0.26, in timm's order: crop, flip,
//! RandAugment, colour jitter, normalisation, random erasing, then mixup or CutMix over the batch.
//! Every random number is a function of the run's seed, the step and the place in the batch.

pub mod augment;
mod batches;
mod blocks;
mod config;
mod data;
mod evaluation;
mod normalize;
mod prepare;
mod random;
#[cfg(test)]
mod tests;

pub use batches::ImageBatches;
pub use blocks::Encoded;
pub use config::{AugmentConfig, ColorJitter, Crop, EraseMode, RandAugmentConfig, TrainInterpolation};
pub use data::{ImageData, class_names};
pub use evaluation::{EvaluationBatch, EvaluationImages};
pub use prepare::{Preparation, Preparer};
pub use random::Draw;
/// How images are resized.
pub use tessera_datasets::image::Filter as Interpolation;
