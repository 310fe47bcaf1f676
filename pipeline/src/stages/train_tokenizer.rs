//! `train-tokenizer`: makes `tokenizer.json` from the text of one split.

use std::num::NonZeroUsize;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::schema::Kind;
use tessera_datasets::tokenizer::END_OF_TEXT;
use tessera_datasets::{Error, Result};

use super::{Entry, TOKENIZER};
use crate::artifacts::Artifacts;
use crate::bpe::{CharacterSet, CountOptions, Trainer, Vocabulary, WordCounts};
use crate::rows::{SPLIT, TRAIN, strings};
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
    /// Whether there is a token between documents.
    end_of_text: Option<bool>,
    /// The split to learn from, or `all`.
    split: Option<String>,
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
        Model::Bpe => &["model", "vocabulary", "minimum_frequency", "longest_word", "split"],
        Model::Characters => &["model", "end_of_text", "split"],
        Model::Bytes => &["model", "end_of_text"],
    };
    section.refuse_unknown(keys)?;
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
    let counting = CountOptions { longest_word: config.longest_word.unwrap_or(CountOptions::default().longest_word) };
    Ok(Stage::fold(TrainTokenizer {
        model: config.model,
        vocabulary,
        minimum_frequency: config.minimum_frequency.unwrap_or(2),
        counting,
        end_of_text: config.end_of_text,
        split: config.split.unwrap_or_else(|| TRAIN.to_owned()),
    }))
}

struct TrainTokenizer {
    model: Model,
    vocabulary: usize,
    minimum_frequency: u64,
    counting: CountOptions,
    end_of_text: Option<bool>,
    split: String,
}

/// What is known of some texts.
struct Learnt {
    documents: u64,
    words: WordCounts,
    characters: CharacterSet,
}

impl Fold for TrainTokenizer {
    type State = Learnt;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Text => Ok(()),
            other => Err(needs_kind(&[Kind::Text], other)),
        }
    }

    fn provides(&self, _: Kind) -> Vec<String> {
        vec![TOKENIZER.to_owned()]
    }

    fn start(&self, _: &FoldStart<'_>) -> Result<Learnt> {
        Ok(Learnt { documents: 0, words: WordCounts::new(self.counting), characters: CharacterSet::new() })
    }

    fn add(&self, state: &mut Learnt, batch: &RecordBatch) -> Result<()> {
        let splits = strings(batch, SPLIT)?;
        let texts = strings(batch, "text")?;
        for (split, text) in splits.iter().flatten().zip(texts.iter().flatten()) {
            if split != self.split && self.split != ALL {
                continue;
            }
            state.documents += 1;
            match self.model {
                Model::Bpe => state.words.add_text(text),
                Model::Characters => state.characters.add_text(text),
                Model::Bytes => {}
            }
        }
        Ok(())
    }

    fn merge(&self, first: Learnt, second: Learnt) -> Result<Learnt> {
        Ok(Learnt {
            documents: first.documents + second.documents,
            words: first.words.merge(second.words),
            characters: first.characters.merge(second.characters),
        })
    }

    fn finish(&self, state: Learnt, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        if state.documents == 0 && self.model != Model::Bytes {
            let hint = "the stage `split` may have put all rows elsewhere; `split = \"all\"` learns from every row";
            return Err(Error::input(format!("no row in split `{}` to learn a vocabulary from", self.split)).hint(hint));
        }
        // one document has no end that must be told from its middle
        let end_of_text = self.end_of_text.unwrap_or(self.model != Model::Characters || state.documents > 1);
        let special: &[&str] = if end_of_text { &[END_OF_TEXT] } else { &[] };
        let vocabulary = match self.model {
            Model::Characters => Vocabulary::characters(&state.characters, special, None),
            Model::Bytes => Vocabulary::bytes(special),
            Model::Bpe => Trainer {
                vocabulary_size: self.vocabulary,
                min_frequency: self.minimum_frequency,
                special_tokens: vec![END_OF_TEXT.to_owned()],
            }
            .train(&state.words),
        };
        let vocabulary = vocabulary.map_err(|e| Error::input(e.to_string()))?;
        artifacts.detail("tokenizer_model", self.model.name());
        if state.words.cut_words() > 0 {
            artifacts.detail("cut_words", state.words.cut_words());
        }
        artifacts.write(TOKENIZER, vocabulary.to_json().as_bytes())?;
        Ok(Pass::Done)
    }
}
