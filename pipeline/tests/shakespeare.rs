//! Tiny Shakespeare, as nanoGPT prepares it.

use std::process::Command;

use tessera_datasets::console::say;
use tessera_datasets::manifest::Manifest;

use crate::support::{Folder, PROGRAM, shared};

const CONFIG: &str = r#"version = 1
name = "made"
[data]
card = "tiny-shakespeare"
[[pipeline.stage]]
kind = "read-text"
rows = "file"
[[pipeline.stage]]
kind = "split"
method = "tail"
validation = 0.1
[[pipeline.stage]]
kind = "statistics"
[[pipeline.stage]]
kind = "train-tokenizer"
model = "characters"
[[pipeline.stage]]
kind = "encode"
[[pipeline.stage]]
kind = "pack"
length = 2048
"#;

#[test]
fn tiny_shakespeare_has_the_characters_that_everyone_counts() {
    let Some(shared) = shared("data/tinyshakespeare/input.txt") else {
        say("skipped: Tiny Shakespeare is not here; set TESSERA_SHARED to the folder above `data/tinyshakespeare`");
        return;
    };
    let folder = Folder::new();
    folder.write("config.toml", CONFIG);
    let mut command = Command::new(PROGRAM);
    let output =
        command.args(["run", "config.toml"]).current_dir(folder.path()).env("TESSERA_SHARED", shared).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let stats = fs_err::read(folder.made().join("stats/text.json")).unwrap();
    let stats: serde_json::Value = serde_json::from_slice(&stats).unwrap();
    assert_eq!(stats["splits"]["train"]["characters"], 1_003_854);
    assert_eq!(stats["splits"]["validation"]["characters"], 111_540);
    assert_eq!(stats["characters"].as_array().unwrap().len(), 65);

    let manifest = Manifest::read(&folder.made()).unwrap();
    assert_eq!(manifest.details["vocabulary_size"], 65);
    assert!(manifest.rows.rejected.is_empty());
    // one token for each character, in rows of 2048
    assert_eq!(manifest.splits["train"].rows, 1_003_854_u64.div_ceil(2048));
    assert_eq!(manifest.splits["validation"].rows, 111_540_u64.div_ceil(2048));
    assert_eq!(manifest.sources[0].license, "MIT");
    // 'F' of "First Citizen" is 18 in nanoGPT's meta.pkl, too: characters by code point, from 0
    let tokenizer = fs_err::read(folder.made().join("tokenizer.json")).unwrap();
    let tokenizer: serde_json::Value = serde_json::from_slice(&tokenizer).unwrap();
    assert_eq!(tokenizer["model"]["vocab"]["F"], 18);
}
