//! A split of a translation dataset, encoded.

use arrow::array::{Array, AsArray, StringArray};
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::tokenizer::{END_OF_TEXT, Tokenizer};
use tessera_datasets::{Error, Result};

/// The tokenizers of the two sides; one for both where the vocabulary is shared.
#[derive(Clone)]
pub struct Tokenizers {
    /// Of the source language.
    pub source: Tokenizer,
    /// Of the target language.
    pub target: Tokenizer,
    /// Whether they are the same.
    pub shared: bool,
    /// The token behind every sentence, and before every target.
    pub end: u32,
}

impl Tokenizers {
    /// Reads `tokenizer.json`, or `tokenizer.<language>.json` of both languages.
    ///
    /// # Errors
    /// When the dataset has neither, or a tokenizer without `<|endoftext|>`.
    pub fn open(dataset: &Dataset, source: &str, target: &str) -> Result<Self> {
        let shared = dataset.file("tokenizer.json");
        let (source, target, shared) = match shared {
            Ok(path) => {
                let one = Tokenizer::from_file(path)?;
                (one.clone(), one, true)
            }
            Err(_) => {
                let read = |language: &str| {
                    let path = dataset.file(&format!("tokenizer.{language}.json"))?;
                    Tokenizer::from_file(path)
                };
                (read(source)?, read(target)?, false)
            }
        };
        let end = |tokenizer: &Tokenizer| {
            tokenizer.special(END_OF_TEXT).ok_or_else(|| {
                Error::input(format!("the tokenizer has no `{END_OF_TEXT}`, which ends every sentence"))
                    .at(dataset.dir())
                    .hint("`end_of_text = true` in the stage `train-tokenizer` adds it")
            })
        };
        let (end, other) = (end(&target)?, end(&source)?);
        if end != other {
            let message = format!("`{END_OF_TEXT}` is {other} on one side and {end} on the other");
            return Err(Error::input(message).at(dataset.dir()));
        }
        Ok(Self { source, target, shared, end })
    }
}

/// One pair as token ids, without ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The source.
    pub source: &'a [u32],
    /// The target.
    pub target: &'a [u32],
}

/// All pairs of a split, in reading order. The ids stay in memory, 4 bytes each.
#[derive(Debug, Default)]
pub struct Pairs {
    source: Side,
    target: Side,
}

#[derive(Debug, Default)]
struct Side {
    ids: Vec<u32>,
    ends: Vec<usize>,
}

impl Side {
    fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.ends.push(self.ids.len());
    }

    fn get(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.ids[start..self.ends[index]]
    }
}

/// The texts of a split.
pub(crate) struct Texts {
    /// Ids of the rows.
    pub(crate) ids: Vec<String>,
    /// Texts in the source language.
    pub(crate) source: Vec<String>,
    /// Texts in the target language.
    pub(crate) target: Vec<String>,
}

impl Texts {
    /// Reads the two languages of a split.
    ///
    /// # Errors
    /// When the dataset holds no translations or lacks a language or the split.
    pub(crate) fn read(dataset: &Dataset, split: &str, source: &str, target: &str) -> Result<Self> {
        let mut out = Self { ids: Vec::new(), source: Vec::new(), target: Vec::new() };
        for batch in dataset.batches(split, &["id", "translation"])? {
            let batch = batch?;
            let strings = |array: &dyn Array| -> Vec<String> {
                let array: &StringArray = array.as_string();
                array.iter().map(|text| text.unwrap_or_default().to_owned()).collect()
            };
            let column = |name: &str| batch.column_by_name(name).ok_or_else(|| Error::internal("a column is gone"));
            out.ids.extend(strings(column("id")?));
            let texts = column("translation")?.as_struct();
            for (language, side) in [(source, &mut out.source), (target, &mut out.target)] {
                let column = texts.column_by_name(language);
                side.extend(strings(column.ok_or_else(|| unknown_language(dataset, language))?));
            }
        }
        Ok(out)
    }
}

/// Refuses a dataset that is no bitext of the two languages.
///
/// # Errors
/// When it is of another kind or lacks a language.
pub(crate) fn check_languages(dataset: &Dataset, source: &str, target: &str) -> Result<()> {
    let found = dataset.manifest().kind;
    if found != Kind::Translation {
        return Err(Error::input(format!(
            "a translation model reads a dataset of kind `translation`, this is `{found}`"
        ))
        .at(dataset.dir())
        .hint("begin the pipeline with the stage `read-bitext`"));
    }
    for language in [source, target] {
        let known = dataset.manifest().details.get("languages").and_then(|l| l.as_array());
        if known.is_some_and(|known| !known.iter().any(|l| l == language)) {
            return Err(unknown_language(dataset, language));
        }
    }
    Ok(())
}

fn unknown_language(dataset: &Dataset, language: &str) -> Error {
    let known = dataset.manifest().details.get("languages").map(ToString::to_string).unwrap_or_default();
    Error::input(format!("no language `{language}` in the dataset"))
        .at(dataset.dir())
        .hint(format!("its languages: {known}; set `train.model.source` and `train.model.target`"))
}

impl Pairs {
    /// Encodes texts, on all cores.
    ///
    /// # Errors
    /// At the first row that its tokenizer cannot write.
    pub(crate) fn encode(texts: &Texts, tokenizers: &Tokenizers) -> Result<Self> {
        let side = |texts: &[String], tokenizer: &Tokenizer| -> Result<Side> {
            let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let share = texts.len().div_ceil(threads).max(1);
            let parts = std::thread::scope(|scope| {
                let work: Vec<_> =
                    texts.chunks(share).map(|part| scope.spawn(|| encode_all(part, tokenizer))).collect();
                work.into_iter().map(|one| one.join().expect("the encoder does not panic")).collect::<Vec<_>>()
            });
            let mut out = Side::default();
            for (number, part) in parts.into_iter().enumerate() {
                let part = part.map_err(|(row, error)| error.row((number * share + row) as u64 + 1))?;
                let shift = out.ids.len();
                out.ids.extend_from_slice(&part.ids);
                out.ends.extend(part.ends.iter().map(|end| end + shift));
            }
            Ok(out)
        };
        Ok(Self { source: side(&texts.source, &tokenizers.source)?, target: side(&texts.target, &tokenizers.target)? })
    }

    /// Appends a pair.
    pub fn push(&mut self, source: &[u32], target: &[u32]) {
        self.source.push(source);
        self.target.push(target);
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.source.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One pair.
    pub fn get(&self, index: usize) -> Pair<'_> {
        Pair { source: self.source.get(index), target: self.target.get(index) }
    }
}

fn encode_all(texts: &[String], tokenizer: &Tokenizer) -> Result<Side, (usize, Error)> {
    let mut side = Side::default();
    let mut ids = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        ids.clear();
        encode_whole(text, tokenizer, &mut ids).map_err(|error| (row, error))?;
        side.push(&ids);
    }
    Ok(side)
}

/// Appends the ids of a text that the vocabulary can write from end to end.
pub(crate) fn encode_whole(text: &str, tokenizer: &Tokenizer, ids: &mut Vec<u32>) -> Result<()> {
    let start = ids.len();
    tokenizer.encode_into(text, ids)?;
    let covered: usize = ids[start..].iter().map(|id| tokenizer.byte_length(*id) as usize).sum();
    // a tokenizer that writes a space before the first word covers one byte more
    if covered < text.len() {
        return Err(Error::input("a character is outside the tokenizer's vocabulary")
            .hint("train the tokenizer with `model = \"bpe\"`, which can write every text"));
    }
    Ok(())
}
