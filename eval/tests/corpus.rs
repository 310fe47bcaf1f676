//! `tessera-eval bleu`, `chrf` and `ter` print what sacrebleu prints, and say where it is silent.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{stderr, stdout, tessera_eval};

/// What sacrebleu 2.6.0 prints; made by `fixtures/make_translation.py`.
const FIXTURE: &str = include_str!("fixtures/command.json");

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// Runs it with hypotheses on the standard input.
fn piped(arguments: &[&str], input: &[u8], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera-eval"));
    let command = command.args(arguments).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // an error about the options comes before anything is read
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn ok(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

fn refused(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    text
}

/// Equal but for the last digits of numbers.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| same(a, b))
        }
        _ => ours == theirs,
    }
}

#[test]
fn prints_what_sacrebleu_prints() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let files = fixture["files"].as_object().unwrap();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    let folder = folder(&files);
    for case in fixture["cases"].as_array().unwrap() {
        let arguments = case["arguments"].as_str().unwrap();
        let expected = case["prints"].as_str().unwrap();
        let words: Vec<&str> = std::iter::once("bleu").chain(arguments.split(' ')).collect();
        let printed = ok(&tessera_eval(&words, folder.path()));
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        match json(expected).filter(|_| arguments.contains("paired") || arguments.contains("-pbs")) {
            Some(expected) => {
                let ours = json(&printed).unwrap();
                assert!(same(&ours, &expected), "{arguments}\n{printed}\nsacrebleu: {expected:#}");
            }
            None => assert_eq!(printed, expected, "{arguments}"),
        }
    }
}

const REFERENCE: &str = "The dog bit the man.\nIt was not unexpected.\n";

#[test]
fn hypotheses_come_from_standard_input_too_and_tabs_separate_systems() {
    let folder = folder(&[("ref.en", REFERENCE)]);
    let one = ok(&piped(&["bleu", "ref.en", "-f", "text", "-b"], REFERENCE.as_bytes(), folder.path()));
    assert_eq!(one, "100.0\n");
    let two = b"The dog bit the man.\tThe cat.\nIt was not unexpected.\tIt was.\n";
    let both = ok(&piped(&["chrf", "ref.en"], two, folder.path()));
    let both: Value = serde_json::from_str(&both).unwrap();
    assert_eq!((&both[0]["system"], &both[0]["chrF2"]), (&"System 1".into(), &"100.0".into()));
    assert_eq!(both[1]["system"], "System 2");
    let tested = ok(&piped(&["bleu", "ref.en", "--paired-ar", "-f", "text"], two, folder.path()));
    for part in ["Baseline", "System 1", "10,000 trials", "BLEU|nrefs:1|ar:10000|seed:12345|"] {
        assert!(tested.contains(part), "no `{part}` in {tested}");
    }
    let torn = refused(&piped(&["bleu", "ref.en"], b"a\tb\nc\n", folder.path()));
    assert!(torn.contains("row 2: 1 fields separated by tabs") && torn.contains("--input"), "{torn}");
}

#[test]
fn packed_files_are_read() {
    let folder = folder(&[("out.en", REFERENCE)]);
    let packed = zstd::encode_all(REFERENCE.as_bytes(), 0).unwrap();
    fs::write(folder.path().join("ref.en.zst"), packed).unwrap();
    assert_eq!(ok(&tessera_eval(&["bleu", "ref.en.zst", "-i", "out.en", "-b"], folder.path())), "100.0\n");
}

#[test]
fn another_number_of_lines_is_an_error_that_names_both() {
    let folder = folder(&[("ref.en", REFERENCE), ("long.en", "a\nb\nc\n"), ("out.en", REFERENCE)]);
    let run = |arguments: &[&str]| refused(&tessera_eval(arguments, folder.path()));
    for command in ["bleu", "chrf"] {
        let text = run(&[command, "ref.en", "-i", "long.en"]);
        assert!(text.contains("`ref.en` has 2 lines, `long.en` has 3 lines"), "{text}");
        assert!(text.contains("hint: "), "{text}");
    }
    let text = run(&["bleu", "ref.en", "long.en", "-i", "out.en"]);
    assert!(text.contains("`ref.en` has 2 lines, `long.en` has 3 lines"), "{text}");
    let text = refused(&piped(&["bleu", "ref.en"], b"a\n", folder.path()));
    assert!(text.contains("`ref.en` has 2 lines, `standard input` has 1 line"), "{text}");
}

