//! The report of a made-up run that classifies images, as the real binary writes it.

mod support;

use serde_json::Value;
use support::images::{Family, ImagePlace, names};
use support::{markup, stderr, tessera_eval};
use tessera_datasets::manifest::Manifest;

fn report(place: &ImagePlace, more: &[&str]) -> Value {
    let output = tessera_eval(&[&["report", "runs/tiny"], more].concat(), place.path());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&place.report("report.json")).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    list(report, "/warnings").iter().filter_map(|w| w["code"].as_str()).collect()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
}

#[test]
fn the_scores_are_those_of_the_predictions() {
    let place = ImagePlace::new();
    let report = report(&place, &[]);
    let rows = &place.made.rows;
    let right = rows.iter().filter(|row| row.label == row.prediction).count();
    let share = right as f64 / rows.len() as f64;
    let score = |name: &str| list(&report, "/scores").iter().find(|score| score["name"] == name).unwrap();
    assert_eq!(report["scores"][0]["name"], "top-1");
    near(&score("top-1")["value"], share);
    near(&report["classification"]["top_1"]["value"], share);
    assert_eq!(score("top-1")["interval"]["method"], "wilson");
    let nll: f64 = rows.iter().map(|row| -f64::from(row.log_probabilities[row.label as usize])).sum();
    near(&score("cross-entropy")["value"], nll / rows.len() as f64);
    let five = rows.iter().filter(|row| {
        let own = row.log_probabilities[row.label as usize];
        row.log_probabilities.iter().filter(|p| **p > own).count() < 5
    });
    near(&score("top-5")["value"], five.count() as f64 / rows.len() as f64);
    near(&score("calibration-error")["value"], report["classification"]["reliability"]["error"].as_f64().unwrap());
    let recalls: Vec<f64> = list(&report, "/classification/by_class")
        .iter()
        .filter_map(|class| class["recall"]["value"].as_f64())
        .collect();
    near(&score("macro-accuracy")["value"], recalls.iter().sum::<f64>() / recalls.len() as f64);
    assert!(recalls.windows(2).all(|pair| pair[0] <= pair[1]), "the hardest class comes first: {recalls:?}");
}

#[test]
fn the_parts_add_up() {
    let place = ImagePlace::new();
    let report = report(&place, &[]);
    let made = &report["classification"];
    let count = place.made.rows.len() as u64;
    let matrix = list(made, "/confusion/matrix");
    let cell = |truth: usize, prediction: usize| matrix[truth][prediction].as_u64().unwrap();
    let all: u64 = (0..6).flat_map(|t| (0..6).map(move |p| (t, p))).map(|(t, p)| cell(t, p)).sum();
    assert_eq!(all, count);
    for class in list(made, "/by_class") {
        let k = class["class"].as_u64().unwrap() as usize;
        assert_eq!(class["support"].as_u64().unwrap(), (0..6).map(|p| cell(k, p)).sum::<u64>());
        assert_eq!(class["predicted"].as_u64().unwrap(), (0..6).map(|t| cell(t, k)).sum::<u64>());
        assert_eq!(class["recall"]["count"].as_u64().unwrap(), cell(k, k));
        let taken = class["taken_for"]["class"].as_u64().unwrap() as usize;
        assert!((0..6).filter(|p| *p != k).all(|p| cell(k, p) <= cell(k, taken)));
    }
    let pairs = list(made, "/confusion/pairs");
    assert!(pairs.windows(2).all(|pair| pair[0]["count"].as_u64() >= pair[1]["count"].as_u64()));
    let groups = list(made, "/reliability/groups");
    assert!(groups.len() >= 15);
    assert_eq!(groups.iter().map(|group| group["count"].as_u64().unwrap()).sum::<u64>(), count);
    let mistakes = list(made, "/mistakes");
    let confidence = |mistake: &Value| mistake["confidence"].as_f64().unwrap();
    assert!(mistakes.windows(2).all(|pair| confidence(&pair[0]) >= confidence(&pair[1])));
    for mistake in mistakes {
        let row = &place.made.rows[mistake["row"].as_u64().unwrap() as usize - 1];
        assert_eq!(
            (mistake["truth"].as_i64(), mistake["prediction"].as_i64()),
            (Some(row.label), Some(row.prediction))
        );
        assert_ne!(row.label, row.prediction);
        assert_eq!(mistake["picture"]["media_type"], "image/png");
    }
}

