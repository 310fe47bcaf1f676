//! What columns of tables and fields of JSON objects are called.

use super::config::Config;

/// The names to look for, the first that is there counts.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) file: Vec<String>,
    pub(super) image: Vec<String>,
    pub(super) label: Vec<String>,
    pub(super) caption: Vec<String>,
    pub(super) split: Vec<String>,
}

impl Columns {
    /// Those that the config names, and for the others those that are usual.
    pub(super) fn of(config: &Config) -> Self {
        let names = |given: &Option<String>, usual: &[&str]| match given {
            Some(name) => vec![name.clone()],
            None => usual.iter().map(|name| (*name).to_owned()).collect(),
        };
        Self {
            file: names(&config.file, &["file_name", "file", "filename", "path"]),
            image: names(&config.image, &["image", "img"]),
            label: names(&config.label, &["label", "class"]),
            caption: names(&config.caption, &["caption", "text"]),
            split: names(&config.split, &["split"]),
        }
    }
}

/// Which of the columns that are there is meant.
pub(super) fn find(names: &[String], there: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| there.iter().position(|column| column == name))
}

/// Names for people.
pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    quoted.join(", ")
}
