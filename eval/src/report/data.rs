//! What a run was trained on, from the manifest of its dataset.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use tessera_datasets::Result;
use tessera_datasets::manifest::{MANIFEST, Manifest, Parent, RejectSample, SourceFile, StageCounts};

/// The dataset of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Data {
    /// Its folder as the run was given it.
    pub folder: String,
    /// Whether it is still there; where it is not, all that follows is empty.
    pub found: bool,
    /// SHA-256 of the manifest that the run was trained with.
    pub trained_with_sha256: String,
    /// SHA-256 of the manifest that is there now.
    pub manifest_sha256: Option<String>,
    /// Its name.
    pub name: String,
    /// What its rows are.
    pub kind: String,
    /// The splits.
    pub splits: Vec<SplitSize>,
    /// Rows that were read, kept and dropped.
    pub read: u64,
    /// Rows in the published shards.
    pub kept: u64,
    /// Rows dropped for any reason.
    pub rejected: u64,
    /// Dropped rows over rows read.
    pub rejected_share: f64,
    /// The reasons, the most frequent first.
    pub reasons: Vec<Reason>,
    /// Rows in and out of every stage.
    pub stages: Vec<StageCounts>,
    /// The raw files.
    pub sources: Vec<SourceFile>,
    /// The datasets it was made from.
    pub parents: Vec<Parent>,
    /// What else the manifest says in single values.
    pub details: Map<String, Value>,
}

/// The size of a split.
#[derive(Clone, Debug, Serialize)]
pub struct SplitSize {
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of its shards.
    pub bytes: u64,
    /// Shards.
    pub shards: u64,
}

/// Why rows were dropped.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// The reason.
    pub reason: String,
    /// Rows.
    pub count: u64,
    /// Rows over rows read.
    pub share: f64,
    /// The first few.
    pub samples: Vec<RejectSample>,
}

impl Data {
    /// Reads the manifest in `folder`, relative to the working directory. A folder that is gone is
    /// no error: the report says so.
    ///
    /// # Errors
    /// When there is a manifest and it is not readable.
    pub fn read(folder: &str, trained_with: &str) -> Result<Self> {
        let data = Self { folder: folder.to_owned(), trained_with_sha256: trained_with.to_owned(), ..Self::default() };
        match Path::new(folder).join(MANIFEST).is_file() {
            true => Ok(data.filled(&Manifest::read(Path::new(folder))?)),
            false => Ok(data),
        }
    }

    fn filled(self, manifest: &Manifest) -> Self {
        let share = |count: u64| count as f64 / manifest.rows.read.max(1) as f64;
        let rejected = manifest.rows.rejected.values().map(|r| r.count).sum();
        let splits = manifest.splits.iter().map(|(name, split)| SplitSize {
            name: name.clone(),
            rows: split.rows,
            bytes: split.bytes,
            shards: split.shards.len() as u64,
        });
        let reasons = manifest.rows.rejected.iter().map(|(reason, rejected)| Reason {
            reason: reason.clone(),
            count: rejected.count,
            share: share(rejected.count),
            samples: rejected.samples.clone(),
        });
        let mut reasons: Vec<Reason> = reasons.collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        let plain = |value: &Value| value.is_number() || value.is_string() || value.is_boolean();
        let details = manifest.details.iter().filter(|(_, value)| plain(value));
        Self {
            found: true,
            manifest_sha256: Some(manifest.sha256()),
            name: manifest.name.clone(),
            kind: manifest.kind.to_string(),
            splits: splits.collect(),
            read: manifest.rows.read,
            kept: manifest.rows.kept,
            rejected,
            rejected_share: share(rejected),
            reasons,
            stages: manifest.rows.stages.clone(),
            sources: manifest.sources.clone(),
            parents: manifest.parents.clone(),
            details: details.map(|(key, value)| (key.clone(), value.clone())).collect(),
            ..self
        }
    }

    /// Bytes of all raw files.
    pub fn source_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.bytes).sum()
    }
}
