//! `train-tokenizer`: makes `tokenizer.json` from the text of one split.
//!
//! Of translations it learns one vocabulary from all languages, or from those named; with `shared =
//! false` it makes a `tokenizer.<language>.json` for each.

use std::num::NonZeroUsize;

use arrow::array::RecordBatch;
use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::config::Section;
use tessera_datasets::hash::sha256;
use tessera_datasets::schema::Kind;
use tessera_datasets::tokenizer::END_OF_TEXT;
use tessera_datasets::{Error, Result};

use super::languages::check_languages;
use super::{Entry, TOKENIZER, tokenizer_of};
use crate::artifacts::Artifacts;
use crate::bpe::{CharacterSet, CountOptions, Trainer, Vocabulary, WordCounts};
use crate::rows::{SPLIT, TRAIN, TranslationColumns, languages_of, no_language, strings};
use crate::stage::{Fold, FoldStart, Pass, Stage, StageContext, needs_kind};

pub(super) const ENTRY: Entry = Entry {
    name: "train-tokenizer",
    summary: "learns a vocabulary from the text of one split: byte-pair encoding, single characters or bytes",
    example: "model = \"characters\"",
    parse,
};

/// The name of all splits together.
const ALL: &str = "all";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    model: Model,
    /// How many tokens a `bpe` vocabulary has.
    vocabulary: Option<usize>,
    /// How often a pair must occur to be merged (`bpe`).
    minimum_frequency: Option<u64>,
    /// The longest word in bytes that is not cut (`bpe`).
    longest_word: Option<NonZeroUsize>,
    /// Whether a space is put before a text that does not start with one (`bpe`).
    prefix_space: Option<bool>,
    /// Whether there is a token between documents.
    end_of_text: Option<bool>,
    /// The split to learn from, or `all`.
    split: Option<String>,
    /// The languages of translations to learn from; all where none is named.
    #[serde(default)]
    languages: Vec<String>,
    /// Whether the languages have one vocabulary together.
    shared: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Model {
    Bpe,
    Characters,
    Bytes,
}

impl Model {
    fn name(self) -> &'static str {
        match self {
            Self::Bpe => "bpe",
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    let keys: &[&str] = match config.model {
        Model::Bpe => &["vocabulary", "minimum_frequency", "longest_word", "prefix_space", "split"],
        Model::Characters => &["end_of_text", "split"],
        Model::Bytes => &["end_of_text"],
    };
    section.refuse_unknown(&[&["model"], keys, &["languages", "shared"]].concat())?;
    check_languages(section, "languages", &config.languages)?;
    let shared = config.shared.unwrap_or(true);
    if !shared && config.languages.is_empty() {
        let message = "with `shared = false` each of `languages` gets a tokenizer, and none is named";
        return Err(section.error("shared", message).hint("for example `languages = [\"en\", \"de\"]`"));
    }
    let vocabulary = match (config.model, config.vocabulary) {
        (Model::Bpe, None) => {
            return Err(section
                .error("", "`vocabulary` is missing in the stage `train-tokenizer`")
                .hint("for example `vocabulary = 8192`; 257 is the smallest"));
        }
        (Model::Bpe, Some(size)) if size < 257 => {
            return Err(section
                .error("vocabulary", format!("`vocabulary` is `{size}`; 256 bytes and `{END_OF_TEXT}` need 257")));
        }
        (_, size) => size.unwrap_or(0),
    };
    let counting = CountOptions {
        longest_word: config.longest_word.unwrap_or(CountOptions::default().longest_word),
        prefix_space: config.prefix_space.unwrap_or(false),
    };
    Ok(Stage::fold(TrainTokenizer {
        model: config.model,
        vocabulary,
        minimum_frequency: config.minimum_frequency.unwrap_or(2),
        counting,
        end_of_text: config.end_of_text,
        split: config.split.unwrap_or_else(|| TRAIN.to_owned()),
        languages: config.languages,
        shared,
    }))
}

struct TrainTokenizer {
    model: Model,
    vocabulary: usize,
    minimum_frequency: u64,
    counting: CountOptions,
    end_of_text: Option<bool>,
    split: String,
    languages: Vec<String>,
    shared: bool,
}

/// What is known of some texts.
struct Learnt {
    documents: u64,
    words: WordCounts,
    characters: CharacterSet,
}

/// What is known of some rows: of all languages together, or of each.
struct State {
    kind: Kind,
    learnt: Vec<Learnt>,
}

impl TrainTokenizer {
    /// The files, one for each vocabulary.
    fn files(&self) -> Vec<String> {
        match self.shared {
            true => vec![TOKENIZER.to_owned()],
            false => self.languages.iter().map(|language| tokenizer_of(language)).collect(),
        }
    }

