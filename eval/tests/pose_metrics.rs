//! Golden numbers of BU-CVKit and numpy, and what holds for every metric of poses.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::pose::{Optimised, batch};
use tessera_datasets::Result;
use tessera_datasets::config::RunConfig;
use tessera_datasets::pose::{Skeleton, Track};
use tessera_eval::bootstrap::Bootstrap;
use tessera_eval::metric::{AnyMetric, Tally};
use tessera_eval::metrics::parse;
use tessera_eval::predictions::Details;
use tessera_eval::rows::Rows;
use tessera_eval::score::Score;

/// Made by `make_pose.py`, which says with which versions.
const FIXTURE: &str = include_str!("fixtures/pose.json");

const KINDS: [&str; 7] =
    ["mpjpe", "mpjpe-masked", "mpjpe-visible", "pa-mpjpe", "pck", "acceleration-error", "bone-length-deviation"];

fn skeleton(keypoints: usize) -> Skeleton {
    let name = |k: usize| format!("k{k}");
    Skeleton {
        name: "chain".to_owned(),
        unit: "mm".to_owned(),
        keypoints: (0..keypoints).map(name).collect(),
        edges: (1..keypoints).map(|k| [name(k - 1), name(k)]).collect(),
        frames_per_second: None,
        scale: None,
        mirror: Vec::new(),
    }
}

fn details(keypoints: usize) -> Details {
    let details = json!({ "task": "pose-optimisation", "skeleton": skeleton(keypoints).to_detail() });
    Details::new(details.as_object().unwrap().clone())
}

fn metric(kind: &str, settings: &str) -> AnyMetric {
    let text =
        format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval.metric]\nkind = \"{kind}\"\n{settings}");
    let config = RunConfig::parse("a.toml".as_ref(), &text, &[]).unwrap();
    parse(config.section("eval").unwrap().child("metric").unwrap()).unwrap()
}

fn tally(metric: &AnyMetric, rows: &[Optimised]) -> Result<Box<dyn Tally>> {
    let mut tally = metric.start();
    if let Some(row) = rows.first() {
        let (batch, details) = (batch(rows)?, details(row.truth.keypoints));
        tally.read(&Rows::new(&batch, "metric `x`", 0).with_details(&details))?;
    }
    Ok(tally)
}

fn score(kind: &str, settings: &str, rows: &[Optimised]) -> Result<Score> {
    tally(&metric(kind, settings), rows)?.finish(&details(rows[0].truth.keypoints), &Bootstrap::new(100))
}

fn value(kind: &str, settings: &str, rows: &[Optimised]) -> f64 {
    score(kind, settings, rows).unwrap().value
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn flat(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        value => vec![value.as_f64().unwrap() as f32],
    }
}

fn row(i: usize, corruption: &str, frames: usize, input: Track, truth: Track, estimates: [Vec<f32>; 4]) -> Optimised {
    Optimised {
        id: format!("row-{i}"),
        subject: "a".to_owned(),
        frame: 100 * i as i64,
        corruption: corruption.to_owned(),
        frames,
        input,
        truth,
        estimates,
    }
}

/// The windows of a case of the fixture.
fn windows(case: &Value) -> Vec<Optimised> {
    let keypoints = case["keypoints"].as_u64().unwrap() as usize;
    let marks = |value: &Value| value.as_array().unwrap().iter().map(|v| v == 1).collect::<Vec<bool>>();
    let window = |(i, window): (usize, &Value)| {
        let track = |places: &str, marked: &str| Track {
            keypoints,
            positions_tkc: floats(&window[places]),
            known_tk: marks(&window[marked]),
        };
        let estimates = ["optimised", "interpolated", "kalman", "template"].map(|name| floats(&window[name]));
        let frames = window["frames"].as_u64().unwrap() as usize;
        let corruption = window["corruption"].as_str().unwrap();
        row(i, corruption, frames, track("input", "given"), track("target", "known"), estimates)
    };
    case["windows"].as_array().unwrap().iter().enumerate().map(window).collect()
}

fn near(found: f64, expected: &Value, slack: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= slack * expected.abs().max(1e-3), "{what}: {found}, not {expected}");
}

