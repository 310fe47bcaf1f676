//! Counts of translations, language by language.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use serde_json::{Map, Value, json};
use tessera_datasets::Result;
use tessera_datasets::tokenizer::Tokenizer;

use super::lengths::Lengths;
use crate::rows::{SPLIT, TranslationColumns, languages_of, strings};
use crate::stage::FoldStart;
use crate::stages::{TOKENIZER, tokenizer_of};

/// Counts of some rows.
pub(super) struct Translations {
    /// Sorted, as the columns are.
    languages: Vec<String>,
    /// One for each language; nothing where no stage has made one.
    tokenizers: Vec<Option<Tokenizer>>,
    splits: BTreeMap<String, Split>,
}

#[derive(Debug, Default, PartialEq)]
struct Split {
    rows: u64,
    /// One for each language.
    sides: Vec<Side>,
    /// For each pair of languages, how many rows have each ratio of words, in hundredths.
    ratios: Vec<BTreeMap<u64, u64>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Side {
    characters: u64,
    bytes: u64,
    /// How many rows have so many words.
    words: BTreeMap<u64, u64>,
    /// How many rows have so many tokens.
    tokens: BTreeMap<u64, u64>,
}

impl Translations {
    pub(super) fn new(at: &FoldStart<'_>) -> Result<Self> {
        let languages: Vec<String> = languages_of(at.schema).into_iter().map(str::to_owned).collect();
        let tokenizer = |language: &String| {
            let files = [tokenizer_of(language), TOKENIZER.to_owned()];
            let made = files.iter().find_map(|name| at.artifacts.path(name).ok());
            made.map(Tokenizer::from_file).transpose()
        };
        let tokenizers = languages.iter().map(tokenizer).collect::<Result<_>>()?;
        Ok(Self { languages, tokenizers, splits: BTreeMap::new() })
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = TranslationColumns::of(batch)?;
        let (mut ids, mut words) = (Vec::new(), Vec::new());
        for (row, name) in strings(batch, SPLIT)?.iter().flatten().enumerate() {
            if !self.splits.contains_key(name) {
                self.splits.insert(name.to_owned(), Split::new(self.languages.len()));
            }
            let split = self.splits.get_mut(name).expect("it was just put there");
            split.rows += 1;
            words.clear();
            for ((side, column), tokenizer) in split.sides.iter_mut().zip(&columns.sentences).zip(&self.tokenizers) {
                let sentence = column.value(row);
                let count = sentence.split_whitespace().count() as u64;
                words.push(count);
                side.characters += sentence.chars().count() as u64;
                side.bytes += sentence.len() as u64;
                *side.words.entry(count).or_default() += 1;
                if let Some(tokenizer) = tokenizer {
                    ids.clear();
                    tokenizer.encode_into(sentence, &mut ids)?;
                    *side.tokens.entry(ids.len() as u64).or_default() += 1;
                }
            }
            for (ratios, (a, b)) in split.ratios.iter_mut().zip(pairs(words.len())) {
                let hundredths = (100 * words[a] + words[b].max(1) / 2) / words[b].max(1);
                *ratios.entry(hundredths).or_default() += 1;
            }
        }
        Ok(())
    }

    pub(super) fn merge(mut self, second: Self) -> Self {
        for (name, more) in second.splits {
            let split = self.splits.entry(name).or_insert_with(|| Split::new(self.languages.len()));
            split.rows += more.rows;
            for (side, more) in split.sides.iter_mut().zip(more.sides) {
                side.characters += more.characters;
                side.bytes += more.bytes;
                add(&mut side.words, more.words);
                add(&mut side.tokens, more.tokens);
            }
            split.ratios.iter_mut().zip(more.ratios).for_each(|(ratios, more)| add(ratios, more));
        }
        self
    }

    /// What `stats/translation.json` says.
    pub(super) fn report(&self) -> Value {
        let split = |split: &Split| {
            let languages = self.languages.iter().zip(&split.sides).map(|(language, side)| {
                let mut counts = side.counts();
                counts.insert("bytes".to_owned(), side.bytes.into());
                counts.insert("length".to_owned(), json!(Lengths::of(&side.words)));
                if !side.tokens.is_empty() {
                    counts.insert("token_length".to_owned(), json!(Lengths::of(&side.tokens)));
                }
                let histogram: Vec<(u64, u64)> = side.words.iter().map(|(words, rows)| (*words, *rows)).collect();
                counts.insert("histogram".to_owned(), json!(histogram));
                (language.clone(), Value::from(counts))
            });
            let ratios = split.ratios.iter().zip(pairs(self.languages.len())).map(|(ratios, (a, b))| {
                let name = format!("{}/{}", self.languages[a], self.languages[b]);
                let of = Lengths::of(ratios);
                let hundredth = |n: u64| n as f64 / 100.0;
                let ratio = json!({
                    "total": sum(&split.sides[a].words) as f64 / sum(&split.sides[b].words).max(1) as f64,
                    "minimum": hundredth(of.minimum), "p05": hundredth(of.p05), "median": hundredth(of.median),
                    "p95": hundredth(of.p95), "maximum": hundredth(of.maximum),
                });
                (name, ratio)
            });
            let (languages, ratios): (Map<_, _>, Map<_, _>) = (languages.collect(), ratios.collect());
            json!({ "rows": split.rows, "languages": languages, "ratio": ratios })
        };
        let splits: Map<String, Value> =
            self.splits.iter().map(|(name, counts)| (name.clone(), split(counts))).collect();
        json!({ "kind": "translation", "splits": splits })
    }

