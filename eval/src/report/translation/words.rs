//! A sentence in words, for pictures: no score depends on how it is cut here.

/// A word or a punctuation mark, as a part of its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The white space before it.
    pub(super) before: &'a str,
    /// Its characters.
    pub(super) text: &'a str,
}

/// The words of a sentence and the white space at its end. Letters and digits hold together, also
/// over an apostrophe or a hyphen between two of them; every other character stands alone. All
/// `before` and `text` in order, with the rest, are the sentence again.
pub(super) fn words(sentence: &str) -> (Vec<Word<'_>>, &str) {
    let mut found = Vec::new();
    let mut rest = sentence;
    loop {
        let trimmed = rest.trim_start();
        let before = &rest[..rest.len() - trimmed.len()];
        if trimmed.is_empty() {
            return (found, before);
        }
        let (text, after) = trimmed.split_at(length_of_word(trimmed));
        found.push(Word { before, text });
        rest = after;
    }
}

/// The bytes of the word at the start of a text that does not begin with white space.
fn length_of_word(text: &str) -> usize {
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let joins = matches!(c, '\'' | '’' | '-') && at > 0 && next.is_some_and(char::is_alphanumeric);
        if !c.is_alphanumeric() && !is_mark(c) && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    if end > 0 { end } else { text.chars().next().map_or(0, char::len_utf8) }
}

/// Whether a character belongs to the letter before it: the combining marks that alphabets use.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(sentence: &str) -> Vec<&str> {
        words(sentence).0.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn punctuation_stands_alone_but_within_a_word() {
        assert_eq!(
            texts("A well-kept dog's  ball, (red)."),
            ["A", "well-kept", "dog's", "ball", ",", "(", "red", ")", "."]
        );
        assert_eq!(texts("- 'Tis Größe 3.5"), ["-", "'", "Tis", "Größe", "3", ".", "5"]);
        assert!(texts(" \t").is_empty());
    }

    proptest! {
        #[test]
        fn words_and_white_space_are_the_sentence(sentence in "\\PC{0,40}") {
            let (found, rest) = words(&sentence);
            let joined: String = found.iter().map(|word| format!("{}{}", word.before, word.text)).collect();
            prop_assert_eq!(joined + rest, sentence.clone());
            prop_assert!(found.iter().all(|word| !word.text.is_empty() && word.before.trim().is_empty()));
        }
    }
}
