//! The report of a made-up run, as the real binary writes it.

mod support;

use serde_json::Value;
use support::text::{Cut, shapes};
use support::{Place, Spec, markup, stderr, tessera_eval};
use tessera_datasets::run_dir::{Provenance, Sample};

fn report(place: &Place, more: &[&str]) -> Value {
    let output = tessera_eval(&[&["report", "runs/tiny"], more].concat(), place.path());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&place.report("report.json")).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect()
}

fn change_provenance(place: &Place, change: impl FnOnce(&mut Provenance)) {
    let mut provenance = place.made.run.provenance().unwrap();
    change(&mut provenance);
    place.made.run.write_provenance(&provenance).unwrap();
}

#[test]
fn the_scores_are_those_of_the_predictions() {
    let place = Place::new();
    let report = report(&place, &[]);
    assert_eq!((&report["format"], &report["version"]), (&"tessera-report".into(), &1.into()));
    let value = |i: usize| report["scores"][i]["value"].as_f64().unwrap();
    let (nll, tokens, bytes, correct) = place.made.totals;
    assert!((value(0) - (nll / tokens as f64).exp()).abs() < 1e-9);
    assert!((value(1) - nll / bytes as f64 / std::f64::consts::LN_2).abs() < 1e-9);
    assert!((value(2) - nll / tokens as f64).abs() < 1e-9);
    assert!((value(3) - correct as f64 / tokens as f64).abs() < 1e-12);
    let lm = &report["language_model"];
    let in_bins: u64 = lm["histogram"]["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!(in_bins + lm["histogram"]["beyond"].as_u64().unwrap(), tokens);
    assert_eq!((lm["tokens"].as_u64(), lm["bytes"].as_u64()), (Some(tokens), Some(bytes)));
    assert!((lm["mean_loss"].as_f64().unwrap() - value(2)).abs() < 1e-9);
    let positions = lm["positions"].as_array().unwrap();
    assert_eq!(positions.len(), 32);
    // an n-gram model of order 4 knows nothing at the first position and enough at the fourth
    assert!(positions[0]["loss"].as_f64() > positions[4]["loss"].as_f64());
}

#[test]
fn the_page_is_well_formed_and_loads_nothing() {
    let place = Place::new();
    report(&place, &[]);
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    for tag in &tags {
        assert!(!["img", "link", "iframe", "object", "embed", "base", "form"].contains(&tag.name.as_str()), "{tag:?}");
        for (name, value) in &tag.attributes {
            assert!(name != "src" && name != "srcset" && !name.starts_with("on"), "{tag:?}");
            let local = value.starts_with('#') || ["report.json", "report.md"].contains(&value.as_str());
            assert!(name != "href" || local, "{tag:?}");
        }
    }
    for forbidden in ["http://", "https://", "url(", "@import", "<script src", "fetch("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let charts: Vec<_> = tags.iter().filter(|t| t.name == "svg").collect();
    assert!(charts.len() >= 16, "{}", charts.len());
    for id in charts.iter().flat_map(|chart| chart.attributes["aria-labelledby"].split(' ')) {
        let named: Vec<_> = tags.iter().filter(|t| t.attributes.get("id").is_some_and(|i| i == id)).collect();
        assert_eq!(named.len(), 1, "{id}");
        assert!(!named[0].text.is_empty(), "{id}");
    }
}

#[test]
fn every_number_in_the_page_is_in_the_json() {
    let place = Place::new();
    place.add("other", |spec| spec.order = 2);
    let report = report(&place, &["runs/other"]);
    let tags = markup::tags(&place.report("index.html")).unwrap();
    let mut numbers = 0;
    for tag in &tags {
        let Some(path) = tag.attributes.get("data-path") else { continue };
        let found = report.pointer(path).unwrap_or_else(|| panic!("report.json has no `{path}`"));
        if tag.name == "data" {
            let shown: f64 = tag.attributes["value"].parse().unwrap();
            assert_eq!(found.as_f64(), Some(shown), "{path}");
            numbers += 1;
        }
    }
    assert!(numbers > 60, "{numbers}");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let place = Place::new();
    let files = ["index.html", "report.md", "report.json"];
    report(&place, &[]);
    let first = files.map(|file| place.report(file));
    report(&place, &[]);
    assert_eq!(first, files.map(|file| place.report(file)));
}

#[test]
fn nothing_that_a_model_or_a_corpus_says_becomes_markup() {
    let nasty = "<script>alert('1')</script> & \"quoted\" </svg></title>\u{1}\u{b} ```` | <b>x</b> &amp; {{ 7 * 7 }}\n";
    let place = Place::with(|spec| {
        spec.text = nasty.repeat(120);
        spec.prompt = "<script>".to_owned();
        spec.eval.push_str("# <script>alert(2)</script>\n");
    });
    let sample = Sample {
        prompt: "<img src=x onerror=alert(3)>".to_owned(),
        text: "</blockquote>{{ 7 * 7 }}<script>alert(4)</script>\n``````\n</figure>".to_owned(),
        seed: 1,
        temperature: 0.0,
        top_k: 40,
        top_p: 0.9,
    };
    let line = serde_json::to_string(&sample).unwrap() + "\n";
    fs_err::write(place.made.run.samples_path(), line).unwrap();
    change_provenance(&place, |p| p.command.push("<script>alert(5)</script>".to_owned()));
    report(&place, &[]);
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    assert_eq!(tags.iter().filter(|t| t.name == "script").count(), 1, "only the page's own");
    assert!(!tags.iter().any(|t| ["img", "b"].contains(&t.name.as_str()) && t.attributes.contains_key("src")));
    assert!(page.contains("&lt;script&gt;alert") && page.contains("{{ 7 * 7 }}"));
    assert!(page.contains("top-k") && page.contains("top-p"));
    assert!(!page.contains(['\u{1}', '\u{b}']));
    let markdown = place.report("report.md");
    let outside_code: Vec<&str> = outside_fences(&markdown);
    assert!(!outside_code.iter().any(|line| line.contains("<script")), "{outside_code:?}");
}

/// The lines of a Markdown file that are in no fenced block.
fn outside_fences(markdown: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => lines.push(line),
            Some(open) if line == open => fence = None,
            Some(_) => {}
        }
    }
    assert!(fence.is_none(), "a fence is not closed");
    lines
}

