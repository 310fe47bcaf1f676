//! The real binary: what it prints, and what it says about wrong input.

mod support;

use std::path::Path;
use std::process::Output;

use arrow::array::RecordBatch;
use serde_json::Value;
use support::{Place, stderr, stdout, tables, tessera_eval};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::schema::{self, Kind, RecordSchema};
use tessera_datasets::shard::Dataset;

fn ok(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

/// Runs it, expects exit code 1 and one error, and returns what it says.
fn refused(arguments: &[&str], dir: &Path) -> String {
    let output = tessera_eval(arguments, dir);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let dir = tempfile::tempdir().unwrap();
    says(&ok(&tessera_eval(&["--help"], dir.path())), &["score", "report", "list", "check"]);
    says(&ok(&tessera_eval(&["--version"], dir.path())), &["tessera-eval"]);
    says(&ok(&tessera_eval(&["list"], dir.path())), &["perplexity", "bits-per-byte", "loss", "token-accuracy"]);
    says(&refused(&["scoer"], dir.path()), &["scoer", "score"]);
    refused(&["report"], dir.path());
}

#[test]
fn scores_of_a_run_and_of_its_predictions_are_the_same() {
    let place = Place::new();
    let table = ok(&tessera_eval(&["score", "runs/tiny"], place.path()));
    says(
        &table,
        &["metric", "95 % interval", "perplexity", "↓", "↑", "perplexity|unit:token|context:32|stride:32|windows:"],
    );
    let json = |target: &str, more: &[&str]| -> Value {
        let arguments = [&["score", target, "--json"], more].concat();
        serde_json::from_str(&ok(&tessera_eval(&arguments, place.path()))).unwrap()
    };
    let of_run = json("runs/tiny", &[]);
    assert_eq!((&of_run["format"], &of_run["split"]), (&"tessera-scores".into(), &"validation".into()));
    assert_eq!(of_run, json("tiny", &[]), "a run may be given by name");
    // a folder of predictions has no config: the usual 1000 replicates, or those of a config
    let config = place.run().join("config.toml");
    let of_predictions = json("runs/tiny/predictions/validation", &["--config", config.to_str().unwrap()]);
    assert_eq!(of_run, of_predictions);
    let usual = json("runs/tiny/predictions/validation", &[]);
    assert_eq!(usual["scores"][0]["value"], of_run["scores"][0]["value"]);
    says(usual["scores"][0]["signature"].as_str().unwrap(), &["bootstrap:1000", "seed:12345"]);
    let bare = json("runs/tiny", &["--set", "eval.bootstrap=0"]);
    assert!(bare["scores"][0]["interval"].is_null());
}

#[test]
fn the_config_decides_the_metrics_and_their_order() {
    let place = Place::with(|spec| {
        spec.eval =
            "[eval]\nbootstrap = 100\n[[eval.metric]]\nkind = \"bits-per-byte\"\n[[eval.metric]]\nkind = \"loss\"\n"
                .to_owned();
    });
    let json: Value =
        serde_json::from_str(&ok(&tessera_eval(&["score", "runs/tiny", "--json"], place.path()))).unwrap();
    let names: Vec<&str> = json["scores"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["bits-per-byte", "loss"]);
    let page = ok(&tessera_eval(&["report", "runs/tiny", "--out", "here"], place.path()));
    assert_eq!(page.trim(), Path::new("here").join("index.html").to_str().unwrap());
    assert!(!place.run().join("report").exists());
}

#[test]
fn a_config_is_checked_strictly() {
    let place = Place::new();
    let config = place.run().join("config.toml");
    let config = config.to_str().unwrap();
    says(&ok(&tessera_eval(&["check", config], place.path())), &["split `validation`", "100 replicates"]);
    let set = |key: &str| refused(&["check", config, "--set", key], place.path());
    says(&set("eval.spilt=test"), &["unknown key `spilt` in `eval`", "hint: did you mean `split`?"]);
    says(&set("eval.bootstrap=7"), &["`bootstrap` is `7`"]);
    says(&set("eval.metric=loss"), &["must be an array of tables: `[[eval.metric]]`"]);
    let text = fs_err::read_to_string(config).unwrap();
    fs_err::write(config, text + "[[eval.metric]]\nkind = \"perplexty\"\n").unwrap();
    says(
        &refused(&["check", config], place.path()),
        &["row ", "unknown metric `perplexty`", "did you mean `perplexity`?"],
    );
    says(&refused(&["report", "runs/tiny"], place.path()), &["unknown metric `perplexty`"]);
}

#[test]
fn a_place_that_is_no_run_says_so() {
    let place = Place::new();
    says(&refused(&["report", "nowhere"], place.path()), &["`nowhere`: no run here", "hint: "]);
    says(&refused(&["score", "data/tiny"], place.path()), &["of kind `tokens`, but `predictions` is needed", "hint: "]);
    says(&refused(&["report", "runs/tiny", "runs/../runs/tiny"], place.path()), &["given twice"]);
    let predictions = "runs/tiny/predictions/validation";
    says(&refused(&["score", predictions, "--set", "eval.bootstrap=0"], place.path()), &["--config"]);
}

#[test]
fn absent_predictions_come_with_the_command_that_makes_them() {
    let place = Place::new();
    let text = refused(&["report", "runs/tiny", "--set", "eval.split=test"], place.path());
    says(
        &text,
        &["no predictions for split `test`", "hint: make them with `tessera-train predict runs/tiny --split test`"],
    );
}

#[test]
fn a_changed_shard_is_noticed() {
    let place = Place::new();
    let dataset = Dataset::open(place.predictions()).unwrap();
    let shard = place.predictions().join(&dataset.shards("validation").unwrap()[0].path);
    let mut bytes = fs_err::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&shard, &bytes).unwrap();
    for command in ["score", "report"] {
        says(&refused(&[command, "runs/tiny"], place.path()), &["sha256 is `", "the manifest says"]);
    }
    fs_err::write(&shard, &bytes[..middle]).unwrap();
    says(&refused(&["score", "runs/tiny"], place.path()), &["the manifest says", "bytes, the file has"]);
}