#[test]
fn options_that_do_nothing_or_contradict_are_refused() {
    let folder = folder(&[("ref.en", REFERENCE), ("out.en", REFERENCE), ("b.en", REFERENCE), ("no.en", "")]);
    let cases: [(&str, &str); 17] = [
        ("bleu ref.en -i out.en --chrf-beta 3", "`--chrf-beta` is for chrF, which is not computed"),
        ("chrf ref.en -i out.en --lowercase", "`--lowercase` is for BLEU, which is not computed"),
        ("bleu ref.en -i out.en --smooth-value 1", "smoothing `exp` takes no value"),
        ("bleu ref.en -i out.en --tokenize 14a", "14a"),
        ("bleu ref.en -i out.en --tokenise 13a", "--tokenise"),
        ("chrf ref.en -i out.en --chrf-char-order 9", "`char_order` is 9, not from 1 to 8"),
        ("bleu ref.en -i out.en --ter-no-punct", "`--ter-no-punct` is for TER, which is not computed"),
        ("bleu ref.en -i out.en --paired-bs", "a paired test needs two systems"),
        ("bleu ref.en -i out.en b.en --confidence", "`--confidence` is for one system"),
        ("bleu ref.en -i out.en b.en --sentence-level", "only one system"),
        ("bleu ref.en -i out.en -sl --confidence", "not about its sentences"),
        ("bleu ref.en -i out.en -sl -m bleu chrf", "only one metric"),
        ("bleu ref.en -i out.en out.en", "`out.en` is given twice"),
        ("bleu ref.en -i out.en --confidence --confidence-n 1", "at least 2 resamples"),
        ("bleu ref.en b.en --num-refs 2 -i out.en", "several are given"),
        ("bleu no.en -i no.en", "nothing to score"),
        ("bleu absent.en -i out.en", "absent.en"),
    ];
    for (arguments, part) in cases {
        let text = refused(&tessera_eval(&arguments.split(' ').collect::<Vec<_>>(), folder.path()));
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn the_seed_is_said_and_changes_the_resamples() {
    let folder = folder(&[("ref.en", REFERENCE), ("out.en", "The dog bit a man.\nIt was not expected.\n")]);
    let run = |more: &[&str]| {
        let arguments = [&["bleu", "ref.en", "-i", "out.en", "-ci", "-cin", "10", "-w", "6"], more].concat();
        serde_json::from_str::<Value>(&ok(&tessera_eval(&arguments, folder.path()))).unwrap()
    };
    let (usual, other) = (run(&[]), run(&["--seed", "7"]));
    assert_eq!((&usual["seed"], &other["seed"]), (&"12345".into(), &"7".into()));
    assert_ne!(usual["confidence_mean"], other["confidence_mean"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera-eval"));
    let command =
        command.args(["bleu", "ref.en", "-i", "out.en", "-ci", "-cin", "10", "-w", "6"]).current_dir(folder.path());
    let from_environment = ok(&command.env("SACREBLEU_SEED", "7").output().unwrap());
    assert_eq!(serde_json::from_str::<Value>(&from_environment).unwrap(), other);
    let text = refused(&command.env("SACREBLEU_SEED", "none").output().unwrap());
    assert!(text.contains("`SACREBLEU_SEED` is `none`"), "{text}");
}

#[test]
fn text_that_looks_tokenized_is_reported_in_plain_words() {
    let tokenized = "It was not unexpected .\n".repeat(120);
    let folder = folder(&[("ref.en", &"It was not unexpected.\n".repeat(120)), ("out.en", &tokenized)]);
    let run = |arguments: &str| tessera_eval(&arguments.split(' ').collect::<Vec<_>>(), folder.path());
    let warned = run("bleu ref.en -i out.en");
    let text = stderr(&warned);
    ok(&warned);
    for part in ["120 of 120 lines of `out.en`", "a space before it", "--force"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert_eq!(stderr(&run("bleu ref.en -i out.en --force")), "");
    assert_eq!(stderr(&run("chrf ref.en -i out.en")), "");
}
