//! Parquet shards to a trained model.
//!
//! [`fit`] is the loop, and knows nothing of any model. A model is a [`task::Task`], listed in
//! [`models`]. This is the only crate that mentions tch.

pub mod average;
pub mod beam_search;
pub mod checkpoint;
pub mod classification;
pub mod cli;
pub mod config;
pub mod device;
pub mod ema;
pub mod export;
pub mod fit;
pub mod images;
pub mod journal;
pub mod layers;
pub mod loader;
pub mod models;
pub mod optimise_files;
pub mod optimizer;
mod order;
pub mod output;
pub mod parameters;
pub mod poses;
pub mod run;
pub mod schedule;
pub mod sentences;
pub mod shim;
pub mod task;
pub mod tensorboard;
pub mod tokens;
pub mod translate_lines;
pub mod weights;