#[test]
fn markdown_has_the_same_numbers() {
    let place = Place::new();
    let report = report(&place, &[]);
    let markdown = place.report("report.md");
    for text in ["# tiny", "## Scores", "## Learning curves", "## What comes next", "## Samples", "## Provenance"] {
        assert!(markdown.contains(text), "{text}");
    }
    for score in report["scores"].as_array().unwrap() {
        assert!(markdown.contains(score["signature"].as_str().unwrap()));
    }
    let shown = markdown.split("**Perplexity per token: ").nth(1).and_then(|rest| rest.split("**").next()).unwrap();
    let headline = report["scores"][0]["value"].as_f64().unwrap();
    assert!((shown.parse::<f64>().unwrap() - headline).abs() < 0.05 * headline, "{shown} {headline}");
}

#[test]
fn a_clean_run_has_no_warnings_but_its_small_size() {
    let place = Place::new();
    assert_eq!(codes(&report(&place, &[])), ["few-segments"]);
    let large = Place::with(|spec| spec.text = shapes(1200, 1));
    assert_eq!(codes(&report(&large, &[])), [""; 0]);
}

#[test]
fn what_casts_doubt_on_a_number_is_shown() {
    let place = Place::new();
    change_provenance(&place, |p| {
        p.revision.push('+');
        p.reproducible = "no: atomic additions on the device".to_owned();
        p.config_sha256 = "0".repeat(64);
    });
    fs_err::remove_dir_all(&place.made.dataset).unwrap();
    let step = place.made.run.checkpoint(60).join("model.safetensors");
    fs_err::write(step, "other weights").unwrap();
    let report = report(&place, &["--set", "eval.bootstrap=0"]);
    let expected = [
        "few-segments",
        "no-interval",
        "checkpoint-changed",
        "dirty-revision",
        "not-reproducible",
        "config-changed",
        "missing-dataset",
    ];
    assert_eq!(codes(&report), expected);
    let page = place.report("index.html");
    for i in 0..expected.len() {
        assert!(page.contains(&format!("data-path=\"/warnings/{i}\"")), "{i}");
    }
    assert!(page.contains("The dataset is not at"));
    assert!(place.report("report.md").contains("The dataset is not at"));
}

