//! `statistics`: counts of what is in each split, as `stats/<name>.json`.
//!
//! Of text: documents, characters, bytes, words (between white space), and how often each character
//! occurs. Of tokens: rows, tokens, the bytes that they stand for, and how often each id occurs.
//! Of translations: of each language words, characters, bytes, and tokens where a stage before has
//! made a tokenizer; how long rows are, and how much longer one language is than another.
//! Of images: sizes, formats, colours, classes, mean and deviation of the channels, and a contact
//! sheet, `stats/<name>.jpg`.
//! Of poses: which keypoints are missing and for how long, lengths of bones, speed: see [`poses`].
//! Lengths are in characters and in tokens, of translations in words and in tokens; their quantiles
//! are exact (nearest rank).

mod images;
mod lengths;
mod poses;
mod translations;

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
use images::{Effort, Images};
use lengths::Lengths;
use poses::Poses;
use translations::Translations;

pub(super) const ENTRY: Entry = Entry {
    name: "statistics",
    summary: "counts what is in text, tokens, translations, images or poses, with quantiles, means and deviations",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The name of the file, without folder and ending; by default the kind of the rows.
    name: Option<String>,
    /// Of images: the share of the training images that is decoded for mean and deviation (1).
    sample: Option<f64>,
    /// Of images: how many of each class the contact sheet shows (10); 0 for no sheet.
    examples: Option<usize>,
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config { name, sample, examples } = section.parse()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.as_ref().is_some_and(|name| name.is_empty() || !name.chars().all(plain)) {
        return Err(section.error("name", "`name` becomes a file: use letters, digits, `-` and `_` only"));
    }
    let share = sample.unwrap_or(1.0);
    if !(share > 0.0 && share <= 1.0) {
        return Err(section.error("sample", format!("`sample` is `{share}`; it must be more than 0 and at most 1")));
    }
    if examples.is_some_and(|examples| examples > 100) {
        return Err(section.error("examples", "`examples` is more than 100, too many for a sheet"));
    }
    let of_images = sample.map(|_| "sample").or(examples.map(|_| "examples"));
    let effort = Effort { sample: share, examples: examples.unwrap_or(10) };
    Ok(Stage::fold(Statistics { name, effort, of_images }))
}

struct Statistics {
    name: Option<String>,
    effort: Effort,
    /// A key that stands in the config and makes sense only for images.
    of_images: Option<&'static str>,
}

/// What is known of some rows.
enum State {
    Symbols(Counts),
    Translations(Translations),
    Images(Images),
    Poses(Poses),
}

/// Counts of some rows of text or tokens.
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
        let usual = match kind {
            Kind::Image | Kind::Caption => "images",
            Kind::Pose => "poses",
            other => other.name(),
        };
        format!("stats/{}.json", self.name.as_deref().unwrap_or(usual))
    }

    fn sheet(&self, kind: Kind) -> String {
        self.path(kind).replace(".json", ".jpg")
    }
}