/// Publishes predictions with some of the columns.
fn publish_with(place: &Place, columns: &[&str]) {
    let dataset = Dataset::open(place.predictions()).unwrap();
    let batches: Vec<RecordBatch> = dataset.batches("validation", &[]).unwrap().map(Result::unwrap).collect();
    let full = schema::language_model_predictions();
    let kept = full.fields().iter().filter(|f| columns.contains(&f.name().as_str()));
    let schema = kept
        .clone()
        .fold(RecordSchema::new(Kind::Predictions), |s, f| s.column(f.name(), f.data_type().clone(), false));
    let indices: Vec<usize> = kept.map(|f| full.arrow().index_of(f.name()).unwrap()).collect();
    let batch = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    let columns = batch.project(&indices).unwrap().columns().to_vec();
    let batch = RecordBatch::try_new(schema.arrow(), columns).unwrap();
    let mut manifest = Manifest::read(&place.predictions()).unwrap();
    let split = tables::publish(&place.predictions(), "validation", &schema, &batch).unwrap();
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&place.predictions()).unwrap();
}

#[test]
fn a_metric_says_which_column_it_lacks() {
    let place = Place::new();
    publish_with(&place, &["id", "tokens", "bytes", "nll"]);
    let text = refused(&["score", "runs/tiny"], place.path());
    says(
        &text,
        &["metric `token-accuracy` reads column `correct`, which is not there", "hint: columns: `id`, `tokens`"],
    );
    let text = refused(&["report", "runs/tiny"], place.path());
    says(&text, &["the report reads column `text`, which is not there"]);
}

