//! Multi30k, as its card describes it.

use std::process::Command;

use tessera_datasets::console::say;

use crate::support::{Folder, PROGRAM, shared};

const CONFIG: &str = r#"version = 1
name = "made"
[data]
card = "multi30k"
[[pipeline.stage]]
kind = "read-bitext"
languages = ["en", "de"]
[[pipeline.stage]]
kind = "filter-bitext"
[[pipeline.stage]]
kind = "statistics"
"#;

#[test]
fn multi30k_keeps_its_test_sets_whole() {
    let Some(shared) = shared("data/multi30k/train.en.gz") else {
        say("skipped: Multi30k is not here; set TESSERA_SHARED to the folder above `data/multi30k`");
        return;
    };
    let folder = Folder::new();
    folder.write("config.toml", CONFIG);
    let mut command = Command::new(PROGRAM);
    command.args(["run", "config.toml"]).current_dir(folder.path()).env("TESSERA_SHARED", shared);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = folder.manifest();
    assert_eq!(manifest.rows.read, 32_014);
    for (split, rows) in [("validation", 1014), ("test_2016_flickr", 1000), ("test_2017_flickr", 1000)] {
        assert_eq!(manifest.splits[split].rows, rows, "{split}");
    }
    let rejected: u64 = manifest.rows.rejected.values().map(|r| r.count).sum();
    assert_eq!(manifest.splits["train"].rows, 29_000 - rejected);
    assert_eq!(manifest.details["skipped_files"]["count"], 4);
    assert_eq!(manifest.sources[0].license, "text terms unstated; research use");
    assert_eq!(folder.column("train", "src")[0], "train.{de,en}.gz");
}
