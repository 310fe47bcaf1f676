//! Images in all layouts that are read.

use std::io::Write;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use tessera_datasets::image::{Rgb, encode_jpeg, encode_png};
use tessera_datasets::shard::Dataset;

use crate::support::{Folder, tree};

/// A stage that reads images, alone.
pub(crate) const READ_IMAGES: &str = "[[pipeline.stage]]\nkind = \"read-images\"\n";

/// A small picture, another for each number.
fn pixels(number: u32) -> Rgb {
    let value = |i: u32| (number.wrapping_mul(2_654_435_761) >> (i % 24)) as u8 ^ (i * 7) as u8;
    Rgb { width: 8, height: 6, pixels: (0..8 * 6 * 3).map(value).collect() }
}

/// A small JPEG, another for each number.
pub(crate) fn jpeg(number: u32) -> Vec<u8> {
    encode_jpeg(&pixels(number), 90).unwrap()
}

/// A small PNG, another for each number.
pub(crate) fn png(number: u32) -> Vec<u8> {
    encode_png(&pixels(number)).unwrap()
}

/// A tar archive of these members.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One image as it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) label: Option<i64>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) path: String,
}

/// The rows of a split in order.
pub(crate) fn rows(folder: &Folder, split: &str) -> Vec<Row> {
    let dataset = Dataset::open(folder.made()).unwrap();
    let mut rows = Vec::new();
    for batch in dataset.batches(split, &[]).unwrap() {
        let batch = batch.unwrap();
        let images = batch.column_by_name("image").unwrap().as_struct();
        let bytes = images.column_by_name("bytes").unwrap().as_binary::<i32>();
        let paths = images.column_by_name("path").unwrap().as_string::<i32>();
        let ids = batch.column_by_name("id").unwrap().as_string::<i32>();
        let labels = batch.column_by_name("label").map(|column| column.as_primitive::<Int64Type>());
        rows.extend((0..batch.num_rows()).map(|row| Row {
            id: ids.value(row).to_owned(),
            label: labels.map(|labels| labels.value(row)),
            bytes: bytes.value(row).to_vec(),
            path: paths.value(row).to_owned(),
        }));
    }
    rows
}

pub(crate) fn classes(folder: &Folder) -> Vec<String> {
    let manifest = folder.manifest();
    let names = manifest.details["classes"].as_array().unwrap().clone();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Files of two splits and three classes, by path.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (number, class) in [(0, "cat"), (10, "dog"), (20, "newt")] {
        files.extend((0..5).map(|i| (format!("train/{class}/{i}.jpg"), jpeg(number + i))));
        files.push((format!("test/{class}/9.png"), png(number + 9)));
    }
    files
}

