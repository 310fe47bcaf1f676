//! Agreement with sacrebleu, and what holds for every segment.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::search::Search;
use super::*;
use crate::metric::Statistic;

/// A segment and what sacrebleu 2.6.0 says about it, as `tests/fixtures/make_ter.py` writes it.
#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    options: Ter,
    hypothesis: String,
    references: Vec<String>,
    edits: u64,
    reference_length: f64,
    score: f64,
}

/// A text and what sacrebleu 2.6.0 makes of it.
#[derive(Deserialize)]
struct Tokenized {
    #[serde(default)]
    options: Ter,
    text: String,
    tokenized: String,
}

#[test]
fn agrees_with_sacrebleu_on_hard_segments() {
    let (mut cases, mut workspace) = (0, Workspace::default());
    for line in include_str!("../../../tests/fixtures/ter.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let references: Vec<&str> = case.references.iter().map(String::as_str).collect();
        let found = case.options.segment(&mut workspace, &case.hypothesis, &references);
        assert_eq!(found.edits, case.edits, "edits of {line}");
        assert_eq!(found.reference_words(), case.reference_length, "length of {line}");
        assert_eq!(case.options.score(&found), case.score, "score of {line}");
        cases += 1;
    }
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn tokenizes_as_sacrebleu_does() {
    let mut cases = 0;
    for line in include_str!("../../../tests/fixtures/tercom.jsonl").lines() {
        let case: Tokenized = serde_json::from_str(line).unwrap();
        let text = tokenizer::normalise(&case.options, &case.text);
        let words: Vec<&str> = whitespace::split(&text).collect();
        assert_eq!(words.join(" "), case.tokenized, "{line}");
        cases += 1;
    }
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn numbers_of_sacrebleus_own_tests() {
    // sacrebleu 2.6.0, test/test_ter.py
    let ter = Ter::default();
    let score = |hypotheses: &[&str], references: &[&str]| {
        let mut total = TerStatistic::default();
        for (hypothesis, reference) in hypotheses.iter().zip(references) {
            total.merge(&ter.segment(&mut Workspace::default(), hypothesis, &[reference]));
        }
        ter.score(&total)
    };
    assert_eq!(score(&["aaaa bbbb cccc dddd"], &["aaaa bbbb cccc dddd"]), 0.0);
    assert_eq!(score(&["dddd eeee ffff"], &["aaaa bbbb cccc"]), 100.0);
    assert_eq!(score(&[""], &["a"]), 100.0);
    assert_eq!(score(&["d e f g h a b c"], &["a b c d e f g h"]), 12.5);
    // and of its rules for empty sides
    assert_eq!(score(&["", ""], &["", ""]), 0.0);
    assert_eq!(score(&["a"], &[""]), 100.0);
    assert_eq!(score(&["a b", "c"], &["", "c"]), 200.0);
}

#[test]
fn single_precision_is_near_and_follows_the_same_rules() {
    let ter = Ter::default();
    let statistic = |hypothesis, reference| ter.segment(&mut Workspace::default(), hypothesis, &[reference]);
    let third = statistic("a b d", "a b c");
    assert_eq!(ter.resampled_score(&third), f64::from(100.0_f32 * (1.0 / 3.0)));
    assert!((ter.resampled_score(&third) - ter.score(&third)).abs() < 1e-5);
    assert_eq!(ter.resampled_score(&statistic("a", "")), 100.0);
    assert_eq!(ter.resampled_score(&TerStatistic::default()), 0.0);
}

#[test]
fn settings_are_those_of_sacrebleu_and_no_others() {
    let parsed: Ter = serde_json::from_value(json!({ "no_punct": true })).unwrap();
    assert_eq!(parsed, Ter { no_punct: true, ..Ter::default() });
    assert!(serde_json::from_value::<Ter>(json!({ "no_punctuation": true })).is_err());
}

/// Words of a small vocabulary, so that there is much to shift.
fn words(vocabulary: u32, most: usize) -> impl Strategy<Value = Vec<u32>> {
    (1..=vocabulary).prop_flat_map(move |vocabulary| prop::collection::vec(0..vocabulary, 0..=most))
}

/// A hypothesis that is the reference with blocks moved and words changed.
fn related(vocabulary: u32, most: usize) -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let moves = prop::collection::vec((any::<prop::sample::Index>(), 1..12_usize, any::<prop::sample::Index>()), 0..5);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..vocabulary + 3), 0..most / 3 + 1);
    (words(vocabulary, most), moves, changes).prop_map(|(reference, moves, changes)| {
        let mut hypothesis = reference.clone();
        for (from, length, to) in moves {
            if !hypothesis.is_empty() {
                let from = from.index(hypothesis.len());
                let block: Vec<u32> = hypothesis.splice(from..hypothesis.len().min(from + length), []).collect();
                let to = to.index(hypothesis.len() + 1);
                hypothesis.splice(to..to, block);
            }
        }
        for (at, word) in changes {
            if !hypothesis.is_empty() {
                let at = at.index(hypothesis.len());
                match word % 3 {
                    0 => hypothesis[at] = word,
                    1 => hypothesis.insert(at, word),
                    _ => drop(hypothesis.remove(at)),
                }
            }
        }
        (hypothesis, reference)
    })
}

