//! What holds for every metric, and golden numbers worked out by hand.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, UInt32Array,
};
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;
use serde_json::json;
use tessera_datasets::config::RunConfig;
use tessera_datasets::schema;

use super::*;
use crate::bootstrap::Bootstrap;
use crate::metric::Tally;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Score;

/// Sum of nll, tokens, bytes, correct of one window.
type Window = (f64, u32, u32, u32);

fn batch(windows: &[Window], without: Option<&str>) -> RecordBatch {
    let counts = |of: fn(&Window) -> u32| -> ArrayRef { Arc::new(windows.iter().map(of).collect::<UInt32Array>()) };
    let columns: [(&str, ArrayRef); 4] = [
        ("nll", Arc::new(windows.iter().map(|w| w.0).collect::<Float64Array>())),
        ("tokens", counts(|w| w.1)),
        ("bytes", counts(|w| w.2)),
        ("correct", counts(|w| w.3)),
    ];
    RecordBatch::try_from_iter(columns.into_iter().filter(|(name, _)| Some(*name) != without)).unwrap()
}

fn sentences(rows: &[(&str, &[&str])]) -> RecordBatch {
    let hypotheses: StringArray = rows.iter().map(|row| Some(row.0)).collect();
    let mut references = ListBuilder::new(StringBuilder::new());
    for (_, row) in rows {
        row.iter().for_each(|reference| references.values().append_value(reference));
        references.append(true);
    }
    let columns: [(&str, ArrayRef); 2] =
        [("hypothesis", Arc::new(hypotheses)), ("references", Arc::new(references.finish()))];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// One image that the model takes for what it is, in a batch that lacks a column.
fn image_without(column: &str) -> RecordBatch {
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Arc::new(Float32Array::from(vec![0.25_f32.ln(), 0.75_f32.ln()]));
    let class: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(StringArray::from(vec!["a"]))),
        ("label", class.clone()),
        ("prediction", class),
        ("log_probabilities", Arc::new(FixedSizeListArray::new(item, 2, values, None))),
    ];
    RecordBatch::try_from_iter(columns.into_iter().filter(|(name, _)| *name != column)).unwrap()
}

/// No window of poses, in a batch that lacks a column.
fn poses_without(column: &str) -> RecordBatch {
    let batch = RecordBatch::new_empty(schema::pose_predictions(2, 1).arrow());
    let columns = batch.schema();
    let there = columns.fields().iter().enumerate().filter(|(_, field)| field.name() != column);
    let there: Vec<usize> = there.map(|(place, _)| place).collect();
    batch.project(&there).unwrap()
}

fn translation(kind: &str, rows: &[(&str, &[&str])]) -> Result<Score> {
    let entry = METRICS.iter().find(|e| e.about.kind == kind).unwrap();
    let mut tally = (entry.usual)().start();
    tally.read(&Rows::new(&sentences(rows), "metric `x`", 0))?;
    let details = json!({ "task": "translation", "tokenizer_sha256": "ab12cd34ef" });
    tally.finish(&Details::new(details.as_object().unwrap().clone()), &Bootstrap::new(100))
}

fn tally(metric: &AnyMetric, windows: &[Window]) -> Result<Box<dyn Tally>> {
    let mut tally = metric.start();
    tally.read(&Rows::new(&batch(windows, None), "metric `x`", 0))?;
    Ok(tally)
}

fn details() -> Details {
    let details = json!({ "context": 64, "stride": 32, "tokenizer_sha256": "ab12cd34ef", "vocabulary": 65 });
    Details::new(details.as_object().unwrap().clone())
}

fn score(kind: &str, windows: &[Window], replicates: u32) -> Result<Score> {
    let entry = METRICS.iter().find(|e| e.about.kind == kind).unwrap();
    tally(&(entry.usual)(), windows)?.finish(&details(), &Bootstrap::new(replicates))
}

/// The metrics that read how likely a text is.
fn likelihoods() -> impl Iterator<Item = &'static Entry> {
    METRICS.iter().filter(|entry| entry.about.is_for("language-model"))
}

/// Four tokens at 1 bit each and four at 3 bits each.
const TWO: [Window; 2] = [(4.0 * std::f64::consts::LN_2, 4, 4, 3), (12.0 * std::f64::consts::LN_2, 4, 8, 1)];

