//! `use-tokenizer`: takes a `tokenizer.json` that exists, such as that of another dataset, or one for
//! each language.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::tokenizer::Tokenizer;
use tessera_datasets::{Result, ResultExt};

use super::languages::check_languages;
use super::train_tokenizer::of_languages;
use super::{Entry, TOKENIZER, tokenizer_of};
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{languages_of, no_language};
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext, needs_kind};

pub(super) const ENTRY: Entry = Entry {
    name: "use-tokenizer",
    summary: "takes a tokenizer.json that exists, such as that of another dataset",
    example: "path = \"tokenizer.json\"",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The file, relative to the working directory.
    path: Option<PathBuf>,
    /// The file of each language of translations.
    #[serde(default)]
    paths: BTreeMap<String, PathBuf>,
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config { path, paths } = section.parse()?;
    let languages: Vec<String> = paths.keys().cloned().collect();
    check_languages(section, "paths", &languages)?;
    let (languages, files) = match (path, paths.is_empty()) {
        (Some(path), true) => (None, vec![(TOKENIZER.to_owned(), path)]),
        (None, false) => {
            (Some(languages), paths.into_iter().map(|(language, path)| (tokenizer_of(&language), path)).collect())
        }
        _ => {
            return Err(section
                .error("", "`use-tokenizer` needs either `path`, or `paths` with a file for each language")
                .hint("for example `path = \"data/other/tokenizer.json\"`"));
        }
    };
    Ok(Stage::map(UseTokenizer { languages, files }))
}

struct UseTokenizer {
    /// The languages, where each has a file of its own.
    languages: Option<Vec<String>>,
    /// Name in the dataset, and where the file is.
    files: Vec<(String, PathBuf)>,
}

impl Map for UseTokenizer {
    fn output(&self, input: Kind) -> Result<Kind> {
        match (&self.languages, input) {
            (Some(_), Kind::Text) => Err(needs_kind(&[Kind::Translation], input).hint("give one file as `path`")),
            _ => Ok(input),
        }
    }

    fn provides(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    fn inputs(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(_, path)| path.clone()).collect()
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let known = languages_of(input);
        if let Some(language) = self.languages.iter().flatten().find(|l| !known.contains(&l.as_str())) {
            return Err(no_language(language, &known));
        }
        let hint = "`path` is relative to the working directory; a dataset keeps its tokenizer in `data/<name>/tokenizer.json`";
        let (mut sizes, mut hashes) = (Vec::new(), Vec::new());
        for (name, path) in &self.files {
            let text = fs_err::read_to_string(path).hint(hint)?;
            let tokenizer = Tokenizer::from_json(&text).at(path)?;
            artifacts.write(name, text.as_bytes())?;
            sizes.push(tokenizer.vocabulary_size());
            hashes.push(tokenizer.sha256().to_owned());
        }
        if input.kind() == Kind::Translation {
            artifacts.detail("vocabulary_size", of_languages(self.languages.as_deref(), sizes));
            artifacts.detail("tokenizer_sha256", of_languages(self.languages.as_deref(), hashes));
        }
        Ok(Box::new(Prepared(input.clone())))
    }
}

/// Rows go through as they are.
struct Prepared(RecordSchema);

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.0.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(Through)
    }
}

struct Through;

impl Mapper for Through {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        Ok(Some(batch))
    }
}
