//! Golden numbers of timm, torchmetrics and scikit-learn, and what holds for every metric.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;
use serde_json::{Value, json};
use tessera_datasets::Result;
use tessera_datasets::config::RunConfig;
use tessera_eval::bootstrap::Bootstrap;
use tessera_eval::metric::{AnyMetric, Metric, Statistic, Tally};
use tessera_eval::metrics::classification::{CalibrationError, ClassCounts};
use tessera_eval::metrics::{METRICS, parse};
use tessera_eval::predictions::Details;
use tessera_eval::proportion::wilson;
use tessera_eval::rows::Rows;
use tessera_eval::score::Score;
use tessera_eval::significance::{FEW, Generator, McNemarMethod, Shared, mcnemar};

/// Made by `make_classification.py`, which says with which versions.
const FIXTURE: &str = include_str!("fixtures/classification.json");

/// Label, prediction, log-probabilities.
type Image = (i64, i64, Vec<f32>);

const KINDS: [&str; 6] = ["top-1", "top-5", "macro-accuracy", "macro-f1", "cross-entropy", "calibration-error"];

fn batch(images: &[Image], first: usize) -> RecordBatch {
    let classes = images[0].2.len();
    let values: Float32Array = images.iter().flat_map(|image| image.2.iter().copied()).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let ids: StringArray = (0..images.len()).map(|i| Some(format!("image-{}", first + i))).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(ids)),
        ("label", Arc::new(images.iter().map(|image| image.0).collect::<Int64Array>())),
        ("prediction", Arc::new(images.iter().map(|image| image.1).collect::<Int64Array>())),
        ("log_probabilities", Arc::new(FixedSizeListArray::new(item, classes as i32, Arc::new(values), None))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// An image of a class with these logits.
fn image(label: i64, logits: &[f32]) -> Image {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - highest).exp()).sum();
    let log_probabilities: Vec<f32> = logits.iter().map(|x| (f64::from(x - highest) - sum.ln()) as f32).collect();
    let prediction = logits.iter().position(|x| *x == highest).unwrap();
    (label, prediction as i64, log_probabilities)
}

fn details(classes: usize) -> Details {
    let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
    let details = json!({
        "task": "image-classification", "classes": names, "image_size": 32, "crop": 1.0, "interpolation": "bicubic",
    });
    Details::new(details.as_object().unwrap().clone())
}

fn metric(kind: &str, settings: &str) -> AnyMetric {
    let text =
        format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval.metric]\nkind = \"{kind}\"\n{settings}");
    let config = RunConfig::parse("a.toml".as_ref(), &text, &[]).unwrap();
    parse(config.section("eval").unwrap().child("metric").unwrap()).unwrap()
}

fn tally(metric: &AnyMetric, images: &[Image], first: usize) -> Result<Box<dyn Tally>> {
    let mut tally = metric.start();
    if !images.is_empty() {
        tally.read(&Rows::new(&batch(images, first), "metric `x`", 0))?;
    }
    Ok(tally)
}

fn score_by(metric: &AnyMetric, images: &[Image], replicates: u32) -> Result<Score> {
    let classes = images[0].2.len();
    tally(metric, images, 0)?.finish(&details(classes), &Bootstrap::new(replicates))
}

fn score(kind: &str, images: &[Image]) -> Result<Score> {
    let entry = METRICS.iter().find(|entry| entry.about.kind == kind).unwrap();
    score_by(&(entry.usual)(), images, 100)
}

fn fixture_images(case: &Value) -> Vec<Image> {
    let rows = case["log_probabilities"].as_array().unwrap();
    let labels = case["labels"].as_array().unwrap();
    let image = |(row, label): (&Value, &Value)| {
        let values: Vec<f32> = row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
        let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let prediction = values.iter().position(|v| *v == highest).unwrap();
        (label.as_i64().unwrap(), prediction as i64, values)
    };
    rows.iter().zip(labels).map(image).collect()
}

fn near(found: f64, expected: &Value, slack: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= slack, "{what}: {found}, not {expected}");
}

