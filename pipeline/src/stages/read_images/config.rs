//! The table of the stage in the config.

use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::image::Limits;
use tessera_datasets::{Error, Result};

use super::classes::Classes;
use super::layout::Layout;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// What the rows are.
    pub(super) record: Record,
    /// How the images are kept; found by the names of the files where it is not given.
    pub(super) layout: Option<Layout>,
    /// The classes in the order of their labels; the sorted names where none is listed.
    pub(super) classes: Vec<String>,
    /// Whether images have classes; where it is not given, if the layout has any.
    pub(super) labels: Option<bool>,
    /// The column of the file in a list.
    pub(super) file: Option<String>,
    /// The column of the image in a Parquet file.
    pub(super) image: Option<String>,
    /// The column or field of the class.
    pub(super) label: Option<String>,
    /// The column or field of the caption.
    pub(super) caption: Option<String>,
    /// The column of the split in a list.
    pub(super) split: Option<String>,
    /// The most pixels of an image.
    pub(super) maximum_pixels: u64,
    /// How many bytes of files make a part; each part becomes a shard.
    pub(super) part_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            record: Record::Image,
            layout: None,
            classes: Vec::new(),
            labels: None,
            file: None,
            image: None,
            label: None,
            caption: None,
            split: None,
            maximum_pixels: Limits::default().pixels,
            part_bytes: 64 << 20,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Record {
    Image,
    Caption,
}

impl Config {
    /// Parses the table; returns also the classes, where it lists any.
    ///
    /// # Errors
    /// When a key is wrong, or two contradict each other.
    pub(super) fn parse(section: &Section) -> Result<(Self, Option<Classes>)> {
        let config: Self = section.parse()?;
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
        Ok((config, listed))
    }
}

fn in_section(section: &Section, key: &str, error: &Error) -> Error {
    let out = section.error(key, error.message());
    match error.hint_text() {
        Some(hint) => out.hint(hint),
        None => out,
    }
}
