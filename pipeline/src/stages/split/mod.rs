//! `split`: divides rows into `train`, `validation` and `test`.
//!
//! - `hash` (the default) goes by each row's `split_key`: the same key is in the same split on every
//!   machine, with every seed and whatever other rows there are, so that no row moves when data is
//!   added and no run can train on what another holds out. With `stratify` each class of images has
//!   the same share, see [`strata`]. `only` names the splits whose rows are divided; rows that the
//!   files or the card have put elsewhere stay there.
//! - `tail` cuts every document at the character `int((1 - validation) * characters)`, as nanoGPT's
//!   data preparation does; the end is for validation. Recordings of poses are cut by frames: the
//!   last are for testing, those before them for validation, see [`tails`].
//! - `file` goes by the file: glob patterns on its name for `validation`, `test` and splits of any
//!   other name, or the splits that the card gives its files where there are no patterns. A file
//!   that no pattern matches is for training; one that two splits claim is an error.

mod strata;
mod tails;

use std::collections::BTreeMap;
use std::fmt::Write;

use arrow::array::{RecordBatch, StringArray};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tessera_datasets::config::Section;
use tessera_datasets::manifest::is_split_name;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origin, Origins, SPLIT, TRAIN, TextRows, content_hash, set_splits, strings};
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext, needs_kind};
use strata::{FindStrata, SplitByStrata};
use tails::TailCutter;

pub(super) const ENTRY: Entry = Entry {
    name: "split",
    summary: "divides rows into train, validation and test: by hash, by the tail of each document or recording, or by file",
    example: "",
    parse,
};

const VALIDATION: &str = "validation";
const TEST: &str = "test";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    method: Name,
    /// The share of rows (`hash`), characters or frames (`tail`) for validation.
    validation: Option<f64>,
    /// The share of rows (`hash`) or frames (`tail`) for testing.
    test: Option<f64>,
    /// Whether each class has the same share (`hash`).
    #[serde(default)]
    stratify: bool,
    /// The splits whose rows are divided; all where none is named (`hash`, and `tail` of poses).
    #[serde(default)]
    only: Vec<String>,
    /// Patterns for the names of validation files (`file`).
    #[serde(default)]
    validation_files: Vec<String>,
    /// Patterns for the names of test files (`file`).
    #[serde(default)]
    test_files: Vec<String>,
    /// Patterns for the names of the files of any split (`file`).
    #[serde(default)]
    splits: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Name {
    #[default]
    Hash,
    Tail,
    File,
}

#[derive(Clone, Debug, PartialEq)]
enum Method {
    Hash(Shares),
    Tail(Shares),
    File { splits: Vec<(String, Vec<glob::Pattern>)> },
}

/// What is held out.
#[derive(Clone, Debug, PartialEq)]
struct Shares {
    validation: f64,
    test: f64,
    /// The splits to divide; all where none is named.
    only: Vec<String>,
}

impl Shares {
    /// Whether the rows of a split are divided.
    fn divides(&self, split: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == split)
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    let keys: &[&str] = match config.method {
        Name::Hash => &["method", "validation", "test", "stratify", "only"],
        Name::Tail => &["method", "validation", "test", "only"],
        Name::File => &["method", "validation_files", "test_files", "splits"],
    };
    section.refuse_unknown(keys)?;
    let share = |key: &str, value: f64| match (0.0..1.0).contains(&value) {
        true => Ok(value),
        false => Err(section.error(key, format!("`{key}` is `{value}`, not a share from 0 to below 1"))),
    };
    let patterns = |key: &str, patterns: &[String]| -> Result<Vec<glob::Pattern>> {
        let parse =
            |p: &String| glob::Pattern::new(p).map_err(|e| section.error(key, format!("`{p}` is no glob: {}", e.msg)));
        patterns.iter().map(parse).collect()
    };
    // where a share for testing is given, none for validation is meant
    let usual = match (config.method, config.test) {
        (Name::Tail, None) => 0.1,
        (Name::Tail, Some(_)) => 0.0,
        _ => 0.05,
    };
    let shares = Shares {
        validation: share("validation", config.validation.unwrap_or(usual))?,
        test: share("test", config.test.unwrap_or(0.0))?,
        only: config.only,
    };
    if shares.validation + shares.test >= 1.0 {
        return Err(section.error("test", "`validation` and `test` leave nothing for training"));
    }
    if let Some(name) = shares.only.iter().find(|name| !is_split_name(name)) {
        return Err(section.error("only", format!("`{name}` is no name for a split")));
    }
    let method = match config.method {
        Name::Hash => {
            if config.stratify {
                // a file of this stage alone, that is not published
                let file = format!(".{}.strata", section.keys());
                let find = FindStrata { file: file.clone(), shares: shares.clone() };
                return Ok(Stage::Chain(vec![Stage::fold(find), Stage::map(SplitByStrata { file, shares })]));
            }
            Method::Hash(shares)
        }
        Name::Tail => Method::Tail(shares),
        Name::File => {
            let mut splits: Vec<(String, Vec<glob::Pattern>)> = Vec::new();
            for (name, key, files) in
                [(TEST, "test_files", &config.test_files), (VALIDATION, "validation_files", &config.validation_files)]
            {
                if !files.is_empty() {
                    splits.push((name.to_owned(), patterns(key, files)?));
                }
            }
            for (name, files) in &config.splits {
                if !is_split_name(name) {
                    let message = format!("`{name}` is no name for a split");
                    return Err(section
                        .error("splits", message)
                        .hint("lower-case letters, digits and `_`, a letter first; `all` means all splits"));
                }
                splits.push((name.clone(), patterns("splits", files)?));
            }
            Method::File { splits }
        }
    };
    Ok(Stage::map(Split { method }))
}