#[test]
fn the_scores_are_those_of_timm_torchmetrics_and_scikit_learn() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() >= 4);
    for case in cases {
        let (images, name) = (fixture_images(case), case["name"].as_str().unwrap());
        let value = |kind: &str, settings: &str| score_by(&metric(kind, settings), &images, 0).unwrap().value;
        near(100.0 * value("top-1", ""), &case["timm_top1"], 1e-4, name);
        near(100.0 * value("top-5", ""), &case["timm_top5"], 1e-4, name);
        near(value("macro-accuracy", ""), &case["sklearn_balanced_accuracy"], 1e-12, name);
        near(value("macro-f1", ""), &case["sklearn_macro_f1"], 1e-12, name);
        near(value("macro-f1", ""), &case["torchmetrics_macro_f1"], 1e-6, name);
        near(value("cross-entropy", ""), &case["torch_nll"], 1e-6, name);
        for (settings, expected) in case["torchmetrics_calibration"].as_object().unwrap() {
            near(value("calibration-error", settings), expected, 2e-6, &format!("{name}, {settings}"));
        }
        for (class, expected) in case["sklearn_recall"].as_array().unwrap().iter().enumerate() {
            let mut counts = ClassCounts::default();
            for (label, prediction, _) in &images {
                let (label, prediction) = (*label as usize, *prediction as usize);
                counts.merge(&ClassCounts::One { label, prediction });
            }
            let by_class = counts.by_class();
            let count = by_class.get(class).copied().unwrap_or_default();
            near(count.recall().unwrap_or(0.0), expected, 1e-12, name);
            near(count.precision().unwrap_or(0.0), &case["sklearn_precision"][class], 1e-12, name);
            near(count.f1().unwrap_or(0.0), &case["sklearn_f1"][class], 1e-12, name);
        }
    }
}

#[test]
fn the_edges_of_the_bins_are_torchs_to_the_last_place() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    for (bins, expected) in fixture["torch_linspace_bits"].as_object().unwrap() {
        let any = metric("calibration-error", &format!("bins = {bins}\n"));
        let tally = any.start();
        let error = tally.metric().downcast_ref::<CalibrationError>().unwrap();
        let edges: Vec<u32> = error.edges().iter().map(|edge| edge.to_bits()).collect();
        let expected: Vec<u32> = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(edges.len(), expected.len(), "{bins} bins");
        assert!(edges.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1), "{bins} bins: {edges:?}, {expected:?}");
        let last = expected.len() - 1;
        assert_eq!((edges[0], edges[last]), (expected[0], expected[last]));
    }
    let error = CalibrationError::default();
    let edges = error.edges();
    // a confidence on an edge goes to the upper bin, and exactly 1 into one of its own
    assert_eq!((error.bin(0.0, &edges), error.bin(edges[3], &edges), error.bin(1.0, &edges)), (0, 3, 15));
    assert_eq!(error.bin(1.0 - f32::EPSILON, &edges), 14);
}

#[test]
fn intervals_of_shares_are_wilsons() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let cases = fixture["statsmodels_wilson"].as_array().unwrap();
    assert!(cases.len() >= 6);
    for case in cases {
        let found = wilson(case["count"].as_u64().unwrap(), case["of"].as_u64().unwrap()).unwrap();
        near(found.low, &case["low"], 1e-12, "low");
        near(found.high, &case["high"], 1e-12, "high");
    }
    assert!(wilson(0, 0).is_none());
    let images = [image(0, &[1.0, 0.0]), image(0, &[0.0, 1.0])];
    let score = score_by(&metric("top-1", ""), &images, 0).unwrap();
    assert_eq!(score.interval.unwrap().method, "wilson");
    assert!(score.replicates.is_none() && score.signature.contains("|interval:wilson|version:"));
}

#[test]
fn signatures_name_the_images_and_the_settings() {
    let images = [image(0, &[2.0, 1.0]), image(1, &[2.0, 1.0]), image(-1, &[2.0, 1.0])];
    let found = score("calibration-error", &images).unwrap().signature;
    let version = format!("version:tessera-{}", tessera_datasets::VERSION);
    let labels = found.split('|').find(|part| part.starts_with("labels:")).unwrap();
    assert_eq!(
        found,
        format!(
            "calibration-error|images:2|{labels}|classes:2|size:32|crop:1|interpolation:bicubic|bins:15|norm:l1|bootstrap:100|seed:12345|{version}"
        )
    );
    // another class of one image is another test
    let other = [image(0, &[2.0, 1.0]), image(0, &[2.0, 1.0]), image(-1, &[2.0, 1.0])];
    assert!(!score("calibration-error", &other).unwrap().signature.contains(labels));
}

