//! `read-images`: images in files, archives, lists and tables to rows of kind `image` or `caption`.
//!
//! Five layouts, found by the names of the files where `layout` is not given:
//!
//! - `folders`: a folder for each class, as `torchvision` and `datasets` read them, also below one
//!   for each split;
//! - `archive`: the same inside `.tar`, `.tar.gz`, `.tgz` or `.tar.zst`;
//! - `webdataset`: archives in which `key.cls`, `key.txt` and `key.json` stand beside `key.jpg`.
//!
//! The bytes of an image are passed on as they are, after a look at the header. Rows that are
//! dropped, with the file and the place: `not an image`, `truncated image`, `too many pixels`,
//! `unsupported image`, `corrupt image`, `empty file`, `longer than 1 GiB`, `no class`, `unknown
//! class`, `no caption`, `no name for a split`. Files that are no images by their names are counted
//! by their ending. A class without an image is an error, for it would move the labels of all
//! that follow; `classes` fixes them.

mod archive;
mod classes;
mod folders;
mod names;
mod sink;
mod skipped;

use std::collections::BTreeSet;

use serde::Deserialize;
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
use names::{Place, is_image};
use sink::{Shape, Sink};
use skipped::Skipped;

pub(super) const ENTRY: Entry = Entry {
    name: "read-images",
    summary: "reads images with classes or captions: folders, .tar archives, WebDataset",
    example: "",
    parse,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What the rows are.
    record: Record,
    /// How the images are kept; found by the names of the files where it is not given.
    layout: Option<Layout>,
    /// The classes in the order of their labels; the sorted names where none is listed.
    classes: Vec<String>,
    /// Whether images have classes; where it is not given, if the layout has any.
    labels: Option<bool>,
    /// The key of the class in a JSON object.
    label: String,
    /// The key of the caption in a JSON object.
    caption: String,
    /// The most pixels of an image.
    maximum_pixels: u64,
    /// How many bytes of files make a part; each part becomes a shard.
    part_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            record: Record::Image,
            layout: None,
            classes: Vec::new(),
            labels: None,
            label: "label".to_owned(),
            caption: "caption".to_owned(),
            maximum_pixels: Limits::default().pixels,
            part_bytes: 64 << 20,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Record {
    Image,
    Caption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Layout {
    Folders,
    Archive,
    Webdataset,
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    let listed = match config.classes.is_empty() {
        true => None,
        false => Some(Classes::listed(config.classes.clone()).map_err(|e| in_section(section, "classes", &e))?),
    };
    if listed.is_some() && (config.labels == Some(false) || config.record == Record::Caption) {
        return Err(section.error("classes", "`classes` are listed, but the images are to have none"));
    }
    if config.labels == Some(true) && config.record == Record::Caption {
        return Err(section.error("labels", "rows of kind `caption` have no label"));
    }
    if config.part_bytes == 0 {
        return Err(section.error("part_bytes", "`part_bytes` must be 1 or more"));
    }
    Ok(Stage::source(ReadImages { config, listed, data: context.data.clone(), dataset: context.name.clone() }))
}

fn in_section(section: &Section, key: &str, error: &Error) -> Error {
    let out = section.error(key, error.message());
    match error.hint_text() {
        Some(hint) => out.hint(hint),
        None => out,
    }
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
        let sorts = match self.config.layout {
            None => "images, and archives of them (`.tar`, `.tar.gz`, `.tgz`, `.tar.zst`)",
            Some(Layout::Folders) => "images",
            Some(Layout::Archive | Layout::Webdataset) => "archives (`.tar`, `.tar.gz`, `.tgz`, `.tar.zst`)",
        };
        let found = find(&self.data, &self.dataset, sorts, &|name| self.wants(name))?;
        let layout = self.config.layout.map_or_else(|| layout_of(&found.files), Ok)?;
        let opened = match layout {
            Layout::Folders => folders::open(self, found)?,
            Layout::Archive | Layout::Webdataset => archive::open(self, found, self.config.layout)?,
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
    /// Whether a file is read, by its name.
    fn wants(&self, name: &str) -> bool {
        match self.config.layout {
            None => is_image(name) || archive::is_archive(name),
            Some(Layout::Folders) => is_image(name),
            Some(Layout::Archive | Layout::Webdataset) => archive::is_archive(name),
        }
    }

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

/// The layout that the files have by their names.
fn layout_of(files: &[InputFile]) -> Result<Layout> {
    let first = |is: fn(&str) -> bool| files.iter().find(|file| is(&file.name));
    match (first(archive::is_archive), first(is_image)) {
        (Some(archive), Some(image)) => {
            let message =
                format!("there are both archives, such as `{}`, and images, such as `{}`", archive.name, image.name);
            Err(Error::input(message).hint("say which to read: `layout = \"archive\"` or `layout = \"folders\"`"))
        }
        (Some(_), None) => Ok(Layout::Archive),
        (None, _) => Ok(Layout::Folders),
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
