//! The report of a made-up run that optimises poses, as the real binary writes it.

mod support;

use serde_json::{Value, json};
use support::pose::{Optimised, PosePlace};
use support::{markup, stderr, tessera_eval};
use tessera_datasets::manifest::Manifest;

fn report(place: &PosePlace, more: &[&str]) -> Value {
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
    assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found}, not {expected}");
}

/// Changes the details of the predictions.
fn change_details(place: &PosePlace, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let dir = place.made.run.predictions("validation");
    let mut manifest = Manifest::read(&dir).unwrap();
    change(&mut manifest.details);
    manifest.publish(&dir).unwrap();
}

/// The errors of a method where keypoints are hidden: frame, keypoint, distance.
fn errors(row: &Optimised, method: usize) -> Vec<(usize, usize, f64)> {
    let keypoints = row.truth.keypoints;
    let hidden = (0..row.frames * keypoints).filter(|at| !row.input.known_tk[*at]);
    let distance = |at: usize| {
        let off = |c: usize| f64::from(row.estimates[method][at * 3 + c] - row.truth.positions_tkc[at * 3 + c]).powi(2);
        (0..3).map(off).sum::<f64>().sqrt()
    };
    hidden.map(|at| (at / keypoints, at % keypoints, distance(at))).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[test]
fn the_strata_say_who_is_nearer() {
    let place = PosePlace::new();
    let report = report(&place, &[]);
    let rows = &place.made.rows;
    let strata = list(&report, "/poses/strata");
    assert_eq!(strata.iter().map(|s| s["corruption"].as_str().unwrap()).collect::<Vec<_>>(), ["absent", "random"]);
    for stratum in strata {
        let of: Vec<&Optimised> = rows.iter().filter(|row| stratum["corruption"] == row.corruption.as_str()).collect();
        assert_eq!(stratum["windows"].as_u64(), Some(of.len() as u64));
        assert_eq!(stratum["stretches"], 6);
        let value = |m: usize| mean(of.iter().flat_map(|row| errors(row, m)).map(|(.., e)| e));
        for m in 0..4 {
            let error = &stratum["methods"][m]["error"];
            near(&error["value"], value(m));
            let (low, high) = (error["low"].as_f64().unwrap(), error["high"].as_f64().unwrap());
            assert!(low <= value(m) && value(m) <= high);
        }
        for (i, duel) in list(stratum, "/duels").iter().enumerate() {
            near(&duel["difference"]["value"], value(0) - value(i + 1));
            let ends = ["low", "high"].map(|end| duel["difference"][end].as_f64().unwrap());
            let expected = if ends[1] < 0.0 {
                "better"
            } else if ends[0] > 0.0 {
                "worse"
            } else {
                "unclear"
            };
            assert_eq!(duel["outcome"], expected);
        }
    }
    // a keypoint that is never seen cannot be interpolated; one that is seen all the time can
    assert_eq!(strata[0]["duels"][0]["outcome"], "better");
    assert_eq!(strata[1]["duels"][0]["outcome"], "worse");
    let verdict = report["verdict"].to_string();
    assert!(verdict.contains("loses to one in “random”"), "{verdict}");
    assert!(codes(&report).contains(&"worse-than-simpler") && codes(&report).contains(&"few-stretches"));
}

#[test]
fn the_parts_add_up() {
    let place = PosePlace::new();
    let report = report(&place, &[]);
    let rows = &place.made.rows;
    let hidden: u64 = rows.iter().map(|row| errors(row, 0).len() as u64).sum();
    assert_eq!(report["poses"]["masked"].as_u64(), Some(hidden));
    for part in ["/poses/by_gap", "/poses/by_distance"] {
        let keypoints = list(&report, part).iter().map(|gap| gap["keypoints"].as_u64().unwrap());
        assert_eq!(keypoints.sum::<u64>(), hidden, "{part}");
    }
    let whole = list(&report, "/poses/by_gap").last().unwrap();
    assert!(whole["from"].is_null());
    let absent = || rows.iter().filter(|row| row.corruption == "absent");
    near(&whole["methods"][1]["value"], mean(absent().flat_map(|row| errors(row, 1)).map(|(.., e)| e)));
    let single = &list(&report, "/poses/by_gap")[0];
    let alone = |row: &Optimised, t: usize, k: usize| {
        let given = |t: usize| row.input.known_tk[t * row.truth.keypoints + k];
        (t == 0 || given(t - 1)) && (t + 1 == row.frames || given(t + 1))
    };
    let ones = rows.iter().flat_map(|row| errors(row, 2).into_iter().filter(|(t, k, _)| alone(row, *t, *k)));
    near(&single["methods"][2]["value"], mean(ones.map(|(.., e)| e)));
    for (stratum, name) in list(&report, "/poses/by_keypoint").iter().zip(["absent", "random"]) {
        assert_eq!(list(stratum, "/keypoints").len(), 16);
        let nose = &stratum["keypoints"][0];
        let of = rows.iter().filter(|row| row.corruption == name).flat_map(|row| errors(row, 3));
        near(&nose["methods"][3]["value"], mean(of.filter(|(_, k, _)| *k == 0).map(|(.., e)| e)));
    }
    let masked = list(&report, "/scores").iter().find(|score| score["name"] == "mpjpe-masked").unwrap();
    near(&masked["value"], mean(rows.iter().flat_map(|row| errors(row, 0)).map(|(.., e)| e)));
    assert_eq!((&masked["unit"], masked["counted"].as_u64()), (&json!("mm"), Some(hidden)));
    // the animal's bones are rigid
    for bone in list(&report, "/poses/bones") {
        assert!(bone["spread"].as_f64().unwrap() < 1e-3 && bone["methods"][1]["spread"].as_f64().unwrap() > 0.1);
    }
    assert_eq!(list(&report, "/poses/bones").len(), place.made.skeleton.edges.len());
}

#[test]
fn a_simpler_method_that_says_what_another_says_is_noticed() {
    assert!(!codes(&report(&PosePlace::new(), &[])).contains(&"baselines-alike"));
    let place = PosePlace::with(|walks| walks.poses = 0);
    let report = report(&place, &[]);
    assert_eq!(report["poses"]["alike"], json!([["interpolated", "template"]]));
    assert!(codes(&report).contains(&"baselines-alike"));
}

#[test]
fn films_show_windows_whole() {
    let place = PosePlace::new();
    let report = report(&place, &[]);
    let films = list(&report, "/poses/films");
    let reasons: Vec<&str> = films.iter().map(|film| film["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons[..2], ["typical", "typical"]);
    assert!(reasons.contains(&"ahead") && reasons.contains(&"behind"), "{reasons:?}");
    for film in films {
        let row = &place.made.rows[film["row"].as_u64().unwrap() as usize - 1];
        assert_eq!(film["id"], row.id.as_str());
        let length = row.frames * row.truth.keypoints * 3;
        for key in ["input", "target", "optimised", "interpolated", "kalman", "template"] {
            assert_eq!(list(film, &format!("/{key}")).len(), length, "{key}");
        }
        for (found, truth) in list(film, "/target").iter().zip(&row.truth.positions_tkc) {
            let (found, truth) = (found.as_f64().unwrap(), f64::from(*truth));
            assert!((found - truth).abs() <= 1e-4 * truth.abs(), "five digits: {found}, {truth}");
        }
        let tracked = film["tracked"].as_u64().unwrap() as usize;
        assert!(errors(row, 0).iter().any(|(_, k, _)| *k == tracked), "a keypoint that is hidden");
        near(&film["errors"][0]["value"], mean(errors(row, 0).into_iter().map(|(.., e)| e)));
    }
}

fn check_page(page: &str, report: &Value) -> Vec<markup::Tag> {
    let tags = markup::tags(page).unwrap();
    let mut numbers = 0;
    for tag in &tags {
        assert!(!["link", "iframe", "object", "embed", "base", "form"].contains(&tag.name.as_str()), "{tag:?}");
        for (name, value) in &tag.attributes {
            let own = value.starts_with('#') || ["report.json", "report.md"].contains(&value.as_str());
            assert!(!["src", "href"].contains(&name.as_str()) || own, "{name}={value}");
            assert!(!name.starts_with("on"), "{tag:?}");
            assert!(!value.contains("NaN") && !value.contains("inf "), "{name}={value}");
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
    let place = PosePlace::new();
    place.add("worse", |walks| (walks.off, walks.seed) = (6.0, 2));
    let report = report(&place, &["runs/worse"]);
    let page = place.report("index.html");
    check_page(&page, &report);
    for id in ["methods", "films", "gaps", "keypoints", "bones", "filters", "attention", "comparison"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    for absent in ["id=\"samples\"", "per token", "nats", "tokenizer", "per image"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let curves: Vec<&str> = list(&report, "/curves/hidden").iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(curves, ["mpjpe_masked_absent", "mpjpe_masked_random"]);
    assert!(page.contains("chart-hidden-t") && page.contains("absent, nearest poses"));
    // a film and a track for each window, in two sizes, and frames of the strips
    let films = list(&report, "/poses/films").len();
    assert_eq!(page.matches("class=\"chart film ").count(), 2 * films);
    assert_eq!(page.matches("class=\"chart tracks ").count(), 2 * films);
    assert!(page.contains("class=\"hollow") && page.contains("class=\"hidden\"") && page.contains("bone on-left"));
    let markdown = place.report("report.md");
    for text in
        ["## Beside simpler methods", "## Keypoint by keypoint", "## What the filters did", "1,903 filled", "paired"]
    {
        assert!(markdown.contains(text), "{text}");
    }
    assert!(page.contains("&lt;b&gt;after &amp; before") && !page.contains("<b>after"));
}

#[test]
fn runs_are_tested_on_the_same_windows() {
    let place = PosePlace::new();
    place.add("worse", |walks| (walks.off, walks.seed) = (6.0, 2));
    place.add("alike", |walks| walks.seed = 3);
    let report = report(&place, &["runs/worse", "runs/alike"]);
    let tests = list(&report, "/comparison/poses/tests");
    assert_eq!(tests.len(), 4);
    for test in tests {
        let (ours, theirs) = (test["subject"].as_f64().unwrap(), test["other"].as_f64().unwrap());
        near(&test["difference"]["value"], theirs - ours);
        if test["run"] == "worse" {
            assert_eq!(test["outcome"], "worse");
        }
    }
    assert!(!codes(&report).contains(&"segments-differ"));
    // the better run is at the top
    assert_eq!(report["comparison"]["runs"][2]["name"], "worse");
}

#[test]
fn a_run_on_other_windows_is_not_tested() {
    let place = PosePlace::new();
    place.add("fewer", |walks| walks.windows = 2);
    let report = report(&place, &["runs/fewer"]);
    assert!(codes(&report).contains(&"segments-differ"));
    assert_eq!(list(&report, "/comparison/poses/tests").len(), 0);
    let reason = report["comparison"]["poses"]["refused"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "it has 76 windows, this run has 114");
    assert!(place.report("index.html").contains("is not compared window by window"));
}

#[test]
fn a_skeleton_without_bones_and_windows_in_which_nothing_is_hidden_have_a_page() {
    let place = PosePlace::with(|walks| walks.windows = 1);
    change_details(&place, |details| details["skeleton"]["skeleton"] = json!([]));
    let bare = report(&place, &[]);
    assert_eq!(list(&bare, "/poses/bones").len(), 0);
    assert!(list(&bare, "/scores").iter().all(|score| score["name"] != "bone-length-deviation"));
    check_page(&place.report("index.html"), &bare);

    let place = PosePlace::with(|walks| walks.hide = false);
    let report = report(&place, &[]);
    assert!(codes(&report).contains(&"nothing-hidden"));
    assert!(list(&report, "/scores").iter().all(|score| score["name"] != "mpjpe-masked"));
    assert_eq!(report["poses"]["strata"][0]["of_masked"], false);
    let page = place.report("index.html");
    check_page(&page, &report);
    assert!(!page.contains("id=\"gaps\"") && !page.contains("id=\"keypoints\""));
}

#[test]
fn nothing_that_a_keypoint_is_called_becomes_markup() {
    let nasty = "<script>alert('1')</script> & \"x\" </svg> | {{ 7 * 7 }} &amp; <b>y</b>\u{1}";
    let place = PosePlace::new();
    change_details(&place, |details| {
        let skeleton = &mut details["skeleton"];
        let old = skeleton["keypoints"][0].clone();
        skeleton["keypoints"][0] = json!(nasty);
        for pairs in ["skeleton", "mirror"] {
            let ends = skeleton[pairs].as_array_mut().unwrap().iter_mut().flat_map(|p| p.as_array_mut().unwrap());
            ends.filter(|end| **end == old).for_each(|end| *end = json!(nasty));
        }
    });
    report(&place, &[]);
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    assert_eq!(tags.iter().filter(|t| t.name == "script").count(), 1, "only the page's own");
    assert!(page.contains("&lt;script&gt;alert") && page.contains("{{ 7 * 7 }}") && !page.contains('\u{1}'));
    let markdown = place.report("report.md");
    assert!(!markdown.contains("<script") && !markdown.contains(" <b>"));
}

#[test]
fn predictions_that_contradict_themselves_are_refused() {
    let wrong = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let place = PosePlace::with(|walks| walks.windows = 1);
        change_details(&place, |details| change(details));
        let output = tessera_eval(&["report", "runs/tiny"], place.path());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    let error = wrong(&|details| drop(details.remove("skeleton")));
    assert!(error.contains("`details.skeleton`"), "{error}");
    let error = wrong(&|details| {
        let keypoints = json!(["a", "b", "c", "d", "e"]);
        details["skeleton"] = json!({ "name": "x", "unit": "mm", "keypoints": keypoints, "skeleton": [] });
    });
    assert!(error.contains("which are not frames of 5 keypoints"), "{error}");
    let error = wrong(&|details| details["filters"] = json!([{ "stage": 3 }]));
    assert!(error.contains("`details.filters`"), "{error}");
}

#[test]
fn a_run_without_explanations_has_a_report_and_the_same_bytes_twice() {
    let place = PosePlace::new();
    fs_err::remove_dir_all(place.made.run.explanations("validation")).unwrap();
    let first = report(&place, &["--set", "eval.bootstrap=0"]);
    let page = place.report("index.html");
    assert!(!page.contains("id=\"attention\""));
    assert!(first["scores"][0]["interval"].is_null());
    assert_eq!(first["poses"]["strata"][0]["duels"][0]["outcome"], "unclear");
    report(&place, &["--set", "eval.bootstrap=0"]);
    assert_eq!(page, place.report("index.html"));
}
