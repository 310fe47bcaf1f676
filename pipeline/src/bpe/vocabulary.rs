//! A finished vocabulary: its tokens, their ids and their merges.

use super::alphabet;
use super::characters::CharacterSet;
use super::error::Error;

/// The tokens of a tokenizer, by id, and the merges that make them.
///
/// Made by a [`Trainer`](super::Trainer), or without training by [`Vocabulary::characters`] and
/// [`Vocabulary::bytes`]. Special tokens come first, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pub(super) alphabet: Alphabet,
    /// The tokens by id, spelled as in `tokenizer.json`.
    tokens: Vec<String>,
    special_tokens: usize,
    merges: Vec<(u32, u32)>,
}

/// What the tokens that are not special are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Bytes, of text that is cut into words first; `prefix_space` puts a space before a text that
    /// does not start with one.
    BytesOfWords { prefix_space: bool },
    /// Bytes, of the whole text.
    Bytes,
    /// Characters, of the whole text; others are encoded as the `unknown` token.
    Characters { unknown: Option<String> },
}

impl Vocabulary {
    /// One token per byte: any text can be encoded, in as many tokens as it has bytes.
    ///
    /// The id of a byte is its value plus the number of special tokens.
    ///
    /// # Errors
    ///
    /// If a special token is empty, repeated or one of the 256 characters that stand for bytes.
    pub fn bytes<S: AsRef<str>>(special_tokens: &[S]) -> Result<Self, Error> {
        Self::of_symbols(Alphabet::Bytes, special_tokens, (0..=255).map(alphabet::character))
    }

    /// One token per character of `characters`, by ascending code point.
    ///
    /// A character outside the set is encoded as `unknown`, which counts as a special token (the
    /// last one, if it is not among them); without `unknown` it is lost, as Hugging Face
    /// `tokenizers` leaves it out without a word.
    ///
    /// # Errors
    ///
    /// If a special token is empty, repeated or a character of the set.
    pub fn characters<S: AsRef<str>>(
        characters: &CharacterSet,
        special_tokens: &[S],
        unknown: Option<&str>,
    ) -> Result<Self, Error> {
        let mut special_tokens: Vec<&str> = special_tokens.iter().map(AsRef::as_ref).collect();
        if let Some(unknown) = unknown
            && !special_tokens.contains(&unknown)
        {
            special_tokens.push(unknown);
        }
        let unknown = unknown.map(str::to_owned);
        Self::of_symbols(Alphabet::Characters { unknown }, &special_tokens, characters.iter())
    }

    /// The vocabulary that training starts from: special tokens, then bytes in Hugging Face's order.
    pub(super) fn untrained<S: AsRef<str>>(special_tokens: &[S]) -> Result<Self, Error> {
        Self::of_symbols(
            Alphabet::BytesOfWords { prefix_space: false },
            special_tokens,
            alphabet::bytes_in_order().into_iter().map(alphabet::character),
        )
    }

    /// The same for text that starts with a space, as the words were counted.
    pub(super) fn with_prefix_space(self, prefix_space: bool) -> Self {
        Self { alphabet: Alphabet::BytesOfWords { prefix_space }, ..self }
    }

    fn of_symbols<S: AsRef<str>>(
        alphabet: Alphabet,
        special_tokens: &[S],
        symbols: impl Iterator<Item = char>,
    ) -> Result<Self, Error> {
        let mut tokens: Vec<String> = Vec::new();
        for token in special_tokens.iter().map(AsRef::as_ref) {
            if token.is_empty() {
                return Err(Error::EmptySpecialToken);
            }
            let token = token.to_owned();
            if tokens.contains(&token) {
                return Err(Error::RepeatedSpecialToken { token });
            }
            tokens.push(token);
        }
        for symbol in symbols.map(String::from) {
            if tokens[..special_tokens.len()].contains(&symbol) {
                return Err(Error::SpecialTokenInAlphabet { token: symbol });
            }
            tokens.push(symbol);
        }
        Ok(Self { alphabet, tokens, special_tokens: special_tokens.len(), merges: Vec::new() })
    }

    /// The id of each byte in a vocabulary that training starts from.
    pub(super) fn byte_ids(&self) -> [u32; 256] {
        let mut ids = [0; 256];
        for (id, byte) in (self.special_tokens as u32..).zip(alphabet::bytes_in_order()) {
            ids[usize::from(byte)] = id;
        }
        ids
    }

    /// Notes a merge and returns the id of the joined token.
    ///
    /// That is a new id, unless the joined token is spelled like a special token and so takes its
    /// id. (It never is spelled like another merge: two tokens that meet inside the same string were
    /// made by the same merges in the same order, so a string has one last merge.)
    pub(super) fn merge(&mut self, left: u32, right: u32) -> u32 {
        self.merges.push((left, right));
        let joined = [self.spelling(left), self.spelling(right)].concat();
        let same = self.special_tokens().iter().position(|t| *t == joined);
        let id = same.unwrap_or(self.tokens.len());
        if same.is_none() {
            self.tokens.push(joined);
        }
        id as u32
    }

    fn spelling(&self, id: u32) -> &str {
        &self.tokens[id as usize]
    }

    /// How many tokens there are, special tokens included.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens at all.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens by id, spelled as in `tokenizer.json`: in a byte-level vocabulary each byte is
    /// written as the character that stands for it, so that ` a` is `Ġa`.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The special tokens; their ids are their places.
    pub fn special_tokens(&self) -> &[String] {
        &self.tokens[..self.special_tokens]
    }

    /// The merges in the order of training, as pairs of token ids.
    pub fn merges(&self) -> &[(u32, u32)] {
        &self.merges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_first_then_symbols_in_order() {
        let mut characters = CharacterSet::new();
        characters.add_text("ba\n");
        let vocabulary = Vocabulary::characters(&characters, &["<s>"], Some("<unk>")).unwrap();
        assert_eq!(vocabulary.tokens(), ["<s>", "<unk>", "\n", "a", "b"]);
        assert_eq!(vocabulary.special_tokens(), ["<s>", "<unk>"]);

        let unknown_first = ["<unk>", "<s>"];
        let vocabulary = Vocabulary::characters(&characters, &unknown_first, Some("<unk>"));
        assert_eq!(vocabulary.unwrap().special_tokens(), unknown_first);

        let bytes = Vocabulary::bytes::<&str>(&[]).unwrap();
        assert_eq!((bytes.len(), bytes.tokens()[32].as_str()), (256, "Ġ"));
    }

    #[test]
    fn byte_ids_point_at_the_character_of_the_byte() {
        let vocabulary = Vocabulary::untrained(&["<s>", "</s>"]).unwrap();
        for (byte, id) in (0..=255).zip(vocabulary.byte_ids()) {
            assert_eq!(vocabulary.spelling(id), alphabet::character(byte).to_string());
        }
    }

    #[test]
    fn special_tokens_that_would_be_ambiguous_are_refused() {
        let error = |tokens: &[&str]| Vocabulary::bytes(tokens).unwrap_err().to_string();
        assert_eq!(error(&["<s>", ""]), "a special token is empty");
        assert_eq!(error(&["<s>", "<s>"]), "special token `<s>` is given twice");
        assert_eq!(error(&["Ġ"]), "special token `Ġ` is already a symbol of the alphabet");
        let mut characters = CharacterSet::new();
        characters.add_text("a");
        assert!(Vocabulary::characters(&characters, &["a"], None).is_err());
        assert!(Vocabulary::characters(&characters, &["Ġ"], None).is_ok());
    }
}