#[test]
fn golden_numbers() {
    let value = |kind| score(kind, &TWO, 0).unwrap().value;
    // 16 bits over 8 tokens are 2 bits per token; the mean of the windows' perplexities would be 5
    assert!((value("perplexity") - 4.0).abs() < 1e-12);
    assert!((value("loss") - 2.0 * std::f64::consts::LN_2).abs() < 1e-12);
    assert!((value("bits-per-byte") - 16.0 / 12.0).abs() < 1e-12);
    assert!((value("token-accuracy") - 0.5).abs() < 1e-12);
}

#[test]
fn signatures() {
    let signature = |kind, replicates| score(kind, &TWO, replicates).unwrap().signature;
    let version = format!("version:tessera-{}", tessera_datasets::VERSION);
    assert_eq!(
        signature("perplexity", 1000),
        format!(
            "perplexity|unit:token|context:64|stride:32|windows:2|tokens:8|tok:ab12cd34|bootstrap:1000|seed:12345|{version}"
        )
    );
    assert_eq!(
        signature("bits-per-byte", 0),
        format!(
            "bits-per-byte|unit:bits/byte|context:64|stride:32|windows:2|bytes:12|tok:ab12cd34|bootstrap:0|seed:12345|{version}"
        )
    );
}

#[test]
fn every_metric_is_named_documented_and_reads_columns_that_exist() {
    let schema = schema::language_model_predictions();
    let mut columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    columns.extend(["hypothesis", "references", "label", "prediction", "log_probabilities"]);
    let poses = schema::pose_predictions(2, 1);
    columns.extend(poses.fields().iter().map(|f| f.name().as_str()));
    let mut kinds: Vec<&str> = METRICS.iter().map(|e| e.about.kind).collect();
    for entry in METRICS {
        let about = entry.about;
        assert!(about.kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", about.kind);
        assert!(!about.label.is_empty() && !about.summary.is_empty() && !about.columns.is_empty());
        assert!(about.columns.iter().all(|c| columns.contains(c)), "{}", about.kind);
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), METRICS.len());
}

#[test]
fn every_metric_is_made_from_its_table_and_refuses_other_keys() {
    for entry in METRICS {
        let make = |more: &str| {
            let text = format!(
                "version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval.metric]\nkind = \"{}\"\n{more}",
                entry.about.kind
            );
            let config = RunConfig::parse("a.toml".as_ref(), &text, &[]).unwrap();
            parse(config.section("eval").unwrap().child("metric").unwrap())
        };
        assert_eq!(make("").unwrap().about().kind, entry.about.kind);
        let error = make("surprise = 1\n").unwrap_err().to_string();
        assert!(error.contains("row 7: unknown key `surprise` in `eval.metric`"), "{error}");
    }
}

#[test]
fn every_metric_says_which_column_is_absent() {
    for entry in METRICS {
        for column in entry.about.columns {
            let reader = format!("metric `{}`", entry.about.kind);
            let batch = match entry.about.columns {
                ["hypothesis", "references"] => {
                    sentences(&[("a", &["b"])]).project(&[usize::from(*column == "hypothesis")]).unwrap()
                }
                ["id", "label", ..] => image_without(column),
                ["id", "subject", ..] => poses_without(column),
                _ => batch(&TWO, Some(column)),
            };
            let error = (entry.usual)().start().read(&Rows::new(&batch, &reader, 0)).unwrap_err();
            assert_eq!(error.message(), format!("{reader} reads column `{column}`, which is not there"));
        }
    }
}

#[test]
fn every_metric_refuses_to_divide_by_nothing() {
    for entry in likelihoods() {
        let error = score(entry.about.kind, &[(0.0, 0, 0, 0)], 0).unwrap_err();
        assert!(error.message().contains("has nothing to divide by"), "{error}");
    }
}

#[test]
fn values_that_cannot_be_are_refused_with_their_row() {
    for nll in [f64::NAN, f64::INFINITY, -1.0] {
        let error = score("loss", &[TWO[0], (nll, 4, 4, 0)], 0).unwrap_err().to_string();
        assert!(error.starts_with("row 2: `nll` is"), "{error}");
    }
    let error = score("token-accuracy", &[(1.0, 4, 4, 5)], 0).unwrap_err().to_string();
    assert_eq!(error, "row 1: 5 tokens are correct, of 4");
}

