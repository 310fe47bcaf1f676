//! `read-images`: images in files, archives, lists and tables to rows of kind `image` or `caption`.
//!
//! Five layouts, found by the names of the files where `layout` is not given:
//!
//! - `folders`: a folder for each class, as `torchvision` and `datasets` read them, also below one
//!   for each split;
//! - `archive`: the same inside `.tar`, `.tar.gz`, `.tgz` or `.tar.zst`;
//! - `webdataset`: archives in which `key.cls`, `key.txt` and `key.json` stand beside `key.jpg`;
//! - `list`: `.csv`, `.tsv` or `.jsonl` with the names of files, or of members of archives;
//! - `parquet`: tables with a column of images, as `datasets` writes them.
//!
//! The bytes of an image are passed on as they are, after a look at the header. Rows that are
//! dropped, with the file and the place: `not an image`, `truncated image`, `too many pixels`,
//! `unsupported image`, `corrupt image`, `empty file`, `longer than 1 GiB`, `no class`, `unknown
//! class`, `no caption`, `no name for a split`; of a WebDataset `sample without an image` and `second
//! image of a sample`; of a list `file missing`, `no file named`, `path is absolute`, `wrong number
//! of columns`, `not UTF-8`, `not JSON`, `not a JSON object`, `not in a list`; of a table `no bytes
//! of an image`. Files that are no images by their names are counted by their ending. A class without an image is an error, for it would move the labels of all
//! that follow; `classes` fixes them.

mod archive;
mod classes;
mod columns;
mod config;
mod files;
mod folders;
mod layout;
mod lists;
mod names;
mod parquet;
mod sink;
mod skipped;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tessera_datasets::config::{DataConfig, Section};
use tessera_datasets::console::Unit;
use tessera_datasets::image::Limits;
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::schema::{Kind, RecordSchema, caption, image};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::inputs::{InputFile, find};
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};
use classes::Classes;
use config::{Config, Record};
use layout::Layout;
use names::Place;
use sink::{Shape, Sink};
use skipped::Skipped;

pub(super) const ENTRY: Entry = Entry {
    name: "read-images",
    summary: "reads images with classes or captions: folders, .tar archives, WebDataset, lists, Parquet",
    example: "",
    parse,
};

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let (config, listed) = Config::parse(section)?;
    Ok(Stage::source(ReadImages { config, listed, data: context.data.clone(), dataset: context.name.clone() }))
}

struct ReadImages {
    config: Config,
    /// The classes, where the config lists them.
    listed: Option<Classes>,
    data: DataConfig,
    dataset: String,
}

impl Source for ReadImages {
    fn output(&self) -> Kind {
        match self.config.record {
            Record::Image => Kind::Image,
            Record::Caption => Kind::Caption,
        }
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let said = self.config.layout;
        let found = find(&self.data, &self.dataset, Layout::sorts(said), &|name| Layout::wants(said, name))?;
        let opened = match Layout::of(&self.config, &found.files)? {
            Layout::Folders => folders::open(self, found)?,
            Layout::Archive | Layout::Webdataset => archive::open(self, found, said)?,
            Layout::List => lists::open(self, found)?,
            Layout::Parquet => parquet::open(self, found)?,
        };
        Ok(Box::new(Prepared {
            shape: opened.shape,
            limits: Limits { pixels: self.config.maximum_pixels },
            skipped: opened.skipped,
            pictures: opened.pictures,
        }))
    }
}

impl ReadImages {
    /// What the rows are, given the names of folders in which there are images, and of folders in
    /// which there are none.
    fn shape_of_folders(&self, folders: &BTreeSet<String>, barren: &[String]) -> Result<Shape> {
        if self.config.record == Record::Caption {
            return Err(Error::input("images in folders have no captions")
                .hint("captions are read from the `.txt` or `.json` members of a WebDataset"));
        }
        let in_folders = || folders.iter().filter_map(|folder| Place::in_folder(folder).class);
        match (&self.listed, self.config.labels) {
            (Some(listed), _) => return Ok(Shape::Images(Some(listed.clone()))),
            (None, Some(false)) => return Ok(Shape::Images(None)),
            (None, None) if in_folders().next().is_none() => return Ok(Shape::Images(None)),
            (None, _) => {}
        }
        let names: BTreeSet<String> = in_folders().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(Error::input("no image is in the folder of a class")
                .hint("images with classes lie in a folder for each class, such as `cat/1.jpg` and `dog/1.jpg`"));
        }
        let empty = barren.iter().find(|folder| Place::in_folder(folder).class.is_some_and(|c| !names.contains(c)));
        if let Some(folder) = empty {
            let message = format!("there is no image in `{folder}`, which is the folder of a class");
            return Err(Error::input(message).hint(
                "remove the folder, or list the classes that there are as `classes`, so that no label depends on it",
            ));
        }
        Ok(Shape::Images(Some(Classes::of_folders(names)?)))
    }
}

/// A layout with its files found.
struct Opened {
    pictures: Box<dyn Pictures>,
    shape: Shape,
    skipped: Skipped,
}

/// Images in some layout.
trait Pictures: Send + Sync {
    /// See [`PreparedSource::inputs`].
    fn inputs(&self) -> &[InputFile];

    /// See [`PreparedSource::sources`].
    fn sources(&self) -> Result<Vec<SourceFile>> {
        crate::inputs::hash_inputs(self.inputs())
    }

    /// See [`PreparedSource::parts`].
    fn parts(&self) -> &[Part];

    /// Reads part number `part`.
    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()>;
}

struct Prepared {
    shape: Shape,
    limits: Limits,
    skipped: Skipped,
    pictures: Box<dyn Pictures>,
}

impl PreparedSource for Prepared {
    fn schema(&self) -> RecordSchema {
        match &self.shape {
            Shape::Images(classes) => image(classes.as_ref().map(Classes::names)),
            Shape::Captions => caption(),
        }
    }

    fn inputs(&self) -> &[InputFile] {
        self.pictures.inputs()
    }

    fn sources(&self) -> Result<Vec<SourceFile>> {
        self.pictures.sources()
    }

    fn parts(&self) -> &[Part] {
        self.pictures.parts()
    }

    fn unit(&self) -> Unit {
        Unit::Bytes
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        if let Shape::Images(Some(classes)) = &self.shape {
            details.insert("classes".to_owned(), classes.names().into());
        }
        if let Some(note) = self.skipped.note() {
            details.insert("skipped_files".to_owned(), note);
        }
        details
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let advance = out.advance;
        let mut sink = Sink::new(&self.shape, self.limits, out);
        self.pictures.read(part, advance, &mut sink)?;
        sink.flush()
    }
}
