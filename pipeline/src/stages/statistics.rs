//! `statistics`: counts of what is in each split, as `stats/<name>.json`.
//!
//! Of text: documents, characters, bytes, words (between white space), and how often each character
//! occurs. Of tokens: rows, tokens, the bytes that they stand for, and how often each id occurs.
//! Lengths are in characters and in tokens; their quantiles are exact (nearest rank).

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use polars::prelude::{Column, DataFrame, SortMultipleOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tessera_datasets::config::Section;
use tessera_datasets::schema::Kind;
use tessera_datasets::tokenizer::Tokenizer;
use tessera_datasets::{Error, Result};

use super::{Entry, TOKENIZER};
use crate::artifacts::Artifacts;
use crate::rows::{SPLIT, TokenColumn, strings};
use crate::stage::{Fold, FoldStart, Pass, Stage, StageContext, needs_kind};

pub(super) const ENTRY: Entry = Entry {
    name: "statistics",
    summary: "counts rows, characters, words, bytes and tokens, with quantiles of their lengths",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The name of the file, without folder and ending; by default the kind of the rows.
    name: Option<String>,
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config { name } = section.parse()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.as_ref().is_some_and(|name| name.is_empty() || !name.chars().all(plain)) {
        return Err(section.error("name", "`name` becomes a file: use letters, digits, `-` and `_` only"));
    }
    Ok(Stage::fold(Statistics { name }))
}

struct Statistics {
    name: Option<String>,
}

/// Counts of some rows.
struct Counts {
    kind: Kind,
    splits: BTreeMap<String, SplitCounts>,
    /// How often each character or token id occurs, by its number.
    symbols: Vec<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct SplitCounts {
    rows: u64,
    characters: u64,
    tokens: u64,
    words: u64,
    bytes: u64,
    /// How many rows have each length.
    lengths: BTreeMap<u64, u64>,
}

impl Statistics {
    fn path(&self, kind: Kind) -> String {
        format!("stats/{}.json", self.name.as_deref().unwrap_or(kind.name()))
    }
}

impl Fold for Statistics {
    type State = Counts;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Text | Kind::Tokens => Ok(()),
            other => Err(needs_kind(&[Kind::Text, Kind::Tokens], other)),
        }
    }

    fn provides(&self, input: Kind) -> Vec<String> {
        vec![self.path(input)]
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<Counts> {
        Ok(Counts { kind: at.schema.kind(), splits: BTreeMap::new(), symbols: Vec::new() })
    }

    fn add(&self, state: &mut Counts, batch: &RecordBatch) -> Result<()> {
        match state.kind {
            Kind::Text => state.add_text(batch),
            _ => state.add_tokens(batch),
        }
    }

    fn merge(&self, mut first: Counts, second: Counts) -> Result<Counts> {
        for (split, counts) in second.splits {
            first.splits.entry(split).or_default().add(&counts);
        }
        for (symbol, count) in (0_u32..).zip(second.symbols) {
            first.count(symbol, count);
        }
        Ok(first)
    }

    fn finish(&self, state: Counts, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        let spelling: Box<dyn Fn(u32) -> String> = match state.kind {
            Kind::Text => Box::new(|code| char::from_u32(code).map(String::from).unwrap_or_default()),
            _ => {
                let tokenizer = Tokenizer::from_file(artifacts.path(TOKENIZER)?)?;
                Box::new(move |id| tokenizer.display(id))
            }
        };
        let splits: BTreeMap<&String, Summary> =
            state.splits.iter().map(|(name, c)| (name, c.summary(state.kind))).collect();
        let (symbols, symbol) = match state.kind {
            Kind::Text => ("characters", "character"),
            _ => ("tokens", "token"),
        };
        let table = symbol_table(&state.symbols).map_err(|e| Error::internal(format!("polars: {e}")))?;
        let table: Vec<Value> = table
            .into_iter()
            .map(|(code, count)| json!({ symbol: spelling(code), "id": code, "count": count }))
            .collect();
        let report = json!({ "kind": state.kind, "splits": splits, symbols: table });
        let mut bytes = serde_json::to_vec_pretty(&report).map_err(|e| Error::internal(e.to_string()))?;
        bytes.push(b'\n');
        artifacts.write(&self.path(state.kind), &bytes)?;
        Ok(Pass::Done)
    }

    fn needs(&self, input: Kind) -> Vec<String> {
        match input {
            Kind::Tokens => vec![TOKENIZER.to_owned()],
            _ => Vec::new(),
        }
    }
}

impl Counts {
    fn add_text(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = strings(batch, "text")?;
        for (split, text) in strings(batch, SPLIT)?.iter().flatten().zip(texts.iter().flatten()) {
            let mut characters = 0;
            for character in text.chars() {
                self.count(u32::from(character), 1);
                characters += 1;
            }
            let counts = self.split(split);
            counts.characters += characters;
            counts.words += text.split_whitespace().count() as u64;
            counts.add_row(text.len() as u64, characters);
        }
        Ok(())
    }

    fn add_tokens(&mut self, batch: &RecordBatch) -> Result<()> {
        let column = TokenColumn::of(batch)?;
        let bytes = batch.column_by_name("bytes").and_then(|c| c.as_primitive_opt::<UInt32Type>());
        let bytes = bytes.ok_or_else(|| Error::internal("no column `bytes`"))?;
        let mut ids = Vec::new();
        for (row, split) in strings(batch, SPLIT)?.iter().flatten().enumerate() {
            column.read(row, &mut ids)?;
            ids.iter().for_each(|id| self.count(*id, 1));
            let counts = self.split(split);
            counts.tokens += ids.len() as u64;
            counts.add_row(u64::from(bytes.value(row)), ids.len() as u64);
        }
        Ok(())
    }

    fn count(&mut self, symbol: u32, count: u64) {
        let index = symbol as usize;
        if self.symbols.len() <= index {
            self.symbols.resize(index + 1, 0);
        }
        self.symbols[index] += count;
    }

    fn split(&mut self, name: &str) -> &mut SplitCounts {
        if !self.splits.contains_key(name) {
            self.splits.insert(name.to_owned(), SplitCounts::default());
        }
        self.splits.get_mut(name).expect("it was just put there")
    }
}

impl SplitCounts {
    fn add_row(&mut self, bytes: u64, length: u64) {
        self.rows += 1;
        self.bytes += bytes;
        *self.lengths.entry(length).or_default() += 1;
    }

    fn add(&mut self, more: &Self) {
        self.rows += more.rows;
        self.characters += more.characters;
        self.tokens += more.tokens;
        self.words += more.words;
        self.bytes += more.bytes;
        for (length, count) in &more.lengths {
            *self.lengths.entry(*length).or_default() += count;
        }
    }

    fn summary(&self, kind: Kind) -> Summary {
        let text = kind == Kind::Text;
        Summary {
            rows: self.rows,
            characters: text.then_some(self.characters),
            words: text.then_some(self.words),
            tokens: (!text).then_some(self.tokens),
            bytes: self.bytes,
            bytes_per_token: (!text).then(|| self.bytes as f64 / self.tokens.max(1) as f64),
            length: Lengths::of(&self.lengths),
        }
    }
}

/// One split, as it is written.
#[derive(Debug, Serialize)]
struct Summary {
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    characters: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_token: Option<f64>,
    length: Lengths,
}

/// How long rows are, in characters or tokens.
#[derive(Debug, PartialEq, Serialize)]
struct Lengths {
    mean: f64,
    minimum: u64,
    p05: u64,
    p25: u64,
    median: u64,
    p75: u64,
    p95: u64,
    p99: u64,
    maximum: u64,
}

impl Lengths {
    fn of(lengths: &BTreeMap<u64, u64>) -> Self {
        let rows: u64 = lengths.values().sum();
        let sum: f64 = lengths.iter().map(|(length, count)| (length * count) as f64).sum();
        // nearest rank: the smallest length that at least this share of the rows do not exceed
        let at = |share: f64| {
            let rank = (share * rows as f64).ceil().max(1.0) as u64;
            let mut seen = 0;
            let found = lengths.iter().find(|(_, count)| {
                seen += **count;
                seen >= rank
            });
            found.map_or(0, |(length, _)| *length)
        };
        Self {
            mean: sum / rows.max(1) as f64,
            minimum: at(0.0),
            p05: at(0.05),
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
            p99: at(0.99),
            maximum: at(1.0),
        }
    }
}

/// The symbols that occur with their counts, the most frequent first, then by code.
fn symbol_table(symbols: &[u64]) -> polars::prelude::PolarsResult<Vec<(u32, u64)>> {
    let occurring = (0_u32..).zip(symbols.iter().copied()).filter(|(_, count)| *count > 0);
    let (codes, counts): (Vec<u32>, Vec<u64>) = occurring.unzip();
    let table =
        DataFrame::new(codes.len(), vec![Column::new("id".into(), codes), Column::new("count".into(), counts)])?;
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    let sorted = table.sort(["count", "id"], order)?;
    let ids = sorted.column("id")?.u32()?.iter().flatten();
    let counts = sorted.column("count")?.u64()?.iter().flatten();
    Ok(ids.zip(counts).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::rows::tests::origin;
    use super::*;
    use crate::rows::TextRows;
    use proptest::prelude::*;

    fn counts(texts: &[(&str, &str)]) -> Counts {
        let mut rows = TextRows::default();
        texts.iter().for_each(|(split, text)| rows.push(text, &origin(split, "a")));
        let mut counts = Counts { kind: Kind::Text, splits: BTreeMap::new(), symbols: Vec::new() };
        counts.add_text(&rows.finish().unwrap()).unwrap();
        counts
    }

    #[test]
    fn text_is_counted_by_split() {
        let counts = counts(&[("train", "ä b\nc"), ("validation", "bb"), ("train", "")]);
        let train = &counts.splits["train"];
        assert_eq!((train.rows, train.characters, train.bytes, train.words), (2, 5, 6, 3));
        assert_eq!(train.lengths, BTreeMap::from([(0, 1), (5, 1)]));
        let table = symbol_table(&counts.symbols).unwrap();
        assert_eq!(table[..3], [(98, 3), (10, 1), (32, 1)]);
    }

    #[test]
    fn quantiles_are_the_nearest_rank() {
        let lengths = Lengths::of(&(1..=100).map(|i| (i, 1)).collect());
        assert_eq!(lengths.mean, 50.5);
        let found = [
            lengths.minimum,
            lengths.p05,
            lengths.p25,
            lengths.median,
            lengths.p75,
            lengths.p95,
            lengths.p99,
            lengths.maximum,
        ];
        assert_eq!(found, [1, 5, 25, 50, 75, 95, 99, 100]);
        assert_eq!(Lengths::of(&BTreeMap::from([(7, 3)])).p05, 7);
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(texts in prop::collection::vec(("train|test", "(?s).{0,9}"), 0..20), at in 0..20_usize) {
            let texts: Vec<(&str, &str)> = texts.iter().map(|(s, t)| (s.as_str(), t.as_str())).collect();
            let (first, second) = texts.split_at(at.min(texts.len()));
            let merged = Fold::merge(&Statistics { name: None }, counts(first), counts(second)).unwrap();
            let whole = counts(&texts);
            prop_assert_eq!(merged.splits, whole.splits);
            prop_assert_eq!(merged.symbols, whole.symbols);
        }
    }
}
