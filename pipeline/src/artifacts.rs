//! Files that stages make beside the shards: tokenizer, statistics, codebooks.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tessera_datasets::files::write_atomic;
use tessera_datasets::hash::sha256_file;
use tessera_datasets::manifest::FileEntry;
use tessera_datasets::{Error, Result};

/// What was made so far: files by name, and facts for the manifest.
///
/// A name is the path that the file will have in the dataset's folder, such as `tokenizer.json` or
/// `stats/text.json`.
#[derive(Debug)]
pub struct Artifacts {
    dir: PathBuf,
    files: BTreeMap<String, PathBuf>,
    details: Map<String, Value>,
}

/// What one phase added, as it is noted beside its files.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    files: Vec<FileEntry>,
    details: Map<String, Value>,
}

impl Artifacts {
    /// Nothing yet; new files go to `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), files: BTreeMap::new(), details: Map::new() }
    }

    /// From here on new files go to `dir`; those made before stay known.
    pub(crate) fn enter(&mut self, dir: PathBuf) {
        self.dir = dir;
    }

    /// Makes a file, or makes it again.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let plain = |c: Component<'_>| matches!(c, Component::Normal(_));
        if name.is_empty() || !Path::new(name).components().all(plain) {
            return Err(Error::internal(format!("`{name}` is no name for a file of a dataset")));
        }
        let path = self.dir.join(name);
        write_atomic(&path, bytes)?;
        self.files.insert(name.to_owned(), path);
        Ok(())
    }

    /// Where a file is.
    ///
    /// # Errors
    /// When no stage so far has made it.
    pub fn path(&self, name: &str) -> Result<&Path> {
        let found = self.files.get(name).map(PathBuf::as_path);
        found.ok_or_else(|| Error::internal(format!("no stage has made `{name}`")))
    }

    /// States a fact for the manifest, such as the size of the vocabulary.
    pub fn detail(&mut self, name: &str, value: impl Into<Value>) {
        self.details.insert(name.to_owned(), value.into());
    }

    /// The files by name.
    pub fn files(&self) -> &BTreeMap<String, PathBuf> {
        &self.files
    }

    /// The facts.
    pub fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    /// Notes in `path` all that is known, so that [`Artifacts::recall`] can skip the work.
    pub(crate) fn remember(&self, path: &Path) -> Result<()> {
        let made_here = self.files.iter().filter(|(_, file)| file.starts_with(&self.dir));
        let entry = |(name, file): (&String, &PathBuf)| {
            let sha256 = sha256_file(file)?;
            Ok(FileEntry { path: name.clone(), sha256 })
        };
        let note = Note { files: made_here.map(entry).collect::<Result<_>>()?, details: self.details.clone() };
        let bytes = serde_json::to_vec(&note).map_err(|e| Error::internal(e.to_string()))?;
        write_atomic(path, &bytes)
    }

    /// Takes over what an earlier run of the same phase has noted; false when there is no such
    /// note, or its files are not what it says.
    pub(crate) fn recall(&mut self, path: &Path) -> Result<bool> {
        let Ok(bytes) = fs_err::read(path) else {
            return Ok(false);
        };
        let Ok(note) = serde_json::from_slice::<Note>(&bytes) else {
            return Ok(false);
        };
        for entry in &note.files {
            let file = self.dir.join(&entry.path);
            if !file.is_file() || sha256_file(&file)? != entry.sha256 {
                return Ok(false);
            }
        }
        for entry in note.files {
            self.files.insert(entry.path.clone(), self.dir.join(entry.path));
        }
        self.details.extend(note.details);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recalls_what_was_remembered_unless_a_file_changed() {
        let dir = tempfile::tempdir().unwrap();
        let note = dir.path().join("note.json");
        let mut made = Artifacts::new(dir.path().join("files"));
        made.write("stats/text.json", b"{}").unwrap();
        made.detail("vocabulary", 65);
        made.remember(&note).unwrap();

        let mut again = Artifacts::new(dir.path().join("files"));
        assert!(again.recall(&note).unwrap());
        assert_eq!(again.details()["vocabulary"], 65);
        assert!(again.path("stats/text.json").unwrap().is_file());

        fs_err::write(again.path("stats/text.json").unwrap(), b"[]").unwrap();
        assert!(!Artifacts::new(dir.path().join("files")).recall(&note).unwrap());
    }

    #[test]
    fn names_stay_inside_the_dataset() {
        let dir = tempfile::tempdir().unwrap();
        let mut artifacts = Artifacts::new(dir.path());
        assert!(artifacts.write("../a", b"").is_err());
        assert!(artifacts.write("/a", b"").is_err());
        assert!(artifacts.write("", b"").is_err());
    }
}
