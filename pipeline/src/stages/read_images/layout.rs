//! How images are kept, and how one can tell by the names of the files.

use serde::Deserialize;
use tessera_datasets::{Error, Result};

use super::archive::is_archive;
use super::config::{Config, Record};
use super::lists::is_list;
use super::names::{base_name, is_image};
use super::parquet::is_parquet;
use crate::inputs::InputFile;

/// How images are kept: see the module above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Layout {
    Folders,
    Archive,
    Webdataset,
    List,
    Parquet,
}

impl Layout {
    /// As the config says it.
    fn name(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Archive => "archive",
            Self::Webdataset => "webdataset",
            Self::List => "list",
            Self::Parquet => "parquet",
        }
    }

    /// The files that are read, in words; of all layouts where none is said.
    pub(super) fn sorts(layout: Option<Self>) -> &'static str {
        match layout {
            None => {
                "images, archives of them (`.tar`, `.tar.gz`, `.tgz`, `.tar.zst`), \
                 lists (`.csv`, `.tsv`, `.jsonl`) and `.parquet`"
            }
            Some(Self::Folders) => "images",
            Some(Self::Archive | Self::Webdataset) => "archives (`.tar`, `.tar.gz`, `.tgz`, `.tar.zst`)",
            Some(Self::List) => "lists (`.csv`, `.tsv`, `.jsonl`), and archives with the images that they name",
            Some(Self::Parquet) => "`.parquet`",
        }
    }

    /// Whether a file is read, by its name.
    pub(super) fn wants(layout: Option<Self>, name: &str) -> bool {
        match layout {
            None => is_image(name) || is_archive(name) || is_list(name) || is_parquet(name),
            Some(Self::Folders) => is_image(name),
            Some(Self::Archive | Self::Webdataset) => is_archive(name),
            Some(Self::List) => is_list(name) || is_archive(name),
            Some(Self::Parquet) => is_parquet(name),
        }
    }

    /// The layout that the files have by their names, where the config does not say it.
    ///
    /// # Errors
    /// When there are files of several sorts, and it is not plain which of them are meant.
    pub(super) fn of(config: &Config, files: &[InputFile]) -> Result<Self> {
        if let Some(layout) = config.layout {
            return Ok(layout);
        }
        let first = |is: fn(&str) -> bool| files.iter().map(|file| file.name.as_str()).find(|name| is(name));
        let archive = first(is_archive).map(|name| ("archives", name, Self::Archive));
        let image = first(is_image).map(|name| ("images", name, Self::Folders));
        let list = first(is_list).map(|name| ("lists", name, Self::List));
        let parquet = first(is_parquet).map(|name| ("Parquet files", name, Self::Parquet));
        // a list is about the images beside it where it is called as in `datasets`, or the config
        // asks for what only a list can say
        let is_meant = |name: &str| base_name(name).starts_with("metadata.");
        let wants_list = config.file.is_some() || config.record == Record::Caption;
        match (archive, image, list) {
            (_, None, Some(_)) if parquet.is_none() => return Ok(Self::List),
            (None, Some(_), Some((_, name, _))) if wants_list || is_meant(name) => return Ok(Self::List),
            _ => {}
        }
        let mut sorts = [archive, image, list, parquet].into_iter().flatten();
        match (sorts.next(), sorts.next()) {
            (Some((some, one, first)), Some((others, other, second))) => {
                let message = format!("there are both {some}, such as `{one}`, and {others}, such as `{other}`");
                Err(Error::input(message).hint(format!(
                    "say which to read: `layout = \"{}\"` or `layout = \"{}\"`",
                    first.name(),
                    second.name()
                )))
            }
            (Some((_, _, layout)), None) => Ok(layout),
            (None, _) => Err(Error::internal("no file of a sort that is read")),
        }
    }
}
