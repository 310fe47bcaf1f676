//! The report of a made-up run that translates, as the real binary writes it.

mod support;

use std::collections::HashMap;

use serde_json::Value;
use support::translation::{Translated, TranslationPlace};
use support::{markup, stderr, tessera_eval};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::run_dir::Average;

fn report(place: &TranslationPlace, more: &[&str]) -> Value {
    let output = tessera_eval(&[&["report", "runs/tiny"], more].concat(), place.path());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&place.report("report.json")).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect()
}

fn score<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["scores"].as_array().unwrap().iter().find(|s| s["name"] == name).unwrap()
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).unwrap_or_else(|| panic!("no list `{path}`"))
}

/// The built-in world has no punctuation but these, so this is what tokenizer 13a makes of it.
fn tokens(text: &str) -> Vec<String> {
    text.replace('.', " .").replace(',', " ,").split_whitespace().map(str::to_owned).collect()
}

/// Matched and total n-grams of four orders, and the lengths, counted in the plainest way.
#[derive(Default)]
struct Counts {
    matched: [u64; 4],
    total: [u64; 4],
    ours: u64,
    theirs: u64,
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Translated>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            let (ours, theirs) = (tokens(&row.hypothesis), tokens(&row.references[0]));
            counts.ours += ours.len() as u64;
            counts.theirs += theirs.len() as u64;
            for n in 1..=4 {
                let mut there: HashMap<&[String], u64> = HashMap::new();
                theirs.windows(n).for_each(|ngram| *there.entry(ngram).or_default() += 1);
                for ngram in ours.windows(n) {
                    counts.total[n - 1] += 1;
                    if let Some(left) = there.get_mut(ngram).filter(|left| **left > 0) {
                        *left -= 1;
                        counts.matched[n - 1] += 1;
                    }
                }
            }
        }
        counts
    }

    fn penalty(&self) -> f64 {
        (1.0 - self.theirs as f64 / self.ours as f64).min(0.0).exp()
    }

    fn bleu(&self) -> f64 {
        let logs: f64 = (0..4).map(|i| (self.matched[i] as f64 / self.total[i] as f64).ln()).sum();
        100.0 * self.penalty() * (logs / 4.0).exp()
    }
}

