//! The augmentations. They know neither files nor batches' order, and take their random numbers
//! as an argument.
//!
//! Operations on 8 bits do what PIL 13.0 does, up to the rounding that their tests state.

pub mod affine;
pub mod crop;
pub mod enhance;
pub mod erase;
pub mod jitter;
pub mod mix;
pub mod rand_augment;
pub mod tone;
