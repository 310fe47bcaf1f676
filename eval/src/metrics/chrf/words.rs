//! The words of chrF++.

use crate::metrics::tokenize::whitespace;

/// Hands on the words of a line. A mark of ASCII is cut off one end of a word only, the last one
/// where there is one: `(hi)` is `(hi` and `)`, as in chrF++.py.
pub(super) fn each_word(line: &str, mut word: impl FnMut(&str)) {
    for text in whitespace::split(line) {
        let (first, last) = (text.as_bytes()[0], text.as_bytes()[text.len() - 1]);
        // one character is a word, whatever it is; one byte that is not all of it is no mark
        let at = match text.len() {
            1 => text.len(),
            _ if last.is_ascii_punctuation() => text.len() - 1,
            _ if first.is_ascii_punctuation() => 1,
            _ => text.len(),
        };
        let (before, after) = text.split_at(at);
        word(before);
        if !after.is_empty() {
            word(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_cut_off_one_end() {
        let mut words = Vec::new();
        each_word("(hi) „so“ (so ! 日 a. é, .a.", |word| words.push(word.to_owned()));
        assert_eq!(words, ["(hi", ")", "„so“", "(", "so", "!", "日", "a", ".", "é", ",", ".a", "."]);
    }
}