#[test]
fn ties_go_to_what_the_model_says_and_then_to_the_lower_class() {
    let tied = |label: i64, prediction: i64| (label, prediction, vec![(1.0_f32 / 7.0).ln(); 7]);
    let top = |kind: &str, label, prediction| score(kind, &[tied(label, prediction)]).unwrap().value;
    assert_eq!([top("top-1", 3, 3), top("top-1", 0, 3), top("top-1", 3, 0)], [1.0, 0.0, 0.0]);
    // 6 comes first because the model says it, then 0 to 3
    assert_eq!([top("top-5", 6, 6), top("top-5", 3, 6), top("top-5", 4, 6)], [1.0, 1.0, 0.0]);
}

#[test]
fn few_classes_are_all_among_the_first_five() {
    let images = [image(2, &[2.0, 1.0, 0.0])];
    let found = score("top-5", &images).unwrap();
    assert_eq!(found.value, 1.0);
    assert_eq!(found.meaning, "with 3 classes the right one is always among the first 5");
}

#[test]
fn images_of_unknown_class_count_in_no_metric() {
    let known = [image(0, &[2.0, 1.0, 0.5]), image(2, &[0.3, 1.0, 0.5])];
    let with = [known[0].clone(), image(-1, &[0.0, 0.0, 9.0]), known[1].clone()];
    for kind in KINDS {
        let (a, b) = (score(kind, &known).unwrap(), score(kind, &with).unwrap());
        assert_eq!((a.value, a.counted, b.n), (b.value, b.counted, 3), "{kind}");
        let error = score(kind, &[image(-1, &[2.0, 1.0])]).unwrap_err();
        assert!(error.message().ends_with("the predictions hold no labelled images"), "{error}");
    }
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let message = |image: Image| score("top-1", &[self::image(0, &[1.0, 0.0]), image]).unwrap_err().to_string();
    let half = 0.5_f32.ln();
    assert_eq!(message((2, 0, vec![half, half])), "row 2: `label` is 2, and there are 2 classes");
    assert_eq!(message((-2, 0, vec![half, half])), "row 2: `label` is -2, and there are 2 classes");
    assert_eq!(message((0, -1, vec![half, half])), "row 2: `prediction` is -1, and there are 2 classes");
    assert!(message((0, 0, vec![f32::NAN, half])).contains("class 0 is NaN"));
    assert!(message((0, 0, vec![half, 0.1])).contains("class 1 is 0.1"));
    assert!(message((0, 0, vec![half, -3.0])).contains("add up to 0.550, not to 1"));
    let (few, many) = (0.2_f32.ln(), 0.8_f32.ln());
    assert!(message((0, 0, vec![few, many])).contains("`prediction` is 0, but class 1 is more probable"));
    let error = score("cross-entropy", &[(0, 1, vec![f32::NEG_INFINITY, 0.0])]).unwrap_err().to_string();
    assert!(error.starts_with("row 1: the right class has the probability 0"), "{error}");
}

#[test]
fn bins_are_checked() {
    let text =
        "version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval.metric]\nkind = \"calibration-error\"\nbins = 0\n";
    let config = RunConfig::parse("a.toml".as_ref(), text, &[]).unwrap();
    let error = parse(config.section("eval").unwrap().child("metric").unwrap()).unwrap_err().to_string();
    assert!(error.contains("`bins` is 0, not 1 to 1000"), "{error}");
}

