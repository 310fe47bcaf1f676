//! Images filtered, resized and counted, from files to the data card.

use tessera_datasets::hash::sha256_file;
use tessera_datasets::image::{Format, Limits, decode, header};

use crate::images::{READ_IMAGES, jpeg, png, rows};
use crate::support::{Folder, tree};

const STAGES: &str = r#"
[[pipeline.stage]]
kind = "filter-images"
minimum_width = 2
decode = true

[[pipeline.stage]]
kind = "resize-images"
size = [12, 10]
mode = "crop"
format = "png"

[[pipeline.stage]]
kind = "statistics"
examples = 2
"#;

/// Two classes in two splits, with a repeated image, one that is also in the test set, one in both
/// classes, and one that is too small.
fn folder() -> Folder {
    let folder = Folder::new();
    for number in 0..4 {
        folder.write(&format!("raw/train/cat/{number}.jpg"), jpeg(number));
        folder.write(&format!("raw/train/dog/{number}.png"), png(10 + number));
    }
    folder.write("raw/train/cat/again.jpg", jpeg(0));
    folder.write("raw/train/cat/both.jpg", jpeg(20));
    folder.write("raw/train/dog/both.jpg", jpeg(20));
    folder.write("raw/train/dog/leak.jpg", jpeg(30));
    folder.write("raw/test/dog/leak.jpg", jpeg(30));
    let small = tessera_datasets::image::Rgb::filled(1, 1, [9, 9, 9]);
    folder.write("raw/train/cat/small.png", tessera_datasets::image::encode_png(&small).unwrap());
    folder.config(&format!("{READ_IMAGES}{STAGES}"));
    folder
}

#[test]
fn images_are_filtered_resized_and_counted() {
    let folder = folder();
    folder.run(&[]);
    let rejected = folder.rejected();
    let expected = [("duplicate", 1), ("leak", 1), ("too small", 1), ("two classes", 2)];
    assert_eq!(rejected, expected.map(|(reason, n)| (reason.to_owned(), n)).into());

    let train = rows(&folder, "train");
    assert_eq!(train.len(), 8);
    for row in &train {
        let header = header(&row.bytes).unwrap();
        assert_eq!((header.format, header.width, header.height), (Format::Png, 12, 10), "{}", row.path);
        assert!(row.path.ends_with(".png"), "{}", row.path);
    }

    let manifest = folder.manifest();
    let image = &manifest.details["image"];
    assert_eq!(image["width"], serde_json::json!({"min": 12, "median": 12, "max": 12}));
    let statistics = fs_err::read_to_string(folder.made().join("stats/images.json")).unwrap();
    let statistics: serde_json::Value = serde_json::from_str(&statistics).unwrap();
    assert_eq!(statistics["splits"]["train"]["classes"], serde_json::json!({"cat": 4, "dog": 4}));
    assert_eq!(statistics["splits"]["test"]["classes"], serde_json::json!({"cat": 0, "dog": 1}));
    assert_eq!(statistics["channels"]["mean"], image["mean"]);

    // the mean of the pixels that are in the shards
    let images = train.iter().map(|row| decode(&row.bytes, &Limits::default()).unwrap());
    let reds: Vec<f64> =
        images.flat_map(|image| image.pixels.iter().step_by(3).map(|v| f64::from(*v)).collect::<Vec<_>>()).collect();
    let mean = reds.iter().sum::<f64>() / reds.len() as f64 / 255.0;
    assert!((mean - image["mean"][0].as_f64().unwrap()).abs() < 1e-12);

    let sheet = folder.made().join("stats/images.jpg");
    let entry = manifest.files.iter().find(|file| file.path == "stats/images.jpg").unwrap();
    assert_eq!(entry.sha256, sha256_file(&sheet).unwrap());
    let sheet = decode(&fs_err::read(sheet).unwrap(), &Limits::default()).unwrap();
    assert_eq!(sheet.height, 2 * 68 + 4);

    let card = fs_err::read_to_string(folder.made().join("README.md")).unwrap();
    for line in ["![Some of the training images](stats/images.jpg)", "| class | train | test |", "| dog | 4 | 1 |"] {
        assert!(card.contains(line), "no `{line}` in:\n{card}");
    }
}

#[test]
fn threads_change_no_byte() {
    let folder = folder();
    folder.run(&["--threads", "1"]);
    let one = tree(&folder.made());
    fs_err::remove_dir_all(folder.made()).unwrap();
    folder.run(&["--threads", "3"]);
    assert_eq!(tree(&folder.made()), one);
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let folder = folder();
    for (stage, words) in [
        ("kind = \"resize-images\"\nsize = 0", ["`size`", "1 to 65535"]),
        ("kind = \"resize-images\"\nsize = 8\nquality = 0", ["`quality`", "1 to 100"]),
        ("kind = \"filter-images\"\nmaximum_aspect = 0.5", ["`maximum_aspect`", "1 or more"]),
        ("kind = \"filter-images\"\nonly = [\"Train!\"]", ["`Train!`", "no name for a split"]),
        ("kind = \"statistics\"\nsample = 0.0", ["`sample`", "at most 1"]),
    ] {
        folder.config(&format!("{READ_IMAGES}\n[[pipeline.stage]]\n{stage}\n"));
        folder.call(&["run", "config.toml"]).refused(&words);
    }
    folder.write("raw/a.txt", "some text\n");
    folder
        .config("[[pipeline.stage]]\nkind = \"read-text\"\n[[pipeline.stage]]\nkind = \"statistics\"\nexamples = 3\n");
    folder.call(&["run", "config.toml"]).refused(&["`examples` is of images"]);
    folder.config("[[pipeline.stage]]\nkind = \"read-text\"\n[[pipeline.stage]]\nkind = \"resize-images\"\nsize = 8\n");
    folder.call(&["run", "config.toml"]).refused(&["needs rows of kind `image` or `caption`"]);
}
