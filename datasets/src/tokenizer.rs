//! Text to token ids and back, from a Hugging Face `tokenizer.json`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use tokenizers::pipeline::{EncodeOptions, PipelineToken, PipelineTokenizer};

use crate::{Error, Result, ResultExt};

/// The special token between documents.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// A tokenizer read from a `tokenizer.json`. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct Tokenizer {
    inner: PipelineTokenizer,
    tokens: Vec<String>,
    byte_lengths: Vec<u32>,
    special: HashMap<String, u32>,
    prefix_space: bool,
    sha256: String,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file is absent or no tokenizer of a supported kind.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let text = fs_err::read_to_string(path.as_ref())?;
        Self::from_json(&text).at(path)
    }

    /// As [`Tokenizer::from_file`], with the text at hand.
    ///
    /// # Errors
    /// When the text is no tokenizer of a supported kind.
    pub fn from_json(text: &str) -> Result<Self> {
        let wrong = |what: String| Error::input(format!("not a tokenizer: {what}"));
        let mut json: Value = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let prefix_space = take_prefix_space(&mut json);
        // the files of Hugging Face `tokenizers` 0.x are brought into the form that 1.0 reads
        let canonical = match prefix_space {
            true => tokenizers::canonicalize_str(&json.to_string()),
            false => tokenizers::canonicalize_str(text),
        };
        let canonical = canonical.map_err(|e| wrong(e.to_string()))?;
        let vocabulary =
            json["model"]["vocab"].as_object().ok_or_else(|| wrong("`model.vocab` is missing".to_owned()))?;
        // the reader below does not survive an empty one
        if vocabulary.is_empty() {
            return Err(wrong("`model.vocab` has no tokens".to_owned()));
        }
        // its perfect hash cannot be built for one in some thousand vocabularies of a handful of
        // tokens, and then it panics
        let inner = std::panic::catch_unwind(|| tokenizers::from_json(&canonical))
            .map_err(|_| wrong("its vocabulary cannot be hashed".to_owned()).hint("one token more or less will do"))?
            .map_err(|e| wrong(e.to_string()))?;
        let id_of = |value: &Value| {
            let id = value.as_u64().and_then(|id| usize::try_from(id).ok());
            id.filter(|id| *id < 1 << 24).ok_or_else(|| wrong(format!("`{value}` is no token id")))
        };
        let mut tokens = Vec::new();
        let mut place = |id: usize, token: &str| {
            if tokens.len() <= id {
                tokens.resize(id + 1, String::new());
            }
            token.clone_into(&mut tokens[id]);
        };
        for (token, id) in vocabulary {
            place(id_of(id)?, token);
        }
        let mut special = HashMap::new();
        for added in json["added_tokens"].as_array().into_iter().flatten() {
            let id = id_of(&added["id"])?;
            let content = added["content"].as_str().unwrap_or_default();
            place(id, content);
            special.insert(content.to_owned(), id as u32);
        }
        let byte_level = json["decoder"]["type"] == "ByteLevel";
        let byte_lengths = tokens.iter().map(|token| match (special.contains_key(token), byte_level) {
            (true, _) => 0,
            // the byte-level alphabet writes one character per byte
            (_, true) => token.chars().count() as u32,
            (_, false) => token.len() as u32,
        });
        Ok(Self {
            byte_lengths: byte_lengths.collect(),
            inner,
            tokens,
            special,
            prefix_space,
            sha256: crate::hash::sha256(text.as_bytes()),
        })
    }

    /// Appends the ids of a text. Special tokens written out in the text are text: a corpus cannot
    /// smuggle them in.
    ///
    /// # Errors
    /// When the tokenizer cannot encode the text, such as a character outside its vocabulary.
    pub fn encode_into(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        let options = EncodeOptions { encode_special_tokens: true, ..EncodeOptions::no_specials() };
        let mut out = Vec::with_capacity(text.len() / 3 + 1);
        let prefixed: Cow<'_, str> = match self.puts_space_before(text) {
            true => [" ", text].concat().into(),
            false => text.into(),
        };
        self.inner
            .encode_into(&prefixed, &options, &mut out)
            .map_err(|e| Error::input(format!("cannot encode: {e}")))?;
        ids.extend_from_slice(PipelineToken::cast_slice(&out));
        Ok(())
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// As [`Tokenizer::encode_into`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        self.encode_into(text, &mut ids)?;
        Ok(ids)
    }

    /// The text of some ids, without special tokens; bytes that are no UTF-8 become `U+FFFD`. A space
    /// that [`Tokenizer::encode_into`] puts before a text is taken off again.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = self.inner.decode(ids, true).unwrap_or_default();
        if self.prefix_space && text.starts_with(' ') {
            text.remove(0);
        }
        text
    }

    /// Whether a text that does not start with a space is encoded as if it did, so that its first
    /// word has the same tokens as elsewhere: `add_prefix_space` of Hugging Face.
    pub fn prefix_space(&self) -> bool {
        self.prefix_space
    }

    fn puts_space_before(&self, text: &str) -> bool {
        self.prefix_space && !text.is_empty() && !text.starts_with(' ')
    }

    /// The bytes that the ids of a text stand for: those of the text, and of the space before it.
    pub fn encoded_bytes(&self, text: &str) -> u64 {
        text.len() as u64 + u64::from(self.puts_space_before(text))
    }

    /// How many ids there are: one more than the largest.
    pub fn vocabulary_size(&self) -> usize {
        self.tokens.len()
    }

    /// The UTF-8 bytes that an id stands for; 0 for special tokens.
    pub fn byte_length(&self, id: u32) -> u32 {
        self.byte_lengths.get(id as usize).copied().unwrap_or(0)
    }

    /// The id of a special token.
    pub fn special(&self, token: &str) -> Option<u32> {
        self.special.get(token).copied()
    }

    /// A token as a person reads it: `·` for a space, `⏎` for a new line.
    pub fn display(&self, id: u32) -> String {
        let text = match self.byte_length(id) {
            0 => self.tokens.get(id as usize).cloned().unwrap_or_default(),
            _ => self.inner.decode(&[id], true).unwrap_or_default(),
        };
        text.replace(' ', "·").replace('\n', "⏎").replace('\t', "⇥")
    }

    /// SHA-256 of the `tokenizer.json`.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Whether the file puts a space before a text. The reader does not know that, so it is taken out of