fn near(value: &Value, expected: f64) {
    let found = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn bleu_is_taken_apart_as_it_is_put_together() {
    let place = TranslationPlace::new();
    let report = report(&place, &[]);
    let counts = Counts::of(place.made.rows.iter());
    let ngrams = &report["translation"]["ngrams"];
    for (i, order) in list(&report, "/translation/ngrams/orders").iter().enumerate() {
        assert_eq!(
            (order["matched"].as_u64(), order["total"].as_u64()),
            (Some(counts.matched[i]), Some(counts.total[i]))
        );
        near(&order["precision"], counts.matched[i] as f64 / counts.total[i] as f64);
    }
    assert_eq!(ngrams["hypothesis_words"], counts.ours);
    assert_eq!(ngrams["reference_words"], counts.theirs);
    near(&ngrams["ratio"], counts.ours as f64 / counts.theirs as f64);
    near(&ngrams["brevity_penalty"], counts.penalty());
    near(&ngrams["bleu"], counts.bleu());
    near(&score(&report, "bleu")["value"], counts.bleu());
    assert_eq!(report["scores"][0]["name"], "bleu", "the headline");
}

#[test]
fn every_sentence_is_in_one_group_of_lengths() {
    let place = TranslationPlace::new();
    let report = report(&place, &[]);
    let groups = list(&report, "/translation/by_length/groups");
    let mut sentences = 0;
    for group in groups {
        let (from, to) = (group["from"].as_u64().unwrap(), group["to"].as_u64().unwrap_or(u64::MAX));
        let words = |row: &&Translated| (from..=to).contains(&(row.source.split_whitespace().count() as u64));
        let members: Vec<&Translated> = place.made.rows.iter().filter(words).collect();
        assert_eq!(group["sentences"], members.len());
        sentences += members.len();
        let counts = Counts::of(members.into_iter());
        if counts.matched.iter().all(|matched| *matched > 0) {
            near(&group["value"], counts.bleu());
        }
        if let (Some(low), Some(high)) = (group["low"].as_f64(), group["high"].as_f64()) {
            assert!(low <= group["value"].as_f64().unwrap() && group["value"].as_f64().unwrap() <= high);
        }
    }
    assert_eq!(sentences, place.made.rows.len());
    assert!(groups.len() > 1 && groups.iter().any(|group| !group["low"].is_null()));
}

#[test]
fn sentences_to_read_are_chosen_by_their_score() {
    let place = TranslationPlace::new();
    let report = report(&place, &[]);
    let examples = |kind: &str| list(&report, &format!("/translation/examples/{kind}")).to_vec();
    let bleu = |kind: &str| examples(kind).iter().map(|e| e["bleu"].as_f64().unwrap()).collect::<Vec<_>>();
    let (best, worst) = (bleu("best"), bleu("worst"));
    assert!(best.len() == 5 && worst.len() == 5 && examples("random").len() == 5);
    assert!(best.windows(2).all(|pair| pair[0] >= pair[1]) && worst.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(worst[4] < best[4]);
    let kinds = ["best", "worst", "random"];
    for example in kinds.iter().flat_map(|kind| examples(kind)) {
        let row = &place.made.rows[example["row"].as_u64().unwrap() as usize - 1];
        let joined = |side: &str| -> String {
            list(&example, &format!("/difference/{side}")).iter().map(|run| run["text"].as_str().unwrap()).collect()
        };
        assert_eq!((joined("hypothesis"), joined("reference")), (row.hypothesis.clone(), row.references[0].clone()));
        assert_eq!(example["difference"]["edits"] == 0, row.hypothesis == row.references[0]);
    }
}

#[test]
fn the_page_is_well_formed_and_every_number_is_in_the_json() {
    let place = TranslationPlace::new();
    place.add("worse", |speech| (speech.mistakes, speech.seed) = (0.4, 2));
    let report = report(&place, &["runs/worse"]);
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    let mut numbers = 0;
    for tag in &tags {
        assert!(!["img", "link", "iframe", "object", "embed", "base", "form"].contains(&tag.name.as_str()), "{tag:?}");
        assert!(tag.attributes.keys().all(|name| name != "src" && !name.starts_with("on")), "{tag:?}");
        let Some(path) = tag.attributes.get("data-path") else { continue };
        let found = report.pointer(path).unwrap_or_else(|| panic!("report.json has no `{path}`"));
        if tag.name == "data" {
            assert_eq!(found.as_f64(), tag.attributes["value"].parse().ok(), "{path}");
            numbers += 1;
        }
    }
    assert!(numbers > 150, "{numbers}");
    let mut ids: Vec<&str> = tags.iter().filter_map(|t| t.attributes.get("id").map(String::as_str)).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
    for label in tags.iter().filter(|t| t.name == "label") {
        assert!(ids.binary_search(&label.attributes["for"].as_str()).is_ok(), "{label:?}");
    }
    for id in ["matches", "lengths", "sentences", "attention", "comparison"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(!page.contains("id=\"samples\""), "there are none");
    let markdown = place.report("report.md");
    for text in
        ["## What the score is made of", "## Short and long", "### The worst", "## Where the heads look", "paired"]
    {
        assert!(markdown.contains(text), "{text}");
    }
}

#[test]
fn heads_are_shown_with_the_weights_they_have() {
    let place = TranslationPlace::new();
    let report = report(&place, &[]);
    let sentences = list(&report, "/translation/attention/sentences");
    assert_eq!(sentences.len(), 2);
    for sentence in sentences {
        let names: Vec<_> = list(sentence, "/maps").iter().map(|map| map["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["cross-attention", "encoder-attention", "decoder-attention"]);
        for map in list(sentence, "/maps") {
            let (rows, columns) = (list(map, "/rows").len(), list(map, "/columns").len());
            assert_eq!((list(map, "/layers").len(), list(map, "/layers/1/heads").len()), (2, 3));
            for row in list(map, "/layers/1/heads/2/weights") {
                let weights: Vec<u64> = row.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
                let sum: u64 = weights.iter().sum();
                assert!(weights.len() == columns && sum.abs_diff(100) <= columns as u64 / 2 + 1, "{weights:?}");
            }
            assert_eq!(list(map, "/layers/0/heads/0/weights").len(), rows);
        }
    }
    // the first head of every layer looks one token back, and says so
    assert_eq!(sentences[0]["maps"][1]["layers"][0]["heads"][0]["habit"], "the token before");
    let tags = markup::tags(&place.report("index.html")).unwrap();
    let pictures = |kind: &str| {
        let of_kind = |tag: &&markup::Tag| tag.name == "svg" && tag.attributes["class"].split(' ').any(|c| c == kind);
        tags.iter().filter(of_kind).count()
    };
    assert_eq!((pictures("words"), pictures("heat")), (2 * 3 * 2, 2 * 3 * 2 * 3));
}

#[test]
fn a_large_model_stays_a_small_page() {
    let place = TranslationPlace::with(|speech| (speech.layers, speech.heads, speech.explain) = (6, 8, 9));
    let report = report(&place, &[]);
    let attention = &report["translation"]["attention"];
    let shown = list(attention, "/sentences").len();
    assert!((1..=4).contains(&shown) && attention["left_out"].as_u64() == Some(9 - shown as u64), "{shown}");
    let sizes = ["index.html", "report.json"].map(|file| place.report(file).len());
    assert!(sizes.iter().all(|size| *size < 2_500_000), "{sizes:?}");
}

#[test]
fn nothing_that_a_sentence_says_becomes_markup() {
    let nasty = "<script>alert('1')</script> & \"x\" </svg> ~~a~~ | {{ 7 * 7 }} &amp; <b>y</b>\u{1}";
    let place = TranslationPlace::with(|speech| {
        speech.explain = 1;
        let other = format!("{nasty} z");
        speech.given = vec![(nasty.to_owned(), vec![other.clone(), nasty.to_owned()], other); 3];
    });
    place.add("tiny2", |speech| speech.seed = 5);
    let report = report(&place, &["runs/tiny2"]);
    assert!(codes(&report).contains(&"segments-differ"));
    let page = place.report("index.html");
    let tags = markup::tags(&page).unwrap();
    assert_eq!(tags.iter().filter(|t| t.name == "script").count(), 1, "only the page's own");
    assert!(page.contains("&lt;script&gt;alert") && page.contains("{{ 7 * 7 }}"));
    assert!(!page.contains('\u{1}'));
    let markdown = place.report("report.md");
    assert!(!markdown.contains("<script") && !markdown.contains(" <b>"));
}

#[test]
fn what_looks_wrong_is_counted_and_said() {
    let row = |hypothesis: &str| {
        ("A red dog runs far.".to_owned(), vec!["Ein roter Hund läuft weit.".to_owned()], hypothesis.to_owned())
    };
    let odd = ["", "A red dog runs far.", "Hund Hund Hund Hund Hund", "Hund.", "Ein roter Hund läuft weit ."];
    let place = TranslationPlace::with(|speech| speech.given = odd.map(row).to_vec());
    let first = report(&place, &[]);
    let found: Vec<(&str, u64)> = list(&first, "/translation/oddities")
        .iter()
        .map(|odd| (odd["code"].as_str().unwrap(), odd["count"].as_u64().unwrap()))
        .collect();
    for code in ["empty", "copied", "looping", "too-short", "tokenised"] {
        let count = found.iter().find(|odd| odd.0 == code).unwrap_or_else(|| panic!("{code}")).1;
        assert!(count >= 1);
    }
    // one of 120 is a slip, but an empty translation is always said
    let warned = codes(&first);
    assert!(warned.contains(&"empty") && !warned.contains(&"copied") && !warned.contains(&"tokenised"), "{warned:?}");
    let place = TranslationPlace::with(|speech| {
        speech.given = vec![row("Ein roter Hund läuft weit ."); 100];
    });
    let warned = report(&place, &[]);
    assert!(codes(&warned).contains(&"tokenised"), "{:?}", codes(&warned));
}

#[test]
fn runs_are_tested_on_the_same_sentences() {
    let place = TranslationPlace::new();
    place.add("worse", |speech| (speech.mistakes, speech.seed) = (0.4, 2));
    place.add("alike", |speech| (speech.mistakes, speech.seed) = (0.15, 3));
    let report = report(&place, &["runs/worse", "runs/alike"]);
    let paired = &report["comparison"]["paired"];
    assert_eq!((&paired["subject"], &paired["sentences"]), (&"tiny".into(), &120.into()));
    let value = |run: &str, metric: &str| {
        let run = list(&report, "/comparison/runs").iter().find(|r| r["name"] == run).unwrap();
        list(run, "/scores").iter().find(|s| s["name"] == metric).unwrap()["value"].as_f64().unwrap()
    };
    let tests = list(paired, "/tests");
    let test = |run: &str| tests.iter().find(|t| t["run"] == run && t["metric"] == "bleu").unwrap();
    near(&test("worse")["difference"], value("worse", "bleu") - value("tiny", "bleu"));
    // the made-up losses are the same everywhere: there is nothing to test
    let same = tests.iter().find(|t| t["metric"] == "loss").unwrap();
    assert_eq!((&same["bootstrap_p"], &same["in_words"]), (&Value::Null, &"the same".into()));
    let p = |run: &str| [&test(run)["bootstrap_p"], &test(run)["randomisation_p"]].map(|p| p.as_f64().unwrap());
    // 0.4 of the words wrong instead of 0.15 is no chance; another seed with as many is
    assert!(p("worse").iter().all(|p| *p < 0.02), "{:?}", p("worse"));
    assert!(p("alike").iter().all(|p| *p > 0.02), "{:?}", p("alike"));
    assert_eq!(test("worse")["is_better"], false);
    let gap = |apart: &Value| apart["gap"].as_f64().unwrap();
    let (ahead, behind) = (list(paired, "/ahead"), list(paired, "/behind"));
    assert!(ahead.windows(2).all(|pair| gap(&pair[0]) >= gap(&pair[1])) && gap(&ahead[0]) > 0.0);
    assert!(behind.windows(2).all(|pair| gap(&pair[0]) <= gap(&pair[1])) && gap(&behind[0]) < 0.0);
    let wordings = list(&ahead[0], "/wordings");
    let bleus: Vec<f64> = wordings.iter().map(|w| w["bleu"].as_f64().unwrap()).collect();
    near(&ahead[0]["gap"], bleus[0] - bleus[1].max(bleus[2]));
    assert!(!codes(&report).contains(&"segments-differ"));
}

#[test]
fn a_run_on_other_sentences_is_not_tested() {
    let place = TranslationPlace::new();
    place.add("other", |speech| {
        speech.given =
            vec![("Another source.".to_owned(), vec!["Noch eine Quelle.".to_owned()], "Eine Quelle.".to_owned())];
    });
    let report = report(&place, &["runs/other"]);
    assert!(codes(&report).contains(&"segments-differ"));
    let paired = &report["comparison"]["paired"];
    assert_eq!(list(paired, "/tests").len(), 0);
    assert_eq!(paired["refused"][0]["reason"], "one row has another source, the first is row 1");
    assert!(place.report("index.html").contains("is not compared sentence by sentence"));
}

#[test]
fn averaging_is_judged() {
    let place = TranslationPlace::new();
    let average = |average_loss| Average { version: 1, steps: vec![200, 300, 400], last_loss: 1.5, average_loss };
    place.made.run.write_average(&average(1.4)).unwrap();
    let better = report(&place, &[]);
    assert!(better["verdict"].to_string().contains("last 3 checkpoints is better"));
    assert!(!codes(&better).contains(&"average-worse"));
    place.made.run.write_average(&average(1.6)).unwrap();
    let worse = report(&place, &[]);
    assert!(worse["verdict"].to_string().contains("is worse") && codes(&worse).contains(&"average-worse"));
    assert_eq!(worse["average"]["average_loss"], 1.6);
}

#[test]
fn predictions_of_the_average_are_not_taken_for_a_changed_checkpoint() {
    let place = TranslationPlace::new();
    let run = &place.made.run;
    let average = run.checkpoints().join("average");
    fs_err::create_dir_all(&average).unwrap();
    fs_err::write(average.join("model.safetensors"), "mean weights").unwrap();
    let mut manifest = Manifest::read(&run.predictions("validation")).unwrap();
    let sha256 = tessera_datasets::hash::sha256(b"mean weights");
    manifest.details.insert("checkpoint_sha256".to_owned(), sha256.into());
    manifest.publish(&run.predictions("validation")).unwrap();
    let report = report(&place, &[]);
    assert_eq!(report["evaluated"]["is_average"], true);
    assert!(!codes(&report).contains(&"checkpoint-changed"));
    let page = place.report("index.html");
    assert!(page.contains("the mean of checkpoints") && page.contains("mean of the last checkpoints, up to step"));
}

#[test]
fn a_run_without_explanations_or_intervals_has_a_report() {
    let place = TranslationPlace::new();
    fs_err::remove_dir_all(place.made.run.explanations("validation")).unwrap();
    place.add("other", |speech| speech.seed = 4);
    let report = report(&place, &["runs/other", "--set", "eval.bootstrap=0"]);
    assert!(report["comparison"]["paired"]["tests"][0]["bootstrap_p"].is_null());
    let page = place.report("index.html");
    markup::tags(&page).unwrap();
    assert!(!page.contains("id=\"attention\""));
}