#[test]
fn one_segment_has_no_interval() {
    assert!(score("loss", &TWO[..1], 100).unwrap().interval.is_none());
    assert!(score("loss", &TWO, 100).unwrap().interval.is_some());
    assert!(score("loss", &TWO, 0).unwrap().interval.is_none());
}

#[test]
fn a_tally_takes_no_tally_of_another_kind() {
    // the likelihoods share a statistic, but not a type
    let tallies: Vec<_> = likelihoods().map(|entry| (entry.usual)().start()).collect();
    let [mut first, second, ..] = <[_; 4]>::try_from(tallies).ok().unwrap();
    assert!(first.append(second).is_err());
}

/// Metrics that compare a translation with references.
const COMPARING: &[&str] = &["bleu", "chrf", "ter"];

#[test]
fn a_translation_is_scored_and_signed() {
    let score = translation("bleu", &[("the cat sat down", &["the cat sat down", "a cat sat"]), ("no", &["yes"])]);
    let score = score.unwrap();
    assert!(score.value > 0.0 && score.value < 100.0);
    assert_eq!((score.n, score.segments.as_str(), score.counted), (2, "sentences", 5));
    let version = format!("version:tessera-{}", tessera_datasets::VERSION);
    let references = score.signature.split('|').find(|part| part.starts_with("refs:")).unwrap();
    assert_eq!(
        score.signature,
        format!(
            "bleu|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|sentences:2|{references}|as:sacrebleu-2.6.0|bootstrap:100|seed:12345|{version}"
        )
    );
    assert_eq!(references.len(), "refs:".len() + 8);
    let others = translation("bleu", &[("the cat sat down", &["the cat sat down"]), ("no", &["no"])]).unwrap();
    assert!(!others.signature.contains(references), "other references have another hash");
}

#[test]
fn a_translation_without_references_is_refused() {
    for kind in COMPARING {
        let error = translation(kind, &[("a", &["b"]), ("a", &[])]).unwrap_err().to_string();
        assert!(error.starts_with("row 2: `references` is an empty list"), "{error}");
        let error = translation(kind, &[("a", &[""])]).unwrap_err();
        assert!(error.message().contains("has nothing to divide by"), "{error}");
    }
}

prop_compose! {
    fn window()(nll in 0.0..400.0_f64, tokens in 1_u32..100, bytes in 1_u32..300, correct in 0.0..=1.0_f64) -> Window {
        (nll, tokens, bytes, (correct * f64::from(tokens)) as u32)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_and_order_do_not_matter(mut windows in prop::collection::vec(window(), 1..60), cut in 0_usize..60) {
        let bootstrap = Bootstrap::new(0);
        for entry in likelihoods() {
            let metric = (entry.usual)();
            let whole = tally(&metric, &windows).unwrap().finish(&details(), &bootstrap).unwrap();
            let cut = cut.min(windows.len());
            let mut parts = tally(&metric, &windows[..cut]).unwrap();
            parts.append(tally(&metric, &windows[cut..]).unwrap()).unwrap();
            prop_assert_eq!(&parts.finish(&details(), &bootstrap).unwrap(), &whole);
            windows.reverse();
            let reversed = tally(&metric, &windows).unwrap().finish(&details(), &bootstrap).unwrap();
            prop_assert!((reversed.value - whole.value).abs() <= 1e-12 * whole.value.abs());
        }
    }

    #[test]
    fn the_interval_is_the_same_every_time_and_within_the_segments(windows in prop::collection::vec(window(), 2..40)) {
        for entry in likelihoods() {
            let finish = || score(entry.about.kind, &windows, 100).unwrap();
            let score = finish();
            prop_assert_eq!(&score, &finish());
            let interval = score.interval.unwrap();
            let metric = (entry.usual)();
            let tally = tally(&metric, &windows).unwrap();
            let alone: Vec<f64> = (0..windows.len()).filter_map(|i| tally.value_of(&[i])).collect();
            let lowest = alone.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = alone.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(interval.low <= interval.high);
            prop_assert!(lowest * (1.0 - 1e-12) <= interval.low && interval.high <= highest * (1.0 + 1e-12));
        }
    }
}
