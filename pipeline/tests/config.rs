//! What is said about a wrong config, a finished dataset and a wrong command line.

use crate::support::{Folder, READ_LINES};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("raw/a.txt", "one\ntwo\nthree\n");
    folder.config(READ_LINES);
    folder
}

#[test]
fn a_wrong_key_is_named_with_file_line_and_valid_keys() {
    let folder = folder();
    folder.config("[[pipeline.stage]]\nkind = \"read-text\"\nrow = \"line\"\n");
    for command in ["run", "check"] {
        folder.call(&[command, "config.toml"]).refused(&[
            "error: `config.toml`, row 11: unknown key `row` in `pipeline.stage[0]`",
            "valid keys: `rows`, `field`, `part_bytes`",
            "hint: did you mean `rows`?",
        ]);
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_wrong_kind_lists_those_known() {
    let folder = folder();
    folder.config(&READ_LINES.replace("read-text", "red-text"));
    folder.call(&["run", "config.toml"]).refused(&[
        "`config.toml`, row 10: unknown stage `red-text`",
        "`train-tokenizer`",
        "hint: did you mean `read-text`?",
    ]);
}

#[test]
fn a_wrong_value_and_a_wrong_order_have_their_line() {
    let folder = folder();
    folder.config("[[pipeline.stage]]\nkind = \"read-text\"\nrows = \"lines\"\n");
    folder.call(&["check", "config.toml"]).refused(&["row 11", "`pipeline.stage[0].rows`", "`paragraph`"]);
    folder.config(&format!("{READ_LINES}[[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\nstratify = true\n"));
    folder.call(&["check", "config.toml"]).refused(&["row 15", "unknown key `stratify`", "`validation`"]);
    folder.config(&format!("{READ_LINES}[[pipeline.stage]]\nkind = \"encode\"\n"));
    folder.call(&["check", "config.toml"]).refused(&[
        "row 13",
        "`encode` needs `tokenizer.json`",
        "hint: put `train-tokenizer`",
    ]);
}

#[test]
fn a_dataset_that_is_there_is_up_to_date() {
    let folder = folder();
    let first = folder.run(&[]);
    assert!(first.stdout.contains("3 rows") && first.stdout.contains("data/made"), "{}", first.stdout);
    let manifest = folder.made().join("manifest.json");
    let written = fs_err::metadata(&manifest).unwrap().modified().unwrap();
    // what a kill at the very end leaves is taken away
    folder.write("data/made/.lock", "4194999");
    folder.write("data/made/.work/0-0123456789abcdef/part-00000.json", "{}");
    let second = folder.run(&[]);
    assert_eq!(second.stdout, "data/made is up to date\n");
    assert_eq!(fs_err::metadata(&manifest).unwrap().modified().unwrap(), written);
    assert!(!folder.made().join(".lock").exists() && !folder.made().join(".work").exists());
}

#[test]
fn another_config_needs_to_be_told_to_replace() {
    let folder = folder();
    folder.config(&format!("{READ_LINES}[[pipeline.stage]]\nkind = \"statistics\"\n"));
    folder.run(&[]);
    let before = crate::support::tree(&folder.made());
    assert!(before.contains_key("stats/text.json"));
    folder.config(READ_LINES);
    folder
        .call(&["run", "config.toml"])
        .refused(&["`data/made`: this dataset was made from another config", "--replace"]);
    assert_eq!(crate::support::tree(&folder.made()), before);
    folder.run(&["--replace"]);
    // nothing of the old one is left, not even the folder of its statistics
    assert!(!folder.made().join("stats").exists());
    let fresh = Folder::new();
    fresh.write("raw/a.txt", "one\ntwo\nthree\n");
    fresh.config(READ_LINES);
    fresh.run(&[]);
    assert_eq!(crate::support::tree(&folder.made()), crate::support::tree(&fresh.made()));
}

#[test]
fn other_source_files_need_to_be_told_to_replace() {
    let folder = folder();
    folder.run(&[]);
    folder.write("raw/b.txt", "four\n");
    folder.call(&["run", "config.toml"]).refused(&["the source files have changed", "--replace"]);
    folder.run(&["--replace"]);
    assert_eq!(folder.column("train", "text"), ["one", "two", "three", "four"]);
}

#[test]
fn overrides_change_the_dataset_and_stand_in_its_manifest() {
    let folder = folder();
    folder.run(&["--set", "pipeline.stage.0.rows=file"]);
    assert_eq!(folder.column("train", "text"), ["one\ntwo\nthree\n"]);
    assert!(folder.manifest().config.toml.contains("rows = \"file\""));
}

#[test]
fn a_finished_dataset_leaves_nothing_to_do() {
    let folder = folder();
    folder.run(&[]);
    folder.config_of("dataset = \"data/made\"", "");
    let ended = folder.run(&[]);
    assert!(ended.stderr.contains("nothing to do"), "{}", ended.stderr);
    folder.config_of("dataset = \"data/made\"", READ_LINES);
    folder.call(&["run", "config.toml"]).refused(&["no stage can follow"]);
    folder.config_of("dataset = \"data/none\"", "");
    folder.call(&["run", "config.toml"]).refused(&["no dataset here"]);
}

#[test]
fn help_is_no_error_and_a_wrong_argument_is_one() {
    let folder = folder();
    for command in [&["--help"][..], &["run", "--help"], &["--version"], &["list"], &["cards"]] {
        let ended = folder.call(command);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{command:?}");
        assert!(!ended.stdout.is_empty());
    }
    assert!(folder.call(&["run", "--help"]).stdout.contains("Example:"));
    folder.call(&["run"]).refused(&["error: ", "<CONFIG>"]);
    folder.call(&["rnu"]).refused(&["error: unrecognized subcommand 'rnu'"]);
    folder.call(&["run", "none.toml"]).refused(&["none.toml"]);
    folder.call(&["fetch", "none"]).refused(&["no card `none`", "tiny-shakespeare"]);
    folder.call(&["fetch", "world"]).refused(&["made from a seed"]);
}

#[test]
fn check_says_what_would_be_made() {
    let folder = folder();
    folder.config(crate::support::LANGUAGE_MODEL);
    let ended = folder.call(&["check", "config.toml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let stages = "read-text → split → statistics → train-tokenizer → encode → pack → statistics";
    assert!(ended.stdout.contains(stages) && ended.stdout.contains("tokens"), "{}", ended.stdout);
    assert!(!folder.path().join("data").exists());
}
