//! Pre-tokenization: cutting text into words that no token may cross.

use super::classes::{CharClass, CharClasses};

/// The words of `text` as the pattern of GPT-2 cuts them; together they are the whole text.
///
/// The pattern is
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/// (Radford et al. 2019), with the classes of Unicode 16.0: what Hugging Face calls `ByteLevel` with
/// `use_regex` and without `add_prefix_space`. It is written out by hand because a regular
/// expression engine takes most of the time of counting.
pub fn pre_tokens(text: &str) -> PreTokens<'_> {
    PreTokens { text, start: 0, classes: CharClasses::shared() }
}

/// Iterator over the words of a text, made by [`pre_tokens`].
#[derive(Clone)]
pub struct PreTokens<'a> {
    text: &'a str,
    /// Where the next word starts, in bytes.
    start: usize,
    classes: &'static CharClasses,
}

impl std::fmt::Debug for PreTokens<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PreTokens").field("rest", &&self.text[self.start..]).finish()
    }
}

impl<'a> Iterator for PreTokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.start;
        let end = self.end_of_word(start)?;
        self.start = end;
        Some(&self.text[start..end])
    }
}

impl PreTokens<'_> {
    /// Where the word that starts at `start` ends, or `None` at the end of the text.
    fn end_of_word(&self, start: usize) -> Option<usize> {
        let (class, width) = self.class_at(start)?;
        let bytes = self.text.as_bytes();
        if bytes[start] == b'\''
            && let Some(length) = contraction(&bytes[start..])
        {
            return Some(start + length);
        }
        if class != CharClass::Space {
            return Some(self.end_of_run(start + width, class));
        }
        if bytes[start] == b' ' {
            match self.class_at(start + 1) {
                None | Some((CharClass::Space, _)) => {}
                // ` ?X+`: one plain space belongs to the run behind it
                Some((class, width)) => return Some(self.end_of_run(start + 1 + width, class)),
            }
        }
        Some(self.end_of_spaces(start, width))
    }

    /// `\s+(?!\S)|\s+`: white space up to the end of the text, or else all but its last character,
    /// which is left for the next word, or else that one character.
    fn end_of_spaces(&self, start: usize, width: usize) -> usize {
        let mut last = start;
        let mut end = start + width;
        while let Some((class, width)) = self.class_at(end) {
            if class != CharClass::Space {
                return if last == start { end } else { last };
            }
            last = end;
            end += width;
        }
        end
    }

    /// Where the run of characters of one class that goes on at `position` ends.
    fn end_of_run(&self, mut position: usize, class: CharClass) -> usize {
        while let Some((next, width)) = self.class_at(position)
            && next == class
        {
            position += width;
        }
        position
    }

    /// The class and the width in bytes of the character at `position`.
    #[inline(always)]
    fn class_at(&self, position: usize) -> Option<(CharClass, usize)> {
        let byte = *self.text.as_bytes().get(position)?;
        if byte.is_ascii() {
            return Some((self.classes.of_ascii(byte), 1));
        }
        let character = self.text[position..].chars().next()?;
        Some((self.classes.of(character), character.len_utf8()))
    }
}

/// The length of the English contraction that `bytes` starts with; only lower case counts.
fn contraction(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1..)? {
        [b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'r', b'e', ..] | [b'v', b'e', ..] | [b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;
    use std::sync::LazyLock;

    fn words(text: &str) -> Vec<&str> {
        pre_tokens(text).collect()
    }

    #[test]
    fn letters_numbers_and_signs_take_one_space() {
        assert_eq!(words("Hello, world 42!"), ["Hello", ",", " world", " 42", "!"]);
        assert_eq!(words("a1_b"), ["a", "1", "_", "b"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn contractions_start_a_word_only_where_a_match_starts() {
        assert_eq!(words("don't we'll"), ["don", "'t", " we", "'ll"]);
        assert_eq!(words("'sx 'Re ''s"), ["'s", "x", " '", "Re", " ''", "s"]);
        assert_eq!(words("'l '"), ["'", "l", " '"]);
    }

    #[test]
    fn the_last_space_goes_to_the_next_word() {
        assert_eq!(words("a  b"), ["a", " ", " b"]);
        assert_eq!(words("a\n\nb"), ["a", "\n", "\n", "b"]);
        assert_eq!(words("a\r\n b"), ["a", "\r\n", " b"]);
        assert_eq!(words("a \n"), ["a", " \n"]);
        assert_eq!(words(" \u{3000}漢"), [" ", "\u{3000}", "漢"]);
    }

    #[test]
    fn marks_and_letter_numbers_are_not_letters() {
        assert_eq!(words("e\u{301}t"), ["e", "\u{301}", "t"]);
        assert_eq!(words("क्षि Ⅻx"), ["क", "्", "ष", "ि", " Ⅻ", "x"]);
    }

    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
        Regex::new(pattern).unwrap()
    });

    /// The same pattern by a regular expression engine without look-ahead: where `\s+` has taken
    /// more than one character and text follows, the last one is given back.
    fn words_by_pattern(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut start = 0;
        while let Some(hit) = PATTERN.find_at(text, start) {
            let mut word = hit.as_str();
            assert_eq!(hit.start(), start);
            if word.chars().all(char::is_whitespace) && hit.end() < text.len() {
                let last = word.chars().next_back().map_or(0, char::len_utf8);
                if last < word.len() {
                    word = &word[..word.len() - last];
                }
            }
            found.push(word);
            start += word.len();
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn agrees_with_the_pattern(text in super::super::tests::any_text()) {
            prop_assert_eq!(words(&text), words_by_pattern(&text));
        }
    }
}
