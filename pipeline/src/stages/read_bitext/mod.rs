//! `read-bitext`: sentences in several languages to rows of kind `translation`.
//!
//! It reads three sorts of files, each plain, as `.gz` or as `.zst`, as many of them as there are:
//!
//! - *aligned* files, one for each language, in which equal lines belong together: by their names
//!   (`train.en.gz` beside `train.de.gz`, also `train.en.txt`), by what the card says, or as
//!   `[pipeline.stage.files]` names them. Files of different length are an error;
//! - `.tsv`, without quotes: `columns` says which language each column holds, and without it the
//!   first line does;
//! - `.jsonl`: a field for each language, at the top or in an object `translation`.
//!
//! Lines end as for `read-text`. A row without all its sides is no translation, whatever split it
//! belongs to; such rows are dropped, with the file, the line and the language: `empty side`,
//! `not UTF-8`, `longer than 1 GiB`; of TSV also `wrong number of columns`; of JSONL also `not JSON`,
//! `not a JSON object`, `field missing` and `field not a string`.
//!
//! Rows with the same sentence in the first of `languages` share their split key, so that `split`
//! by hash does not train on a source sentence that it holds out.

mod aligned;
mod files;
mod objects;
mod sink;
mod table;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::config::{DataConfig, Section};
use tessera_datasets::console::Unit;
use tessera_datasets::schema::{Kind, RecordSchema, translation};
use tessera_datasets::{Error, Result};

use super::Entry;
use super::languages::check_languages;
use crate::inputs::{InputFile, parts_of, skipped_note};
use crate::rows::TranslationRows;
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};
use files::{Format, Group};
use sink::Sink;

pub(super) const ENTRY: Entry = Entry {
    name: "read-bitext",
    summary: "reads translations: aligned files of one language each, .tsv or .jsonl, plain or compressed",
    example: "languages = [\"en\", \"de\"]",
    parse,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The languages to read, two or more; the first is the one whose sentences are never divided
    /// between splits.
    languages: Vec<String>,
    /// The aligned files of each language: patterns of names, in the same order for each.
    files: BTreeMap<String, Vec<String>>,
    /// The language of each column of a `.tsv`; `-` for a column that is not read.
    columns: Option<Vec<String>>,
    /// Whether the first line of a `.tsv` names the columns; true where `columns` does not.
    header: Option<bool>,
    /// The field of each language in a `.jsonl`, where it is not called like the language.
    fields: BTreeMap<String, String>,
    /// How many bytes of small files make a part; each part becomes a shard.
    part_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            languages: Vec::new(),
            files: BTreeMap::new(),
            columns: None,
            header: None,
            fields: BTreeMap::new(),
            part_bytes: 64 << 20,
        }
    }
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let mut config: Config = section.parse()?;
    if config.languages.is_empty() {
        config.languages = config.files.keys().cloned().collect();
    }
    if config.languages.len() < 2 {
        return Err(section
            .error("languages", "`languages` names the languages to read, and needs two or more")
            .hint("for example `languages = [\"en\", \"de\"]`"));
    }
    check_languages(section, "languages", &config.languages)?;
    let mut sorted = config.languages.clone();
    sorted.sort();
    for (key, names) in [("files", config.files.keys().collect::<Vec<_>>()), ("fields", config.fields.keys().collect())]
    {
        if let Some(name) = names.iter().find(|name| !config.languages.contains(name)) {
            return Err(section.error(key, format!("`{key}` has `{name}`, which is none of `languages`")));
        }
    }
    if let Some(language) = config.languages.iter().find(|l| !config.files.is_empty() && !config.files.contains_key(*l))
    {
        return Err(section.error("files", format!("`files` names no file for `{language}`")));
    }
    if let Some(columns) = &config.columns
        && let Some(language) = sorted.iter().find(|l| columns.iter().filter(|c| c == l).count() != 1)
    {
        return Err(section.error("columns", format!("`columns` must name `{language}` once")));
    }
    if config.columns.is_none() && config.header == Some(false) {
        return Err(section.error("header", "without a header `columns` must say what each column is"));
    }
    if config.part_bytes == 0 {
        return Err(section.error("part_bytes", "`part_bytes` must be 1 or more"));
    }
    Ok(Stage::source(ReadBitext { config, sorted, data: context.data.clone(), dataset: context.name.clone() }))
}

struct ReadBitext {
    config: Config,
    /// The languages in the order of the columns.
    sorted: Vec<String>,
    data: DataConfig,
    dataset: String,
}

impl Source for ReadBitext {
    fn output(&self) -> Kind {
        Kind::Translation
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let (groups, skipped) = files::find_groups(&self.data, &self.dataset, &self.sorted, &self.config.files)?;
        let sizes = groups.iter().map(|group| (group.name.as_str(), group.bytes()));
        let (parts, ranges) = parts_of(sizes, self.config.part_bytes);
        let field = |language: &String| self.config.fields.get(language).unwrap_or(language).clone();
        let first = self.sorted.iter().position(|l| *l == self.config.languages[0]);
        Ok(Box::new(Prepared {
            files: groups.iter().flat_map(|group| group.files.iter().cloned()).collect(),
            fields: self.sorted.iter().map(field).collect(),
            languages: self.sorted.clone(),
            key: first.unwrap_or(0),
            columns: self.config.columns.clone(),
            header: self.config.header.unwrap_or(self.config.columns.is_none()),
            groups,
            skipped,
            parts,
            ranges,
        }))
    }
}

struct Prepared {
    groups: Vec<Group>,
    files: Vec<InputFile>,
    /// Sorted, as the columns are.
    languages: Vec<String>,
    /// The field of each language.
    fields: Vec<String>,
    /// Which language the split key is made of.
    key: usize,
    columns: Option<Vec<String>>,
    header: bool,
    skipped: Vec<String>,
    parts: Vec<Part>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl PreparedSource for Prepared {
    fn schema(&self) -> RecordSchema {
        translation(&names(&self.languages))
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
        details.insert("languages".to_owned(), self.languages.clone().into());
        if let Some(note) = skipped_note(&self.skipped) {
            details.insert("skipped_files".to_owned(), note);
        }
        details
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let range = self.ranges.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let mut rows = TranslationRows::new(&names(&self.languages));
        for group in &self.groups[range.clone()] {
            let advance = out.advance;
            let mut sink = Sink::new(group, &self.languages, self.key, &mut rows, out);
            match group.format {
                Format::Aligned => aligned::read(group, advance, &mut sink)?,
                Format::Table => {
                    let columns = self.columns.as_deref();
                    table::read(group, columns, self.header, &self.languages, advance, &mut sink)?;
                }
                Format::Objects => objects::read(group, &self.fields, advance, &mut sink)?,
            }
        }
        match rows.is_empty() {
            true => Ok(()),
            false => out.emit(rows.finish()?),
        }
    }
}

fn names(languages: &[String]) -> Vec<&str> {
    languages.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
