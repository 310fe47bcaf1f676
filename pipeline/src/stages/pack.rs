//! `pack`: puts the rows of a split one behind the other and cuts them into rows of one length.
//!
//! This is how language models are fed: no padding, and documents one after another with
//! `<|endoftext|>` between them. Rows are packed within a part, so the last row of each part and
//! split is shorter. A packed row's origin is that of its first token.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::tokenizer::Tokenizer;

use super::{Entry, TOKENIZER};
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origin, Origins, TokenColumn, TokenRows};
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext, needs_kind};

pub(super) const ENTRY: Entry = Entry {
    name: "pack",
    summary: "joins documents and cuts them into rows of one length, as language models are fed",
    example: "length = 16",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Tokens in a row.
    length: usize,
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config { length } = section.parse()?;
    match length {
        1..=0x100_0000 => Ok(Stage::map(Pack { length })),
        _ => Err(section.error("length", format!("`length` is `{length}`; a row has 1 to 16777216 tokens"))),
    }
}

struct Pack {
    length: usize,
}

impl Map for Pack {
    fn output(&self, input: Kind) -> Result<Kind> {
        match input {
            Kind::Tokens => Ok(Kind::Tokens),
            other => Err(needs_kind(&[Kind::Tokens], other).hint("put the stage `encode` before `pack`")),
        }
    }

    fn needs(&self) -> Vec<String> {
        vec![TOKENIZER.to_owned()]
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        artifacts.detail("row_length", self.length);
        let tokenizer = Tokenizer::from_file(artifacts.path(TOKENIZER)?)?;
        Ok(Box::new(Prepared { length: self.length, schema: input.clone(), tokenizer }))
    }
}

struct Prepared {
    length: usize,
    schema: RecordSchema,
    tokenizer: Tokenizer,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, part: usize) -> Box<dyn Mapper + '_> {
        Box::new(Packer {
            prepared: self,
            part,
            rows: TokenRows::new(self.tokenizer.vocabulary_size()),
            open: BTreeMap::new(),
            ids: Vec::new(),
        })
    }
}

struct Packer<'a> {
    prepared: &'a Prepared,
    part: usize,
    rows: TokenRows,
    /// The row that is being filled, by split.
    open: BTreeMap<String, OpenRow>,
    ids: Vec<u32>,
}

#[derive(Default)]
struct OpenRow {
    ids: Vec<u32>,
    bytes: u32,
    number: u64,
    first: FirstToken,
}

/// Where the first token of a row comes from.
#[derive(Clone, Default)]
struct FirstToken {
    source: String,
    src: String,
    loc: String,
    license: String,
    split_key: String,
}

impl Mapper for Packer<'_> {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        let tokens = TokenColumn::of(&batch)?;
        let origins = Origins::of(&batch)?;
        for row in 0..batch.num_rows() {
            let mut ids = std::mem::take(&mut self.ids);
            tokens.read(row, &mut ids)?;
            self.append(&ids, &origins.get(row));
            self.ids = ids;
        }
        self.take()
    }

    fn flush(&mut self, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        for (split, mut row) in std::mem::take(&mut self.open) {
            self.close(&split, &mut row);
        }
        self.take()
    }
}

impl Packer<'_> {
    fn append(&mut self, ids: &[u32], origin: &Origin<'_>) {
        let length = self.prepared.length;
        let mut row = self.open.remove(origin.split).unwrap_or_default();
        let mut done = 0;
        while done < ids.len() {
            if row.ids.is_empty() {
                row.first.start(origin, done);
            }
            let piece = &ids[done..ids.len().min(done + length - row.ids.len())];
            row.ids.extend_from_slice(piece);
            row.bytes += piece.iter().map(|id| self.prepared.tokenizer.byte_length(*id)).sum::<u32>();
            done += piece.len();
            if row.ids.len() == length {
                self.close(origin.split, &mut row);
            }
        }
        self.open.insert(origin.split.to_owned(), row);
    }

    fn close(&mut self, split: &str, row: &mut OpenRow) {
        if row.ids.is_empty() {
            return;
        }
        let FirstToken { source, src, loc, license, split_key } = &row.first;
        let id = &format!("{split}-{:05}-{:08}", self.part, row.number);
        let origin = Origin { split, id, source, src, loc, license, split_key, content_hash: "" };
        self.rows.push(&row.ids, row.bytes, &origin);
        row.ids.clear();
        row.bytes = 0;
        row.number += 1;
    }

    fn take(&mut self) -> Result<Option<RecordBatch>> {
        match self.rows.is_empty() {
            true => Ok(None),
            false => self.rows.finish().map(Some),
        }
    }
}

