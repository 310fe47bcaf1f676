//! What is made can be verified and shown.

use tessera_datasets::shard::Dataset;

use crate::support::{Folder, LANGUAGE_MODEL, write_corpus};

fn folder() -> Folder {
    let folder = Folder::new();
    write_corpus(&folder, 3, 400);
    folder.config(LANGUAGE_MODEL);
    folder.run(&[]);
    folder
}

#[test]
fn verify_finds_any_change() {
    let folder = folder();
    let verify = || folder.call(&["verify", "data/made"]);
    let ended = verify();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("are as they were published"), "{}", ended.stdout);

    let manifest = folder.manifest();
    let shards = manifest.shards().map(|s| s.path.clone());
    let files: Vec<String> = shards.chain(manifest.files.iter().map(|f| f.path.clone())).collect();
    assert!(files.len() >= 7, "{files:?}");
    for name in files {
        let path = folder.made().join(&name);
        let whole = fs_err::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs_err::write(&path, flipped).unwrap();
        verify().refused(&[&name, "sha256 is", "hint:"]);
        fs_err::write(&path, whole).unwrap();
    }
    assert_eq!(verify().code, 0);
}

#[test]
fn a_wrong_hash_in_the_manifest_and_a_missing_shard_are_found() {
    let folder = folder();
    let path = folder.made().join("manifest.json");
    let mut manifest = folder.manifest();
    let shard = manifest.splits.get_mut("train").unwrap().shards[0].clone();
    manifest.splits.get_mut("train").unwrap().shards[0].sha256 = "0".repeat(64);
    fs_err::write(&path, manifest.to_bytes()).unwrap();
    folder.call(&["verify", "data/made"]).refused(&[&shard.path, "the manifest says `0000000000000000…`"]);

    fs_err::remove_file(folder.made().join(&shard.path)).unwrap();
    folder.call(&["verify", "data/made"]).refused(&[&shard.path, "hint:"]);
    fs_err::write(&path, "{}").unwrap();
    folder.call(&["verify", "data/made"]).refused(&["`format` is not `tessera-dataset`"]);
    folder.call(&["verify", "data"]).refused(&["no dataset here"]);
}

#[test]
fn show_prints_rows_and_columns() {
    let folder = folder();
    let ended = folder.call(&["show", "data/made", "--split", "validation", "--rows", "2"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for words in
        ["kind tokens", "splits train, validation", "validation-00000-00000001", "list of uint16", "content_hash"]
    {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    folder.call(&["show", "data/made", "--split", "tset"]).refused(&["tset", "train"]);
}

#[test]
fn what_was_encoded_reads_as_it_was_written() {
    use arrow::array::AsArray;
    use arrow::datatypes::UInt16Type;
    use tessera_datasets::tokenizer::{END_OF_TEXT, Tokenizer};

    let folder = folder();
    let dataset = Dataset::open(folder.made()).unwrap();
    let tokenizer = Tokenizer::from_file(dataset.file("tokenizer.json").unwrap()).unwrap();
    assert_eq!(tokenizer.special(END_OF_TEXT), Some(0));
    let mut lines = Vec::new();
    for split in ["train", "validation"] {
        let mut ids: Vec<u32> = Vec::new();
        for batch in dataset.batches(split, &["input_ids"]).unwrap() {
            let batch = batch.unwrap();
            let values = batch.column(0).as_list::<i32>().values().as_primitive::<UInt16Type>().clone();
            ids.extend(values.values().iter().map(|id| u32::from(*id)));
        }
        assert_eq!(ids.last(), Some(&0));
        lines.extend(ids.split(|id| *id == 0).filter(|l| !l.is_empty()).map(|l| tokenizer.decode(l)));
    }
    let mut expected: Vec<String> = Vec::new();
    for file in 0..3 {
        let bytes = fs_err::read(folder.path().join(format!("raw/{file:03}.txt"))).unwrap();
        let text = bytes.split(|b| *b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        expected.extend(text.filter(|l| !l.is_empty()).map(str::to_owned));
    }
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}
