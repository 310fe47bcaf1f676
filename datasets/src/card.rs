//! Cards: what a raw data set is, where it comes from, under which licence.
//!
//! One TOML file per data set under `cards/`, built into the programs. Adding a data set is
//! adding a card.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::hash::sha256_file;
use crate::schema::Kind;
use crate::{Error, Result, config};

/// A card.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The version of the card format, 1.
    pub version: u32,
    /// The name that configs use.
    pub name: String,
    /// The name that people use.
    pub title: String,
    /// What a row is.
    pub kind: Kind,
    /// A few sentences about the data.
    pub description: String,
    /// Where it is described.
    pub homepage: String,
    /// SPDX identifier, or the terms in words where there is none.
    pub license: String,
    /// ISO 639-1 codes of the languages in it.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The folder of its files below a data root; empty for a data set that is made from a seed.
    #[serde(default)]
    pub folder: String,
    /// The files.
    #[serde(default)]
    pub file: Vec<CardFile>,
}

/// One file of a card.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardFile {
    /// Path below the card's folder.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The split that the file is, where the source divides the data itself.
    pub split: Option<String>,
    /// The language of the file, where each language has a file of its own.
    pub language: Option<String>,
    /// What the file holds, where a card has files of several sorts, such as `images`.
    pub role: Option<String>,
    /// Rows (lines) in the file, where that is meaningful.
    pub rows: Option<u64>,
    /// Where `tessera-pipeline fetch` gets it.
    pub url: Option<String>,
}

/// The cards, as TOML, by name.
const CARDS: &[(&str, &str)] = &[
    ("cifar10-jpeg", include_str!("../cards/cifar10-jpeg.toml")),
    ("fly14", include_str!("../cards/fly14.toml")),
    ("multi30k", include_str!("../cards/multi30k.toml")),
    ("rat23", include_str!("../cards/rat23.toml")),
    ("tiny-shakespeare", include_str!("../cards/tiny-shakespeare.toml")),
    ("world", include_str!("../cards/world.toml")),
];

impl Card {
    /// Looks a card up.
    ///
    /// # Errors
    /// When there is none of that name; the message lists those that exist.
    pub fn find(name: &str) -> Result<Self> {
        match CARDS.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => config::parse_toml(&PathBuf::from(format!("{name}.toml")), text),
            None => {
                let known: Vec<&str> = CARDS.iter().map(|(n, _)| *n).collect();
                let hint = format!("cards: {}", known.join(", "));
                Err(Error::input(format!("no card `{name}`")).hint(hint))
            }
        }
    }

    /// All cards.
    ///
    /// # Errors
    /// When a card that is built in is not valid, which a test rules out.
    pub fn all() -> Result<Vec<Self>> {
        CARDS.iter().map(|(name, _)| Self::find(name)).collect()
    }

    /// Whether the data is made from a seed instead of read from files.
    pub fn is_made(&self) -> bool {
        self.file.is_empty()
    }

    /// Finds the folder that holds the card's files, in the order of [`data_roots`].
    ///
    /// # Errors
    /// When no data root has it; the hint says how to get it.
    pub fn locate(&self) -> Result<PathBuf> {
        let roots = data_roots();
        let found = roots
            .iter()
            .map(|root| root.join(&self.folder))
            .find(|dir| self.file.iter().all(|f| dir.join(&f.path).is_file()));
        found.ok_or_else(|| {
            let looked: Vec<String> = roots.iter().map(|r| format!("`{}`", r.join(&self.folder).display())).collect();
            Error::input(format!("the files of card `{}` are in none of {}", self.name, looked.join(", "))).hint(
                format!(
                    "get them with `tessera-pipeline fetch {}`, or set TESSERA_DATA to the folder above `{}`",
                    self.name, self.folder
                ),
            )
        })
    }

    /// Checks the size and hash of every file in `dir`.
    ///
    /// # Errors
    /// At the first file that is not the one the card means.
    pub fn verify(&self, dir: &Path) -> Result<()> {
        for file in &self.file {
            file.verify(&dir.join(&file.path))?;
        }
        Ok(())
    }

    /// The files by role and split, such as all `train` files.
    pub fn files_by_split(&self) -> BTreeMap<&str, Vec<&CardFile>> {
        let mut out: BTreeMap<&str, Vec<&CardFile>> = BTreeMap::new();
        for file in &self.file {
            out.entry(file.split.as_deref().unwrap_or("")).or_default().push(file);
        }
        out
    }
}

impl CardFile {
    /// Checks size and hash.
    ///
    /// # Errors
    /// When the file is another than the card means.
    pub fn verify(&self, path: &Path) -> Result<()> {
        let bytes = fs_err::metadata(path)?.len();
        if bytes != self.bytes {
            let message = format!("the card says {} bytes, the file has {bytes}", self.bytes);
            return Err(Error::input(message).at(path).hint(ANOTHER));
        }
        if sha256_file(path)? != self.sha256 {
            return Err(Error::input("the sha256 is not the card's").at(path).hint(ANOTHER));
        }
        Ok(())
    }
}

const ANOTHER: &str = "the file is cut short or another version: remove it and fetch it again";

/// The folders in which raw data is looked for, in order: every folder of `TESSERA_DATA`
/// (separated by `:`), `data` below `TESSERA_SHARED`, `../shared/data`, and the cache.
pub fn data_roots() -> Vec<PathBuf> {
    let mut roots = Vec::new();
    if let Some(list) = std::env::var_os("TESSERA_DATA") {
        roots.extend(std::env::split_paths(&list));
    }
    if let Some(shared) = std::env::var_os("TESSERA_SHARED") {
        roots.push(PathBuf::from(shared).join("data"));
    }
    roots.push(PathBuf::from("../shared/data"));
    roots.push(cache_dir().join("data"));
    roots
}

/// Where downloads are kept, outside every checkout: `TESSERA_CACHE`, else
/// `$XDG_CACHE_HOME/tessera`, else `~/.cache/tessera`.
pub fn cache_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("TESSERA_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("tessera")))
        .or_else(|| set("HOME").map(|d| d.join(".cache/tessera")))
        .unwrap_or_else(|| PathBuf::from(".cache/tessera"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::is_split_name;

    #[test]
    fn every_card_is_valid_and_named_as_its_entry() {
        for (name, _) in CARDS {
            let card = Card::find(name).unwrap();
            assert_eq!(card.name, *name);
            assert_eq!(card.version, 1);
            assert!(card.file.iter().all(|f| f.sha256.len() == 64), "{name}");
            for file in &card.file {
                assert!(file.split.as_deref().is_none_or(is_split_name), "{name}: {file:?}");
                assert!(file.language.as_ref().is_none_or(|l| card.languages.contains(l)), "{name}: {file:?}");
            }
        }
    }

    #[test]
    fn the_hint_of_an_unknown_card_lists_the_known_ones() {
        let error = Card::find("tiny").unwrap_err();
        assert!(error.hint_text().unwrap().contains("tiny-shakespeare"));
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let card = Card::find("tiny-shakespeare").unwrap();
        let file = &card.file[0];
        let path = dir.path().join(&file.path);
        fs_err::write(&path, b"short").unwrap();
        assert!(card.verify(dir.path()).unwrap_err().to_string().contains("the file has 5"));
        fs_err::write(&path, vec![0; file.bytes as usize]).unwrap();
        assert!(card.verify(dir.path()).unwrap_err().to_string().contains("sha256"));
    }
}