struct Split {
    method: Method,
}

impl Map for Split {
    fn output(&self, input: Kind) -> Result<Kind> {
        match (&self.method, input) {
            (Method::Tail(shares), Kind::Text) if shares.test > 0.0 || !shares.only.is_empty() => {
                let message = "cuts documents in two by their `tail`: `test` and `only` are of recordings of poses";
                Err(Error::input(message).hint("hold the end out with `validation`, or use `method = \"hash\"`"))
            }
            (Method::Tail(_), Kind::Text | Kind::Pose) | (Method::Hash(_) | Method::File { .. }, _) => Ok(input),
            (Method::Tail(_), _) => Err(needs_kind(&[Kind::Text, Kind::Pose], input)
                .hint("only documents and recordings can be cut: use `method = \"hash\"`")),
        }
    }

    fn prepare(&self, input: &RecordSchema, _: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        Ok(Box::new(Prepared { method: self.method.clone(), schema: input.clone() }))
    }
}

struct Prepared {
    method: Method,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        match &self.method {
            Method::Tail(shares) if self.schema.kind() == Kind::Pose => Box::new(TailCutter::new(shares)),
            method => Box::new(Splitter { method }),
        }
    }
}

struct Splitter<'a> {
    method: &'a Method,
}

impl Mapper for Splitter<'_> {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        match self.method {
            Method::Hash(shares) => {
                let rows =
                    strings(&batch, "split_key")?.iter().zip(strings(&batch, SPLIT)?).flat_map(|(k, s)| k.zip(s));
                let names = rows.map(|(key, split)| match shares.divides(split) {
                    true => by_hash(key, shares.validation, shares.test),
                    false => split,
                });
                set_splits(&batch, StringArray::from_iter_values(names))
            }
            Method::Tail(shares) => cut_tails(&batch, 1.0 - shares.validation),
            Method::File { splits } if splits.is_empty() => Ok(batch),
            Method::File { splits } => {
                let mut names = Vec::with_capacity(batch.num_rows());
                let mut last = ("", TRAIN);
                for file in strings(&batch, "src")?.iter().flatten() {
                    // rows of one file come together
                    if last.0 != file || names.is_empty() {
                        last = (file, by_file(file, splits)?);
                    }
                    names.push(last.1);
                }
                set_splits(&batch, StringArray::from_iter_values(names))
            }
        }
        .map(Some)
    }
}

/// The split of a file: the one with a pattern for its name.
fn by_file<'a>(file: &str, splits: &'a [(String, Vec<glob::Pattern>)]) -> Result<&'a str> {
    let mut claims = splits.iter().filter(|(_, patterns)| patterns.iter().any(|p| p.matches(file)));
    match (claims.next(), claims.next()) {
        (None, _) => Ok(TRAIN),
        (Some((split, _)), None) => Ok(split),
        (Some((first, _)), Some((second, _))) => {
            let message = format!("`{file}` matches patterns of both `{first}` and `{second}`");
            Err(Error::input(message).hint("each file belongs to one split: make the patterns of `split` narrower"))
        }
    }
}

/// The split of a key: its hash, as a number from 0 to 1, falls into the share of one.
///
/// A larger `validation` keeps all that were in validation before.
fn by_hash(key: &str, validation: f64, test: f64) -> &'static str {
    match place(key) as f64 / 2_f64.powi(64) {
        p if p < validation => VALIDATION,
        p if p >= 1.0 - test => TEST,
        _ => TRAIN,
    }
}