fn fast_edits(search: &mut Search, hypothesis: &[u32], reference: &[u32]) -> u64 {
    let texts = |words: &[u32]| words.iter().map(u32::to_string).collect::<Vec<_>>();
    let (hypothesis, reference) = (texts(hypothesis), texts(reference));
    let hypothesis: Vec<&str> = hypothesis.iter().map(String::as_str).collect();
    let reference: Vec<&str> = reference.iter().map(String::as_str).collect();
    search.edits(&hypothesis, &reference).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_shortcut_gives_the_same(hypothesis in words(8, 30), reference in words(8, 30)) {
        let found = fast_edits(&mut Search::default(), &hypothesis, &reference);
        prop_assert_eq!(found, plain::edits(&hypothesis, &reference));
    }

    #[test]
    fn and_so_it_does_for_translations((hypothesis, reference) in related(40, 45), (other, another) in related(9, 20)) {
        // one search after another in the same memory
        let mut search = Search::default();
        prop_assert_eq!(fast_edits(&mut search, &hypothesis, &reference), plain::edits(&hypothesis, &reference));
        prop_assert_eq!(fast_edits(&mut search, &other, &another), plain::edits(&other, &another));
        prop_assert_eq!(fast_edits(&mut search, &reference, &hypothesis), plain::edits(&reference, &hypothesis));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn and_for_segments_wider_than_the_band((hypothesis, reference) in related(60, 120), tail in words(60, 60)) {
        let mut search = Search::default();
        prop_assert_eq!(fast_edits(&mut search, &hypothesis, &reference), plain::edits(&hypothesis, &reference));
        let longer = [&reference[..], &tail].concat();
        prop_assert_eq!(fast_edits(&mut search, &hypothesis, &longer), plain::edits(&hypothesis, &longer));
        prop_assert_eq!(fast_edits(&mut search, &longer, &hypothesis), plain::edits(&longer, &hypothesis));
    }

    #[test]
    fn merging_is_adding(sentences in prop::collection::vec((0..50_u32, 0..50_usize, 1..4_usize), 0..20), cut in 0..20_usize) {
        let of = |parts: &[(u32, usize, usize)]| parts.iter().fold(TerStatistic::default(), |mut total, part| {
            total.merge(&TerStatistic::new(part.0, part.1, &["a", "b", "c"][..part.2]));
            total
        });
        let (whole, cut) = (of(&sentences), cut.min(sentences.len()));
        let mut parts = of(&sentences[..cut]);
        parts.merge(&of(&sentences[cut..]));
        prop_assert_eq!(Ter::default().score(&parts), Ter::default().score(&whole));
        prop_assert_eq!(parts.references, whole.references);
    }
}
