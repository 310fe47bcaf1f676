//! Parquet shards: one writer, one reader, the same settings everywhere.
//!
//! A shard is written once, under a temporary name, and hashed on the way to the disk. It gets
//! its final name when the dataset is published and never changes after that.

mod reader;
mod writer;

pub use reader::{Dataset, RowGroup, read_batches};
pub use writer::ShardWriter;

use serde::{Deserialize, Serialize};

/// One shard as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Path relative to the dataset's folder, with `/`.
    pub path: String,
    /// Rows in the shard.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// `data/train-00000-of-00008.parquet`, the pattern that `datasets.load_dataset` finds by itself.
pub fn shard_path(split: &str, index: usize, count: usize) -> String {
    format!("data/{split}-{index:05}-of-{count:05}.parquet")
}
