//! `encode`: rows of kind `text` to rows of kind `tokens`.
//!
//! Each document ends with `<|endoftext|>` where the tokenizer has it. The bytes that the ids stand
//! for must be those of the text: a vocabulary of characters loses those it does not have without a
//! word, and then the row is a reject.

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;
use tessera_datasets::schema::{Kind, RecordSchema, tokens};
use tessera_datasets::tokenizer::{END_OF_TEXT, Tokenizer};

use super::{Entry, TOKENIZER};
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origin, Origins, TokenRows, strings};
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext, needs_kind};

pub(super) const ENTRY: Entry =
    Entry { name: "encode", summary: "turns text into token ids with tokenizer.json", example: "", parse };

/// The reason for rows that the vocabulary cannot spell.
const OUTSIDE: &str = "character outside the vocabulary";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let Config {} = section.parse()?;
    Ok(Stage::map(Encode))
}

struct Encode;

impl Map for Encode {
    fn output(&self, input: Kind) -> Result<Kind> {
        match input {
            Kind::Text => Ok(Kind::Tokens),
            other => Err(needs_kind(&[Kind::Text], other)),
        }
    }

    fn needs(&self) -> Vec<String> {
        vec![TOKENIZER.to_owned()]
    }

    fn prepare(&self, _: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let tokenizer = Tokenizer::from_file(artifacts.path(TOKENIZER)?)?;
        artifacts.detail("vocabulary_size", tokenizer.vocabulary_size());
        artifacts.detail("tokenizer_sha256", tokenizer.sha256());
        Ok(Box::new(Prepared { end_of_text: tokenizer.special(END_OF_TEXT), tokenizer }))
    }
}

struct Prepared {
    tokenizer: Tokenizer,
    end_of_text: Option<u32>,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        tokens(self.tokenizer.vocabulary_size())
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(Encoder { prepared: self, rows: TokenRows::new(self.tokenizer.vocabulary_size()), ids: Vec::new() })
    }
}

struct Encoder<'a> {
    prepared: &'a Prepared,
    rows: TokenRows,
    ids: Vec<u32>,
}

impl Mapper for Encoder<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        let texts = strings(&batch, "text")?;
        let origins = Origins::of(&batch)?;
        for (row, text) in texts.iter().flatten().enumerate() {
            self.encode(text, &origins.get(row), rejects);
        }
        match self.rows.is_empty() {
            true => Ok(None),
            false => self.rows.finish().map(Some),
        }
    }
}

impl Encoder<'_> {
    fn encode(&mut self, text: &str, origin: &Origin<'_>, rejects: &mut Rejects) {
        let Prepared { tokenizer, end_of_text } = self.prepared;
        self.ids.clear();
        if let Err(error) = tokenizer.encode_into(text, &mut self.ids) {
            return rejects.add("cannot be encoded", origin.src, origin.loc, &error.to_string());
        }
        let bytes: u64 = self.ids.iter().map(|id| u64::from(tokenizer.byte_length(*id))).sum();
        if bytes != tokenizer.encoded_bytes(text) {
            let character = first_outside(tokenizer, text);
            let excerpt = character.map_or(String::new(), |c| format!("`{c}` (U+{:04X})", c as u32));
            return rejects.add(OUTSIDE, origin.src, origin.loc, &excerpt);
        }
        self.ids.extend(end_of_text);
        // a row is less than 2^31 bytes long, as no batch of strings can hold more
        self.rows.push(&self.ids, bytes as u32, origin);
    }
}