#[test]
fn rejected_rows_and_a_changed_dataset_are_shown() {
    let place = Place::with(|spec| spec.text = shapes(120, 2));
    let report_before = report(&place, &[]);
    // 3 of 123 rows
    assert!(codes(&report_before).contains(&"rejected-rows"));
    assert!(place.report("index.html").contains("not UTF-8"));
    let mut manifest = tessera_datasets::manifest::Manifest::read(&place.made.dataset).unwrap();
    manifest.sources[0].license.clear();
    manifest.publish(&place.made.dataset).unwrap();
    let report = report(&place, &[]);
    assert!(codes(&report).contains(&"dataset-changed"));
    assert!(codes(&report).contains(&"unknown-licence"));
}

#[test]
fn a_run_without_the_optional_parts_has_a_report() {
    let place = Place::new();
    let run = &place.made.run;
    fs_err::remove_file(run.metrics_path()).unwrap();
    fs_err::remove_file(run.samples_path()).unwrap();
    fs_err::remove_dir_all(run.explanations("validation")).unwrap();
    fs_err::remove_file(run.checkpoints().join("best.json")).unwrap();
    let report = report(&place, &[]);
    assert!(report["curves"].is_null());
    let page = place.report("index.html");
    markup::tags(&page).unwrap();
    assert!(page.contains("The run wrote no samples."));
    assert!(!page.contains("id=\"next\""));
}

#[test]
fn runs_with_one_tokenizer_are_sorted_by_the_headline() {
    let place = Place::new();
    place.add("worse", |spec| spec.order = 2);
    let report = report(&place, &["runs/worse"]);
    let comparison = &report["comparison"];
    assert_eq!((&comparison["metric"], &comparison["same_tokenizer"]), (&"perplexity".into(), &true.into()));
    let names: Vec<_> = comparison["runs"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tiny", "worse"]);
    assert_eq!(comparison["runs"][0]["is_best"], true);
    assert_eq!(comparison["runs"][1]["is_best"], false);
    assert!(!codes(&report).contains(&"tokenizers-differ"));
    assert!(report["verdict"].to_string().contains("best of 2 runs"));
    let page = place.report("index.html");
    markup::tags(&page).unwrap();
    assert!(page.contains("Validation curves of all runs"));
}

#[test]
fn runs_with_different_tokenizers_are_compared_by_bits_per_byte() {
    let place = Place::new();
    let pieces = place.add("pieces", |spec| {
        spec.cut = Cut::Pieces;
        spec.order = 3;
        spec.context = 16;
    });
    let report = report(&place, &["runs/pieces"]);
    let comparison = &report["comparison"];
    assert_eq!((&comparison["metric"], &comparison["same_tokenizer"]), (&"bits-per-byte".into(), &false.into()));
    assert_eq!(comparison["curve_unit"], "bits per byte");
    assert!(codes(&report).contains(&"tokenizers-differ") && codes(&report).contains(&"windows-differ"));
    let page = place.report("index.html");
    assert!(page.contains("The number that can be compared between them is bits per byte."));
    // the end of a curve is the validation loss over the bytes instead of the tokens
    let runs = comparison["runs"].as_array().unwrap();
    let run = runs.iter().find(|r| r["name"] == "pieces").unwrap();
    let last = run["curve"]["values"].as_array().unwrap().last().and_then(Value::as_f64).unwrap();
    let (nll, _, bytes, _) = pieces.totals;
    assert!((last - nll / bytes as f64 / std::f64::consts::LN_2).abs() < 1e-6);
}

#[test]
fn a_long_run_stays_a_small_page() {
    let place = Place::with(|spec| {
        *spec = Spec { steps: 5000, context: 400, explain: 9, text: shapes(2500, 3), ..spec.clone() };
    });
    let report = report(&place, &[]);
    assert_eq!(report["curves"]["train"]["steps"].as_array().unwrap().len(), 400);
    assert!(report["language_model"]["positions"].as_array().unwrap().len() <= 96);
    let strips = report["language_model"]["explained"]["strips"].as_array().unwrap();
    assert!(strips.len() <= 6 && strips.iter().all(|s| s["tokens"].as_array().unwrap().len() <= 256));
    assert_eq!(strips[0]["cut"], true);
    let size = place.report("index.html").len();
    assert!(size < 1_500_000, "{size}");
}