/// Pictures have their bytes in them; nothing is loaded from elsewhere.
fn check_page(page: &str, report: &Value) -> Vec<markup::Tag> {
    let tags = markup::tags(page).unwrap();
    let mut numbers = 0;
    for tag in &tags {
        assert!(!["link", "iframe", "object", "embed", "base", "form"].contains(&tag.name.as_str()), "{tag:?}");
        for (name, value) in &tag.attributes {
            assert!(!name.starts_with("on") && name != "srcset", "{tag:?}");
            let own = value.starts_with('#')
                || value.starts_with("data:image/")
                || ["report.json", "report.md", "results.csv"].contains(&value.as_str());
            assert!(!["src", "href"].contains(&name.as_str()) || own, "{name}={value}");
        }
        if tag.name == "img" {
            assert!(!tag.attributes["alt"].is_empty(), "a picture needs words");
        }
        if let Some(path) = tag.attributes.get("data-path") {
            let found = report.pointer(path).unwrap_or_else(|| panic!("report.json has no `{path}`"));
            if tag.name == "data" {
                assert_eq!(found.as_f64(), tag.attributes["value"].parse().ok(), "{path}");
                numbers += 1;
            }
        }
    }
    assert!(numbers > 100, "{numbers}");
    let mut ids: Vec<&str> = tags.iter().filter_map(|t| t.attributes.get("id").map(String::as_str)).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
    for tag in &tags {
        let used = tag.attributes.get("href").and_then(|href| href.strip_prefix('#'));
        assert!(used.is_none_or(|id| ids.binary_search(&id).is_ok()), "{tag:?}");
        for id in tag.attributes.get("aria-labelledby").into_iter().flat_map(|ids| ids.split(' ')) {
            assert!(ids.binary_search(&id).is_ok(), "{id}");
        }
    }
    tags
}

