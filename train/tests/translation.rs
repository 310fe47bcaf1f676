//! A Transformer through the real program: training, averaging, predicting, translating.

use std::io::Write;
use std::process::{Output, Stdio};

use arrow::array::AsArray;
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::shard::Dataset;

use crate::support::{Workshop, stderr};

fn trained(workshop: &Workshop, steps: &str) -> RunDir {
    let steps = format!("train.steps={steps}");
    let fit = workshop.train(&["fit", "translation.toml", "--set", &steps, "--set", "train.checkpoint_every=40"]);
    assert!(fit.status.success(), "{}", stderr(&fit));
    RunDir::open(workshop.path("runs/translation")).unwrap()
}

fn translate(workshop: &Workshop, input: &[u8], options: &[&str]) -> Output {
    let mut child = workshop
        .command(&[&["translate", "runs/translation"], options].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn it_learns_to_translate_and_every_option_changes_what_it_writes() {
    let workshop = Workshop::new();
    let run = trained(&workshop, "400");
    let last = run.metrics().unwrap().into_iter().rfind(|l| l.split == "validation").unwrap();
    assert!(last.values["loss"].as_f64().unwrap() < 1.5, "{:?}", last.values);

    let average = run.average().unwrap().unwrap();
    assert_eq!(average.steps, [320, 360, 400]);
    assert_eq!(average.last_loss, last.values["loss"].as_f64().unwrap());
    assert!(average.average_loss.is_finite() && average.average_loss != average.last_loss);
    assert!(run.average_checkpoint().join("config.json").is_file());

    let text = b"the cat\n\nsat on a\r\nmat\n";
    let usual = lines(&translate(&workshop, text, &[]));
    assert_eq!(usual.len(), 4);
    assert_eq!(usual[1], "", "an empty line stays empty");
    assert!(usual[0].contains("en"), "{usual:?}");
    let scored = lines(&translate(&workshop, text, &["--scores", "--n-best", "3"]));
    assert!(scored[0].starts_with("0 ||| ") && scored[0].split(" ||| ").count() == 4, "{scored:?}");
    assert_eq!(scored.iter().filter(|line| line.starts_with("2 |||")).count(), 3);
    let first: Vec<&str> = scored.iter().filter(|l| l.starts_with("2 |||")).map(|l| l.as_str()).collect();
    assert_eq!(first[0].split(" ||| ").nth(1).unwrap(), usual[2], "the best of three is the one");
    let scores = |options: &[&str]| lines(&translate(&workshop, text, &[&["--scores"], options].concat()));
    let plain = scores(&[]);
    assert_ne!(plain, scores(&["--length-penalty", "0"]));
    assert_ne!(plain, scores(&["--checkpoint", "320"]));
    assert_ne!(plain, scores(&["--extra-length", "0", "--beam", "1"]));
    let alone = scores(&["--sentences", "1", "--lines", "1"]);
    for (together, alone) in plain.iter().zip(&alone) {
        let parts = |line: &str| line.split(" ||| ").map(str::to_owned).collect::<Vec<_>>();
        let (together, alone) = (parts(together), parts(alone));
        assert_eq!(together[..2], alone[..2], "side by side is one by one");
        let score = |parts: &[String]| parts[3].parse::<f64>().unwrap();
        assert!((score(&together) - score(&alone)).abs() < 1e-4);
    }
    assert_ne!(scores(&["--checkpoint", "average"]), scores(&["--checkpoint", "last"]));
}

#[test]
fn predictions_hold_what_the_report_needs() {
    let workshop = Workshop::new();
    let run = trained(&workshop, "40");
    let predict = workshop.train(&["predict", "runs/translation", "--explain", "2", "--n-best", "2"]);
    assert!(predict.status.success(), "{}", stderr(&predict));
    let predictions = Dataset::open(run.predictions("validation")).unwrap();
    predictions.verify().unwrap();
    let details = &predictions.manifest().details;
    for (key, value) in [("task", "translation"), ("source_language", "en"), ("target_language", "de")] {
        assert_eq!(details[key], value);
    }
    assert_eq!(details["beam"], 4);
    let batches: Vec<_> = predictions.batches("validation", &[]).unwrap().map(|b| b.unwrap()).collect();
    let rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    assert_eq!(rows, 60);
    let batch = &batches[0];
    let list = |name: &str, row: usize| batch.column_by_name(name).unwrap().as_list::<i32>().value(row);
    let text = |name: &str, row: usize| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
    let tokens = batch.column_by_name("tokens").unwrap().as_primitive::<arrow::datatypes::UInt32Type>();
    let nll = batch.column_by_name("nll").unwrap().as_primitive::<arrow::datatypes::Float64Type>();
    let (mut sum, mut count) = (0.0, 0);
    for row in 0..rows {
        let reference = list("references", row).as_string::<i32>().value(0).to_owned();
        // one token a letter, and the end
        assert_eq!(tokens.value(row) as usize, reference.len() + 1);
        assert_eq!(list("token_nll", row).len(), reference.len() + 1);
        assert_eq!(list("nbest", row).as_string::<i32>().value(0), text("hypothesis", row));
        assert_eq!(list("nbest", row).len(), 2);
        assert_eq!(list("token_scores", row).len(), list("hypothesis_tokens", row).len() + 1);
        assert!(text("source", row).starts_with(|c: char| c.is_ascii_lowercase()));
        sum += nll.value(row);
        count += tokens.value(row);
    }
    let best = run.best().unwrap().unwrap().value;
    let expected = run.average().unwrap().unwrap().average_loss.min(best);
    assert!((sum / f64::from(count) - expected).abs() < 1e-5, "what is best by validation is what predicts");
    let explanations = Dataset::open(run.explanations("validation")).unwrap();
    let names: Vec<_> = explanations.batches("validation", &["name"]).unwrap().map(|b| b.unwrap()).collect();
    let names: Vec<_> = names[0].column(0).as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(names[..3], ["encoder-attention", "decoder-attention", "cross-attention"]);
    assert_eq!(names.len(), 6);
}

#[test]
fn killed_it_goes_on_and_ends_with_the_same_weights_and_average() {
    let workshop = Workshop::new();
    let fit =
        |runs: &str, more: &[&str]| workshop.train(&[&["fit", "translation.toml", "--runs-dir", runs], more].concat());
    assert!(fit("straight", &[]).status.success());
    let mut child = workshop
        .command(&["fit", "translation.toml", "--runs-dir", "killed"])
        .env("TESSERA_TEST_STEP_MILLISECONDS", "40")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = workshop.path("killed/translation/checkpoints/step-00000012");
    let started = std::time::Instant::now();
    while !checkpoint.is_dir() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoint.is_dir() && !workshop.path("killed/translation/checkpoints/average").exists());
    // how a trained model searches decides nothing about its weights
    assert!(fit("killed", &["--set", "train.decode.beam=2"]).status.success());
    let kept = fs_err::read_to_string(workshop.path("killed/translation/config.toml")).unwrap();
    assert!(kept.contains("beam = 2"), "{kept}");
    let other = fit("killed", &["--set", "train.model.dropout=0.2"]);
    assert!(stderr(&other).contains("made with another config"), "{}", stderr(&other));
    for file in ["step-00000024/model.safetensors", "step-00000024/optimizer.safetensors", "average/model.safetensors"]
    {
        let read = |runs: &str| fs_err::read(workshop.path(&format!("{runs}/translation/checkpoints/{file}"))).unwrap();
        assert!(read("straight") == read("killed"), "{file}");
    }
}

#[test]
fn pieces_of_a_batch_give_the_gradient_of_the_whole() {
    let workshop = Workshop::new();
    let losses = |runs: &str, pieces: &str| {
        let pieces = format!("train.accumulate={pieces}");
        let options = ["--set", &pieces, "--set", "train.model.dropout=0.0", "--set", "train.steps=6"];
        let output = workshop.train(&[&["fit", "translation.toml", "--runs-dir", runs], &options[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let run = RunDir::open(workshop.path(runs).join("translation")).unwrap();
        let train = run.metrics().unwrap().into_iter().filter(|line| line.split == "train");
        train.map(|line| line.values["loss"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let (whole, cut) = (losses("whole", "1"), losses("cut", "3"));
    for (a, b) in whole.iter().zip(&cut) {
        assert!((a - b).abs() < 1e-3, "{whole:?} {cut:?}");
    }
}

#[test]
fn wrong_input_is_an_error_that_says_what_to_do() {
    let workshop = Workshop::new();
    let refused = |options: &[&str], expected: &str| {
        let output = workshop.train(&[&["fit", "translation.toml"], options].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    };
    refused(&["--set", "train.model.target=fr"], "no language `fr`");
    refused(&["--set", "train.model.target=en"], "are the same language");
    refused(&["--set", "train.model.norm=middle"], "norm");
    refused(&["--set", "train.decode.n_best=9"], "is more than `beam` 4 finds");
    refused(&["--set", "train.batch=4"], "exclude each other");
    refused(&["--set", "train.batch_tokens=4"], "does not fit");
    refused(&["--set", "train.model.longest=2"], "no pair of sentences");
    refused(&["--set", "data.dataset=data/words"], "kind `translation`");
    trained(&workshop, "4");
    let output = translate(&workshop, b"the cat\nthe \xff\n", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("row 2") && stderr(&output).contains("no UTF-8"), "{}", stderr(&output));
    let output = translate(&workshop, "the cat\nthe Katze\n".as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("row 2") && stderr(&output).contains("vocabulary"), "{}", stderr(&output));
    let long = format!("the cat\n{}\n", "mat ".repeat(10_000));
    let output = translate(&workshop, long.as_bytes(), &["--lines", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("row 2: a sentence of 40000 tokens"), "{}", stderr(&output));
    let generate = workshop.train(&["generate", "runs/translation", "--prompt", "a"]);
    assert!(stderr(&generate).contains("does not generate"));
}
