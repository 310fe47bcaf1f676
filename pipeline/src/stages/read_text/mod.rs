//! `read-text`: text files to rows of kind `text`.
//!
//! It reads `.txt`, `.md` and `.jsonl`, each plain, as `.gz` or as `.zst`. Text is UTF-8; a byte
//! order mark at the start of a file is taken off, and `\r\n` becomes `\n`, as every text editor
//! shows it (a lone `\r` stays). A line of JSONL is one row, whatever `rows` says.
//!
//! Rows that are dropped, with the file and the line: `not UTF-8`, `empty` (nothing but white
//! space), `longer than 1 GiB`; of JSONL also `not JSON`, `not a JSON object`, `field missing` and
//! `field not a string`. A compressed file that is cut short is no row's fault but an error.

mod document;
mod lines;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::card::Card;
use tessera_datasets::config::{DataConfig, Section};
use tessera_datasets::console::Unit;
use tessera_datasets::schema::{Kind, RecordSchema, text};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::inputs::lines::without_returns;
use crate::inputs::{Compression, Found, InputFile, find, parts_of, skipped_note};
use crate::rows::{Origin, TRAIN, TextRows, content_hash};
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};

pub(super) const ENTRY: Entry = Entry {
    name: "read-text",
    summary: "reads .txt, .md and .jsonl files, plain or compressed: a row for each file, paragraph, line or JSON object",
    example: "",
    parse,
};

/// What people are told that this stage reads.
const SORTS: &str = "`.txt`, `.md` and `.jsonl`, each also as `.gz` or `.zst`";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What becomes a row of a `.txt` or `.md` file.
    rows: Rows,
    /// The field of a JSON object that holds the text.
    field: String,
    /// How many bytes of small files make a part; each part becomes a shard.
    part_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { rows: Rows::Line, field: "text".to_owned(), part_bytes: 64 << 20 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rows {
    File,
    Paragraph,
    Line,
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    if config.part_bytes == 0 {
        return Err(section.error("part_bytes", "`part_bytes` must be 1 or more"));
    }
    Ok(Stage::source(ReadText { config, data: context.data.clone(), dataset: context.name.clone() }))
}

struct ReadText {
    config: Config,
    data: DataConfig,
    dataset: String,
}

/// What a file holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    JsonLines,
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        let (_, name) = Compression::of(name);
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match ending.as_str() {
            "txt" | "md" => Some(Self::Text),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

impl Source for ReadText {
    fn output(&self) -> Kind {
        Kind::Text
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let Found { files, skipped, .. } = find(&self.data, &self.dataset, SORTS, &|name| Format::of(name).is_some())?;
        let sizes = files.iter().map(|file| (file.name.as_str(), file.bytes));
        let (parts, ranges) = parts_of(sizes, self.config.part_bytes);
        let languages = match &self.data.card {
            Some(card) => Card::find(card)?.languages,
            None => Vec::new(),
        };
        Ok(Box::new(Prepared { config: self.config.clone(), files, skipped, languages, parts, ranges }))
    }
}

struct Prepared {
    config: Config,
    files: Vec<InputFile>,
    skipped: Vec<String>,
    languages: Vec<String>,
    parts: Vec<Part>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl PreparedSource for Prepared {
    fn schema(&self) -> RecordSchema {
        text()
    }

    fn inputs(&self) -> &[InputFile] {
        &self.files
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn unit(&self) -> Unit {
        Unit::Bytes
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        if !self.languages.is_empty() {
            details.insert("languages".to_owned(), self.languages.clone().into());
        }
        if let Some(note) = skipped_note(&self.skipped) {
            details.insert("skipped_files".to_owned(), note);
        }
        details
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let range = self.ranges.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let mut rows = TextRows::default();
        for file in &self.files[range.clone()] {
            let format = Format::of(&file.name).ok_or_else(|| Error::internal("a file of another sort"))?;
            let advance = out.advance;
            let mut sink = FileSink { file, rows: &mut rows, out };
            match (format, self.config.rows) {
                (Format::JsonLines, _) => lines::read_json(file, &self.config.field, advance, &mut sink),
                (Format::Text, Rows::Line) => lines::read_lines(file, advance, &mut sink),
                (Format::Text, Rows::Paragraph) => lines::read_paragraphs(file, advance, &mut sink),
                (Format::Text, Rows::File) => document::read_document(file, advance, &mut sink),
            }
            .map_err(|e| e.at(&file.path))?;
        }
        match rows.is_empty() {
            true => Ok(()),
            false => out.emit(rows.finish()?),
        }
    }
}

/// Takes the rows of one file.
struct FileSink<'a, 'b> {
    file: &'a InputFile,
    rows: &'a mut TextRows,
    out: &'a mut Outlet<'b>,
}

impl FileSink<'_, '_> {
    /// A row; `place` is its line, or nothing where the row is the whole file.
    fn push(&mut self, text: &str, place: Option<u64>) -> Result<()> {
        let text = &*without_returns(text);
        if text.trim().is_empty() {
            self.reject("empty", place, "");
            return Ok(());
        }
        if self.rows.is_full_with(text) {
            self.out.emit(self.rows.finish()?)?;
        }
        let hash = content_hash(text.as_bytes());
        let id = match place {
            Some(line) => format!("{}:{line}", self.file.name),
            None => self.file.name.clone(),
        };
        self.rows.push(
            text,
            &Origin {
                split: self.file.split.as_deref().unwrap_or(TRAIN),
                id: &id,
                source: &self.file.source,
                src: &self.file.name,
                loc: &loc(place),
                license: &self.file.license,
                // by content, not by place: a row moves to no other split when lines are inserted
                // before it, and equal rows are never in two splits
                split_key: &hash,
                content_hash: &hash,
            },
        );
        match self.rows.is_full() {
            true => self.out.emit(self.rows.finish()?),
            false => Ok(()),
        }
    }

    fn reject(&mut self, reason: &str, place: Option<u64>, excerpt: &str) {
        self.out.rejects.add(reason, &self.file.name, &loc(place), excerpt);
    }
}

fn loc(place: Option<u64>) -> String {
    place.map_or("file".to_owned(), |line| format!("line {line}"))
}

#[cfg(test)]
mod tests;