/// The hash of a key as a number.
fn place(key: &str) -> u64 {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Cuts each text in two; a half without characters is left out.
fn cut_tails(batch: &RecordBatch, train: f64) -> Result<RecordBatch> {
    let texts = strings(batch, "text")?;
    let origins = Origins::of(batch)?;
    let mut rows = TextRows::default();
    let (mut id, mut loc) = (String::new(), String::new());
    for (row, text) in texts.iter().flatten().enumerate() {
        let characters = text.chars().count();
        // Python's int(n * 0.9): the product is rounded to a double first, then cut off
        let first = (train * characters as f64) as usize;
        let at = text.char_indices().nth(first).map_or(text.len(), |(at, _)| at);
        let origin = origins.get(row);
        for (split, text, from, to) in
            [(TRAIN, &text[..at], 1, first), (VALIDATION, &text[at..], first + 1, characters)]
        {
            if text.is_empty() {
                continue;
            }
            id.clear();
            loc.clear();
            let written = write!(id, "{}#{split}", origin.id)
                .and_then(|()| write!(loc, "{}, characters {from} to {to}", origin.loc));
            written.map_err(|e| Error::internal(e.to_string()))?;
            let content_hash = &content_hash(text.as_bytes());
            rows.push(text, &Origin { split, id: &id, loc: &loc, content_hash, ..origin });
        }
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::origin;
    use proptest::prelude::*;

    proptest! {
        /// The split of a row depends on nothing but its key, so data that is added moves no row.
        #[test]
        fn hash_split_is_stable_when_data_is_added(
            old in prop::collection::vec("[a-z]{1,6}", 1..40),
            new in prop::collection::vec("[a-z]{1,6}", 0..40),
            validation in 0.0..0.5_f64,
        ) {
            let split = |keys: &[String]| {
                let mut rows = TextRows::default();
                keys.iter().for_each(|k| rows.push(k, &origin(TRAIN, k)));
                let method = Method::Hash(Shares { validation, test: 0.1, only: Vec::new() });
                let batch = Splitter { method: &method }.map(rows.finish().unwrap(), &mut Rejects::new()).unwrap().unwrap();
                strings(&batch, "split").unwrap().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
            };
            let before = split(&old);
            let appended: Vec<String> = old.iter().chain(&new).cloned().collect();
            prop_assert_eq!(&split(&appended)[..old.len()], &before[..]);
            let prepended: Vec<String> = new.iter().chain(&old).cloned().collect();
            prop_assert_eq!(&split(&prepended)[new.len()..], &before[..]);
        }

        #[test]
        fn a_larger_share_keeps_what_was_held_out(key: String, share in 0.0..0.4_f64) {
            if by_hash(&key, share, 0.1) == VALIDATION {
                prop_assert_eq!(by_hash(&key, share + 0.1, 0.1), VALIDATION);
            }
            let test = |validation| by_hash(&key, validation, 0.1) == TEST;
            prop_assert_eq!(test(share), test(share + 0.1));
        }

        /// `data[:int(n*0.9)]` and `data[int(n*0.9):]`, put together again.
        #[test]
        fn tails_conserve_the_text(text in "(?s).{1,200}", train in 0.0..1.0_f64) {
            let mut rows = TextRows::default();
            rows.push(&text, &origin(TRAIN, "a"));
            let halves = cut_tails(&rows.finish().unwrap(), train).unwrap();
            let halves: Vec<&str> = strings(&halves, "text").unwrap().iter().flatten().collect();
            prop_assert_eq!(halves.concat(), text);
        }
    }

    #[test]
    fn shares_come_out_as_asked() {
        let count = |split| (0..10_000).filter(|i| by_hash(&format!("row {i}"), 0.05, 0.1) == split).count();
        assert!((400..600).contains(&count(VALIDATION)));
        assert!((900..1100).contains(&count(TEST)));
    }

    #[test]
    fn a_tail_is_cut_where_nanogpt_cuts() {
        // python3 -c 'n = 1115394; print(int(n * 0.9), n - int(n * 0.9))'
        assert_eq!((0.9 * 1_115_394.0) as usize, 1_003_854);
        // ä is one character of two bytes; int(10 * 0.9) = 9
        let mut rows = TextRows::default();
        rows.push("ääääääääxy", &origin(TRAIN, "a"));
        rows.push("z", &origin(TRAIN, "b"));
        let batch = cut_tails(&rows.finish().unwrap(), 1.0 - 0.1).unwrap();
        let column = |name| strings(&batch, name).unwrap().iter().flatten().collect::<Vec<_>>();
        assert_eq!(column("text"), ["ääääääääx", "y", "z"]);
        assert_eq!(column("split"), [TRAIN, VALIDATION, VALIDATION]);
        assert_eq!(column("id"), ["a#train", "a#validation", "b#validation"]);
        assert_eq!(column("loc")[1], "a, characters 10 to 10");
    }

    #[test]
    fn files_are_split_by_pattern() {
        let mut rows = TextRows::default();
        for src in ["val/a.txt", "train/a.txt", "test_1.txt", "flickr.{de,en}.gz"] {
            rows.push("x", &Origin { src, ..origin(TRAIN, src) });
        }
        let pattern = |split: &str, p| (split.to_owned(), vec![glob::Pattern::new(p).unwrap()]);
        let splits = vec![pattern("test", "test*"), pattern("validation", "val/*"), pattern("test_2016", "flickr.*")];
        let batch = rows.finish().unwrap();
        let method = Method::File { splits: splits.clone() };
        let split = Splitter { method: &method }.map(batch.clone(), &mut Rejects::new()).unwrap().unwrap();
        let names: Vec<&str> = strings(&split, "split").unwrap().iter().flatten().collect();
        assert_eq!(names, [VALIDATION, TRAIN, TEST, "test_2016"]);

        let method = Method::File { splits: [splits, vec![pattern("other", "*.gz")]].concat() };
        let error = Splitter { method: &method }.map(batch, &mut Rejects::new()).unwrap_err().to_string();
        assert!(error.contains("both `test_2016` and `other`"), "{error}");
    }
}
