//! Numbers of sacrebleu 2.6.0, made by `make_translation.py`.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::metric::Statistic;

const FIXTURE: &str = include_str!("../../../tests/fixtures/chrf.json");

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
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
        let chrf: Chrf = serde_json::from_value(case["settings"].clone()).unwrap();
        assert_eq!(chrf.name(), case["name"].as_str().unwrap());
        let streams: Vec<Vec<&str>> = case["references"].as_array().unwrap().iter().map(texts).collect();
        let sentences = case["sentences"].as_array().unwrap();
        let mut workspace = Workspace::default();
        let mut total = ChrfStatistic::default();
        for (row, hypothesis) in texts(&case["hypotheses"]).into_iter().enumerate() {
            let references: Vec<&str> = streams.iter().map(|stream| stream[row]).collect();
            let segment = chrf.segment(&mut workspace, hypothesis, &references);
            close(chrf.score(&segment), sentences[row].as_f64().unwrap());
            total.merge(&segment);
        }
        close(chrf.score(&total), case["score"].as_f64().unwrap());
    }
}

#[test]
fn nothing_scores_nothing() {
    let chrf = Chrf::default();
    let score = |hypothesis, reference| chrf.score(&chrf.segment(&mut Workspace::default(), hypothesis, &[reference]));
    assert_eq!(score("", "a b c"), 0.0);
    assert_eq!(score("a b c", ""), 0.0);
    assert_eq!(score("", ""), 0.0);
    assert_eq!(score("abc", "xyz"), 0.0);
    close(score("日本語です", "日本語です"), 100.0);
    assert!(chrf.value(&ChrfStatistic::default()).is_none());
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let parse = |text: &str| serde_json::from_str::<Chrf>(text).map_err(|e| e.to_string());
    assert_eq!(parse("{}").unwrap(), Chrf::default());
    assert_eq!(parse(r#"{"word_order": 2}"#).unwrap().name(), "chrF2++");
    assert!(parse(r#"{"char_order": 0}"#).unwrap_err().contains("`char_order` is 0, not from 1 to 8"));
    assert!(parse(r#"{"word_order": 5}"#).unwrap_err().contains("`word_order` is 5"));
    assert!(parse(r#"{"beta": 0}"#).unwrap_err().contains("`beta` is 0"));
    assert!(parse(r#"{"order": 6}"#).unwrap_err().contains("unknown field"));
}

proptest! {
    #[test]
    fn any_split_merges_to_the_whole(
        segments in prop::collection::vec(("[a-c .]{0,12}", "[a-c .]{0,12}", "[a-c .]{0,12}"), 1..20),
        cut in 0_usize..20,
    ) {
        let chrf = Chrf { word_order: 2, ..Chrf::default() };
        let mut workspace = Workspace::default();
        let all: Vec<ChrfStatistic> =
            segments.iter().map(|(h, a, b)| chrf.segment(&mut workspace, h, &[a, b])).collect();
        let merged = |part: &[ChrfStatistic]| {
            part.iter().fold(ChrfStatistic::default(), |mut total, one| {
                total.merge(one);
                total
            })
        };
        let (first, second) = all.split_at(cut.min(all.len()));
        let mut parts = merged(first);
        parts.merge(&merged(second));
        prop_assert_eq!(parts, merged(&all));
        let score = chrf.score(&parts);
        prop_assert!((0.0..=100.000_001).contains(&score), "{}", score);
    }
}