#[test]
fn lines_that_are_no_lines_are_named() {
    let place = Place::new();
    let run = &place.made.run;
    let metrics = fs_err::read_to_string(run.metrics_path()).unwrap();
    fs_err::write(run.metrics_path(), format!("{metrics}not json\n")).unwrap();
    let rows = metrics.lines().count() + 1;
    says(&refused(&["report", "runs/tiny"], place.path()), &[&format!("row {rows}: not a metric line")]);
    fs_err::write(run.metrics_path(), metrics).unwrap();
    fs_err::write(run.samples_path(), "{\"prompt\":1}\n").unwrap();
    says(&refused(&["report", "runs/tiny"], place.path()), &["samples.jsonl`, row 1: not a sample"]);
}

#[test]
fn predictions_of_an_unknown_task_have_no_metrics() {
    let place = Place::new();
    let mut manifest = Manifest::read(&place.predictions()).unwrap();
    manifest.details.insert("task".to_owned(), "knitting".into());
    manifest.publish(&place.predictions()).unwrap();
    says(&refused(&["score", "runs/tiny"], place.path()), &["no metric is for predictions of task `knitting`"]);
}

#[test]
fn explanations_that_do_not_fit_their_shape_are_refused() {
    let place = Place::new();
    let row = tables::Candidates {
        id: "validation-000000".to_owned(),
        truth: vec!["a".to_owned(), "b".to_owned()],
        names: vec!["a".to_owned(); 4],
        probabilities: vec![0.5; 3],
    };
    let schema = schema::explanations();
    let dir = place.made.run.explanations("validation");
    let batch = tables::explanations(&schema, &[row]).unwrap();
    let mut manifest = Manifest::read(&dir).unwrap();
    manifest.splits.insert("validation".to_owned(), tables::publish(&dir, "validation", &schema, &batch).unwrap());
    manifest.publish(&dir).unwrap();
    let text = refused(&["report", "runs/tiny"], place.path());
    says(&text, &["row 1: `shape` is [2, 2], but there are 2 row labels, 4 column labels and 3 values"]);
}

/// Publishes one window with these losses of its tokens.
fn publish_window(place: &Place, token_nll: Vec<f32>) {
    let schema = schema::language_model_predictions();
    let text = "a".repeat(token_nll.len());
    let window = tables::Window { id: "w".to_owned(), offset: 0, bytes: 3, token_nll, correct: 0, text };
    let batch = tables::predictions(&schema, &[window]).unwrap();
    let mut manifest = Manifest::read(&place.predictions()).unwrap();
    let split = tables::publish(&place.predictions(), "validation", &schema, &batch).unwrap();
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&place.predictions()).unwrap();
}

#[test]
fn losses_that_cannot_be_are_refused_with_their_row() {
    let place = Place::new();
    publish_window(&place, vec![1.0, f32::NAN, 1.0]);
    says(&refused(&["score", "runs/tiny"], place.path()), &["row 1: `nll` is NaN"]);
    says(&refused(&["report", "runs/tiny"], place.path()), &["row 1: a loss in `token_nll` is NaN"]);
    publish_window(&place, Vec::new());
    says(&refused(&["report", "runs/tiny"], place.path()), &["the predictions hold no tokens"]);
}

#[test]
fn one_window_is_enough_for_a_report() {
    let place = Place::new();
    publish_window(&place, vec![1.0, 2.0, 3.0]);
    let mut manifest = Manifest::read(&place.predictions()).unwrap();
    for (key, value) in [("context", u64::MAX), ("stride", 1), ("vocabulary", 0)] {
        manifest.details.insert(key.to_owned(), value.into());
    }
    manifest.details.remove("tokenizer_sha256");
    manifest.publish(&place.predictions()).unwrap();
    let mut dataset = Manifest::read(&place.made.dataset).unwrap();
    dataset.details.insert("a/b~c".to_owned(), 1.5.into());
    dataset.details.insert("lower case".to_owned(), true.into());
    dataset.publish(&place.made.dataset).unwrap();
    ok(&tessera_eval(&["report", "runs/tiny"], place.path()));
    support::markup::tags(&place.report("index.html")).unwrap();
}
