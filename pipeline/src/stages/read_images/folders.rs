//! Images as files of their own, in a folder for each class.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Error, Result};

use super::names::{Place, base_name};
use super::sink::{Picture, Said, Sink};
use super::{Opened, Pictures, ReadImages, Skipped};
use crate::inputs::{Found, InputFile, hash_inputs, parts_of};
use crate::stage::{BATCH_BYTES, Part};

pub(super) fn open(stage: &ReadImages, found: Found) -> Result<Opened> {
    let mut skipped = Skipped::default();
    found.skipped.iter().for_each(|name| skipped.add(name));
    let mut folders = BTreeSet::new();
    for file in &found.files {
        let folder = folder_of(&file.name);
        if !folders.contains(folder) {
            folders.insert(folder.to_owned());
        }
    }
    let shape = stage.shape_of_folders(&folders, &found.barren)?;
    let sizes = found.files.iter().map(|file| (file.name.as_str(), file.bytes));
    let (parts, ranges) = parts_of(sizes, stage.config.part_bytes);
    let pictures = Files { files: found.files, parts, ranges, hashes: OnceLock::new() };
    Ok(Opened { pictures: Box::new(pictures), shape, skipped })
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

struct Files {
    /// Sorted by name, so that those of a folder come together.
    files: Vec<InputFile>,
    parts: Vec<Part>,
    ranges: Vec<Range<usize>>,
    /// The start of the hash of each file, from when all were hashed.
    hashes: OnceLock<Vec<u64>>,
}

impl Pictures for Files {
    fn inputs(&self) -> &[InputFile] {
        &self.files
    }

    /// One entry for each folder: its hash is that of what `sha256sum` prints of its files.
    fn sources(&self) -> Result<Vec<SourceFile>> {
        let hashed = hash_inputs(&self.files)?;
        // another hash of the same files is as good
        let _ = self.hashes.set(hashed.iter().map(|file| start_of(&file.sha256)).collect());
        let mut folders: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
        for file in &hashed {
            folders.entry(folder_of(&file.path)).or_default().push(file);
        }
        Ok(folders.into_iter().map(|(folder, files)| folder_source(folder, &files)).collect())
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        let mut rest = self.ranges.get(part).cloned().ok_or_else(|| Error::internal("no such part"))?;
        let hashes = self.hashes.get().map(Vec::as_slice);
        while !rest.is_empty() {
            let some = self.batch(&rest);
            rest.start = some.end;
            let read = self.files[some.clone()].par_iter().with_min_len(32).map(read_file).collect::<Vec<_>>();
            for (i, bytes) in some.zip(read) {
                let file = &self.files[i];
                let bytes = bytes?;
                if hashes.is_some_and(|hashes| hashes[i] != start_of_digest(&bytes)) {
                    return Err(changed(file));
                }
                push(file, &bytes, sink)?;
                advance(file.bytes);
            }
        }
        Ok(())
    }
}

impl Files {
    /// The first of these files, as many as a batch may hold.
    fn batch(&self, rest: &Range<usize>) -> Range<usize> {
        const FILES: usize = 1024;
        let mut bytes = 0;
        let fits = |file: &&InputFile| {
            bytes += file.bytes;
            bytes <= BATCH_BYTES as u64
        };
        let count = self.files[rest.clone()].iter().take(FILES).take_while(fits).count();
        rest.start..rest.start + count.max(1)
    }
}

fn push<'f>(file: &'f InputFile, bytes: &[u8], sink: &mut Sink<'f, '_, '_>) -> Result<()> {
    let name = file.name.as_str();
    let place = Place::of(name);
    let said = place.class.map_or(Said::Nothing, Said::Class);
    sink.push(&Picture { file, bytes, id: name, src: name, loc: LOC, name: base_name(name), split: place.split, said })
}

/// The place of an image in its file.
const LOC: &str = "file";

fn read_file(file: &InputFile) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).map_or(0, |size| size.min(BATCH_BYTES)) + 1);
    let mut opened = fs_err::File::open(&file.path)?;
    while opened.read_to_end(&mut bytes)? > 0 {}
    match bytes.len() as u64 == file.bytes {
        true => Ok(bytes),
        false => Err(changed(file)),
    }
}

fn changed(file: &InputFile) -> Error {
    Error::input("the file was changed while the pipeline ran")
        .at(&file.path)
        .hint("give the same command again when nothing else writes the file")
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
