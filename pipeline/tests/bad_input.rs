//! Raw files that are not what they should be.

use std::io::Write;

use crate::support::{Folder, READ_LINES};

#[test]
fn an_empty_folder_and_a_glob_without_files_are_errors() {
    let folder = Folder::new();
    fs_err::create_dir_all(folder.path().join("raw")).unwrap();
    folder.config(READ_LINES);
    folder.call(&["run", "config.toml"]).refused(&["no file to read in `raw`", "hint: there are no files at all"]);
    folder.write("raw/a.pdf", "x");
    folder.call(&["run", "config.toml"]).refused(&["hint: 1 file of another sort, such as `a.pdf`", "`.jsonl`"]);
    folder.config_of("paths = [\"raw/*.txt\"]", READ_LINES);
    folder.call(&["check", "config.toml"]).refused(&["`raw/*.txt`: this glob matches no file", "hint:"]);
    assert!(!folder.path().join("data").exists());
}

#[test]
fn bad_rows_are_counted_shown_and_written_down() {
    let folder = Folder::new();
    folder.write("raw/a.txt", b"one\nt\xffwo\n\nthree\n");
    folder.write("raw/b.jsonl", "{\"text\": \"four\"}\n{\"text\": \n{\"body\": \"x\"}\n{\"text\": 5}\n");
    folder.write("raw/notes.pdf", "x");
    folder.config(READ_LINES);
    let ended = folder.run(&[]);
    for words in [
        "rejected 5 of 8 rows",
        "1 × not UTF-8, first in `a.txt`, line 2: t\u{fffd}wo",
        "1 × not JSON, first in `b.jsonl`, line 2",
        "skipped 1 file of another sort, such as notes.pdf",
    ] {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    assert_eq!(folder.column("train", "text"), ["one", "three", "four"]);
    assert_eq!(folder.column("train", "loc"), ["line 1", "line 4", "line 1"]);
    let expected = [("empty", 1), ("field missing", 1), ("field not a string", 1), ("not JSON", 1), ("not UTF-8", 1)];
    assert_eq!(folder.rejected(), expected.map(|(r, n)| (r.to_owned(), n)).into());
    let rows = folder.manifest().rows;
    assert_eq!((rows.read, rows.kept, rows.stages[0].rows_in, rows.stages[0].rows_out), (8, 3, 8, 3));
    let card = fs_err::read_to_string(folder.made().join("README.md")).unwrap();
    assert!(card.contains("| not UTF-8 | 1 | a.txt, line 2 |"), "{card}");
}

#[test]
fn when_every_row_is_rejected_the_reasons_are_the_error() {
    let folder = Folder::new();
    folder.write("raw/a.jsonl", "[]\nx\ny\n");
    folder.config(READ_LINES);
    folder.call(&["run", "config.toml"]).refused(&["all 3 rows were rejected: 2 × not JSON", "1 × not a JSON object"]);
    assert!(!folder.made().join("manifest.json").exists());
    folder.write("raw/a.jsonl", "");
    folder.call(&["run", "config.toml"]).refused(&["there is not a single row"]);
}

#[test]
fn a_compressed_file_that_is_cut_short_is_an_error_until_it_is_whole() {
    let folder = Folder::new();
    let text: String = (0..30_000_u64).map(|i| format!("{}\n", i.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    folder.write("raw/a.txt.gz", &whole[..whole.len() - 100]);
    folder.config(READ_LINES);
    folder.call(&["run", "config.toml"]).refused(&[
        "error: `raw/a.txt.gz`, row 29",
        "the gzip stream is cut short",
        "because: ",
    ]);
    assert!(!folder.made().join("manifest.json").exists());
    folder.write("raw/a.txt.gz", &whole);
    folder.run(&[]);
    assert_eq!(folder.manifest().rows.kept, 30_000);
    // nothing is left of the attempt
    assert!(!folder.made().join(".work").exists() && !folder.made().join(".lock").exists());
}

#[test]
fn a_character_that_training_never_saw_is_a_reject() {
    let folder = Folder::new();
    folder.write("raw/train.txt", "abc\ncab\n");
    folder.write("raw/val.txt", "abc\nabd\n");
    let stages = |split: &str| {
        format!(
            "{READ_LINES}[[pipeline.stage]]\nkind = \"split\"\nmethod = \"file\"\nvalidation_files = [\"val*\"]\n\
             [[pipeline.stage]]\nkind = \"train-tokenizer\"\nmodel = \"characters\"\n{split}\n\
             [[pipeline.stage]]\nkind = \"encode\"\n"
        )
    };
    folder.config(&stages(""));
    let ended = folder.run(&[]);
    assert!(
        ended.stdout.contains("character outside the vocabulary, first in `val.txt`, line 2: `d` (U+0064)"),
        "{}",
        ended.stdout
    );
    assert_eq!(folder.manifest().splits["validation"].rows, 1);
    folder.config(&stages("split = \"all\""));
    folder.run(&["--replace"]);
    assert!(folder.rejected().is_empty());
    folder.config(&stages("split = \"test\""));
    folder.call(&["run", "config.toml", "--replace"]).refused(&["no row in split `test` to learn a vocabulary from"]);
}

#[test]
fn a_write_that_fails_is_an_error_and_the_next_run_goes_on() {
    let folder = Folder::new();
    crate::support::write_corpus(&folder, 4, 3000);
    folder.config(READ_LINES);
    // no file past 200 blocks of 512 bytes; ignoring the signal leaves the failed write
    let script = format!("trap '' XFSZ; ulimit -f 200; exec {} run config.toml --threads 1", crate::support::PROGRAM);
    let mut command = std::process::Command::new("sh");
    let output = command.args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: ") && said.contains("too large"), "{said}");
    assert!(!folder.made().join("manifest.json").exists());
    folder.run(&[]);
    assert_eq!(folder.call(&["verify", "data/made"]).code, 0);
}
