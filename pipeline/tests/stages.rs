//! Stages together, as a config strings them.

use tessera_datasets::schema::Kind;

use crate::support::{Folder, READ_LINES, write_corpus};

const CHARACTERS: &str = "[[pipeline.stage]]\nkind = \"train-tokenizer\"\nmodel = \"characters\"\n";
const ENCODE: &str = "[[pipeline.stage]]\nkind = \"encode\"\n";

#[test]
fn the_world_comes_in_every_kind_of_record() {
    for (record, kind, rows) in [
        ("text", Kind::Text, 20),
        ("translation", Kind::Translation, 20),
        ("image", Kind::Image, 20),
        ("caption", Kind::Caption, 20),
        ("pose", Kind::Pose, 20 * 30),
    ] {
        let folder = Folder::new();
        let frames = if record == "pose" { "frames = 30\n" } else { "" };
        let stages = format!("[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"{record}\"\nscenes = 20\n{frames}");
        folder.config_of("card = \"world\"", &stages);
        folder.run(&[]);
        let manifest = folder.manifest();
        assert_eq!((manifest.kind, manifest.rows.kept), (kind, rows));
        let mut ids = folder.column("train", "id");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len() as u64, rows, "{record}");
    }
}

#[test]
fn a_walk_becomes_windows_beside_what_is_true() {
    let folder = Folder::new();
    let stages = "[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"pose\"\nscenes = 4\nframes = 200\n\
        faults = { noise_mm = 0.0, jump_rate = 0.0, point_gap_rate = 0.02 }\n\
        [[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\ntest = 0.3\n\
        [[pipeline.stage]]\nkind = \"mask-keypoints\"\nnoise = 1.0\nstrata = [\"absent\", \"observed\"]\n";
    folder.config_of("card = \"world\"", stages);
    folder.run(&[]);
    let manifest = folder.manifest();
    assert_eq!(manifest.kind, Kind::PoseWindows);
    // 60 frames are held out of each walk: two windows, each keypoint absent in turn, and as it was
    let rows = |split: &str| manifest.splits[split].rows;
    assert_eq!([rows("train"), rows("template"), rows("test")], [4 * 140, 4 * 5, 4 * 2 * (16 + 1)]);
    assert_eq!(manifest.details["window"]["frames"], 30);
    assert_eq!(manifest.details["skeleton"]["keypoints"].as_array().map(Vec::len), Some(16));
    let card = fs_err::read_to_string(folder.made().join("README.md")).unwrap();
    assert!(card.contains("in the strata `absent`, `observed`, with noise of at most 1.0 mm"), "{card}");
    assert!(card.contains("| keypoint-block | 45.0 % |"), "{card}");
    let mut ids = folder.column("test", "id");
    assert!(ids.contains(&"animal-000002-0000140/absent/left_ear".to_owned()), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, rows("test"));
}

#[test]
fn a_larger_world_begins_with_the_smaller_one() {
    let folder = Folder::new();
    let world = |scenes: u32| {
        let stages = format!("[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"text\"\nscenes = {scenes}\n");
        folder.config_of("card = \"world\"", &stages);
        folder.run(&["--replace"]);
        folder.column("train", "text")
    };
    let (small, large) = (world(10), world(30));
    assert_eq!(large[..10], small);
}

#[test]
fn documents_are_told_apart_where_there_are_several() {
    let folder = Folder::new();
    folder.write("raw/a.txt", "ab\nba\n");
    folder.config(&format!("{READ_LINES}{CHARACTERS}{ENCODE}"));
    folder.run(&[]);
    assert_eq!(folder.manifest().details["vocabulary_size"], 3);
    folder.run(&["--replace", "--set", "pipeline.stage.1.end_of_text=false"]);
    assert_eq!(folder.manifest().details["vocabulary_size"], 2);
    // one file, one document: its characters and the new line
    folder.run(&["--replace", "--set", "pipeline.stage.0.rows=file"]);
    assert_eq!(folder.manifest().details["vocabulary_size"], 3);
    folder.run(&["--replace", "--set", "pipeline.stage.0.rows=file", "--set", "pipeline.stage.1.end_of_text=true"]);
    assert_eq!(folder.manifest().details["vocabulary_size"], 4);
}

#[test]
fn a_tokenizer_can_be_used_again() {
    let folder = Folder::new();
    write_corpus(&folder, 2, 100);
    folder.config(&format!("{READ_LINES}{CHARACTERS}{ENCODE}"));
    folder.run(&["--data-dir", "first"]);
    let first = folder.path().join("first/made");
    let use_it = "[[pipeline.stage]]\nkind = \"use-tokenizer\"\npath = \"first/made/tokenizer.json\"\n";
    folder.config(&format!("{READ_LINES}{use_it}{ENCODE}"));
    folder.run(&[]);
    for file in ["tokenizer.json", "data/train-00000-of-00001.parquet"] {
        assert_eq!(fs_err::read(folder.made().join(file)).unwrap(), fs_err::read(first.join(file)).unwrap(), "{file}");
    }
    // another tokenizer under the same name is another input
    let json = fs_err::read_to_string(first.join("tokenizer.json")).unwrap();
    fs_err::write(first.join("tokenizer.json"), json + "\n").unwrap();
    folder.call(&["run", "config.toml"]).refused(&["the source files have changed"]);
    fs_err::write(first.join("tokenizer.json"), "{}").unwrap();
    folder.call(&["run", "config.toml", "--replace"]).refused(&["first/made/tokenizer.json", "not a tokenizer"]);
    fs_err::remove_file(first.join("tokenizer.json")).unwrap();
    folder.call(&["run", "config.toml", "--replace"]).refused(&["first/made/tokenizer.json"]);
}

#[test]
fn a_language_model_corpus_is_conserved_from_text_to_rows() {
    let folder = Folder::new();
    write_corpus(&folder, 6, 300);
    folder.config(crate::support::LANGUAGE_MODEL);
    folder.run(&[]);
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs_err::read(folder.made().join("stats").join(name)).unwrap()).unwrap()
    };
    let (text, tokens) = (read("text.json"), read("tokens.json"));
    let manifest = folder.manifest();
    assert_eq!(manifest.rejected_count(), 2);
    for split in ["train", "validation"] {
        let (before, after) = (&text["splits"][split], &tokens["splits"][split]);
        assert_eq!(before["bytes"], after["bytes"], "{split}");
        assert_eq!(after["rows"], manifest.splits[split].rows);
        assert_eq!(after["length"]["maximum"], 64);
    }
    // each document has one end
    let ends = tokens["tokens"].as_array().unwrap().iter().find(|t| t["id"] == 0).unwrap();
    let documents = ["train", "validation"].map(|s| text["splits"][s]["rows"].as_u64().unwrap());
    assert_eq!(ends["count"].as_u64(), Some(documents.iter().sum()));
    assert_eq!(
        manifest.rows.stages.iter().map(|s| s.stage.as_str()).collect::<Vec<_>>(),
        ["read-text", "split", "statistics", "train-tokenizer", "encode", "pack", "statistics"]
    );
}

/// Rows that were dropped, whatever the reason.
trait RejectedCount {
    fn rejected_count(&self) -> u64;
}

impl RejectedCount for tessera_datasets::manifest::Manifest {
    fn rejected_count(&self) -> u64 {
        self.rows.rejected.values().map(|r| r.count).sum()
    }
}