/// The first character that alone does not come out with all its bytes.
fn first_outside(tokenizer: &Tokenizer, text: &str) -> Option<char> {
    let mut ids = Vec::new();
    text.chars().find(|c| {
        ids.clear();
        let mut buffer = [0; 4];
        let character = &*c.encode_utf8(&mut buffer);
        let encoded = tokenizer.encode_into(character, &mut ids);
        let bytes: u64 = ids.iter().map(|id| u64::from(tokenizer.byte_length(*id))).sum();
        encoded.is_err() || bytes != tokenizer.encoded_bytes(character)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::rows::tests::origin;
    use super::*;
    use crate::bpe::{CharacterSet, CountOptions, Trainer, Vocabulary, WordCounts};
    use crate::rows::{TextRows, TokenColumn};
    use proptest::prelude::*;

    fn prepared(vocabulary: &Vocabulary) -> Prepared {
        let tokenizer = Tokenizer::from_json(&vocabulary.to_json()).unwrap();
        Prepared { end_of_text: tokenizer.special(END_OF_TEXT), tokenizer }
    }

    fn encode(prepared: &Prepared, texts: &[&str]) -> (Vec<Vec<u32>>, Rejects) {
        let mut rows = TextRows::default();
        texts.iter().for_each(|t| rows.push(t, &origin("train", "a")));
        let mut rejects = Rejects::new();
        let batch = prepared.open(0).map(rows.finish().unwrap(), &mut rejects).unwrap();
        let ids = batch.map(|batch| {
            let column = TokenColumn::of(&batch).unwrap();
            let read = |row| {
                let mut ids = Vec::new();
                column.read(row, &mut ids).unwrap();
                ids
            };
            (0..batch.num_rows()).map(read).collect()
        });
        (ids.unwrap_or_default(), rejects)
    }

    #[test]
    fn a_character_outside_the_vocabulary_is_named() {
        let mut characters = CharacterSet::new();
        characters.add_text("abä");
        let prepared = prepared(&Vocabulary::characters(&characters, &[] as &[&str], None).unwrap());
        let (ids, rejects) = encode(&prepared, &["abä", "a€b", "b"]);
        assert_eq!(ids, [vec![0, 1, 2], vec![1]]);
        let rejected = &rejects.by_reason()[OUTSIDE];
        assert_eq!((rejected.count, rejected.samples[0].excerpt.as_str()), (1, "`€` (U+20AC)"));
    }

    #[test]
    fn documents_end_with_the_end_of_text_and_cannot_smuggle_it_in() {
        let prepared = prepared(&Vocabulary::bytes(&[END_OF_TEXT]).unwrap());
        let (ids, rejects) = encode(&prepared, &["a", END_OF_TEXT]);
        assert_eq!(ids[0], [u32::from(b'a') + 1, 0]);
        assert_eq!(ids[1].iter().filter(|id| **id == 0).count(), 1);
        assert_eq!(rejects.count(), 0);
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same_text(text in "(?s)\\PC{0,60}|.{0,60}", corpus in "[a-e ]{0,80}") {
            let count = |prefix_space| {
                let mut words = WordCounts::new(CountOptions { prefix_space, ..CountOptions::default() });
                words.add_text(&corpus);
                words.add_text(&text);
                words
            };
            let trainer = Trainer { vocabulary_size: 300, min_frequency: 1, special_tokens: vec![END_OF_TEXT.to_owned()] };
            let mut characters = CharacterSet::new();
            characters.add_text(&text);
            characters.add_text("abcdefghijklmnopqrstuvwxyz"); // the tokenizers crate does not take every tiny vocabulary
            for vocabulary in [
                trainer.train(&count(false)).unwrap(),
                trainer.train(&count(true)).unwrap(),
                Vocabulary::bytes(&[END_OF_TEXT]).unwrap(),
                Vocabulary::characters(&characters, &[] as &[&str], None).unwrap(),
            ] {
                let prepared = prepared(&vocabulary);
                let (ids, rejects) = encode(&prepared, &[&text]);
                prop_assert_eq!(rejects.count(), 0);
                // a space before the text is taken off again, even one that was there
                let first = if prepared.tokenizer.prefix_space() { " " } else { "" };
                prop_assert_eq!(prepared.tokenizer.decode(&ids[0]), text.strip_prefix(first).unwrap_or(&text));
            }
        }
    }
}