#[test]
fn the_page_is_well_formed_and_every_number_is_in_the_json() {
    let place = ImagePlace::new();
    place.add("worse", |gallery| (gallery.skill, gallery.seed) = (1.2, 2));
    let report = report(&place, &["runs/worse"]);
    let page = place.report("index.html");
    let tags = check_page(&page, &report);
    for id in ["classes", "confusion", "confidence", "mistakes", "looked", "portrait", "comparison"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(!page.contains("id=\"samples\""), "there are none");
    assert!(!page.contains("per token"), "images have no tokens");
    let pictures = tags.iter().filter(|tag| tag.name == "img").count();
    assert!(pictures >= list(&report, "/classification/mistakes").len());
    let markdown = place.report("report.md");
    for text in
        ["## Class by class", "## What is taken for what", "## The surest mistakes", "## What it looked at", "McNemar"]
    {
        assert!(markdown.contains(text), "{text}");
    }
}

#[test]
fn maps_are_shown_with_the_values_they_have() {
    let place = ImagePlace::new();
    let report = report(&place, &[]);
    let images = list(&report, "/classification/explained/images");
    assert_eq!(images.len(), 3);
    for image in images {
        let row = &place.made.rows[image["row"].as_u64().unwrap() as usize - 1];
        assert_eq!((image["id"].as_str(), image["label"].as_i64()), (Some(row.id.as_str()), Some(row.label)));
        assert_eq!(image["guesses"][0]["class"].as_i64(), Some(row.prediction));
        let map = list(image, "/rollout/values");
        assert_eq!((map.len(), map[0].as_array().unwrap().len()), (8, 8));
        let largest = map.iter().flat_map(|row| row.as_array().unwrap()).filter_map(Value::as_u64).max();
        assert_eq!(largest, Some(100));
        let layers = list(image, "/heads/layers");
        assert_eq!((layers.len(), layers[1].as_array().unwrap().len()), (2, 3));
    }
    let portrait = &report["classification"]["portrait"];
    assert_eq!(list(portrait, "/patch_filters/pixels").len(), 28);
    assert_eq!(list(portrait, "/position_similarity/maps").len(), 64);
    assert_eq!(list(portrait, "/attention_distance").len(), 2);
    assert!(portrait["stem_filters"].is_null());
}

#[test]
fn a_convolutional_network_shows_its_stages() {
    let place = ImagePlace::with(|gallery| gallery.family = Family::Convnext);
    let report = report(&place, &[]);
    let image = &list(&report, "/classification/explained/images")[0];
    let stages: Vec<_> = list(image, "/grad_cam").iter().map(|map| map["stage"].as_u64().unwrap()).collect();
    assert_eq!(stages, [1, 2, 3, 4]);
    assert_eq!(list(image, "/feature_norm/3/map/values").len(), 2);
    assert!(image["rollout"].is_null() && image["heads"].is_null());
    assert_eq!(list(&report, "/classification/portrait/stem_filters/pixels").len(), 40);
    check_page(&place.report("index.html"), &report);
}

#[test]
fn many_classes_stay_a_small_page() {
    let place = ImagePlace::with(|gallery| {
        gallery.classes = names(400);
        gallery.images = 900;
        (gallery.layers, gallery.heads, gallery.explain) = (12, 12, 12);
    });
    let report = report(&place, &[]);
    assert!(report["classification"]["confusion"]["matrix"].is_null());
    assert_eq!(list(&report, "/classification/by_class").len(), 400);
    let heads = list(&report, "/classification/explained/images");
    assert!(heads.iter().any(|image| image["heads"].is_null()) && !heads[0]["heads"].is_null());
    let page = place.report("index.html");
    check_page(&page, &report);
    assert!(page.contains("more are in report.json"));
    let sizes = ["index.html", "report.json"].map(|file| place.report(file).len());
    assert!(sizes.iter().all(|size| *size < 2_500_000), "{sizes:?}");
    // three images of a class are few
    assert!(codes(&report).contains(&"classes-with-few-images"));
}

#[test]
fn what_hampers_trust_is_said() {
    let quiet = report(&ImagePlace::with(|gallery| gallery.certainty = 1.5), &[]);
    for code in ["unknown-labels", "classes-without-images", "over-confident", "few-segments"] {
        assert!(!codes(&quiet).contains(&code), "{code}");
    }
    let place = ImagePlace::with(|gallery| {
        (gallery.certainty, gallery.unknown, gallery.images) = (9.0, 7, 90);
        gallery.classes.push("a class that nobody has seen".to_owned());
        gallery.classes.push("another".to_owned());
    });
    let loud = report(&place, &[]);
    for code in ["unknown-labels", "over-confident", "few-segments"] {
        assert!(codes(&loud).contains(&code), "{code}: {:?}", codes(&loud));
    }
    assert_eq!(loud["classification"]["unlabelled"], 7);
    assert_eq!((&loud["scores"][0]["n"], &loud["scores"][0]["counted"]), (&90.into(), &83.into()));
}

#[test]
fn a_class_without_images_has_no_recall() {
    let place = ImagePlace::with(|gallery| (gallery.classes, gallery.images) = (names(24), 12));
    let report = report(&place, &[]);
    assert!(codes(&report).contains(&"classes-without-images"));
    let last = list(&report, "/classification/by_class").last().unwrap();
    assert!(last["recall"].is_null() && last["support"] == 0);
    check_page(&place.report("index.html"), &report);
}

#[test]
fn runs_are_tested_on_the_same_images() {
    let place = ImagePlace::new();
    place.add("better", |gallery| (gallery.skill, gallery.seed) = (4.0, 2));
    place.add("alike", |gallery| gallery.seed = 3);
    let report = report(&place, &["runs/better", "runs/alike"]);
    let images = &report["comparison"]["images"];
    assert_eq!((&images["subject"], &images["images"]), (&"tiny".into(), &240.into()));
    let value = |run: &str| {
        let run = list(&report, "/comparison/runs").iter().find(|r| r["name"] == run).unwrap();
        run["scores"][0]["value"].as_f64().unwrap()
    };
    let test = |run: &str| list(images, "/tests").iter().find(|test| test["run"] == run).unwrap();
    near(&test("better")["difference"]["value"], value("better") - value("tiny"));
    let cells =
        |run: &str| ["both", "ahead", "behind", "neither"].map(|key| test(run)["shared"][key].as_u64().unwrap());
    assert_eq!(cells("better").iter().sum::<u64>(), 240);
    assert!(test("better")["test"]["p"].as_f64().unwrap() < 0.01);
    assert!(test("alike")["test"]["p"].as_f64().unwrap() > 0.01);
    assert_eq!((&test("better")["is_better"], &images["other"]), (&true.into(), &"better".into()));
    let by_class: u64 = list(images, "/by_class").iter().map(|class| class["shared"]["ahead"].as_u64().unwrap()).sum();
    assert_eq!(by_class, cells("better")[1]);
    for (key, subject_right) in [("ahead", true), ("behind", false)] {
        for one in list(images, &format!("/{key}")) {
            assert_eq!(one["verdicts"][0]["prediction"] == one["truth"], subject_right);
            assert_eq!(list(one, "/verdicts").len(), 3);
        }
    }
    assert!(!codes(&report).contains(&"segments-differ"));
    let table = place.report("results.csv");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation");
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1].split(',').nth(2), Some(format!("{:.3}", 100.0 * value("better")).as_str()));
    assert!(lines[1].starts_with("vit,32,") && lines[1].ends_with(",5.36,1.000,bicubic"));
}

