//! Images in `.tar` archives, plain or compressed.
//!
//! Archives are read twice: first for the names in them, then for the images. A plain `.tar` is
//! divided into parts; one that is compressed can only be read from its beginning, and is one.

mod members;
mod plain;
mod samples;
mod scan;

use std::fmt::Write;
use std::ops::Range;

use rustc_hash::FxHashSet;
use tessera_datasets::{Error, Result};

use super::classes::Classes;
use super::columns::{Columns, list};
use super::config::Record;
use super::layout::Layout;
use super::names::ending;
use super::sink::{Shape, Sink};
use super::{Opened, Pictures, ReadImages, Skipped};
use crate::inputs::{Compression, Found, InputFile};
use crate::parallel;
use crate::stage::Part;
use members::Member;
pub(super) use scan::{Scan, hash_of};

/// Whether a file is an archive by its name.
pub(super) fn is_archive(name: &str) -> bool {
    let (_, plain) = Compression::of(name);
    [name, plain].iter().any(|name| matches!(ending(name).as_str(), "tar" | "tgz"))
}

/// Looks through the archives; `layout` is the one that the config says.
pub(super) fn open(stage: &ReadImages, found: Found, layout: Option<Layout>) -> Result<Opened> {
    let mut skipped = Skipped::default();
    found.skipped.iter().for_each(|name| skipped.add(name));
    let columns = Columns::of(&stage.config);
    let (stretches, scan) = Stretches::of(found.files, &columns, stage.config.part_bytes)?;
    let is_webdataset = match layout {
        Some(layout) => layout == Layout::Webdataset,
        None => scan.siblings,
    };
    let shape = match is_webdataset {
        true => shape_of_samples(stage, &scan)?,
        false => stage.shape_of_folders(&scan.folders, &scan.barren())?,
    };
    if !is_webdataset {
        skipped.append(scan.skipped);
    }
    let samples = is_webdataset.then_some((columns, stage.config.record));
    Ok(Opened { pictures: Box::new(Archives { stretches, samples }), shape, skipped })
}

/// Archives, divided into stretches: a part is one of them.
pub(super) struct Stretches {
    /// The archives; other files that belong to them may stand behind.
    pub(super) files: Vec<InputFile>,
    pub(super) parts: Vec<Part>,
    items: Vec<Item>,
    /// Hashes of names that are in an archive more than once.
    repeated: FxHashSet<u64>,
}

/// A stretch of an archive: all of it where it is compressed.
struct Item {
    archive: usize,
    range: Range<u64>,
}

impl Stretches {
    /// Looks through the archives and divides those that allow it into stretches of `part_bytes`.
    ///
    /// # Errors
    /// When one of them is not whole, or there is no image in any.
    pub(super) fn of(files: Vec<InputFile>, columns: &Columns, part_bytes: u64) -> Result<(Self, Scan)> {
        let scans = parallel::each(files.len(), |i| Scan::of(&files[i], columns, part_bytes))?;
        let mut all = Scan::default();
        let mut items = Vec::new();
        for (archive, mut scan) in scans.into_iter().enumerate() {
            let ends = scan.cuts.iter().copied().skip(1).chain([files[archive].bytes]);
            items.extend(scan.cuts.iter().zip(ends).map(|(start, end)| Item { archive, range: *start..end }));
            scan.cuts.clear();
            all.append(scan);
        }
        if all.images == 0 {
            let error = Error::input("there is no image in the archives");
            return Err(match all.skipped.note() {
                None => error,
                Some(note) => error.hint(format!("there are other files in them: {}", note["samples"])),
            });
        }
        let part =
            |item: &Item| Part { label: files[item.archive].name.clone(), size: item.range.end - item.range.start };
        let parts = items.iter().map(part).collect();
        let repeated = std::mem::take(&mut all.repeated);
        Ok((Self { files, parts, items, repeated }, all))
    }

    /// Visits the members of a part.
    ///
    /// # Errors
    /// When the archive cannot be read, and those of `visit`.
    pub(super) fn walk<'f>(
        &'f self,
        part: usize,
        advance: &dyn Fn(u64),
        visit: &mut dyn FnMut(&'f InputFile, &mut Member<'_>) -> Result<()>,
    ) -> Result<()> {
        let item = self.items.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let file = &self.files[item.archive];
        members::walk(file, &item.range, advance, &mut |member| visit(file, member))
    }

    /// Adds the place of a member to an id, where its name is in the archive more than once.
    pub(super) fn tell_apart(&self, id: &mut String, member: &Member<'_>) -> Result<()> {
        match member.start.filter(|_| !self.repeated.is_empty() && self.repeated.contains(&hash_of(member.name))) {
            None => Ok(()),
            Some(start) => write!(id, "@{start}").map_err(|e| Error::internal(e.to_string())),
        }
    }

    /// Writes the id of a member: the archive and the name, and the place where that is not enough.
    fn identify(&self, id: &mut String, archive: &str, member: &Member<'_>) -> Result<()> {
        id.clear();
        write!(id, "{archive}:{}", member.name).map_err(|e| Error::internal(e.to_string()))?;
        self.tell_apart(id, member)
    }
}

/// What the rows are, given what stands beside the images.
fn shape_of_samples(stage: &ReadImages, all: &Scan) -> Result<Shape> {
    if stage.config.record == Record::Caption {
        return match all.captions {
            true => Ok(Shape::Captions),
            false => Err(Error::input("no image in the archives has a caption").hint(format!(
                "captions are `key.txt` beside `key.jpg`, or in `key.json` one of the fields {}; `caption` names another",
                list(&Columns::of(&stage.config).caption)
            ))),
        };
    }
    Ok(Shape::Images(match (&stage.listed, stage.config.labels) {
        (Some(listed), _) => Some(listed.clone()),
        (None, Some(false)) => None,
        (None, None) if all.labels.is_empty() => None,
        (None, _) if all.labels.is_empty() => {
            return Err(Error::input("no image in the archives has a label").hint(format!(
                "labels are `key.cls` beside `key.jpg`, or in `key.json` one of the fields {}; `label` names another",
                list(&Columns::of(&stage.config).label)
            )));
        }
        (None, _) => Some(Classes::of_labels(all.labels.clone())?),
    }))
}

struct Archives {
    stretches: Stretches,
    /// What to look for beside the images, where something stands there.
    samples: Option<(Columns, Record)>,
}

impl Pictures for Archives {
    fn inputs(&self) -> &[InputFile] {
        &self.stretches.files
    }

    fn parts(&self) -> &[Part] {
        &self.stretches.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        match &self.samples {
            None => plain::read(&self.stretches, part, advance, sink),
            Some((columns, record)) => samples::read(&self.stretches, part, columns, *record, advance, sink),
        }
    }
}
