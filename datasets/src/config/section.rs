//! A table of the config on its way to the component that owns it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::{Table, Value};
use toml_edit::{Document, Item};

use crate::{Error, Result};

/// The text of a config, kept to say in which line something stands.
#[derive(Debug)]
pub(super) struct Located {
    path: PathBuf,
    text: String,
}

impl Located {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { path: path.to_path_buf(), text: text.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The line, from 1, in which a key such as `pipeline.stage[2].valid` stands. Keys that came
    /// from `--set` have none.
    fn line(&self, keys: &str) -> Option<u64> {
        let document = Document::parse(self.text.as_str()).ok()?;
        let mut item: &Item = document.as_item();
        let mut start = None;
        for step in keys.split('.').filter(|s| !s.is_empty()) {
            let (name, index) = match step.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let (key, value) = item.as_table_like()?.get_key_value(name)?;
            start = key.span().or_else(|| value.span()).map(|s| s.start);
            item = value;
            if let Some(index) = index {
                let element = item.as_array_of_tables()?.get(index)?;
                start = element.span().map(|s| s.start).or(start);
                // an array of tables has tables, not items: look the rest up from here
                let rest = keys.split_once(&format!("{name}[{index}]"))?.1.trim_start_matches('.');
                if let Some((key, value)) = element.get_key_value(rest.split('.').next()?) {
                    start = key.span().or_else(|| value.span()).map(|s| s.start);
                }
                break;
            }
        }
        Some(1 + self.text[..start?].matches('\n').count() as u64)
    }
}

/// A table of the config that knows where it stands.
#[derive(Clone, Debug)]
pub struct Section {
    file: Arc<Located>,
    keys: String,
    table: Table,
    /// Keys of the same table that another component has: messages list them too.
    elsewhere: Vec<String>,
}

impl Section {
    pub(super) fn new(file: Arc<Located>, keys: &str, table: Table) -> Self {
        Self { file, keys: keys.to_owned(), table, elsewhere: Vec::new() }
    }

    /// Parses the whole table. `T` must refuse unknown keys.
    ///
    /// # Errors
    /// At the first key that is unknown or has a wrong value, with its line and the valid keys.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_path_to_error::deserialize(Value::Table(self.table.clone())).map_err(|e| {
            let inner = e.path().to_string();
            self.translate(&inner, e.inner().message())
        })
    }

    /// A table below this one; an empty one where there is none.
    ///
    /// # Errors
    /// When the key is there and is no table.
    pub fn child(&self, key: &str) -> Result<Section> {
        let table = match self.table.get(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table.clone(),
            Some(_) => return Err(self.error(key, format!("`{key}` must be a table"))),
        };
        Ok(Section::new(self.file.clone(), &self.join(key), table))
    }

    /// An array of tables below this one, such as `[[pipeline.stage]]`; empty where there is none.
    ///
    /// # Errors
    /// When the key is there and is no array of tables.
    pub fn children(&self, key: &str) -> Result<Vec<Section>> {
        let Some(value) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = || self.error(key, format!("`{key}` must be an array of tables: `[[{}]]`", self.join(key)));
        let items = value.as_array().ok_or_else(wrong)?;
        let sections = items.iter().enumerate().map(|(i, item)| match item {
            Value::Table(table) => {
                let keys = format!("{}[{i}]", self.join(key));
                Ok(Section::new(self.file.clone(), &keys, table.clone()))
            }
            _ => Err(wrong()),
        });
        sections.collect()
    }

    /// Takes `kind` out: what is left belongs to that component.
    ///
    /// # Errors
    /// When there is none.
    pub fn kind(mut self) -> Result<(String, Section)> {
        match self.table.remove("kind") {
            Some(Value::String(kind)) => Ok((kind, self)),
            Some(_) => Err(self.error("kind", "`kind` must be a string")),
            None => Err(self.error("", format!("`kind` is missing in `{}`", self.keys))),
        }
    }

    /// Cuts the table in two: those of the keys that are there, and the rest. Two components share
    /// it so, and messages about keys that are unknown to the second list those of both.
    pub fn split(&self, keys: &[&str]) -> (Section, Section) {
        let (mut taken, mut rest) = (self.clone(), self.clone());
        taken.table.retain(|key, _| keys.contains(&key));
        rest.table.retain(|key, _| !keys.contains(&key));
        rest.elsewhere.extend(keys.iter().map(|key| (*key).to_owned()));
        (taken, rest)
    }

    /// The error for a `kind` that no registry has.
    pub fn unknown_kind(&self, what: &str, kind: &str, known: &[&str]) -> Error {
        let list: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
        let message = format!("unknown {what} `{kind}`; known: {}", list.join(", "));
        with_suggestion(self.error("kind", message), kind, known)
    }

    /// Refuses keys that are not listed.
    ///
    /// # Errors
    /// At the first of them.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<()> {
        match self.table.keys().find(|k| !known.contains(&k.as_str())) {
            Some(key) => Err(self.unknown_key(key, known)),
            None => Ok(()),
        }
    }

    /// An error about a key of this table.
    pub fn error(&self, key: &str, message: impl Into<String>) -> Error {
        let error = Error::input(message).at(&self.file.path);
        let keys = if key.is_empty() { self.keys.clone() } else { self.join(key) };
        match self.file.line(&keys) {
            Some(line) => error.row(line),
            None => error,
        }
    }

    /// Whether the table is absent or empty.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The table itself.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Where this table stands, such as `train.model`.
    pub fn keys(&self) -> &str {
        &self.keys
    }

    fn join(&self, key: &str) -> String {
        match (self.keys.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.keys.clone(),
            _ => format!("{}.{key}", self.keys),
        }
    }

    fn unknown_key(&self, key: &str, known: &[&str]) -> Error {
        let known: Vec<&str> = known.iter().copied().chain(self.elsewhere.iter().map(String::as_str)).collect();
        let known = known.as_slice();
        let list: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
        let place = if self.keys.is_empty() { String::new() } else { format!(" in `{}`", self.keys) };
        let message = match list.is_empty() {
            true => format!("unknown key `{key}`{place}, which takes no keys"),
            false => format!("unknown key `{key}`{place}; valid keys: {}", list.join(", ")),
        };
        with_suggestion(self.error(key, message), key, known)
    }

    /// Turns serde's words into ours.
    fn translate(&self, inner_path: &str, message: &str) -> Error {
        let inner_path = if inner_path == "." { "" } else { inner_path };
        if let Some(rest) = message.strip_prefix("unknown field `") {
            let mut quoted = rest.split('`');
            let key = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
            let parent = inner_path.strip_suffix(key).unwrap_or(inner_path).trim_end_matches('.');
            let mut owner = Section::new(self.file.clone(), &self.join(parent), Table::new());
            if parent.is_empty() {
                owner.elsewhere.clone_from(&self.elsewhere);
            }
            return owner.unknown_key(key, &known);
        }
        if let Some(rest) = message.strip_prefix("missing field `") {
            let key = rest.trim_end_matches('`');
            return self.error(inner_path, format!("`{key}` is missing in `{}`", self.join(inner_path)));
        }
        let what = self.join(inner_path);
        self.error(inner_path, format!("`{what}`: {message}"))
    }
}

fn with_suggestion(error: Error, wrong: &str, known: &[&str]) -> Error {
    let nearest = known.iter().map(|k| (strsim::damerau_levenshtein(wrong, k), *k)).min();
    match nearest {
        Some((distance, key)) if distance <= 2.max(wrong.len() / 3) => error.hint(format!("did you mean `{key}`?")),
        _ => error,
    }
}
