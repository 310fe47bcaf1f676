//! What is different between a translation and its reference, word by word.

use std::collections::HashMap;

use serde::Serialize;

use super::words::{Word, words};

/// Words beyond these of a sentence are not aligned: the table grows with the square.
const MOST_WORDS: usize = 400;

/// A translation and a reference, cut where they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Words to add, to drop or to put in the place of others: the edit distance (Levenshtein).
    pub edits: u64,
    /// Words of the reference.
    pub words: u64,
    /// The translation in pieces; joined they are the translation.
    pub hypothesis: Vec<Run>,
    /// The reference in pieces.
    pub reference: Vec<Run>,
}

/// Some text that differs in one way from the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The text.
    pub text: String,
    /// How it differs.
    pub mark: Mark,
}

/// How a word differs from the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The other side has it too, at this place.
    Same,
    /// The other side has nothing at this place.
    Only,
    /// The other side has another word at this place.
    Other,
    /// The other side has it at another place.
    Moved,
}

impl Difference {
    /// Compares a translation with a reference by the alignment with the fewest edits; of several
    /// that one which keeps words of one kind together at the end of the sentence.
    pub(super) fn of(hypothesis: &str, reference: &str) -> Self {
        let (ours, our_rest) = words(hypothesis);
        let (theirs, their_rest) = words(reference);
        let (edits, mut our_marks, mut their_marks) = align(&ours, &theirs);
        find_moves(&ours, &mut our_marks, &theirs, &mut their_marks);
        Self {
            edits,
            words: theirs.len() as u64,
            hypothesis: runs(&ours, &our_marks, our_rest),
            reference: runs(&theirs, &their_marks, their_rest),
        }
    }

    /// Compares a translation with the reference that needs the fewest edits, the first of equals.
    pub(super) fn of_nearest(hypothesis: &str, references: &[String]) -> Option<Self> {
        references.iter().map(|reference| Self::of(hypothesis, reference)).min_by_key(|found| found.edits)
    }
}

