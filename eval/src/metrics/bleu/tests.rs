//! Numbers of sacrebleu 2.6.0: from its own test suite, and from `make_translation.py`.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::metric::Statistic;

/// Made by `eval/tests/fixtures/make_translation.py`.
const FIXTURE: &str = include_str!("../../../tests/fixtures/bleu.json");

fn statistics(bleu: &Bleu, segments: &[(&str, &[&str])]) -> Vec<BleuStatistic> {
    let mut workspace = Workspace::default();
    segments.iter().map(|(hypothesis, references)| bleu.segment(&mut workspace, hypothesis, references)).collect()
}

fn corpus(bleu: &Bleu, segments: &[(&str, &[&str])]) -> BleuScore {
    bleu.score(&merged(&statistics(bleu, segments)))
}

fn merged(statistics: &[BleuStatistic]) -> BleuStatistic {
    statistics.iter().fold(BleuStatistic::default(), |mut total, one| {
        total.merge(one);
        total
    })
}

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{value} is not {expected}");
}

#[test]
fn corpora_of_the_fixture() {
    let cases: Value = serde_json::from_str(FIXTURE).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let bleu: Bleu = serde_json::from_value(case["settings"].clone()).unwrap();
        let hypotheses: Vec<&str> = texts(&case["hypotheses"]);
        let streams: Vec<Vec<&str>> = case["references"].as_array().unwrap().iter().map(texts).collect();
        let mut workspace = Workspace::default();
        let segments = hypotheses.iter().enumerate().map(|(row, hypothesis)| {
            let references: Vec<&str> = streams.iter().map(|stream| stream[row]).collect();
            bleu.segment(&mut workspace, hypothesis, &references)
        });
        let segments: Vec<BleuStatistic> = segments.collect();
        let score = bleu.score(&merged(&segments));
        close(score.score, case["score"].as_f64().unwrap());
        close(score.brevity_penalty, case["bp"].as_f64().unwrap());
        assert_eq!(score.hypothesis_length, case["sys_len"].as_u64().unwrap());
        assert_eq!(score.reference_length, case["ref_len"].as_u64().unwrap());
        assert_eq!(score.matches, numbers(&case["counts"]));
        assert_eq!(score.totals, numbers(&case["totals"]));
        for (precision, expected) in score.precisions.iter().zip(case["precisions"].as_array().unwrap()) {
            close(*precision, expected.as_f64().unwrap());
        }
        for (segment, expected) in segments.iter().zip(case["sentences"].as_array().unwrap()) {
            close(bleu.sentence_score(segment).score, expected.as_f64().unwrap());
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// `test_bleu.py` of sacrebleu.
#[test]
fn numbers_of_sacrebleus_own_tests() {
    let corpus = |tokenizer, method| {
        let bleu = Bleu { tokenizer, smoothing: Smoothing::new(method, None).unwrap(), ..Bleu::default() };
        let segments: [(&str, &[&str]); 3] = [
            ("The dog bit the man.", &["The dog bit the man.", "The dog had bit the man."]),
            ("It wasn't surprising.", &["It was not unexpected.", "No one was surprised."]),
            ("The man had just bitten him.", &["The man bit him first.", "The man had bitten the dog."]),
        ];
        corpus(&bleu, &segments).score
    };
    assert!((corpus(Tokenizer::Western, Method::Exp) - 48.530827).abs() < 1e-6);
    assert!((corpus(Tokenizer::Western, Method::None) - 48.530827).abs() < 1e-6);
    assert!((corpus(Tokenizer::Spaces, Method::Exp) - 49.1919566).abs() < 1e-6);
    assert!((corpus(Tokenizer::International, Method::Exp) - 43.91623493).abs() < 1e-6);
    let sentence = |method| {
        let bleu = Bleu { smoothing: Smoothing::new(method, None).unwrap(), ..Bleu::default() };
        let hypothesis = "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;";
        let reference = "Producţia de zahăr brut se exprimă în zahăr alb;";
        bleu.sentence_score(&bleu.segment(&mut Workspace::default(), hypothesis, &[reference])).score
    };
    assert!((sentence(Method::Exp) - 8.493).abs() < 1e-3);
    assert!((sentence(Method::Floor) - 4.51688).abs() < 1e-5);
    assert!((sentence(Method::AddK) - 14.882).abs() < 1e-3);
    assert_eq!(sentence(Method::None), 0.0);
}

#[test]
fn smoothings_have_a_value_or_none() {
    assert_eq!(Smoothing::new(Method::Floor, None).unwrap().to_string(), "floor[0.10]");
    assert_eq!(Smoothing::new(Method::AddK, Some(2.0)).unwrap().to_string(), "add-k[2.00]");
    assert!(Smoothing::new(Method::Exp, Some(1.0)).is_err());
    assert!(Smoothing::new(Method::Floor, Some(0.0)).is_err());
    assert!(Smoothing::new(Method::Floor, Some(f64::NAN)).is_err());
}

#[test]
fn nothing_scores_nothing() {
    let bleu = Bleu::default();
    let same: &[&str] = &["this is a house"];
    close(corpus(&bleu, &[("this is a house", same)]).score, 100.0);
    assert_eq!(corpus(&bleu, &[("", same)]).score, 0.0);
    assert_eq!(corpus(&bleu, &[("", same)]).brevity_penalty, 0.0);
    assert_eq!(corpus(&bleu, &[("this is a house", &[""])]).score, 0.0);
    assert_eq!(corpus(&bleu, &[("", &[""])]).score, 0.0);
    assert_eq!(corpus(&bleu, &[]).score, 0.0);
    assert!(bleu.value(&BleuStatistic::default()).is_none());
}

#[test]
fn the_closest_reference_counts_and_of_two_the_shorter() {
    let bleu = Bleu { tokenizer: Tokenizer::Spaces, ..Bleu::default() };
    let length = |references: &[&str]| corpus(&bleu, &[("a b c d", references)]).reference_length;
    assert_eq!(length(&["a b c d e", "a b c", "a"]), 3);
    assert_eq!(length(&["a b c", "a b c d e"]), 3);
    assert_eq!(length(&["a b c d e", "a"]), 5);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let parse = |text: &str| serde_json::from_str::<Bleu>(text).map_err(|e| e.to_string());
    assert_eq!(parse("{}").unwrap(), Bleu::default());
    assert!(parse(r#"{"max_order": 9}"#).unwrap_err().contains("`max_order` is 9, not from 1 to 8"));
    assert!(parse(r#"{"smooth": "exp", "smooth_value": 1}"#).unwrap_err().contains("takes no value"));
    assert!(parse(r#"{"tokenise": "13a"}"#).unwrap_err().contains("unknown field"));
    assert!(parse(r#"{"tokenize": "14a"}"#).unwrap_err().contains("14a"));
}

fn sentence() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "the", "1,000.5", ".", "–"]), 0..12)
        .prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_split_merges_to_the_whole(
        segments in prop::collection::vec((sentence(), sentence(), sentence()), 1..20),
        cut in 0_usize..20,
    ) {
        let bleu = Bleu::default();
        let borrowed: Vec<(&str, [&str; 2])> = segments.iter().map(|(h, a, b)| (h.as_str(), [a.as_str(), b.as_str()])).collect();
        let segments: Vec<(&str, &[&str])> = borrowed.iter().map(|(h, refs)| (*h, refs.as_slice())).collect();
        let whole = statistics(&bleu, &segments);
        let cut = cut.min(whole.len());
        let mut parts = merged(&statistics(&bleu, &segments[..cut]));
        parts.merge(&merged(&statistics(&bleu, &segments[cut..])));
        prop_assert_eq!(parts, merged(&whole));
        let score = bleu.score(&parts).score;
        prop_assert!((0.0..=100.000_001).contains(&score), "{}", score);
    }

    #[test]
    fn a_translation_that_is_a_reference_is_perfect(text in "[a-z]{1,3}( [a-z.,]{1,3}){3,10}", other in sentence()) {
        let score = corpus(&Bleu::default(), &[(&text, &[&other, &text])]).score;
        prop_assert!((score - 100.0).abs() < 1e-9, "{}", score);
    }
}
