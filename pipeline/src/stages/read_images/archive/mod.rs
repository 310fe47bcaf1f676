//! Images in `.tar` archives, plain or compressed.
//!
//! Archives are read twice: first for the names in them, then for the images. A plain `.tar` is
//! divided into parts; one that is compressed can only be read from its beginning, and is one part.

mod members;
mod plain;
mod samples;
mod scan;

use std::ops::Range;

use rustc_hash::FxHashSet;
use tessera_datasets::{Error, Result};

use super::classes::Classes;
use super::names::ending;
use super::sink::{Shape, Sink};
use super::{Layout, Opened, Pictures, ReadImages, Record, Skipped};
use crate::inputs::{Compression, Found, InputFile};
use crate::parallel;
use crate::stage::Part;
use samples::Keys;
use scan::Scan;

/// Whether a file is an archive by its name.
pub(super) fn is_archive(name: &str) -> bool {
    let (_, plain) = Compression::of(name);
    [name, plain].iter().any(|name| matches!(ending(name).as_str(), "tar" | "tgz"))
}

/// Looks through the archives; `layout` is the one that the config says.
pub(super) fn open(stage: &ReadImages, found: Found, layout: Option<Layout>) -> Result<Opened> {
    let mut skipped = Skipped::default();
    found.skipped.iter().for_each(|name| skipped.add(name));
    let files = found.files;
    let keys = Keys { label: stage.config.label.clone(), caption: stage.config.caption.clone() };
    let scans = parallel::each(files.len(), |i| Scan::of(&files[i], &keys, stage.config.part_bytes))?;
    let mut all = Scan::default();
    let mut items = Vec::new();
    for (archive, mut scan) in scans.into_iter().enumerate() {
        let ends = scan.cuts.iter().copied().skip(1).map(Some).chain([None]);
        let ranges = scan.cuts.iter().copied().zip(ends);
        items.extend(ranges.map(|(start, end)| Item { archive, range: start..end.unwrap_or(files[archive].bytes) }));
        scan.cuts.clear();
        all.append(scan);
    }
    let is_webdataset = match layout {
        Some(layout) => layout == Layout::Webdataset,
        None => all.siblings,
    };
    if all.images == 0 {
        let error = Error::input("there is no image in the archives");
        return Err(match all.skipped.note() {
            None => error,
            Some(note) => error.hint(format!("there are other files in them: {}", note["samples"])),
        });
    }
    let shape = match is_webdataset {
        true => shape_of_samples(stage, &all)?,
        false => stage.shape_of_folders(&all.folders, &all.barren())?,
    };
    if !is_webdataset {
        skipped.append(all.skipped);
    }
    let part = |item: &Item| Part { label: files[item.archive].name.clone(), size: item.range.end - item.range.start };
    let parts = items.iter().map(part).collect();
    let pictures = Archives {
        repeated: all.repeated,
        samples: is_webdataset.then(|| (keys, stage.config.record)),
        files,
        items,
        parts,
    };
    Ok(Opened { pictures: Box::new(pictures), shape, skipped })
}

/// What the rows are, given what stands beside the images.
fn shape_of_samples(stage: &ReadImages, all: &Scan) -> Result<Shape> {
    if stage.config.record == Record::Caption {
        return match all.captions {
            true => Ok(Shape::Captions),
            false => Err(Error::input("no image in the archives has a caption").hint(format!(
                "captions are `key.txt` beside `key.jpg`, or the field `{}` of `key.json`; `caption` names another",
                stage.config.caption
            ))),
        };
    }
    Ok(Shape::Images(match (&stage.listed, stage.config.labels) {
        (Some(listed), _) => Some(listed.clone()),
        (None, Some(false)) => None,
        (None, None) if all.labels.is_empty() => None,
        (None, _) if all.labels.is_empty() => {
            return Err(Error::input("no image in the archives has a label").hint(format!(
                "labels are `key.cls` beside `key.jpg`, or the field `{}` of `key.json`; `label` names another",
                stage.config.label
            )));
        }
        (None, _) => Some(Classes::of_labels(all.labels.clone())?),
    }))
}

/// A stretch of an archive: all of it where it is compressed.
struct Item {
    archive: usize,
    range: Range<u64>,
}

struct Archives {
    files: Vec<InputFile>,
    items: Vec<Item>,
    /// One for each item.
    parts: Vec<Part>,
    /// Hashes of names that are in an archive more than once.
    repeated: FxHashSet<u64>,
    /// What to look for beside the images, where something stands there.
    samples: Option<(Keys, Record)>,
}

impl Pictures for Archives {
    fn inputs(&self) -> &[InputFile] {
        &self.files
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        let item = self.items.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let file = &self.files[item.archive];
        match &self.samples {
            None => plain::read(file, &item.range, &self.repeated, advance, sink),
            Some((keys, record)) => samples::read(file, &item.range, &self.repeated, keys, *record, advance, sink),
        }
    }
}