#[test]
fn a_run_on_other_images_is_not_tested() {
    let place = ImagePlace::new();
    place.add("other", |gallery| gallery.prefix = "test".to_owned());
    place.add("fewer", |gallery| gallery.images = 200);
    let report = report(&place, &["runs/other", "runs/fewer"]);
    assert!(codes(&report).contains(&"segments-differ"));
    let images = &report["comparison"]["images"];
    assert_eq!(list(images, "/tests").len(), 0);
    assert_eq!(images["refused"][0]["reason"], "240 images are not among its images");
    assert_eq!(images["refused"][1]["reason"], "it has 200 labelled images, this run has 240");
    assert!(place.report("index.html").contains("is not compared image by image"));
}

#[test]
fn nothing_that_a_class_is_called_becomes_markup() {
    let nasty = "<script>alert('1')</script> & \"x\" </svg> | {{ 7 * 7 }} &amp; <b>y</b>\u{1}";
    let place = ImagePlace::with(|gallery| gallery.classes[1] = nasty.to_owned());
    place.add("tiny2", |gallery| {
        gallery.seed = 5;
        gallery.classes[1] = nasty.to_owned();
    });
    let report = report(&place, &["runs/tiny2"]);
    assert_eq!(list(&report, "/comparison/images/tests").len(), 1);
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    assert_eq!(tags.iter().filter(|t| t.name == "script").count(), 1, "only the page's own");
    assert!(page.contains("&lt;script&gt;alert") && page.contains("{{ 7 * 7 }}") && !page.contains('\u{1}'));
    let markdown = place.report("report.md");
    assert!(!markdown.contains("<script") && !markdown.contains(" <b>"));
}

#[test]
fn weights_that_were_averaged_are_not_taken_for_a_changed_checkpoint() {
    let place = ImagePlace::new();
    let run = &place.made.run;
    fs_err::write(run.checkpoint(400).join("ema.safetensors"), "mean weights").unwrap();
    let mut manifest = Manifest::read(&run.predictions("validation")).unwrap();
    let sha256 = tessera_datasets::hash::sha256(b"mean weights");
    manifest.details.insert("checkpoint_sha256".to_owned(), sha256.into());
    manifest.publish(&run.predictions("validation")).unwrap();
    assert!(codes(&report(&place, &[])).contains(&"checkpoint-changed"));
    manifest.details.insert("average".to_owned(), true.into());
    manifest.publish(&run.predictions("validation")).unwrap();
    let averaged = report(&place, &[]);
    assert!(!codes(&averaged).contains(&"checkpoint-changed"));
    assert!(list(&averaged, "/facts").iter().any(|fact| fact["label"] == "weights"));
}

#[test]
fn predictions_that_contradict_themselves_are_refused() {
    let place = ImagePlace::new();
    let run = &place.made.run;
    let mut manifest = Manifest::read(&run.predictions("validation")).unwrap();
    manifest.details.insert("classes".to_owned(), serde_json::json!(["a", "b"]));
    manifest.publish(&run.predictions("validation")).unwrap();
    let output = tessera_eval(&["report", "runs/tiny"], place.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("have 6 log-probabilities, but name 2 classes"), "{}", stderr(&output));
}

#[test]
fn a_run_without_explanations_has_a_report_and_the_same_bytes_twice() {
    let place = ImagePlace::new();
    fs_err::remove_dir_all(place.made.run.explanations("validation")).unwrap();
    let first = report(&place, &["--set", "eval.bootstrap=0"]);
    let page = place.report("index.html");
    assert!(!page.contains("id=\"looked\"") && !page.contains("id=\"portrait\""));
    assert!(first["scores"][2]["interval"].is_null() && !first["scores"][0]["interval"].is_null());
    report(&place, &["--set", "eval.bootstrap=0"]);
    assert_eq!(page, place.report("index.html"));
}
