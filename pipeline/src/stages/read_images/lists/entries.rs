//! All lines of all lists, kept in memory.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use tessera_datasets::Result;

use super::super::columns::Columns;
use super::super::config::Record;
use super::super::names::folder_of;
use super::super::sink::{Said, Shape};
use super::{Format, Line, objects, table};
use crate::inputs::InputFile;
use crate::rejects::Rejects;

/// A line that names an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The number of the list.
    pub(super) list: u32,
    pub(super) line: u64,
    /// The number of the file's name.
    pub(super) file: u32,
    label: Option<u32>,
    split: Option<u32>,
    /// Where the caption stands.
    caption: Option<(usize, u32)>,
}

/// Strings, each once.
#[derive(Default)]
struct Words {
    words: Vec<String>,
    numbers: FxHashMap<String, u32>,
}

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.to_owned());
        self.numbers.insert(word.to_owned(), number);
        number
    }
}

/// The lines of all lists.
#[derive(Default)]
pub(super) struct Entries {
    /// In the order of the lists.
    pub(super) rows: Vec<Entry>,
    /// Lines that are none.
    pub(super) faults: Rejects,
    files: Words,
    labels: Words,
    splits: Words,
    captions: String,
    lists: u32,
}

impl Entries {
    /// Adds the lines of a list.
    ///
    /// # Errors
    /// When the list cannot be read to its end, or has no column with the names of files.
    pub(super) fn read(&mut self, list: &InputFile, columns: &Columns) -> Result<()> {
        let mut take = |number: u64, line: Result<Line<'_>, super::Fault<'_>>| {
            match line {
                Ok(line) => self.add(list, number, &line),
                Err(fault) => self.faults.add(fault.reason, &list.name, &place(number), fault.excerpt),
            }
            Ok(())
        };
        match Format::of(&list.name) {
            Some(Format::Objects) => objects::read(list, columns, &mut take)?,
            format => table::read(list, format == Some(Format::Tabs), columns, &mut take)?,
        }
        self.lists += 1;
        Ok(())
    }

    fn add(&mut self, list: &InputFile, number: u64, line: &Line<'_>) {
        let Some(file) = joined(folder_of(&list.name), line.file) else {
            self.faults.add("path is absolute", &list.name, &place(number), line.file);
            return;
        };
        let caption = line.caption.map(|caption| {
            let at = self.captions.len();
            self.captions.push_str(caption);
            (at, caption.len() as u32)
        });
        self.rows.push(Entry {
            list: self.lists,
            line: number,
            file: self.files.number(&file),
            label: line.label.map(|label| self.labels.number(label)),
            split: line.split.map(|split| self.splits.number(split)),
            caption,
        });
    }

    /// The names of all files, each once, as they are called in the dataset.
    pub(super) fn files(&self) -> &[String] {
        &self.files.words
    }

    /// All classes.
    pub(super) fn labels(&self) -> BTreeSet<String> {
        self.labels.words.iter().cloned().collect()
    }

    /// Whether any image has a caption.
    pub(super) fn has_captions(&self) -> bool {
        !self.captions.is_empty()
    }

    /// What is said of the image of a line.
    pub(super) fn said(&self, entry: &Entry, record: Record) -> Said<'_> {
        match (record, entry.label, entry.caption) {
            (Record::Image, Some(label), _) => Said::Class(&self.labels.words[label as usize]),
            (Record::Caption, _, Some((at, length))) => Said::Caption(&self.captions[at..at + length as usize]),
            _ => Said::Nothing,
        }
    }

    /// The split that a line says.
    pub(super) fn split(&self, entry: &Entry) -> Option<&str> {
        entry.split.map(|split| self.splits.words[split as usize].as_str())
    }

    /// Counts the lines whose file is not there, and forgets them.
    pub(super) fn drop_missing(&mut self, lists: &[InputFile], is_there: impl Fn(u32) -> bool) {
        let Self { rows, faults, files, .. } = self;
        rows.retain(|entry| {
            let stays = is_there(entry.file);
            if !stays {
                let name = &files.words[entry.file as usize];
                faults.add("file missing", &lists[entry.list as usize].name, &place(entry.line), name);
            }
            stays
        });
    }
}

/// The kind of row that is made.
pub(super) fn record_of(shape: &Shape) -> Record {
    match shape {
        Shape::Images(_) => Record::Image,
        Shape::Captions => Record::Caption,
    }
}

/// The place of a line, for people.
pub(super) fn place(line: u64) -> String {
    format!("line {line}")
}

/// The path of a file that is named relative to a folder; nothing where it is not relative.
fn joined(folder: &str, file: &str) -> Option<String> {
    if file.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_list() {
        for (folder, file, expected) in [
            ("", "a.jpg", Some("a.jpg")),
            ("lists", "a.jpg", Some("lists/a.jpg")),
            ("lists/x", "../images/./a.jpg", Some("lists/images/a.jpg")),
            ("", "../a.jpg", Some("../a.jpg")),
            ("", "../../a.jpg", Some("../../a.jpg")),
            ("lists", "/a.jpg", None),
        ] {
            assert_eq!(joined(folder, file).as_deref(), expected, "{folder} {file}");
        }
    }
}