impl FirstToken {
    fn start(&mut self, origin: &Origin<'_>, token: usize) {
        *self = Self {
            source: origin.source.to_owned(),
            src: origin.src.to_owned(),
            loc: match token {
                0 => origin.loc.to_owned(),
                _ => format!("{}, token {}", origin.loc, token + 1),
            },
            license: origin.license.to_owned(),
            split_key: origin.split_key.to_owned(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rows::tests::origin;
    use super::*;
    use crate::bpe::Vocabulary;
    use crate::rows::{by_split, strings};
    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::UInt32Type;
    use proptest::prelude::*;
    use tessera_datasets::schema::tokens;
    use tessera_datasets::tokenizer::END_OF_TEXT;

    fn prepared(length: usize) -> Prepared {
        let vocabulary = Vocabulary::bytes(&[END_OF_TEXT]).unwrap();
        let tokenizer = Tokenizer::from_json(&vocabulary.to_json()).unwrap();
        Prepared { length, schema: tokens(257), tokenizer }
    }

    /// Rows by split: ids, bytes, ids of the rows.
    fn read(batches: &[RecordBatch]) -> BTreeMap<String, Vec<(Vec<u32>, u32, String)>> {
        let mut out: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for batch in batches {
            for (split, rows) in by_split(batch).unwrap() {
                let column = TokenColumn::of(&rows).unwrap();
                let bytes = rows["bytes"].as_primitive::<UInt32Type>();
                for row in 0..rows.num_rows() {
                    let mut ids = Vec::new();
                    column.read(row, &mut ids).unwrap();
                    let id = strings(&rows, "id").unwrap().value(row).to_owned();
                    out.entry(split.clone()).or_default().push((ids, bytes.value(row), id));
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn packing_conserves_tokens_and_bytes(
            documents in prop::collection::vec((any::<bool>(), prop::collection::vec(0..257_u32, 0..40)), 0..30),
            length in 1..25_usize,
            batch_rows in 1..7_usize,
        ) {
            let prepared = prepared(length);
            let mut packer = prepared.open(3);
            let mut rejects = Rejects::new();
            let mut packed = Vec::new();
            for documents in documents.chunks(batch_rows) {
                let mut rows = TokenRows::new(257);
                for (held_out, ids) in documents {
                    let split = if *held_out { "validation" } else { "train" };
                    rows.push(ids, ids.iter().filter(|id| **id > 0).count() as u32, &origin(split, "a"));
                }
                packed.extend(packer.map(rows.finish().unwrap(), &mut rejects).unwrap());
            }
            packed.extend(packer.flush(&mut rejects).unwrap());
            let packed = read(&packed);
            for (held_out, split) in [(false, "train"), (true, "validation")] {
                let expected: Vec<u32> = documents.iter().filter(|d| d.0 == held_out).flat_map(|d| d.1.clone()).collect();
                let rows = packed.get(split).cloned().unwrap_or_default();
                let found: Vec<u32> = rows.iter().flat_map(|r| r.0.clone()).collect();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(rows.len(), rows.iter().flat_map(|r| &r.0).count().div_ceil(length));
                for (i, (ids, bytes, _)) in rows.iter().enumerate() {
                    prop_assert!(ids.len() == length || i + 1 == rows.len());
                    prop_assert_eq!(*bytes as usize, ids.iter().filter(|id| **id > 0).count());
                }
                let mut names: Vec<&String> = rows.iter().map(|r| &r.2).collect();
                names.dedup();
                prop_assert_eq!(names.len(), rows.len());
            }
        }
    }

    #[test]
    fn the_origin_is_that_of_the_first_token() {
        let prepared = prepared(4);
        let mut packer = prepared.open(0);
        let mut rows = TokenRows::new(257);
        rows.push(&[1, 2, 3], 3, &origin("train", "line 1"));
        rows.push(&[4, 5, 6], 3, &origin("train", "line 2"));
        let mut rejects = Rejects::new();
        let first = packer.map(rows.finish().unwrap(), &mut rejects).unwrap().unwrap();
        let last = packer.flush(&mut rejects).unwrap().unwrap();
        let loc = |batch| strings(batch, "loc").unwrap().value(0).to_owned();
        assert_eq!((loc(&first), loc(&last)), ("line 1".to_owned(), "line 2, token 2".to_owned()));
    }
}
