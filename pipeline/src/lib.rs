//! Raw files to datasets.
//!
//! A pipeline is a chain of [`stages`], described in a config: a source makes rows, maps change
//! them, folds learn from them. The [`executor`] runs it in parts, on all threads, in bounded
//! memory; it survives a kill at any moment and gives the same bytes whatever the number of
//! threads. What comes out is a folder of Parquet shards with a manifest, a data card, and what the
//! folds made.
//!
//! - [`stage`]: what a stage is; [`stages`]: those there are; [`plan`]: a chain that fits together
//! - [`inputs`]: raw files; [`rows`]: batches on their way; [`rejects`]: rows that were dropped
//! - [`executor`]: running; [`artifacts`]: what folds make; [`data_card`]: the `README.md`
//! - [`bpe`], [`pose`], [`triangulation`]: byte-pair encoding, filters of poses, and points in space
//!   from the views of cameras: algorithms without I/O
//! - [`cli`]: the program; [`show`], [`fetch`] and [`export_poses`]: three of its commands

pub mod artifacts;
pub mod bpe;
pub mod cli;
pub mod data_card;
pub mod executor;
pub mod export_poses;
pub mod fetch;
pub mod inputs;
mod parallel;
pub mod plan;
pub mod pose;
pub mod rejects;
pub mod rows;
pub mod show;
pub mod stage;
pub mod stages;
pub mod triangulation;