    fn learn(&self, learnt: &mut Learnt, text: &str) {
        learnt.documents += 1;
        match self.model {
            Model::Bpe => learnt.words.add_text(text),
            Model::Characters => learnt.characters.add_text(text),
            Model::Bytes => {}
        }
    }

    fn vocabulary(&self, learnt: &Learnt) -> Result<Vocabulary> {
        if learnt.documents == 0 && self.model != Model::Bytes {
            let hint = "the stage `split` may have put all rows elsewhere; `split = \"all\"` learns from every row";
            return Err(Error::input(format!("no row in split `{}` to learn a vocabulary from", self.split)).hint(hint));
        }
        // one document has no end that must be told from its middle
        let end_of_text = self.end_of_text.unwrap_or(self.model != Model::Characters || learnt.documents > 1);
        let special: &[&str] = if end_of_text { &[END_OF_TEXT] } else { &[] };
        let vocabulary = match self.model {
            Model::Characters => Vocabulary::characters(&learnt.characters, special, None),
            Model::Bytes => Vocabulary::bytes(special),
            Model::Bpe => Trainer {
                vocabulary_size: self.vocabulary,
                min_frequency: self.minimum_frequency,
                special_tokens: vec![END_OF_TEXT.to_owned()],
            }
            .train(&learnt.words),
        };
        vocabulary.map_err(|e| Error::input(e.to_string()))
    }
}

impl Fold for TrainTokenizer {
    type State = State;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Translation => Ok(()),
            Kind::Text if self.shared && self.languages.is_empty() => Ok(()),
            Kind::Text => Err(Error::input("takes `languages` and `shared` for rows of kind `translation` only")),
            other => Err(needs_kind(&[Kind::Text, Kind::Translation], other)),
        }
    }

    fn provides(&self, _: Kind) -> Vec<String> {
        self.files()
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<State> {
        let known = languages_of(at.schema);
        if let Some(language) = self.languages.iter().find(|language| !known.contains(&language.as_str())) {
            return Err(no_language(language, &known));
        }
        let nothing =
            |_| Learnt { documents: 0, words: WordCounts::new(self.counting), characters: CharacterSet::new() };
        Ok(State { kind: at.schema.kind(), learnt: self.files().into_iter().map(nothing).collect() })
    }

    fn add(&self, state: &mut State, batch: &RecordBatch) -> Result<()> {
        let splits = strings(batch, SPLIT)?;
        let columns = match state.kind {
            Kind::Translation => TranslationColumns::of(batch)?.select(&self.languages)?.sentences,
            _ => vec![strings(batch, "text")?],
        };
        for (number, column) in columns.into_iter().enumerate() {
            let learnt = &mut state.learnt[if self.shared { 0 } else { number }];
            for (split, text) in splits.iter().flatten().zip(column.iter().flatten()) {
                if split == self.split || self.split == ALL {
                    self.learn(learnt, text);
                }
            }
        }
        Ok(())
    }

    fn merge(&self, first: State, second: State) -> Result<State> {
        let merge = |(first, second): (Learnt, Learnt)| Learnt {
            documents: first.documents + second.documents,
            words: first.words.merge(second.words),
            characters: first.characters.merge(second.characters),
        };
        Ok(State { kind: first.kind, learnt: first.learnt.into_iter().zip(second.learnt).map(merge).collect() })
    }

    fn finish(&self, state: State, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        artifacts.detail("tokenizer_model", self.model.name());
        let cut_words: u64 = state.learnt.iter().map(|learnt| learnt.words.cut_words()).sum();
        if cut_words > 0 {
            artifacts.detail("cut_words", cut_words);
        }
        let mut made = Vec::new();
        for (learnt, file) in state.learnt.iter().zip(self.files()) {
            let vocabulary = self.vocabulary(learnt)?;
            let json = vocabulary.to_json();
            artifacts.write(&file, json.as_bytes())?;
            made.push((vocabulary.len(), sha256(json.as_bytes())));
        }
        // of text, the stage `encode` says it
        if state.kind == Kind::Translation {
            let languages = (!self.shared).then_some(self.languages.as_slice());
            let (sizes, hashes): (Vec<usize>, Vec<String>) = made.into_iter().unzip();
            artifacts.detail("vocabulary_size", of_languages(languages, sizes));
            artifacts.detail("tokenizer_sha256", of_languages(languages, hashes));
        }
        Ok(Pass::Done)
    }
}

/// One value, or one for each language.
pub(super) fn of_languages<T: Into<Value>>(languages: Option<&[String]>, values: Vec<T>) -> Value {
    let mut values = values.into_iter().map(Into::into);
    match languages {
        None => values.next().unwrap_or_default(),
        Some(languages) => languages.iter().cloned().zip(values).collect::<Map<String, Value>>().into(),
    }
}
