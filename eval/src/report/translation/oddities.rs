//! Translations that look wrong at a glance: empty, copied, caught in a loop, much too
//! short or too long, or cut into tokens.

use serde::Serialize;

use super::examples::shortened;
use super::sentence::Sentence;

/// Words that may repeat as one block.
const LONGEST_BLOCK: usize = 4;
/// A block of words that comes this often in a row is a loop.
const TIMES: usize = 4;
/// References with fewer words say nothing about length.
const FEWEST_WORDS: usize = 4;
/// Words of the translation over words of the reference.
const TOO_SHORT: f64 = 0.5;
const TOO_LONG: f64 = 2.0;

/// Sentences that look wrong in one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Oddity {
    /// A name that does not change, such as `empty`.
    pub code: &'static str,
    /// What is odd, in words that follow a number of sentences.
    pub what: &'static str,
    /// Sentences.
    pub count: u64,
    /// Sentences over all sentences.
    pub share: f64,
    /// The row of the first of them, from 1.
    pub row: u64,
    /// The source of the first of them.
    pub source: String,
    /// The translation of the first of them.
    pub hypothesis: String,
}

/// A way to look wrong.
struct Check {
    code: &'static str,
    what: &'static str,
    is_odd: fn(&Sentence) -> bool,
}

const CHECKS: [Check; 7] = [
    Check { code: "empty", what: "have no translation", is_odd: |s| s.hypothesis.trim().is_empty() },
    Check { code: "copied", what: "are their source again", is_odd: is_copy },
    Check { code: "looping", what: "repeat the same words over and over", is_odd: is_loop },
    Check {
        code: "too-short",
        what: "have less than half of the reference's words",
        is_odd: |s| is_off(s, |r| r < TOO_SHORT),
    },
    Check {
        code: "too-long",
        what: "have more than twice the reference's words",
        is_odd: |s| is_off(s, |r| r > TOO_LONG),
    },
    Check {
        code: "tokenised",
        what: "end in a full stop with a space before it",
        is_odd: |s| ends_in_token(&s.hypothesis),
    },
    Check {
        code: "without-reference",
        what: "have no reference",
        is_odd: |s| s.references.iter().all(|r| r.trim().is_empty()),
    },
];

/// What looks wrong about some sentences; nothing that none of them has.
pub(super) fn find(sentences: &[Sentence]) -> Vec<Oddity> {
    let found = CHECKS.iter().filter_map(|check| {
        let mut odd = sentences.iter().filter(|sentence| (check.is_odd)(sentence));
        let first = odd.next()?;
        let count = 1 + odd.count() as u64;
        Some(Oddity {
            code: check.code,
            what: check.what,
            count,
            share: count as f64 / sentences.len() as f64,
            row: first.row,
            source: shortened(&first.source),
            hypothesis: shortened(&first.hypothesis),
        })
    });
    found.collect()
}

/// The source again, where the reference is another text.
fn is_copy(sentence: &Sentence) -> bool {
    let hypothesis = sentence.hypothesis.trim();
    let is = |text: &str| text.trim() == hypothesis;
    !hypothesis.is_empty() && is(&sentence.source) && !sentence.references.iter().any(|r| is(r))
}

/// A block of words that comes [`TIMES`] times in a row, and no reference does that.
fn is_loop(sentence: &Sentence) -> bool {
    repeats(&sentence.hypothesis) && !sentence.references.iter().any(|reference| repeats(reference))
}

fn repeats(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    (1..=LONGEST_BLOCK).any(|length| {
        // words that equal the one a block before them, in a row
        let mut row = 0;
        (length..words.len()).any(|i| {
            row = if words[i] == words[i - length] { row + 1 } else { 0 };
            row >= length * (TIMES - 1)
        })
    })
}

fn is_off(sentence: &Sentence, is: fn(f64) -> bool) -> bool {
    let count = |text: &str| text.split_whitespace().count();
    let ours = count(&sentence.hypothesis);
    let references = sentence.references.iter().map(|r| count(r));
    let mut known = references.filter(|words| *words >= FEWEST_WORDS).peekable();
    // an empty translation is counted as that
    ours > 0 && known.peek().is_some() && known.all(|words| is(ours as f64 / words as f64))
}

/// What sacrebleu warns of: "lines that end in a tokenized period".
pub(super) fn ends_in_token(text: &str) -> bool {
    text.trim_end().strip_suffix('.').is_some_and(|rest| rest.ends_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(source: &str, reference: &str, hypothesis: &str) -> Sentence {
        Sentence { references: vec![reference.to_owned()], ..Sentence::plain(source, hypothesis) }
    }

    #[test]
    fn every_way_to_look_wrong_is_found_and_only_that() {
        let odd = [
            ("a dog runs", "ein Hund läuft", " ", "empty"),
            ("a dog runs", "ein Hund läuft", "a dog runs", "copied"),
            ("a dog runs", "ein Hund läuft", "ein Hund ein Hund ein Hund ein Hund", "looping"),
            ("a dog runs far away", "ein Hund läuft weit weg", "ein Hund", "too-short"),
            ("a dog runs", "ein Hund läuft weg", "ein Hund läuft und läuft dann bald wieder weg", "too-long"),
            ("A dog runs.", "Ein Hund läuft.", "Ein Hund läuft .", "tokenised"),
            ("A dog runs.", "", "Ein Hund läuft.", "without-reference"),
        ];
        for (source, reference, hypothesis, code) in odd {
            let found = find(&[sentence(source, reference, hypothesis)]);
            assert_eq!(found.iter().map(|o| o.code).collect::<Vec<_>>(), [code], "{hypothesis}");
            assert_eq!((found[0].count, found[0].share), (1, 1.0));
        }
    }

    #[test]
    fn what_only_looks_odd_is_not() {
        let fine = [
            ("Berlin", "Berlin", "Berlin"),
            ("no no no no", "nein nein nein nein", "nein nein nein nein"),
            ("far, far away", "weit, weit, weit weg", "weit, weit, weit weg"),
            ("yes", "ja", "ja, das ist es"),
            ("It costs 3.", "Es kostet 3.", "Es kostet 3."),
        ];
        for (source, reference, hypothesis) in fine {
            assert_eq!(find(&[sentence(source, reference, hypothesis)]), [], "{hypothesis}");
        }
        assert_eq!(find(&[]), []);
    }

    #[test]
    fn the_first_of_them_is_named() {
        let mut sentences = vec![sentence("a", "b", "b"), sentence("a", "b", ""), sentence("c", "d", "")];
        for (i, sentence) in sentences.iter_mut().enumerate() {
            sentence.row = i as u64 + 1;
        }
        let found = find(&sentences);
        assert_eq!((found[0].count, found[0].row, found[0].source.as_str()), (2, 2, "a"));
    }
}