/// What mahir1010/OptiPose found under TensorFlow: an all-zero frame of its truth is padding.
#[test]
fn position_errors_and_correct_keypoints_are_those_of_optipose() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let golden = &fixture["optipose"];
    let (truths, found) = (golden["gt"].as_array().unwrap(), golden["pred"].as_array().unwrap());
    let keypoints = truths[0][0].as_array().unwrap().len();
    let window = |(i, (truth, found)): (usize, (&Value, &Value))| {
        let (positions_tkc, found) = (flat(truth), flat(found));
        let frame = |t: usize| positions_tkc[t * keypoints * 3..(t + 1) * keypoints * 3].iter().any(|x| *x != 0.0);
        let frames = positions_tkc.len() / keypoints / 3;
        let known_tk: Vec<bool> = (0..frames * keypoints).map(|at| frame(at / keypoints)).collect();
        let truth = Track { keypoints, positions_tkc, known_tk };
        row(i, "all", frames, Track::unknown(frames, keypoints), truth, [0; 4].map(|_| found.clone()))
    };
    let rows: Vec<Optimised> = truths.iter().zip(found).enumerate().map(window).collect();
    assert!(rows.iter().any(|row| row.truth.known_tk.contains(&false)), "a window is padded");
    near(value("mpjpe", "", &rows), &golden["mpjpe"], 1e-6, "mpjpe");
    for k in 0..keypoints {
        let only = format!("keypoint = \"k{k}\"\n");
        near(value("mpjpe", &only, &rows), &golden["mpjpe_per_kp"][k], 1e-6, &only);
    }
    for threshold in ["0.05", "0.1", "0.2"] {
        let at = format!("threshold = {threshold}\n");
        near(100.0 * value("pck", &at, &rows), &golden[format!("pck_{threshold}")], 1e-6, &at);
        for k in 0..keypoints {
            let only = format!("{at}keypoint = \"k{k}\"\n");
            near(100.0 * value("pck", &only, &rows), &golden[format!("pck_{threshold}_per_kp")][k], 1e-6, &only);
        }
    }
}

#[test]
fn the_scores_are_those_of_numpy() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    assert!(fixture["made_with"]["numpy"].is_string());
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() >= 3);
    for case in cases {
        let rows = windows(case);
        let check = |expected: &Value, settings: &str| {
            for (name, expected) in expected.as_object().unwrap() {
                let (kind, threshold) = match name.strip_prefix("pck-") {
                    Some(threshold) => ("pck", format!("threshold = {threshold}\n")),
                    None => (name.as_str(), String::new()),
                };
                let found = value(kind, &format!("{settings}{threshold}"), &rows);
                near(found, expected, 1e-9, &format!("{}, {name}, {settings}", case["name"]));
            }
        };
        for (estimate, expected) in case["scores"].as_object().unwrap() {
            check(expected, &format!("estimate = \"{estimate}\"\n"));
        }
        check(&case["absent"]["optimised"], "corruption = \"absent\"\n");
    }
}

fn first_case() -> Vec<Optimised> {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    windows(&fixture["cases"][1])
}

#[test]
fn names_labels_and_signatures_say_what_was_scored() {
    let rows = first_case();
    let usual = score("mpjpe", "", &rows).unwrap();
    let narrow = "corruption = \"absent\"\nestimate = \"kalman\"\nkeypoint = \"k1\"\n";
    let other = score("mpjpe", narrow, &rows).unwrap();
    assert_eq!((usual.name.as_str(), other.name.as_str()), ("mpjpe", "mpjpe-absent-k1-kalman"));
    assert_eq!(other.label, "MPJPE, absent, k1, Kalman smoother");
    assert_eq!((usual.unit.as_str(), usual.n, usual.segments.as_str()), ("mm", 5, "windows"));
    assert!(other.signature.contains("|corruption:absent|keypoint:k1|of:kalman|"), "{}", other.signature);
    assert!(usual.signature.contains("|windows:5|truth:") && usual.signature.contains("|groups:5|"));
    assert_eq!(score("acceleration-error", "", &rows).unwrap().unit, "mm/frame²");
    // other keypoints hidden is another test
    let mut hidden = rows.clone();
    let given = &mut hidden[0].input.known_tk[0];
    *given = !*given;
    let digest = |score: &Score| score.signature.split('|').find(|part| part.starts_with("truth:")).map(str::to_owned);
    assert_ne!(digest(&score("mpjpe", "", &hidden).unwrap()), digest(&usual));
}

#[test]
fn copies_of_the_same_frames_are_drawn_together() {
    let mut rows = first_case();
    let apart = score("mpjpe", "", &rows).unwrap();
    assert!(apart.interval.is_some());
    rows.iter_mut().for_each(|row| row.frame = 0);
    let together = score("mpjpe", "", &rows).unwrap();
    assert!((together.value - apart.value).abs() < 1e-12);
    assert!(together.interval.is_none(), "one stretch of time has no interval");
    assert!(together.signature.contains("|groups:1|"));
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let rows = first_case();
    let message = |change: &dyn Fn(&mut Optimised)| {
        let mut rows = rows.clone();
        change(&mut rows[1]);
        score("mpjpe", "", &rows).unwrap_err().to_string()
    };
    let wrong = message(&|row| row.estimates[0][5] = f32::NAN);
    assert!(
        wrong.starts_with("row 2: `optimised` is ") && wrong.contains("NaN for keypoint `k1` in frame 1"),
        "{wrong}"
    );
    assert!(message(&|row| row.estimates[3][0] = f32::INFINITY).starts_with("row 2: `template` is inf"));
    assert!(message(&|row| row.frames = 70).contains("row 2: `frames` is 70, and there are 7"));
    let error = score("mpjpe", "keypoint = \"tail\"\n", &rows).unwrap_err().to_string();
    assert!(error.contains("no keypoint `tail`"), "{error}");
    let error = score("mpjpe", "corruption = \"absnt\"\n", &rows).unwrap_err().to_string();
    assert!(error.contains("nothing to divide by"), "{error}");
}