impl Fold for Statistics {
    type State = State;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Image | Kind::Caption => Ok(()),
            Kind::Text | Kind::Tokens | Kind::Translation | Kind::Pose => match self.of_images {
                None => Ok(()),
                Some(key) => Err(Error::input(format!("`{key}` is of images, but rows of kind `{input}` come in"))),
            },
            other => {
                const NEEDED: [Kind; 6] =
                    [Kind::Text, Kind::Tokens, Kind::Translation, Kind::Image, Kind::Caption, Kind::Pose];
                Err(needs_kind(&NEEDED, other))
            }
        }
    }

    fn provides(&self, input: Kind) -> Vec<String> {
        match input {
            Kind::Image | Kind::Caption if self.effort.examples > 0 => vec![self.path(input), self.sheet(input)],
            _ => vec![self.path(input)],
        }
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<State> {
        Ok(match at.schema.kind() {
            Kind::Translation => State::Translations(Translations::new(at)?),
            Kind::Image | Kind::Caption => State::Images(Images::new(at.schema, self.effort)),
            Kind::Pose => State::Poses(Poses::new(at)?),
            kind => State::Symbols(Counts { kind, splits: BTreeMap::new(), symbols: Vec::new() }),
        })
    }

    fn add(&self, state: &mut State, batch: &RecordBatch) -> Result<()> {
        match state {
            State::Translations(translations) => translations.add(batch),
            State::Images(images) => images.add(batch),
            State::Poses(poses) => poses.add(batch),
            State::Symbols(counts) if counts.kind == Kind::Text => counts.add_text(batch),
            State::Symbols(counts) => counts.add_tokens(batch),
        }
    }

    fn merge(&self, first: State, second: State) -> Result<State> {
        match (first, second) {
            (State::Symbols(first), State::Symbols(second)) => Ok(State::Symbols(first.merge(second))),
            (State::Translations(first), State::Translations(second)) => Ok(State::Translations(first.merge(second))),
            (State::Images(first), State::Images(second)) => Ok(State::Images(first.merge(second))),
            (State::Poses(first), State::Poses(second)) => Ok(State::Poses(first.merge(second))),
            _ => Err(Error::internal("statistics of rows of two kinds")),
        }
    }

    fn finish(&self, state: State, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        let (kind, report) = match state {
            State::Symbols(counts) => (counts.kind, counts.report(artifacts)?),
            State::Translations(translations) => {
                artifacts.detail("statistics", translations.overview());
                (Kind::Translation, translations.report())
            }
            State::Images(images) => {
                artifacts.detail("image", images.input());
                artifacts.detail("statistics", images.overview());
                if let Some(sheet) = images.sheet()? {
                    let name = self.sheet(Kind::Image);
                    artifacts.write(&name, &sheet)?;
                    artifacts.detail("contact_sheet", name);
                }
                (Kind::Image, images.report())
            }
            State::Poses(poses) => {
                let (report, overview) = poses.reports();
                artifacts.detail("pose", overview);
                (Kind::Pose, report)
            }
        };
        let mut bytes = serde_json::to_vec_pretty(&report).map_err(|e| Error::internal(e.to_string()))?;
        bytes.push(b'\n');
        artifacts.write(&self.path(kind), &bytes)?;
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
    fn merge(mut self, second: Self) -> Self {
        for (split, counts) in second.splits {
            self.splits.entry(split).or_default().add(&counts);
        }
        for (symbol, count) in (0_u32..).zip(second.symbols) {
            self.count(symbol, count);
        }
        self
    }

    fn report(&self, artifacts: &Artifacts) -> Result<Value> {
        let spelling: Box<dyn Fn(u32) -> String> = match self.kind {
            Kind::Text => Box::new(|code| char::from_u32(code).map(String::from).unwrap_or_default()),
            _ => {
                let tokenizer = Tokenizer::from_file(artifacts.path(TOKENIZER)?)?;
                Box::new(move |id| tokenizer.display(id))
            }
        };
        let splits: BTreeMap<&String, Summary> =
            self.splits.iter().map(|(name, c)| (name, c.summary(self.kind))).collect();
        let (symbols, symbol) = match self.kind {
            Kind::Text => ("characters", "character"),
            _ => ("tokens", "token"),
        };
        let table = symbol_table(&self.symbols).map_err(|e| Error::internal(format!("polars: {e}")))?;
        let table: Vec<Value> = table
            .into_iter()
            .map(|(code, count)| json!({ symbol: spelling(code), "id": code, "count": count }))
            .collect();
        Ok(json!({ "kind": self.kind, "splits": splits, symbols: table }))
    }

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
    use super::*;
    use crate::rows::TextRows;
    use crate::rows::tests::origin;
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

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(texts in prop::collection::vec(("train|test", "(?s).{0,9}"), 0..20), at in 0..20_usize) {
            let texts: Vec<(&str, &str)> = texts.iter().map(|(s, t)| (s.as_str(), t.as_str())).collect();
            let (first, second) = texts.split_at(at.min(texts.len()));
            let merged = counts(first).merge(counts(second));
            let whole = counts(&texts);
            prop_assert_eq!(merged.splits, whole.splits);
            prop_assert_eq!(merged.symbols, whole.symbols);
        }
    }
}