    /// What the manifest says, and the data card shows: split, language, counts.
    pub(super) fn overview(&self) -> Value {
        let split = |split: &Split| -> Value {
            let sides = self.languages.iter().zip(&split.sides).map(|(language, side)| {
                let lengths = Lengths::of(&side.words);
                let mut counts = side.counts();
                counts.insert("median_words".to_owned(), lengths.median.into());
                counts.insert("maximum_words".to_owned(), lengths.maximum.into());
                (language.clone(), Value::from(counts))
            });
            sides.collect::<Map<_, _>>().into()
        };
        self.splits.iter().map(|(name, counts)| (name.clone(), split(counts))).collect::<Map<_, _>>().into()
    }
}

impl Split {
    fn new(languages: usize) -> Self {
        let ratios = vec![BTreeMap::new(); pairs(languages).count()];
        Self { rows: 0, sides: vec![Side::default(); languages], ratios }
    }
}

impl Side {
    fn counts(&self) -> Map<String, Value> {
        let mut counts = Map::new();
        counts.insert("words".to_owned(), sum(&self.words).into());
        counts.insert("characters".to_owned(), self.characters.into());
        if !self.tokens.is_empty() {
            counts.insert("tokens".to_owned(), sum(&self.tokens).into());
        }
        counts
    }
}

/// All pairs of `languages` numbers, the smaller first.
fn pairs(languages: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..languages).flat_map(move |a| (a + 1..languages).map(move |b| (a, b)))
}

fn add(counts: &mut BTreeMap<u64, u64>, more: BTreeMap<u64, u64>) {
    more.into_iter().for_each(|(length, count)| *counts.entry(length).or_default() += count);
}

fn sum(counts: &BTreeMap<u64, u64>) -> u64 {
    counts.iter().map(|(length, count)| length * count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::TranslationRows;
    use crate::rows::tests::origin;
    use proptest::prelude::*;

    fn counts(rows: &[(&str, &str, &str)]) -> Translations {
        let mut out = TranslationRows::new(&["de", "en"]);
        rows.iter().for_each(|(split, de, en)| out.push(&[de, en], &origin(split, "a")));
        let languages = ["de", "en"].map(str::to_owned).to_vec();
        let mut counts = Translations { languages, tokenizers: vec![None, None], splits: BTreeMap::new() };
        counts.add(&out.finish().unwrap()).unwrap();
        counts
    }

    #[test]
    fn each_language_is_counted_by_split() {
        let rows = [("train", "ä b c", "a b"), ("test", "x", "y"), ("train", "d", "d e f g")];
        let report = counts(&rows).report();
        let train = &report["splits"]["train"];
        assert_eq!(train["rows"], 2);
        let de = &train["languages"]["de"];
        assert_eq!((&de["words"], &de["characters"], &de["bytes"]), (&json!(4), &json!(6), &json!(7)));
        assert_eq!(de["histogram"], json!([[1, 1], [3, 1]]));
        assert!(de.get("tokens").is_none());
        assert_eq!(train["languages"]["en"]["length"]["maximum"], 4);
        let ratio = &train["ratio"]["de/en"];
        assert_eq!(
            (&ratio["total"], &ratio["minimum"], &ratio["maximum"]),
            (&json!(4.0 / 6.0), &json!(0.25), &json!(1.5))
        );
        assert_eq!(report["splits"]["test"]["rows"], 1);
        let overview = counts(&rows).overview();
        assert_eq!(
            overview["train"]["en"],
            json!({"words": 6, "characters": 10, "median_words": 2, "maximum_words": 4})
        );
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            rows in prop::collection::vec(("train|test", "[a ]{0,9}", "[a ]{0,9}"), 1..20),
            at in 1..20_usize,
        ) {
            let rows: Vec<_> = rows.iter().map(|(s, d, e)| (s.as_str(), d.as_str(), e.as_str())).collect();
            let (first, second) = rows.split_at(at.min(rows.len()));
            let second = if second.is_empty() { counts(&rows[..0]) } else { counts(second) };
            prop_assert_eq!(counts(first).merge(second).splits, counts(&rows).splits);
        }
    }
}