#[test]
fn a_skeleton_of_another_size_is_refused() {
    let rows = first_case();
    let details = details(3);
    let batch = batch(&rows).unwrap();
    let read = metric("mpjpe", "").start().read(&Rows::new(&batch, "metric `x`", 0).with_details(&details));
    assert!(read.unwrap_err().to_string().contains("28 values, which are not frames of 3 keypoints"));
}

#[test]
fn settings_are_checked() {
    for (settings, expected) in [("threshold = 0.0\n", "`threshold` is 0"), ("estimate = \"luck\"\n", "luck")] {
        let text =
            format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval.metric]\nkind = \"pck\"\n{settings}");
        let config = RunConfig::parse("a.toml".as_ref(), &text, &[]).unwrap();
        let error = parse(config.section("eval").unwrap().child("metric").unwrap()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

const FRAMES: usize = 4;
const KEYPOINTS: usize = 4;

fn track() -> impl Strategy<Value = Track> {
    let places = prop::collection::vec(-50.0..50.0_f32, FRAMES * KEYPOINTS * 3);
    let known = prop::collection::vec(prop::bool::weighted(0.8), FRAMES * KEYPOINTS);
    (places, known).prop_map(|(positions_tkc, known_tk)| Track { keypoints: KEYPOINTS, positions_tkc, known_tk })
}

fn any_row() -> impl Strategy<Value = Optimised> {
    let estimate = || prop::collection::vec(-50.0..50.0_f32, FRAMES * KEYPOINTS * 3);
    (track(), track(), 1..=FRAMES, estimate())
        .prop_map(|(input, truth, frames, made)| row(0, "random", frames, input, truth, [0; 4].map(|_| made.clone())))
}

fn any_rows() -> impl Strategy<Value = Vec<Optimised>> {
    prop::collection::vec(any_row(), 2..8).prop_map(|mut rows| {
        rows.iter_mut().enumerate().for_each(|(i, row)| row.id = format!("row-{i}"));
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_do_not_matter(rows in any_rows(), cut in 0_usize..8) {
        let finish = |tally: Box<dyn Tally>| tally.finish(&details(KEYPOINTS), &Bootstrap::new(0)).ok();
        for kind in KINDS {
            let metric = metric(kind, "");
            let whole = finish(tally(&metric, &rows).unwrap());
            let (start, end) = rows.split_at(cut.min(rows.len()));
            let mut parts = tally(&metric, start).unwrap();
            parts.append(tally(&metric, end).unwrap()).unwrap();
            prop_assert_eq!(finish(parts), whole, "{}", kind);
        }
    }

    /// An animal that is moved, turned and mirrored together with what was made of it is as wrong
    /// as before; one that is twice as large is wrong twice as much.
    #[test]
    fn errors_move_turn_and_grow_with_the_animal(rows in any_rows()) {
        let moved = |of: &dyn Fn([f32; 3]) -> [f32; 3]| {
            let all = |values: &mut [f32]| values.chunks_exact_mut(3).for_each(|p| p.copy_from_slice(&of([p[0], p[1], p[2]])));
            let mut rows = rows.clone();
            for row in &mut rows {
                all(&mut row.truth.positions_tkc);
                all(&mut row.input.positions_tkc);
                row.estimates.iter_mut().for_each(|made| all(made));
            }
            rows
        };
        let turned = moved(&|[x, y, z]| [-y, x, z]);
        let large = moved(&|p| p.map(|c| 2.0 * c));
        for kind in KINDS {
            let Ok(score) = score(kind, "", &rows) else { continue };
            let same = value(kind, "", &turned);
            prop_assert!((same - score.value).abs() <= 1e-5 * score.value.max(1e-3), "{}: {} {}", kind, same, score.value);
            let factor = if kind == "pck" { 1.0 } else { 2.0 };
            let grown = value(kind, "", &large);
            prop_assert!((grown - factor * score.value).abs() <= 1e-5 * score.value.max(1e-3), "{}: {} {}", kind, grown, score.value);
        }
    }

    #[test]
    fn no_error_is_found_where_there_is_none(rows in any_rows()) {
        let mut rows = rows;
        rows.iter_mut().for_each(|row| row.estimates[0].clone_from(&row.truth.positions_tkc));
        for kind in KINDS.into_iter().filter(|kind| *kind != "pck") {
            if let Ok(score) = score(kind, "", &rows) {
                prop_assert!(score.value.abs() < 1e-4, "{}: {}", kind, score.value);
            }
        }
        if let Ok(score) = score("pck", "threshold = 0.05\n", &rows) {
            prop_assert!(score.value > 0.999);
        }
    }
}
