//! The contract between Tessera's programs.
//!
//! Raw files become a *dataset* (Parquet shards and a manifest), a dataset becomes a *run*
//! (checkpoints, metrics, predictions), a run becomes a *report*. Everything that one program
//! writes and another reads is defined here and nowhere else:
//!
//! - [`config`]: one TOML file that describes a whole run, parsed strictly
//! - [`card`]: what a raw data set is, where it comes from and under which licence
//! - [`schema`]: the record kinds, one Arrow schema each
//! - [`shard`]: writing and reading Parquet shards
//! - [`manifest`]: the only list of shards that a reader trusts
//! - [`run_dir`]: the folder of a training run
//! - [`tokenizer`]: text to ids and back
//! - [`image`]: what an image's header says, pixels from its bytes, resizing
//! - [`pose`]: keypoints of animals over time
//! - [`world`]: the built-in data set, made from a seed
//! - [`console`]: progress, plain lines and error messages, the same in all three programs

pub mod card;
pub mod config;
pub mod console;
pub mod error;
pub mod files;
pub mod hash;
pub mod image;
pub mod manifest;
pub mod pose;
pub mod run_dir;
pub mod schema;
pub mod shard;
pub mod tokenizer;
pub mod world;

pub use error::{Error, Result, ResultExt};

/// The version of this workspace, as it stands in manifests, provenance and signatures.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
