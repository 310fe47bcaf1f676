//! Images that a list names, as files of their own.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Error, Result};

use super::super::Pictures;
use super::super::files::ImageFiles;
use super::super::names::{Place, base_name};
use super::super::sink::{Picture, Sink};
use super::entries::{Entries, Entry, record_of};
use super::no_rows;
use crate::inputs::{InputFile, parts_of};
use crate::stage::Part;

pub(super) fn open(lists: Vec<InputFile>, mut entries: Entries, part_bytes: u64) -> Result<Box<dyn Pictures>> {
    let mut images = Vec::new();
    // the number of each file among the images
    let mut numbers: Vec<Option<usize>> = vec![None; entries.files().len()];
    for entry in &entries.rows {
        let number = &mut numbers[entry.file as usize];
        if number.is_none()
            && let Some(image) = find(&lists[entry.list as usize], &entries.files()[entry.file as usize])
        {
            *number = Some(images.len());
            images.push(image);
        }
    }
    entries.drop_missing(&lists, |file| numbers[file as usize].is_some());
    if entries.rows.is_empty() {
        return Err(no_rows(&entries));
    }
    let numbers: Vec<usize> = entries.rows.iter().filter_map(|entry| numbers[entry.file as usize]).collect();
    let sizes = numbers.iter().map(|number| (images[*number].name.as_str(), images[*number].bytes));
    let (parts, ranges) = parts_of(sizes, part_bytes);
    let lists_at = images.len();
    images.extend(lists);
    Ok(Box::new(Listed {
        images: ImageFiles::with_others(images, lists_at),
        lists_at,
        entries,
        numbers,
        parts,
        ranges,
    }))
}

/// The file of an image, where there is one; `name` is the path from the folder that the list's
/// name starts at.
fn find(list: &InputFile, name: &str) -> Option<InputFile> {
    let depth = list.name.split('/').count();
    let root = list.path.ancestors().nth(depth).unwrap_or(Path::new(""));
    let path = root.join(name);
    let found = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    Some(InputFile {
        path,
        name: name.to_owned(),
        bytes: found.len(),
        source: list.source.clone(),
        license: list.license.clone(),
        split: list.split.clone(),
        expected_sha256: None,
    })
}

struct Listed {
    /// The images, and the lists behind them.
    images: ImageFiles,
    lists_at: usize,
    entries: Entries,
    /// The image of each entry.
    numbers: Vec<usize>,
    parts: Vec<Part>,
    ranges: Vec<Range<usize>>,
}

impl Pictures for Listed {
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
        if part == 0 {
            sink.reject_all(&self.entries.faults);
        }
        let mut entries = self.entries.rows[range.clone()].iter();
        let (mut id, mut loc) = (String::new(), String::new());
        self.images.read(self.numbers[range].iter().copied(), |number, bytes| {
            let entry = entries.next().ok_or_else(|| Error::internal("more images than lines"))?;
            let file = &self.images.files[number];
            advance(file.bytes);
            self.push(file, bytes, entry, &mut id, &mut loc, sink)
        })
    }
}

impl Listed {
    fn push<'f>(
        &'f self,
        file: &'f InputFile,
        bytes: &[u8],
        entry: &Entry,
        id: &mut String,
        loc: &mut String,
        sink: &mut Sink<'f, '_, '_>,
    ) -> Result<()> {
        let list = &self.images.files[self.lists_at + entry.list as usize].name;
        id.clear();
        loc.clear();
        let written = write!(id, "{list}:{}", entry.line).and_then(|()| write!(loc, "{list}, line {}", entry.line));
        written.map_err(|e| Error::internal(e.to_string()))?;
        let name = file.name.as_str();
        sink.push(&Picture {
            file,
            bytes,
            id,
            src: name,
            loc,
            name: base_name(name),
            split: self.entries.split(entry).or(Place::of(name).split),
            said: self.entries.said(entry, record_of(sink.shape())),
        })
    }
}
