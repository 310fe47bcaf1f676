//! The real program: good runs, bad input, exit codes.

use tessera_datasets::run_dir::RunDir;
use tessera_datasets::shard::Dataset;

use crate::support::{Workshop, stderr};

#[test]
fn from_shards_to_predictions_and_samples() {
    let workshop = Workshop::new();
    let fit = workshop.train(&["fit", "run.toml", "--set", "train.steps=60"]);
    assert!(fit.status.success(), "{}", stderr(&fit));
    let predict = workshop.train(&["predict", "runs/run", "--explain", "2"]);
    assert!(predict.status.success(), "{}", stderr(&predict));
    let run = RunDir::open(workshop.path("runs/run")).unwrap();
    let predictions = Dataset::open(run.predictions("validation")).unwrap();
    predictions.verify().unwrap();
    let batches: Vec<_> = predictions.batches("validation", &[]).unwrap().map(|b| b.unwrap()).collect();
    let sum = |name: &str| -> f64 {
        let column = |batch: &arrow::record_batch::RecordBatch| {
            let values = batch.column_by_name(name).unwrap();
            arrow::compute::cast(values, &arrow::datatypes::DataType::Float64).unwrap()
        };
        let total = |batch| {
            arrow::compute::sum(arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(&column(batch)))
        };
        batches.iter().filter_map(total).sum()
    };
    let dataset = Dataset::open(workshop.path("data/words")).unwrap();
    let tokens = tessera_train::tokens::TokenStream::read(&dataset, "validation", 28).unwrap().len() as f64;
    // every token but the first, each one byte
    assert_eq!(sum("tokens"), tokens - 1.0);
    assert_eq!(sum("bytes"), tokens - 1.0);
    // the journal's last validation is the same number
    let last = run.metrics().unwrap().into_iter().rfind(|l| l.split == "validation").unwrap();
    let best = run.best().unwrap().unwrap();
    assert_eq!(best.step, last.step, "the loss of this toy still falls at the end");
    assert!((sum("nll") / sum("tokens") - best.value).abs() < 1e-5);
    assert_eq!(run.samples().unwrap().len(), 1);
    assert!(Dataset::open(run.explanations("validation")).is_ok());

    let generate = |seed: &str| {
        let output = workshop.train(&["generate", "runs/run", "--prompt", "the ", "--tokens", "30", "--seed", seed]);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(generate("1"), generate("1"));
    assert_ne!(generate("1"), generate("2"));
    assert!(generate("1").starts_with("the "));
}

#[test]
fn accumulated_pieces_give_the_gradient_of_the_whole_batch() {
    let workshop = Workshop::new();
    let loss = |runs: &str, pieces: &str| {
        let output = workshop.train(&[
            "fit",
            "run.toml",
            "--runs-dir",
            runs,
            "--set",
            "train.model.dropout=0.0",
            "--set",
            pieces,
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        RunDir::open(workshop.path(runs).join("run")).unwrap().best().unwrap().unwrap().value
    };
    let (whole, pieces) = (loss("whole", "train.accumulate=1"), loss("pieces", "train.accumulate=4"));
    assert!((whole - pieces).abs() < 1e-4, "{whole} {pieces}");
}

#[test]
fn bfloat16_trains_and_differs_from_float32() {
    let workshop = Workshop::new();
    let loss = |runs: &str, precision: &str| {
        let output = workshop.train(&["fit", "run.toml", "--runs-dir", runs, "--set", precision]);
        assert!(output.status.success(), "{}", stderr(&output));
        RunDir::open(workshop.path(runs).join("run")).unwrap().best().unwrap().unwrap().value
    };
    let (single, mixed) = (loss("single", "train.precision=float32"), loss("mixed", "train.precision=bfloat16"));
    assert!(single != mixed && (single - mixed).abs() < 0.1, "{single} {mixed}");
}

fn fails(workshop: &Workshop, arguments: &[&str], expected: &[&str]) {
    let output = workshop.train(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in expected {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn bad_input_is_named_with_place_and_hint() {
    let workshop = Workshop::new();
    fails(
        &workshop,
        &["fit", "run.toml", "--set", "train.model.layerz=2"],
        &["unknown key `layerz`", "valid keys: ", "did you mean `layers`?"],
    );
    fails(&workshop, &["fit", "run.toml", "--set", "train.model.kind=gtp"], &["unknown model `gtp`", "`gpt`"]);
    fails(&workshop, &["fit", "run.toml", "--set", "train.stesp=2"], &["unknown key `stesp`", "`steps`"]);
    fails(&workshop, &["fit", "run.toml", "--set", "train.model.heads=3"], &["`width` 16 is no multiple of `heads` 3"]);
    fails(&workshop, &["fit", "run.toml", "--set", "train.model.context=100000"], &["a window needs 100001"]);
    fails(&workshop, &["fit", "run.toml", "--device", "cuda:7"], &["no device `cuda:7`", "doctor"]);
    fails(&workshop, &["fit", "absent.toml"], &["absent.toml", "hint: "]);
    fails(&workshop, &["predict", "runs/absent"], &["no run here", "tessera-train fit"]);
    fails(&workshop, &["train"], &["unrecognized subcommand"]);
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_before_a_checkpoint() {
    let workshop = Workshop::new();
    fails(
        &workshop,
        &[
            "fit",
            "run.toml",
            "--set",
            "train.optimizer.learning_rate=1e38",
            "--set",
            "train.optimizer.clip=0",
            "--set",
            "train.schedule.warmup=0",
        ],
        &["at step", "training has diverged"],
    );
}

#[test]
fn a_changed_shard_and_another_config_are_refused() {
    let workshop = Workshop::new();
    assert!(workshop.train(&["fit", "run.toml", "--set", "train.steps=2"]).status.success());
    fails(&workshop, &["fit", "run.toml"], &["made with another config", "--replace"]);
    let shard = workshop.path("data/words/data/train-00000-of-00001.parquet");
    let mut bytes = fs_err::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&shard, &bytes).unwrap();
    fails(&workshop, &["fit", "run.toml", "--replace"], &["train-00000-of-00001.parquet", "sha256", "make it again"]);
}

#[test]
fn help_list_and_doctor_say_what_there_is() {
    let workshop = Workshop::new();
    for arguments in [&["--help"][..], &["fit", "--help"], &["list"], &["doctor"], &["--version"]] {
        let output = workshop.train(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    let doctor = workshop.train(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("libtorch      2.11.0, as it must be"));
}
