//! What is in an archive, before its images are read.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashSet;
use tessera_datasets::Result;

use super::super::columns::Columns;
use super::super::names::{folder_of, is_image};
use super::super::skipped::Skipped;
use super::members::{Member, survey};
use super::samples::{Beside, key_of};
use crate::inputs::InputFile;

/// What is in some archives.
#[derive(Default)]
pub(in super::super) struct Scan {
    /// Files that are images by their name.
    pub(in super::super) images: u64,
    /// The folders in which there are images.
    pub(in super::super) folders: BTreeSet<String>,
    /// All folders that are members themselves.
    members: BTreeSet<String>,
    /// Whether something stands beside an image.
    pub(in super::super) siblings: bool,
    /// What is said to be the class of an image beside it.
    pub(in super::super) labels: BTreeSet<String>,
    /// Whether an image has a caption beside it.
    pub(in super::super) captions: bool,
    /// Other files.
    pub(in super::super) skipped: Skipped,
    /// Where the parts begin; a single part, where the archive is compressed.
    pub(in super::super) cuts: Vec<u64>,
    /// Hashes of the names of all images.
    pub(in super::super) names: FxHashSet<u64>,
    /// Hashes of the names that are there more than once.
    pub(in super::super) repeated: FxHashSet<u64>,
}

impl Scan {
    /// Looks through an archive and divides it into stretches of about `part_bytes`.
    pub(in super::super) fn of(file: &InputFile, columns: &Columns, part_bytes: u64) -> Result<Self> {
        let mut scan = Self { cuts: vec![0], ..Self::default() };
        let mut state = State { columns, beside: Beside::default(), folder: String::new() };
        let divides = crate::inputs::Compression::of(&file.name).0 == crate::inputs::Compression::Plain;
        survey(file, &mut |member| {
            let is_new = key_of(member.name).0 != state.beside.key;
            if is_new {
                scan.end(&mut state);
                let last = scan.cuts.last().copied().unwrap_or_default();
                // a sample is never divided
                match member.start {
                    Some(start) if divides && start >= last.saturating_add(part_bytes) => scan.cuts.push(start),
                    _ => {}
                }
                state.beside.start(key_of(member.name).0);
            }
            scan.add(member, &mut state)
        })?;
        scan.end(&mut state);
        Ok(scan)
    }

    fn add(&mut self, member: &mut Member<'_>, state: &mut State<'_>) -> Result<()> {
        if member.is_folder {
            self.members.insert(member.name.to_owned());
            return Ok(());
        }
        if !is_image(member.name) {
            state.beside.take(member, state.columns)?;
            self.skipped.add(member.name);
            return Ok(());
        }
        self.images += 1;
        state.beside.images += 1;
        let hash = hash_of(member.name);
        if !self.names.insert(hash) {
            self.repeated.insert(hash);
        }
        let folder = folder_of(member.name);
        if self.images == 1 || folder != state.folder {
            state.folder.clear();
            state.folder.push_str(folder);
            self.folders.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Ends a sample.
    fn end(&mut self, state: &mut State<'_>) {
        let beside = &mut state.beside;
        if beside.images == 0 {
            return;
        }
        self.siblings |= beside.found;
        self.captions |= beside.caption.is_some();
        if let Some(class) = beside.class.take()
            && !self.labels.contains(&class)
        {
            self.labels.insert(class);
        }
    }

    /// Adds what is in another archive.
    pub(in super::super) fn append(&mut self, other: Self) {
        self.images += other.images;
        self.folders.extend(other.folders);
        self.members.extend(other.members);
        self.siblings |= other.siblings;
        self.labels.extend(other.labels);
        self.captions |= other.captions;
        self.skipped.append(other.skipped);
        self.names.extend(other.names);
        self.repeated.extend(other.repeated);
    }

    /// Folders that are members, with neither an image nor another folder in them.
    pub(in super::super) fn barren(&self) -> Vec<String> {
        let is_below = |name: &String, folder: &String| {
            name.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        // names are sorted, so that a folder comes before what is in it, but not just before
        let is_barren = |folder: &&String| {
            let below =
                |names: &BTreeSet<String>| names.range::<String, _>(*folder..).any(|name| is_below(name, folder));
            !self.folders.contains(*folder) && !below(&self.members) && !below(&self.folders)
        };
        self.members.iter().filter(is_barren).cloned().collect()
    }
}

/// Where a look through an archive stands.
struct State<'a> {
    columns: &'a Columns,
    beside: Beside,
    /// The folder of the last image.
    folder: String,
}

/// The hash of a name in an archive.
pub(in super::super) fn hash_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
