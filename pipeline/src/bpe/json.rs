//! Writing a vocabulary as `tokenizer.json`.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::vocabulary::{Alphabet, Vocabulary};

impl Vocabulary {
    /// The text of `tokenizer.json` in the format of Hugging Face `tokenizers` 0.2x (`"version":
    /// "1.0"`): the very bytes that `Tokenizer.save` of 0.23 writes for this tokenizer.
    ///
    /// `tokenizers` 0.2x and `transformers` load it as it is; the `tokenizers` 1.0 crate loads it
    /// with `from_json(&canonicalize_str(text)?)`. The same vocabulary always gives the same bytes.
    pub fn to_json(&self) -> String {
        let document = Document::new(self);
        serde_json::to_string_pretty(&document).expect("a document with string keys is valid JSON")
    }
}

/// The whole file; the fields stand in the order in which Hugging Face writes them.
#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    truncation: Absent,
    padding: Absent,
    added_tokens: Vec<AddedToken<'a>>,
    normalizer: Absent,
    pre_tokenizer: Option<Component>,
    post_processor: Absent,
    decoder: Component,
    model: Model<'a>,
}

/// Always `null`.
type Absent = Option<()>;

#[derive(Serialize)]
struct AddedToken<'a> {
    id: usize,
    content: &'a str,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

/// What goes before the model, to cut text up, or behind it, to put text together.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Component {
    /// Maps bytes to the characters that stand for them, or back; `use_regex` cuts words first.
    ByteLevel { add_prefix_space: bool, trim_offsets: bool, use_regex: bool },
    /// Joins tokens with nothing between them.
    Fuse,
    /// One decoder behind the other.
    Sequence { decoders: [Decoder; 2] },
}

/// The decoders of a [`Component::Sequence`].
#[derive(Serialize)]
#[serde(tag = "type")]
enum Decoder {
    ByteLevel {
        add_prefix_space: bool,
        trim_offsets: bool,
        use_regex: bool,
    },
    /// Takes up to `start` of `content` off the front and up to `stop` off the end.
    Strip {
        content: char,
        start: usize,
        stop: usize,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "BPE")]
struct Model<'a> {
    dropout: Absent,
    unk_token: Option<&'a str>,
    continuing_subword_prefix: Absent,
    end_of_word_suffix: Absent,
    fuse_unk: bool,
    byte_fallback: bool,
    ignore_merges: bool,
    #[serde(serialize_with = "ids_by_token")]
    vocab: &'a [String],
    #[serde(serialize_with = "pairs_of_tokens")]
    merges: &'a Vocabulary,
}

impl<'a> Document<'a> {
    fn new(vocabulary: &'a Vocabulary) -> Self {
        let (pre_tokenizer, decoder, unk_token) = match &vocabulary.alphabet {
            Alphabet::BytesOfWords { prefix_space: false } => {
                (Some(byte_level_encoder(true, false)), BYTE_LEVEL_DECODER, None)
            }
            Alphabet::BytesOfWords { prefix_space: true } => {
                (Some(byte_level_encoder(true, true)), SPACE_STRIPPING_DECODER, None)
            }
            Alphabet::Bytes => (Some(byte_level_encoder(false, false)), BYTE_LEVEL_DECODER, None),
            Alphabet::Characters { unknown } => (None, Component::Fuse, unknown.as_deref()),
        };
        Self {
            version: "1.0",
            truncation: None,
            padding: None,
            added_tokens: added_tokens(vocabulary.special_tokens()),
            normalizer: None,
            pre_tokenizer,
            post_processor: None,
            decoder,
            model: Model {
                dropout: None,
                unk_token,
                continuing_subword_prefix: None,
                end_of_word_suffix: None,
                fuse_unk: false,
                byte_fallback: false,
                ignore_merges: false,
                vocab: vocabulary.tokens(),
                merges: vocabulary,
            },
        }
    }
}

fn byte_level_encoder(use_regex: bool, add_prefix_space: bool) -> Component {
    Component::ByteLevel { add_prefix_space, trim_offsets: true, use_regex }
}

/// A decoder reads none of the three flags; these are the values that Hugging Face writes.
const BYTE_LEVEL_DECODER: Component =
    Component::ByteLevel { add_prefix_space: true, trim_offsets: true, use_regex: true };

/// Takes the space off again that was put before the text.
const SPACE_STRIPPING_DECODER: Component = Component::Sequence {
    decoders: [
        Decoder::ByteLevel { add_prefix_space: true, trim_offsets: true, use_regex: true },
        Decoder::Strip { content: ' ', start: 1, stop: 0 },
    ],
};

fn added_tokens(special_tokens: &[String]) -> Vec<AddedToken<'_>> {
    let tokens = special_tokens.iter().enumerate();
    tokens
        .map(|(id, content)| AddedToken {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        })
        .collect()
}

/// `{"token": id, …}` by ascending id.
fn ids_by_token<S: Serializer>(tokens: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tokens.iter().zip(0_u32..))
}

/// `[["left", "right"], …]`.
fn pairs_of_tokens<S: Serializer>(vocabulary: &Vocabulary, serializer: S) -> Result<S::Ok, S::Error> {
    let tokens = vocabulary.tokens();
    let mut list = serializer.serialize_seq(Some(vocabulary.merges().len()))?;
    for &(left, right) in vocabulary.merges() {
        list.serialize_element(&[&tokens[left as usize], &tokens[right as usize]])?;
    }
    list.end()
}

#[cfg(test)]
mod tests {
    use super::super::CharacterSet;
    use super::*;

    #[test]
    fn file_of_a_character_vocabulary() {
        let mut characters = CharacterSet::new();
        characters.add_text("\"\n");
        let vocabulary = Vocabulary::characters(&characters, &["<unk>"], Some("<unk>")).unwrap();
        // as written by `Tokenizer.to_str(pretty=True)` of `tokenizers` 0.23.3 (Python)
        let expected = r#"{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    {
      "id": 0,
      "content": "<unk>",
      "single_word": false,
      "lstrip": false,
      "rstrip": false,
      "normalized": false,
      "special": true
    }
  ],
  "normalizer": null,
  "pre_tokenizer": null,
  "post_processor": null,
  "decoder": {
    "type": "Fuse"
  },
  "model": {
    "type": "BPE",
    "dropout": null,
    "unk_token": "<unk>",
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": false,
    "vocab": {
      "<unk>": 0,
      "\n": 1,
      "\"": 2
    },
    "merges": []
  }
}"#;
        assert_eq!(vocabulary.to_json(), expected);
    }

    #[test]
    fn only_trained_vocabularies_cut_text_into_words() {
        let use_regex = |vocabulary: &Vocabulary| {
            let file: serde_json::Value = serde_json::from_str(&vocabulary.to_json()).unwrap();
            assert_eq!(file["pre_tokenizer"]["type"], "ByteLevel");
            assert_eq!(file["pre_tokenizer"]["add_prefix_space"], false);
            assert_eq!(file["decoder"]["type"], "ByteLevel");
            file["pre_tokenizer"]["use_regex"] == true
        };
        assert!(!use_regex(&Vocabulary::bytes::<&str>(&[]).unwrap()));
        assert!(use_regex(&Vocabulary::untrained::<&str>(&[]).unwrap()));
    }
}
