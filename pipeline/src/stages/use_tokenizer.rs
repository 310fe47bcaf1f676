//! `use-tokenizer`: takes a `tokenizer.json` that exists, such as that of another dataset.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::tokenizer::Tokenizer;
use tessera_datasets::{Result, ResultExt};

use super::{Entry, TOKENIZER};
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext};

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
    path: PathBuf,
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config { path } = section.parse()?;
    Ok(Stage::map(UseTokenizer { path }))
}

struct UseTokenizer {
    path: PathBuf,
}

impl Map for UseTokenizer {
    fn output(&self, input: Kind) -> Result<Kind> {
        Ok(input)
    }

    fn provides(&self) -> Vec<String> {
        vec![TOKENIZER.to_owned()]
    }

    fn inputs(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let hint = "`path` is relative to the working directory; a dataset keeps its tokenizer in `data/<name>/tokenizer.json`";
        let text = fs_err::read_to_string(&self.path).hint(hint)?;
        Tokenizer::from_json(&text).at(&self.path)?;
        artifacts.write(TOKENIZER, text.as_bytes())?;
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