/// `json` and done here; with it goes the decoder that takes the space off again.
fn take_prefix_space(json: &mut Value) -> bool {
    let byte_level = |component: &Value| component["type"] == "ByteLevel";
    let mut found = false;
    let mut take = |component: &mut Value| {
        if byte_level(component) && component["add_prefix_space"] == true {
            component["add_prefix_space"] = false.into();
            found = true;
        }
    };
    if let Some(first) = json.get_mut("pre_tokenizer") {
        match first.get_mut("pretokenizers").and_then(Value::as_array_mut) {
            Some(several) => several.iter_mut().for_each(take),
            None => take(first),
        }
    }
    let decoder = &json["decoder"];
    let strip = serde_json::json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 });
    if let Some([first, second]) = decoder["decoders"].as_array().map(Vec::as_slice)
        && found
        && byte_level(first)
        && *second == strip
    {
        json["decoder"] = first.clone();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters() -> Tokenizer {
        let vocabulary = serde_json::json!({ END_OF_TEXT: 0, "\n": 1, " ": 2, "a": 3, "ä": 4 });
        Tokenizer::from_json(&characters_json(vocabulary)).unwrap()
    }

    fn characters_json(vocabulary: Value) -> String {
        let json = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [{"id": 0, "content": END_OF_TEXT, "single_word": false, "lstrip": false,
                              "rstrip": false, "normalized": false, "special": true}],
            "normalizer": null, "pre_tokenizer": null, "post_processor": null,
            "decoder": {"type": "Fuse"},
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                      "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                      "vocab": vocabulary, "merges": []}
        });
        json.to_string()
    }

    #[test]
    fn characters_round_trip_with_their_byte_lengths() {
        let tokenizer = characters();
        let ids = tokenizer.encode("a  ä\n\n").unwrap();
        assert_eq!(ids, [3, 2, 2, 4, 1, 1]);
        assert_eq!(tokenizer.decode(&ids), "a  ä\n\n");
        let bytes: u32 = ids.iter().map(|id| tokenizer.byte_length(*id)).sum();
        assert_eq!(bytes as usize, "a  ä\n\n".len());
        assert_eq!(tokenizer.special(END_OF_TEXT), Some(0));
        assert_eq!(tokenizer.byte_length(0), 0);
    }

    #[test]
    fn a_space_before_the_text_is_put_there_and_taken_off() {
        // the alphabet and one merge; a file without the decoder that strips, as of other makers
        let byte_level = |add_prefix_space: bool| serde_json::json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true});
        // 27 for the merge, so that the others of the 256 characters for bytes follow from 28 on
        let letters: Vec<char> = "\u{120}abcdefghijklmnopqrstuvwxyz".chars().collect();
        let others = ['!'..='~', '¡'..='¬', '®'..='\u{143}'].into_iter().flatten().filter(|c| !letters.contains(c));
        let ids = letters.iter().copied().zip(0..).chain(others.zip(28..));
        let vocabulary: serde_json::Map<String, Value> = ids.map(|(c, id)| (c.to_string(), Value::from(id))).collect();
        let mut json: Value = serde_json::from_str(&characters_json(vocabulary.into())).unwrap();
        json["added_tokens"] = serde_json::json!([]);
        json["model"]["vocab"]["\u{120}a"] = 27.into();
        json["model"]["merges"] = serde_json::json!([["\u{120}", "a"]]);
        json["pre_tokenizer"] = byte_level(true);
        let strip = serde_json::json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
        for decoder in
            [byte_level(true), serde_json::json!({"type": "Sequence", "decoders": [byte_level(true), strip]})]
        {
            json["decoder"] = decoder;
            let tokenizer = Tokenizer::from_json(&json.to_string()).unwrap();
            assert!(tokenizer.prefix_space());
            // as `tokenizers` 0.23.3 (Python) encodes them
            for (text, ids) in [("a", vec![27]), (" a", vec![27]), ("b a", vec![0, 2, 27]), ("", vec![])] {
                assert_eq!(tokenizer.encode(text).unwrap(), ids, "{text:?}");
                assert_eq!(tokenizer.decode(&ids), text.trim_start(), "{text:?}");
            }
            assert_eq!((tokenizer.encoded_bytes("a"), tokenizer.encoded_bytes(" a")), (2, 2));
            assert_eq!((tokenizer.display(27), tokenizer.byte_length(27)), ("·a".to_owned(), 2));
        }
        json["pre_tokenizer"] = byte_level(false);
        let tokenizer = Tokenizer::from_json(&json.to_string()).unwrap();
        assert_eq!((tokenizer.encode("a").unwrap(), tokenizer.prefix_space()), (vec![1], false));
    }

    #[test]
    fn rubbish_is_an_error() {
        assert!(Tokenizer::from_json("{}").is_err());
        assert!(Tokenizer::from_json("[").is_err());
        // five characters for which `ptr_hash` 2.1.3 finds no perfect hash
        let vocabulary = serde_json::json!({ END_OF_TEXT: 0, "-": 1, ".": 2, "P": 3, "\\": 4, "w": 5 });
        let unlucky = characters_json(vocabulary);
        assert!(Tokenizer::from_json(&unlucky).err().unwrap().to_string().contains("cannot be hashed"));
        let empty = r#"{"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}}"#;
        assert!(Tokenizer::from_json(empty).err().unwrap().to_string().contains("no tokens"));
    }
}