/// The edit distance and a mark for every word of both sides.
fn align(ours: &[Word<'_>], theirs: &[Word<'_>]) -> (u64, Vec<Mark>, Vec<Mark>) {
    let (mut our_marks, mut their_marks) = (vec![Mark::Only; ours.len()], vec![Mark::Only; theirs.len()]);
    let (rows, columns) = (ours.len().min(MOST_WORDS), theirs.len().min(MOST_WORDS));
    let beyond = (ours.len() - rows).max(theirs.len() - columns) as u64;
    // cost[i][j]: edits from the i-th word of ours and the j-th of theirs to both ends
    let width = columns + 1;
    let mut cost = vec![0_u32; (rows + 1) * width];
    for i in (0..=rows).rev() {
        for j in (0..=columns).rev() {
            cost[i * width + j] = match (i == rows, j == columns) {
                (true, _) => (columns - j) as u32,
                (_, true) => (rows - i) as u32,
                _ => {
                    let swap = cost[(i + 1) * width + j + 1] + u32::from(ours[i].text != theirs[j].text);
                    swap.min(cost[(i + 1) * width + j] + 1).min(cost[i * width + j + 1] + 1)
                }
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < rows && j < columns {
        let here = cost[i * width + j];
        let same = ours[i].text == theirs[j].text;
        if here == cost[(i + 1) * width + j + 1] + u32::from(!same) {
            let mark = if same { Mark::Same } else { Mark::Other };
            (our_marks[i], their_marks[j]) = (mark, mark);
            (i, j) = (i + 1, j + 1);
        } else if here == cost[(i + 1) * width + j] + 1 {
            i += 1;
        } else {
            j += 1;
        }
    }
    (u64::from(cost[0]) + beyond, our_marks, their_marks)
}

/// Words that are on both sides, but not at the same place, are moved; each is used once.
fn find_moves(ours: &[Word<'_>], our_marks: &mut [Mark], theirs: &[Word<'_>], their_marks: &mut [Mark]) {
    let is_word = |word: &Word<'_>| word.text.chars().any(char::is_alphanumeric);
    let mut elsewhere: HashMap<&str, Vec<usize>> = HashMap::new();
    for (j, word) in theirs.iter().enumerate().rev() {
        if their_marks[j] != Mark::Same && is_word(word) {
            elsewhere.entry(word.text).or_default().push(j);
        }
    }
    for (i, word) in ours.iter().enumerate() {
        if our_marks[i] == Mark::Same || !is_word(word) {
            continue;
        }
        if let Some(j) = elsewhere.get_mut(word.text).and_then(Vec::pop) {
            (our_marks[i], their_marks[j]) = (Mark::Moved, Mark::Moved);
        }
    }
}

/// Neighbours with one mark as one piece. White space between two pieces is marked `Same`.
fn runs(words: &[Word<'_>], marks: &[Mark], rest: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut push = |text: &str, mark: Mark| match found.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.mark == mark => last.text.push_str(text),
        _ => found.push(Run { text: text.to_owned(), mark }),
    };
    for (i, (word, mark)) in words.iter().zip(marks).enumerate() {
        let goes_on = i > 0 && marks[i - 1] == *mark;
        push(word.before, if goes_on { *mark } else { Mark::Same });
        push(word.text, *mark);
    }
    push(rest, Mark::Same);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(runs: &[Run]) -> String {
        let mark = |run: &Run| match run.mark {
            Mark::Same => run.text.clone(),
            Mark::Only => format!("+{}+", run.text),
            Mark::Other => format!("~{}~", run.text),
            Mark::Moved => format!("^{}^", run.text),
        };
        runs.iter().map(mark).collect()
    }

    fn both(hypothesis: &str, reference: &str) -> (u64, String, String) {
        let found = Difference::of(hypothesis, reference);
        (found.edits, shown(&found.hypothesis), shown(&found.reference))
    }

    #[test]
    fn added_dropped_replaced_and_moved() {
        let same = |text: &str| text.to_owned();
        assert_eq!(both("Ein Hund läuft.", "Ein Hund läuft."), (0, same("Ein Hund läuft."), same("Ein Hund läuft.")));
        assert_eq!(
            both("Ein großer brauner Hund läuft", "Ein Hund läuft."),
            (3, same("Ein +großer brauner+ Hund läuft"), same("Ein Hund läuft+.+"))
        );
        assert_eq!(
            both("Ein Hund rennt.", "Ein Hund läuft."),
            (1, same("Ein Hund ~rennt~."), same("Ein Hund ~läuft~."))
        );
        assert_eq!(
            both("Heute läuft der Hund weg", "der Hund läuft weg Heute"),
            (4, same("^Heute läuft^ der Hund weg"), same("der Hund ^läuft^ weg ^Heute^"))
        );
        assert_eq!(both("", "a b"), (2, String::new(), same("+a b+")));
    }

    #[test]
    fn a_word_moves_once() {
        // the second `the` has no partner
        let found = Difference::of("y the the", "the x");
        let moved = |runs: &[Run]| runs.iter().filter(|r| r.mark == Mark::Moved).map(|r| r.text.clone()).collect();
        let (ours, theirs): (Vec<String>, Vec<String>) = (moved(&found.hypothesis), moved(&found.reference));
        assert!(ours.len() <= 1 && ours == theirs, "{ours:?} {theirs:?}");
    }

    #[test]
    fn the_nearest_reference_is_shown() {
        let references = ["a b c".to_owned(), "a x".to_owned(), "a y".to_owned()];
        let found = Difference::of_nearest("a z", &references).unwrap();
        assert_eq!((found.edits, shown(&found.reference)), (1, "a ~x~".to_owned()));
        assert!(Difference::of_nearest("a", &[]).is_none());
    }

    proptest! {
        #[test]
        fn pieces_are_the_sentence_and_edits_a_distance(a in "[abc ,]{0,24}", b in "[abc ,]{0,24}") {
            let found = Difference::of(&a, &b);
            let joined = |runs: &[Run]| runs.iter().map(|run| run.text.as_str()).collect::<String>();
            prop_assert_eq!(joined(&found.hypothesis), a.clone());
            prop_assert_eq!(joined(&found.reference), b.clone());
            let back = Difference::of(&b, &a);
            prop_assert_eq!(found.edits, back.edits);
            prop_assert_eq!(found.edits == 0, words(&a).0.iter().map(|w| w.text).eq(words(&b).0.iter().map(|w| w.text)));
            // the same words are moved on both sides
            let moved = |runs: &[Run]| runs.iter().filter(|run| run.mark == Mark::Moved).map(|run| words(&run.text).0.len()).sum::<usize>();
            prop_assert_eq!(moved(&found.hypothesis), moved(&found.reference));
        }
    }
}
