//! Lists: a row or a JSON object for each image, with the name of its file and its class or caption.
//!
//! The names are relative to the list. The images are files on the disk, or members of the archives
//! in `[data]`, where there are such.

mod entries;
mod from_archives;
mod from_files;
mod objects;
mod table;

use tessera_datasets::{Error, Result};

use super::archive::is_archive;
use super::classes::Classes;
use super::columns::{Columns, list};
use super::config::Record;
use super::names::ending;
use super::sink::Shape;
use super::{Opened, ReadImages, Skipped};
use crate::inputs::{Compression, Found, InputFile, counted};
use entries::Entries;

/// What kind of list a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Commas between the columns, quotes around them where needed.
    Commas,
    /// Tabs between the columns, no quotes.
    Tabs,
    /// A JSON object in each line.
    Objects,
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        let (_, plain) = Compression::of(name);
        match ending(plain).as_str() {
            "csv" => Some(Self::Commas),
            "tsv" => Some(Self::Tabs),
            "jsonl" => Some(Self::Objects),
            _ => None,
        }
    }
}

/// Whether a file is a list by its name.
pub(super) fn is_list(name: &str) -> bool {
    Format::of(name).is_some()
}

/// What a line of a list says; white space around it is gone, and what is empty is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line<'a> {
    file: &'a str,
    label: Option<&'a str>,
    caption: Option<&'a str>,
    split: Option<&'a str>,
}

/// Why a line says nothing, and what is special about it.
struct Fault<'a> {
    reason: &'static str,
    excerpt: &'a str,
}

/// Takes each line of a list, with its number.
type Take<'a> = dyn FnMut(u64, Result<Line<'_>, Fault<'_>>) -> Result<()> + 'a;

pub(super) fn open(stage: &ReadImages, found: Found) -> Result<Opened> {
    let mut skipped = Skipped::default();
    found.skipped.iter().for_each(|name| skipped.add(name));
    let (lists, others): (Vec<InputFile>, Vec<InputFile>) = found.files.into_iter().partition(|f| is_list(&f.name));
    if lists.is_empty() {
        return Err(Error::input("there is no list").hint("lists are `.csv`, `.tsv` or `.jsonl`"));
    }
    let columns = Columns::of(&stage.config);
    let mut entries = Entries::default();
    for file in &lists {
        entries.read(file, &columns)?;
    }
    let shape = shape_of(stage, &entries, &columns)?;
    let archives: Vec<InputFile> = others.into_iter().filter(|file| is_archive(&file.name)).collect();
    let pictures = match archives.is_empty() {
        true => from_files::open(lists, entries, stage.config.part_bytes)?,
        false => from_archives::open(archives, lists, entries, &columns, stage.config.part_bytes)?,
    };
    Ok(Opened { pictures, shape, skipped })
}

fn shape_of(stage: &ReadImages, entries: &Entries, columns: &Columns) -> Result<Shape> {
    let labels = entries.labels();
    let nothing = |what: &str, key: &str, names: &[String]| {
        Error::input(format!("no list has {what} of an image"))
            .hint(format!("its column is one of {}; `{key}` names another", list(names)))
    };
    match stage.config.record {
        Record::Caption if entries.has_captions() => Ok(Shape::Captions),
        Record::Caption => Err(nothing("the caption", "caption", &columns.caption)),
        Record::Image => match (&stage.listed, stage.config.labels) {
            (_, Some(true)) if labels.is_empty() => Err(nothing("the class", "label", &columns.label)),
            (Some(listed), _) => Ok(Shape::Images(Some(listed.clone()))),
            (None, Some(false)) => Ok(Shape::Images(None)),
            (None, None) if labels.is_empty() => Ok(Shape::Images(None)),
            (None, _) => Ok(Shape::Images(Some(Classes::of_labels(labels)?))),
        },
    }
}

/// The error of lists without a single image.
fn no_rows(entries: &Entries) -> Error {
    match entries.faults.count() {
        0 => Error::input("there is no row in the lists"),
        n => Error::input(format!(
            "{} in the lists, and no image: {}",
            counted(n, "row"),
            entries.faults.lines().join("; ")
        ))
        .hint("the names of files in a list are relative to the folder of the list"),
    }
}
