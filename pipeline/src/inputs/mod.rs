//! Raw files: finding them, hashing them, reading them.

mod find;
mod hash;
pub(crate) mod json;
pub(crate) mod lines;
mod open;
mod parts;

use std::path::PathBuf;

pub(crate) use find::is_clutter;
pub use find::{Found, find};
pub use hash::hash_inputs;
pub use open::{Compression, open};
pub(crate) use parts::{parts_of, skipped_note};

/// A raw file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is on this machine.
    pub path: PathBuf,
    /// What it is called in datasets: its path relative to the folder of the source, with `/`.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// The card's name, or the dataset's where there is no card.
    pub source: String,
    /// Its licence.
    pub license: String,
    /// The split that the card says it is.
    pub split: Option<String>,
    /// The hash that the card says it has.
    pub expected_sha256: Option<String>,
}

/// `1 file`, `1,234 files`.
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        n => format!("{} {noun}s", tessera_datasets::console::thousands(n)),
    }
}
