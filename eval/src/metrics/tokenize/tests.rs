//! What sacrebleu 2.6.0 makes of hard lines.

use std::path::PathBuf;

use serde_json::Value;
use tessera_datasets::console::say;

use super::*;

/// Made by `eval/tests/fixtures/make_translation.py`.
const FIXTURE: &str = include_str!("../../../tests/fixtures/tokenizers.json");

fn check(text: &str) {
    let cases: Value = serde_json::from_str(text).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let line = case["in"].as_str().unwrap();
        for tokenizer in Tokenizer::ALL {
            let Some(expected) = case[tokenizer.name()].as_str() else { continue };
            assert_eq!(tokenizer.tokenize(line), expected, "{tokenizer} of {line:?}");
        }
        if let Some(expected) = case["lower"].as_str() {
            assert_eq!(line.to_lowercase(), expected);
        }
    }
}

#[test]
fn lines_of_the_fixture() {
    check(FIXTURE);
}

#[test]
fn lines_of_the_shared_golden_file() {
    let shared = std::env::var_os("TESSERA_SHARED").map_or_else(|| PathBuf::from("../../shared"), PathBuf::from);
    match std::fs::read_to_string(shared.join("golden/tokenizers.json")) {
        Ok(text) => check(&text),
        Err(_) => say(format!("skipped: no `golden/tokenizers.json` in `{}`", shared.display())),
    }
}

#[test]
fn names_are_read_and_written() {
    for tokenizer in Tokenizer::ALL {
        assert_eq!(tokenizer.to_string().parse::<Tokenizer>().unwrap(), tokenizer);
    }
    let error = "14a".parse::<Tokenizer>().unwrap_err().to_string();
    assert_eq!(error, "unknown tokenizer `14a`; known: `13a`, `intl`, `char`, `zh`, `none`");
}
