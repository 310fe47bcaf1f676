//! Images as files of their own, in a folder for each class.

use std::collections::BTreeSet;
use std::ops::Range;

use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Error, Result};

use super::files::ImageFiles;
use super::names::{Place, base_name, folder_of};
use super::sink::{Picture, Said, Sink};
use super::{Opened, Pictures, ReadImages, Skipped};
use crate::inputs::{Found, InputFile, parts_of};
use crate::stage::Part;

/// The place of an image in its file.
pub(super) const LOC: &str = "file";

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
    let pictures = Folders { images: ImageFiles::new(found.files), parts, ranges };
    Ok(Opened { pictures: Box::new(pictures), shape, skipped })
}

struct Folders {
    images: ImageFiles,
    parts: Vec<Part>,
    ranges: Vec<Range<usize>>,
}

impl Pictures for Folders {
    fn inputs(&self) -> &[InputFile] {
        &self.images.files
    }

    fn sources(&self) -> Result<Vec<SourceFile>> {
        self.images.sources()
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        let range = self.ranges.get(part).cloned().ok_or_else(|| Error::internal("no such part"))?;
        self.images.read(range, |number, bytes| {
            let file = &self.images.files[number];
            advance(file.bytes);
            push(file, bytes, sink)
        })
    }
}

fn push<'f>(file: &'f InputFile, bytes: &[u8], sink: &mut Sink<'f, '_, '_>) -> Result<()> {
    let name = file.name.as_str();
    let place = Place::of(name);
    sink.push(&Picture {
        file,
        bytes,
        id: name,
        src: name,
        loc: LOC,
        name: base_name(name),
        split: place.split,
        said: place.class.map_or(Said::Nothing, Said::Class),
    })
}
