//! The manifest: the only list of shards that a reader trusts.
//!
//! It is written last, so a folder without one holds no dataset. It holds no clock time and no
//! absolute path: the same inputs and the same config give the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::files::write_atomic;
use crate::schema::Kind;
use crate::shard::Shard;
use crate::{Error, Result};

/// The name of the manifest in a dataset's folder.
pub const MANIFEST: &str = "manifest.json";
/// What `format` says.
pub const FORMAT: &str = "tessera-dataset";
/// The version of the format that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Whether a split can have this name: a lower-case letter, then lower-case letters, digits and `_`.
///
/// Splits become parts of file names, and `datasets` takes only words; it keeps `all` for all of them.
pub fn is_split_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(word) && name != "all"
}

/// What a dataset is and where it comes from. `docs/formats.md` has every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `tessera-dataset`.
    pub format: String,
    /// The version of the format.
    pub version: u32,
    /// The dataset's name.
    pub name: String,
    /// What the rows are.
    pub kind: Kind,
    /// The program and version that made it, such as `tessera 0.1.0`.
    pub program: String,
    /// The part of the config that made it, and its hash.
    pub config: MadeBy,
    /// The splits by name.
    pub splits: BTreeMap<String, Split>,
    /// Files beside the shards: tokenizer, statistics, card.
    pub files: Vec<FileEntry>,
    /// Rows read, kept and rejected.
    pub rows: RowCounts,
    /// The raw files it was made from.
    pub sources: Vec<SourceFile>,
    /// The datasets and runs it was made from.
    pub parents: Vec<Parent>,
    /// What else belongs to the kind: languages, class names, vocabulary size.
    pub details: Map<String, Value>,
}

/// The config that made a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeBy {
    /// SHA-256 of `toml`, the seed and the program's version.
    pub sha256: String,
    /// The `[data]` and `[[pipeline.stage]]` tables and the seed.
    pub toml: String,
}

/// One split.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Rows in all shards.
    pub rows: u64,
    /// Bytes of all shards.
    pub bytes: u64,
    /// The shards in reading order.
    pub shards: Vec<Shard>,
}

/// A file beside the shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path relative to the dataset's folder, with `/`.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// What became of the rows that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// Rows that the reading stage found.
    pub read: u64,
    /// Rows in the published shards.
    pub kept: u64,
    /// Rows that were dropped, by reason.
    pub rejected: BTreeMap<String, Rejected>,
    /// Rows in and out of every stage, in order.
    pub stages: Vec<StageCounts>,
}

/// Rows that went through one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageCounts {
    /// The stage's kind.
    pub stage: String,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// What was changed inside of rows, by reason: keypoints that a filter took away, gaps that
    /// were filled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, u64>,
}

/// Rows dropped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// How many.
    pub count: u64,
    /// The first few of them.
    pub samples: Vec<RejectSample>,
}

/// One dropped row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectSample {
    /// The file.
    pub src: String,
    /// The place in the file.
    pub loc: String,
    /// What was wrong, or the start of the row.
    pub excerpt: String,
}

/// A raw file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Path relative to the folder of the source.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The card or name it belongs to.
    pub source: String,
    /// Its licence.
    pub license: String,
}

/// A dataset or run that this one was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// `dataset` or `run`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its manifest, or of the checkpoint's weights.
    pub sha256: String,
}

impl Manifest {
    /// A manifest with nothing in it yet.
    pub fn new(name: &str, kind: Kind, config: MadeBy) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: FORMAT_VERSION,
            name: name.to_owned(),
            kind,
            program: format!("tessera {}", crate::VERSION),
            config,
            splits: BTreeMap::new(),
            files: Vec::new(),
            rows: RowCounts::default(),
            sources: Vec::new(),
            parents: Vec::new(),
            details: Map::new(),
        }
    }

    /// Reads the manifest of a dataset's folder.
    ///
    /// # Errors
    /// When there is none, it is no manifest, or it is of another version.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(MANIFEST);
        let text = match fs_err::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let hint = "make the dataset with `tessera-pipeline run CONFIG`, or point to the folder that holds `manifest.json`";
                return Err(Error::input("no dataset here: `manifest.json` is missing").at(dir).hint(hint));
            }
            other => other?,
        };
        let value: Value =
            serde_json::from_slice(&text).map_err(|e| Error::input(format!("not a manifest: {e}")).at(&path))?;
        if value["format"] != FORMAT {
            return Err(Error::input(format!("`format` is not `{FORMAT}`")).at(&path));
        }
        if value["version"] != FORMAT_VERSION {
            let message = format!("manifest version {}, this program reads {FORMAT_VERSION}", value["version"]);
            return Err(Error::input(message).at(&path).hint("make the dataset again with this version"));
        }
        serde_json::from_value(value).map_err(|e| Error::input(format!("not a manifest: {e}")).at(&path))
    }

    /// Publishes the dataset: from here on its shards exist.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn publish(&self, dir: &Path) -> Result<()> {
        write_atomic(dir.join(MANIFEST), &self.to_bytes())
    }

    /// The bytes that [`Manifest::publish`] writes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        bytes.push(b'\n');
        bytes
    }

    /// SHA-256 of the manifest: with it the whole dataset is named.
    pub fn sha256(&self) -> String {
        crate::hash::sha256(&self.to_bytes())
    }

    /// All shards of all splits.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.splits.values().flat_map(|split| &split.shards)
    }
}

impl Split {
    /// A split of these shards.
    pub fn of(shards: Vec<Shard>) -> Self {
        Self { rows: shards.iter().map(|s| s.rows).sum(), bytes: shards.iter().map(|s| s.bytes).sum(), shards }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_splits_are_words() {
        for name in ["train", "validation", "test_2016_flickr", "x"] {
            assert!(is_split_name(name), "{name}");
        }
        for name in ["", "all", "Test", "2016_test", "_test", "test-2016", "test.1", "prüfung"] {
            assert!(!is_split_name(name), "{name}");
        }
    }
}
