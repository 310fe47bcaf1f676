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
    let mut cases = 0;
    for line in include_str!("../../../tests/fixtures/ter.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let references: Vec<&str> = case.references.iter().map(String::as_str).collect();
        let found = case.options.segment(&case.hypothesis, &references);
        assert_eq!(found.edits(), case.edits, "edits of {line}");
        assert_eq!(found.reference_words(), case.reference_length, "length of {line}");
        assert_eq!(found.value(), Some(case.score), "score of {line}");
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
        let words: Vec<&str> = text.split(tokenizer::is_space).filter(|word| !word.is_empty()).collect();
        assert_eq!(words.join(" "), case.tokenized, "{line}");
        cases += 1;
    }
    assert!(cases > 500, "only {cases} cases");
}

#[test]
fn numbers_of_sacrebleus_own_tests() {
    // sacrebleu 2.6.0, test/test_ter.py
    let score = |hypotheses: &[&str], references: &[&str]| {
        let mut total = TerStatistic::default();
        for (hypothesis, reference) in hypotheses.iter().zip(references) {
            total.merge(&Ter::default().segment(hypothesis, &[reference]));
        }
        total.value().unwrap()
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
fn without_segments_or_references_there_is_no_number() {
    assert_eq!(TerStatistic::default().value(), None);
    assert_eq!(Ter::default().segment("a b", &[]).edits(), 0);
}

#[test]
fn the_signature_is_sacrebleus() {
    let signature = |ter: Ter, references: &[&[&str]]| {
        let mut total = TerStatistic::default();
        references.iter().for_each(|references| total.merge(&ter.segment("a", references)));
        ter.signature(&total, 1, &Details::new(serde_json::Map::new())).of("ter")
    };
    let usual = "ter|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0";
    assert_eq!(signature(Ter::default(), &[&["a"], &["b"]]), usual);
    let all = Ter { normalized: true, no_punct: true, asian_support: true, case_sensitive: true };
    let other = "ter|nrefs:var|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes|version:2.6.0";
    assert_eq!(signature(all, &[&["a"], &["b", "c"]]), other);
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
    fn merging_is_adding(edits in prop::collection::vec((0..50_u32, 0..50_usize, 1..4_usize), 0..20), cut in 0..20_usize) {
        let of = |parts: &[(u32, usize, usize)]| parts.iter().fold(TerStatistic::default(), |mut total, part| {
            total.merge(&TerStatistic::new(part.0, part.1, part.2));
            total
        });
        let (whole, cut) = (of(&edits), cut.min(edits.len()));
        let mut parts = of(&edits[..cut]);
        parts.merge(&of(&edits[cut..]));
        prop_assert_eq!(parts.value(), whole.value());
        prop_assert_eq!(parts.references(), whole.references());
    }
}
