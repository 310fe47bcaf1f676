//! Image files: hashed folder by folder, read many at once.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::OnceLock;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Error, Result};

use super::names::{base_name, folder_of};
use crate::inputs::{InputFile, hash_inputs};
use crate::stage::BATCH_BYTES;

/// The most files that are in memory at once for each part.
const FILES: usize = 1024;

/// Files that are images each.
pub(super) struct ImageFiles {
    pub(super) files: Vec<InputFile>,
    /// How many of them are images; lists stand behind.
    images: usize,
    /// The start of the hash of each file, from when all were hashed.
    hashes: OnceLock<Vec<u64>>,
}

impl ImageFiles {
    pub(super) fn new(files: Vec<InputFile>) -> Self {
        Self { images: files.len(), files, hashes: OnceLock::new() }
    }

    /// The first `images` of these files.
    pub(super) fn with_others(files: Vec<InputFile>, images: usize) -> Self {
        Self { files, images, hashes: OnceLock::new() }
    }

    /// One entry for each folder of images: its hash is that of what `sha256sum` prints of its files.
    pub(super) fn sources(&self) -> Result<Vec<SourceFile>> {
        let hashed = hash_inputs(&self.files)?;
        // another hash of the same files is as good
        let _ = self.hashes.set(hashed.iter().map(|file| start_of(&file.sha256)).collect());
        let mut folders: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
        let (images, others) = hashed.split_at(self.images);
        for file in images {
            folders.entry(folder_of(&file.path)).or_default().push(file);
        }
        let folders = folders.into_iter().map(|(folder, files)| folder_source(folder, &files));
        Ok(others.iter().cloned().chain(folders).collect())
    }

    /// Reads files by number and gives them in that order, a batch of them in memory at once.
    pub(super) fn read(
        &self,
        numbers: impl IntoIterator<Item = usize>,
        mut take: impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut numbers = numbers.into_iter().peekable();
        let mut batch = Vec::new();
        while numbers.peek().is_some() {
            batch.clear();
            let mut bytes = 0;
            while let Some(number) = numbers.next_if(|number| {
                let more = self.files[*number].bytes;
                batch.is_empty() || (batch.len() < FILES && bytes + more <= BATCH_BYTES as u64)
            }) {
                bytes += self.files[number].bytes;
                batch.push(number);
            }
            let read: Vec<Result<Vec<u8>>> = batch.par_iter().with_min_len(32).map(|i| self.read_one(*i)).collect();
            for (number, bytes) in batch.iter().zip(read) {
                take(*number, &bytes?)?;
            }
        }
        Ok(())
    }

    fn read_one(&self, number: usize) -> Result<Vec<u8>> {
        let file = &self.files[number];
        let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).map_or(0, |size| size.min(BATCH_BYTES)) + 1);
        fs_err::File::open(&file.path)?.read_to_end(&mut bytes)?;
        let is_same = self.hashes.get().is_none_or(|hashes| hashes[number] == start_of_digest(&bytes));
        match bytes.len() as u64 == file.bytes && is_same {
            true => Ok(bytes),
            false => Err(Error::input("the file was changed while the pipeline ran")
                .at(&file.path)
                .hint("give the same command again when nothing else writes the file")),
        }
    }
}

fn folder_source(folder: &str, files: &[&SourceFile]) -> SourceFile {
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(&file.sha256);
        hasher.update(b"  ");
        hasher.update(base_name(&file.path));
        hasher.update(b"\n");
    }
    // all files of a source are of one licence
    let first = files[0];
    SourceFile {
        path: if folder.is_empty() { "./".to_owned() } else { format!("{folder}/") },
        bytes: files.iter().map(|file| file.bytes).sum(),
        sha256: hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        source: first.source.clone(),
        license: first.license.clone(),
    }
}

fn start_of(sha256: &str) -> u64 {
    sha256.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn start_of_digest(bytes: &[u8]) -> u64 {
    Sha256::digest(bytes).iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte))
}