fn any_image() -> impl Strategy<Value = Image> {
    (-1..6_i64, prop::collection::vec(-4.0..4.0_f32, 6)).prop_map(|(label, logits)| image(label, &logits))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn parts_and_order_do_not_matter(images in prop::collection::vec(any_image(), 1..60), cut in 0_usize..60, turn in 0_usize..60) {
        prop_assume!(images.iter().any(|image| image.0 >= 0));
        let finish = |tally: Box<dyn Tally>| tally.finish(&details(6), &Bootstrap::new(0)).unwrap();
        for kind in KINDS {
            let metric = metric(kind, "");
            let whole = finish(tally(&metric, &images, 0).unwrap());
            let cut = cut.min(images.len());
            let mut parts = tally(&metric, &images[..cut], 0).unwrap();
            parts.append(tally(&metric, &images[cut..], cut).unwrap()).unwrap();
            prop_assert_eq!(&finish(parts), &whole);
            // ids go with their images
            let turn = turn % images.len();
            let mut turned = tally(&metric, &images[turn..], turn).unwrap();
            turned.append(tally(&metric, &images[..turn], 0).unwrap()).unwrap();
            prop_assert_eq!(&finish(turned), &whole);
        }
    }

    #[test]
    fn what_must_hold_of_the_values_holds(images in prop::collection::vec(any_image(), 2..60)) {
        prop_assume!(images.iter().any(|image| image.0 >= 0));
        let value = |kind: &str, settings: &str| score_by(&metric(kind, settings), &images, 0).unwrap().value;
        prop_assert!(value("top-1", "") <= value("top-5", ""));
        for kind in KINDS {
            prop_assert!(value(kind, "") >= 0.0);
        }
        let ece = |norm: &str| value("calibration-error", &format!("norm = \"{norm}\"\n"));
        prop_assert!(ece("l1") <= ece("l2") + 1e-12 && ece("l2") <= ece("max") + 1e-12 && ece("max") <= 1.0);
        let top = score_by(&metric("top-1", ""), &images, 0).unwrap();
        let interval = top.interval.unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= top.value && top.value <= interval.high && interval.high <= 1.0);
    }
}

/// The statistic of a metric is what is kept of each row: it must stay small.
#[test]
fn what_is_kept_of_an_image_is_small() {
    assert!(size_of::<<CalibrationError as Metric>::Statistic>() <= 64);
}

#[test]
fn mcnemars_test_is_that_of_statsmodels() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    for case in fixture["statsmodels_mcnemar"].as_array().unwrap() {
        let (ahead, behind) = (case["ahead"].as_u64().unwrap(), case["behind"].as_u64().unwrap());
        let found = mcnemar(ahead, behind);
        assert_eq!(found, mcnemar(behind, ahead));
        match found.method {
            McNemarMethod::Exact => {
                assert!(ahead + behind < FEW && found.statistic.is_none());
                near(found.p.unwrap(), &case["exact_p"], 1e-12, "exact p");
            }
            McNemarMethod::ChiSquare => {
                assert!(ahead + behind >= FEW);
                near(found.statistic.unwrap(), &case["statistic"], 1e-12, "statistic");
                near(found.p.unwrap() / case["corrected_p"].as_f64().unwrap(), &json!(1.0), 1e-9, "p");
            }
        }
    }
    assert_eq!(mcnemar(0, 0).p, None);
}

#[test]
fn the_paired_interval_is_newcombes() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let cases = fixture["newcombe"].as_array().unwrap();
    assert!(cases.len() >= 6);
    for case in cases {
        let shared: [u64; 4] = ["both", "ahead", "behind", "neither"].map(|key| case[key].as_u64().unwrap());
        let [both, ahead, behind, neither] = shared;
        let found = Shared { both, ahead, behind, neither }.difference().unwrap();
        near(found.value, &case["difference"], 1e-12, "difference");
        near(found.low, &case["low"], 1e-12, "low");
        near(found.high, &case["high"], 1e-12, "high");
    }
    assert!(Shared::default().difference().is_none());
}

/// At a true difference of 5 points the interval must hold it in about 95 of 100 experiments.
#[test]
fn the_paired_interval_covers_the_truth_about_as_often_as_it_says() {
    let mut random = Generator::new(3);
    let mut uniform = || (random.word() >> 11) as f64 / (1_u64 << 53) as f64;
    let experiments = 2000;
    let mut covered = 0;
    for _ in 0..experiments {
        let mut shared = Shared::default();
        for _ in 0..150 {
            let at = uniform();
            shared.add(at < 0.8, at < 0.68 || (0.8..0.87).contains(&at));
        }
        let found = shared.difference().unwrap();
        covered += u32::from(found.low <= 0.05 && 0.05 <= found.high);
    }
    let share = f64::from(covered) / f64::from(experiments);
    assert!((0.93..0.98).contains(&share), "{share}");
}