#[test]
fn folders_give_classes_and_splits() {
    let folder = Folder::new();
    for (name, bytes) in files() {
        folder.write(&format!("raw/{name}"), bytes);
    }
    for clutter in ["train/cat/.DS_Store", "train/cat/._0.jpg", "__MACOSX/train/cat/0.jpg", "test/dog/Thumbs.db"] {
        folder.write(&format!("raw/{clutter}"), "clutter");
    }
    folder.write("raw/train/notes.txt", "x");
    folder.write("raw/train/cat/0.xml", "x");
    folder.config(READ_IMAGES);
    folder.run(&[]);
    assert_eq!(classes(&folder), ["cat", "dog", "newt"]);
    let test = rows(&folder, "test");
    assert_eq!(test.iter().map(|row| row.label.unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((test[1].id.as_str(), test[1].path.as_str(), &test[1].bytes), ("test/dog/9.png", "9.png", &png(19)));
    let train = rows(&folder, "train");
    assert_eq!(train.len(), 15);
    assert_eq!((train[7].id.as_str(), train[7].label, &train[7].bytes), ("train/dog/2.jpg", Some(1), &jpeg(12)));

    let manifest = folder.manifest();
    let skipped = &manifest.details["skipped_files"];
    assert_eq!(
        (&skipped["count"], &skipped["endings"]["xml"], &skipped["endings"]["txt"]),
        (&2.into(), &1.into(), &1.into())
    );
    // one source for each folder, whose hash is that of what `sha256sum *` prints there
    assert_eq!(manifest.sources.len(), 6);
    let source = manifest.sources.iter().find(|source| source.path == "train/dog/").unwrap();
    let line = |i: u32| format!("{}  {i}.jpg\n", tessera_datasets::hash::sha256(&jpeg(10 + i)));
    let list: String = (0..5).map(line).collect();
    assert_eq!(source.sha256, tessera_datasets::hash::sha256(list.as_bytes()));
}

#[test]
fn archives_give_the_rows_that_folders_give() {
    let files = files();
    let members: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let archive = tar(&members);
    let plain = |rows: Vec<Row>| rows.into_iter().map(|row| (row.label, row.bytes, row.path)).collect::<Vec<_>>();
    let unpacked = Folder::new();
    for (name, bytes) in &files {
        unpacked.write(&format!("raw/{name}"), bytes);
    }
    unpacked.config(READ_IMAGES);
    unpacked.run(&[]);
    let zstd = zstd::encode_all(archive.as_slice(), 1).unwrap();
    for (name, bytes) in
        [("a.tar", archive.clone()), ("a.tar.gz", gzip(&archive)), ("a.tgz", gzip(&archive)), ("a.tar.zst", zstd)]
    {
        let folder = Folder::new();
        folder.write(&format!("raw/{name}"), bytes);
        // in stretches, where the archive is not compressed
        folder.config(&format!("{READ_IMAGES}part_bytes = 3000\n"));
        folder.run(&[]);
        assert_eq!(classes(&folder), ["cat", "dog", "newt"], "{name}");
        for split in ["train", "test"] {
            assert_eq!(plain(rows(&folder, split)), plain(rows(&unpacked, split)), "{name}");
        }
        assert_eq!(rows(&folder, "train")[0].id, format!("{name}:train/cat/0.jpg"));
        let shards = folder.manifest().splits["train"].shards.len();
        assert_eq!(shards > 3, name == "a.tar", "{name}: {shards}");
    }
}

#[test]
fn a_webdataset_has_its_labels_beside_the_images() {
    let folder = Folder::new();
    let (one, two, three) = (jpeg(1), png(2), jpeg(3));
    let json = br#"{"label": 1, "caption": "a dog"}"#;
    folder.write(
        "raw/train-000000.tar",
        tar(&[
            ("0001.jpg", &one),
            ("0001.cls", b"2\n"),
            ("0001.txt", b"a newt\n"),
            ("0002.json", json),
            ("0002.png", &two),
            ("0003.cls", b"0"),
        ]),
    );
    folder.write("raw/train-000001.tar", tar(&[("0004.jpg", &three), ("0005.jpg", b"no image"), ("0005.cls", b"1")]));
    folder.config(READ_IMAGES);
    folder.run(&[]);
    assert_eq!(classes(&folder), ["0", "1", "2"]);
    let made = rows(&folder, "train");
    assert_eq!(made.iter().map(|row| row.label.unwrap()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((&made[1].bytes, made[1].id.as_str()), (&two, "train-000000.tar:0002.png"));
    let reasons = [("no class", 1), ("not an image", 1), ("sample without an image", 1)];
    assert_eq!(folder.rejected(), reasons.map(|(reason, count)| (reason.to_owned(), count)).into());

    folder.config(&format!("{READ_IMAGES}classes = [\"cat\", \"dog\", \"newt\"]\n"));
    folder.run(&["--replace"]);
    assert_eq!((classes(&folder)[2].as_str(), rows(&folder, "train")[0].label), ("newt", Some(2)));

    folder.config(&format!("{READ_IMAGES}record = \"caption\"\n"));
    folder.run(&["--replace"]);
    assert_eq!(folder.column("train", "caption"), ["a newt", "a dog"]);
    folder.config(&format!("{READ_IMAGES}record = \"caption\"\nlayout = \"archive\"\n"));
    folder.call(&["check", "config.toml"]).refused(&["images in folders have no captions", "hint:"]);
}

#[test]
fn the_same_bytes_with_any_number_of_threads_and_after_a_kill() {
    let folder = Folder::new();
    for number in 0..400 {
        folder.write(&format!("raw/{}/{number:03}.jpg", ["a", "b", "c"][number as usize % 3]), jpeg(number));
    }
    let stages = "part_bytes = 20000\n[[pipeline.stage]]\nkind = \"split\"\nvalidation = 0.2\nstratify = true\n";
    folder.config(&format!("{READ_IMAGES}{stages}"));
    folder.run(&["--threads", "1", "--data-dir", "one"]);
    let whole = tree(&folder.path().join("one/made"));
    assert!(whole.len() > 10, "{whole:?}");
    folder.run(&["--threads", "3", "--data-dir", "three"]);
    assert_eq!(tree(&folder.path().join("three/made")), whole);

    let parts = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().count();
    let mut child = folder.start("killed");
    let work = folder.path().join("killed/made/.work");
    while child.try_wait().unwrap().is_none() && parts(&work) == 0 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    folder.run(&["--data-dir", "killed"]);
    assert_eq!(tree(&folder.path().join("killed/made")), whole);
}

#[test]
fn a_stratified_split_leaves_the_test_set_alone() {
    let folder = Folder::new();
    for number in 0..120 {
        let class = ["a", "b", "b", "b"][number as usize % 4];
        folder.write(&format!("raw/train/{class}/{number}.jpg"), jpeg(number));
    }
    for number in 120..130 {
        folder.write(&format!("raw/test/a/{number}.jpg"), jpeg(number));
    }
    let split = "[[pipeline.stage]]\nkind = \"split\"\nvalidation = 0.1\nstratify = true\nonly = [\"train\"]\n";
    folder.config(&format!("{READ_IMAGES}{split}"));
    folder.run(&[]);
    let count = |split: &str, label| rows(&folder, split).iter().filter(|row| row.label == Some(label)).count();
    assert_eq!([count("validation", 0), count("validation", 1), count("test", 0)], [3, 9, 10]);
    folder.config(&format!("{READ_IMAGES}labels = false\n{split}"));
    folder.call(&["run", "config.toml", "--replace"]).refused(&["classes of images that have none", "hint:"]);
}

#[test]
fn lists_name_files_with_classes_captions_and_splits() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.write(&format!("raw/images/{number}.jpg"), jpeg(number));
    }
    folder.write(
        "raw/lists/all.csv",
        "file_name,label,split,text\n../images/0.jpg,newt,train,\"a newt, green\"\n../images/1.jpg,cat,val,a cat\n\
         ../images/2.jpg,newt,train,\n../images/9.jpg,cat,train,\n../images/3.jpg,,train,a dog\n../images/3.jpg,cat\n\
         ,cat,train,\n/images/0.jpg,cat,train,\n../images/0.jpg,cat,Some split,\n",
    );
    folder.config_of("paths = [\"raw/lists\"]", READ_IMAGES);
    // named from the folder of the list, in which the images are not
    folder.run(&[]);
    assert_eq!(classes(&folder), ["cat", "newt"]);
    let train = rows(&folder, "train");
    assert_eq!(train.iter().map(|row| row.label.unwrap()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!((train[0].id.as_str(), &train[0].bytes, train[0].path.as_str()), ("all.csv:2", &jpeg(0), "0.jpg"));
    assert_eq!(folder.column("train", "src"), ["../images/0.jpg", "../images/2.jpg"]);
    assert_eq!(folder.column("train", "loc")[1], "all.csv, line 4");
    assert_eq!(rows(&folder, "validation").len(), 1);
    let reasons = [
        ("file missing", 1),
        ("no class", 1),
        ("no file named", 1),
        ("no name for a split", 1),
        ("path is absolute", 1),
        ("wrong number of columns", 1),
    ];
    assert_eq!(folder.rejected(), reasons.map(|(reason, count)| (reason.to_owned(), count)).into());

    // lists beside images must be meant
    folder.config(READ_IMAGES);
    folder.call(&["check", "config.toml"]).refused(&["both images", "and lists, such as `lists/all.csv`", "hint:"]);
    folder.config(&format!("{READ_IMAGES}record = \"caption\"\n"));
    folder.run(&["--replace"]);
    assert_eq!(folder.column("train", "caption"), ["a newt, green", "a dog"]);
    assert_eq!(folder.manifest().sources.len(), 2);

    folder.write("raw/lists/all.csv", "name,label\nx.jpg,cat\n");
    folder.call(&["run", "config.toml", "--replace"]).refused(&[
        "`raw/lists/all.csv`, row 1: no column is called `file_name`, `file`, `filename`, `path`",
        "hint: the columns are `name`, `label`; `file` names the one with the files",
    ]);
    folder.config(&format!("{READ_IMAGES}layout = \"list\"\nfile = \"name\"\n"));
    folder
        .call(&["run", "config.toml", "--replace"])
        .refused(&["and no image: 1 × file missing", "relative to the folder"]);
}

#[test]
fn lists_of_objects_and_tabs_name_numbers() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.write(&format!("raw/{number}.jpg"), jpeg(number));
    }
    folder.write("raw/metadata.jsonl", "{\"file_name\": \"0.jpg\", \"label\": 2}\n\n[]\n{\"label\": 1}\n{\n");
    folder.config(READ_IMAGES);
    folder.run(&[]);
    assert_eq!(
        (classes(&folder), rows(&folder, "train")[0].label),
        (["0", "1", "2"].map(str::to_owned).to_vec(), Some(2))
    );
    let reasons = [("no file named", 1), ("not JSON", 1), ("not a JSON object", 1)];
    assert_eq!(folder.rejected(), reasons.map(|(reason, count)| (reason.to_owned(), count)).into());
    fs_err::remove_file(folder.path().join("raw/metadata.jsonl")).unwrap();
    folder.write("raw/metadata.tsv", "file\tclass\n1.jpg\t\"a\n3.jpg\t\"a\n");
    folder.run(&["--replace"]);
    assert_eq!((classes(&folder), rows(&folder, "train").len()), (vec!["\"a".to_owned()], 2));
}

#[test]
fn a_list_may_name_members_of_archives() {
    let folder = Folder::new();
    let (one, two, three) = (png(1), png(2), png(3));
    folder.write("raw/images.tar.gz", gzip(&tar(&[("x/1.png", &one), ("x/2.png", &two), ("x/3.png", &three)])));
    folder.write(
        "raw/captions.jsonl",
        "{\"file_name\": \"x/2.png\", \"text\": \"two\"}\n{\"file_name\": \"x/1.png\", \"text\": \"one\"}\n\
         {\"file_name\": \"x/1.png\", \"text\": \"the first\"}\n{\"file_name\": \"x/4.png\", \"text\": \"four\"}\n",
    );
    folder.config(&format!("{READ_IMAGES}record = \"caption\"\n"));
    folder.run(&[]);
    assert_eq!(folder.column("train", "caption"), ["one", "the first", "two"]);
    assert_eq!(folder.column("train", "id"), ["captions.jsonl:2", "captions.jsonl:3", "captions.jsonl:1"]);
    let reasons = [("file missing", 1), ("not in a list", 1)];
    assert_eq!(folder.rejected(), reasons.map(|(reason, count)| (reason.to_owned(), count)).into());
}

#[test]
fn parquet_files_are_read_as_they_were_written() {
    let folder = Folder::new();
    for (name, bytes) in files() {
        folder.write(&format!("raw/{name}"), bytes);
    }
    folder.config(READ_IMAGES);
    folder.run(&[]);
    let whole = ["train", "test"].map(|split| rows(&folder, split));
    // what was made is read again, classes and all
    let again = Folder::new();
    let data = format!("paths = [\"{}\"]", folder.made().join("data").display());
    again.config_of(&data, &format!("{READ_IMAGES}part_bytes = 1000\n"));
    again.run(&[]);
    assert_eq!(classes(&again), ["cat", "dog", "newt"]);
    for (split, whole) in ["train", "test"].iter().zip(&whole) {
        let plain = |rows: &[Row]| rows.iter().map(|r| (r.label, r.bytes.clone(), r.path.clone())).collect::<Vec<_>>();
        assert_eq!(plain(&rows(&again, split)), plain(whole), "{split}");
    }
    assert_eq!(rows(&again, "train")[3].id, "train-00000-of-00001.parquet:4");
    // the order of the config, not that of the file
    again.config_of(&data, &format!("{READ_IMAGES}classes = [\"newt\", \"dog\"]\n"));
    again.run(&["--replace"]);
    assert_eq!((rows(&again, "test")[1].label, again.rejected()["unknown class"]), (Some(0), 6));
    again.config_of(&data, &format!("{READ_IMAGES}record = \"caption\"\n"));
    again.call(&["check", "config.toml"]).refused(&["no column is called `caption`, `text`", "hint: `caption` names"]);

    let shard = fs_err::read(folder.made().join("data/train-00000-of-00001.parquet")).unwrap();
    again.write("raw/train.parquet", &shard[..shard.len() / 2]);
    again.config(READ_IMAGES);
    again
        .call(&["run", "config.toml", "--replace"])
        .refused(&["`raw/train.parquet`", "hint: the file is no Parquet file"]);
}
