//! Recordings of poses, from their files to rows and back.

use std::fmt::Write;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use tessera_datasets::console::say;
use tessera_datasets::pose::formats::{self, Format};
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::shard::Dataset;

use crate::support::{Folder, shared};

const CARD: &str =
    "name = \"mouse\"\nunit = \"mm\"\nkeypoints = [\"nose\", \"tail\"]\nskeleton = [[\"nose\", \"tail\"]]\n";
const READ: &str = "[[pipeline.stage]]\nkind = \"read-poses\"\nskeleton = \"mouse.toml\"\n";

/// A folder with the card of a mouse.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("mouse.toml", CARD);
    folder.config(READ);
    folder
}

/// A flattened recording of so many frames in which the mouse walks along x.
fn walk(frames: usize) -> String {
    let mut text = "nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n".to_owned();
    for frame in 0..frames {
        writeln!(text, "{frame},0.25,1,{frame}.5,-1,2").unwrap();
    }
    text
}

/// The positions and marks of a split.
fn track(dir: &Path, split: &str) -> Track {
    let mut out = Track::default();
    for batch in Dataset::open(dir).unwrap().batches(split, &[]).unwrap() {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap().as_fixed_size_list().clone();
        let (points, marks) = (column("keypoints"), column("mask"));
        out.keypoints = marks.value_length() as usize;
        let positions = points.values().as_fixed_size_list().values().clone();
        out.positions_tkc.extend_from_slice(positions.as_primitive::<Float32Type>().values());
        out.known_tk.extend(marks.values().as_boolean().values().iter());
    }
    out
}

#[test]
fn a_recording_becomes_rows_with_its_skeleton_beside_them() {
    let folder = folder();
    folder.write("raw/day 1/a.csv", walk(3));
    folder.write("raw/b.csv", "nose;tail;behaviour\n[1, 2, 3];;rest\n;[4, 5, 6];rest\n");
    folder.write("raw/notes.txt", "x");
    let ended = folder.run(&[]);
    assert!(ended.stdout.contains("skipped 1 file of another sort, such as notes.txt"), "{}", ended.stdout);
    let manifest = folder.manifest();
    assert_eq!(Skeleton::of_details(&manifest.details).unwrap(), Skeleton::parse(CARD).unwrap());
    assert_eq!(
        manifest.sources.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
        ["b.csv", "day 1/a.csv", "mouse.toml"]
    );
    assert_eq!(folder.column("train", "subject"), ["b", "b", "day 1/a", "day 1/a", "day 1/a"]);
    assert_eq!(folder.column("train", "id")[4], "day 1/a-0000002");
    assert_eq!(folder.column("train", "split_key"), folder.column("train", "subject"));
    let track = track(&folder.made(), "train");
    assert_eq!(track.known_tk, [true, false, false, true, true, true, true, true, true, true]);
    assert_eq!(track.positions_tkc[24..], [2.0, 0.25, 1.0, 2.5, -1.0, 2.0]);
    // the card decides what is made, so another one makes the dataset anew
    assert!(folder.run(&[]).stdout.contains("up to date"));
    folder.write("mouse.toml", CARD.replace("\"mm\"", "\"cm\""));
    folder.call(&["run", "config.toml"]).refused(&["the source files have changed"]);
}

#[test]
fn the_card_says_the_unit_and_the_config_the_likelihood() {
    let folder = folder();
    folder.write("mouse.toml", format!("scale = 1000.0\n{CARD}"));
    let header = "scorer,n,n,n,n,n,n,n,n\nbodyparts,nose,nose,nose,nose,tail,tail,tail,tail\n\
                  coords,x,y,z,likelihood,x,y,z,likelihood\n";
    folder.write("raw/a.csv", format!("{header}5,0.001,0.002,0.003,0.9,0.0123,0,0,0.59\n7,1,1,1,0.6,,,,\n"));
    folder.config(&format!("{READ}likelihood_threshold = 0.6\n"));
    folder.run(&[]);
    let track = track(&folder.made(), "train");
    assert_eq!(track.positions_tkc[..6], [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
    assert_eq!(track.known_tk, [true, false, true, false]);
    assert_eq!(folder.column("train", "loc"), ["frame 5", "frame 7"]);
    let changes = &folder.manifest().rows.stages[0].changes;
    assert_eq!(changes.iter().map(|(r, n)| (r.as_str(), *n)).collect::<Vec<_>>(), [("likelihood below 0.6", 1)]);
}

#[test]
fn bad_rows_are_counted_and_bad_cells_are_unknown_keypoints() {
    let folder = folder();
    let mut text = walk(2);
    text += "1,2,3\n4,5,6,7,8,9,10\n1,2,three,4,5,6\n1,2,inf,NaN,5,6\n-4668,-4668,-4668,,,\n";
    folder.write("raw/a.csv", text);
    folder.write("raw/b.csv", "nose;tail\n;\n[nan, nan, nan];[-4668, -4668, -4668]\n");
    let ended = folder.run(&[]);
    for words in [
        "rejected 5 of 9 rows",
        "2 × no known keypoint in the whole recording, first in `b.csv`, frame 0",
        "2 × wrong number of columns, first in `a.csv`, line 4: 3 of 6",
        "1 × not a number, first in `a.csv`, line 6: three",
    ] {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    // rows that were dropped leave a gap in time
    assert_eq!(folder.column("train", "loc"), ["frame 0", "frame 1", "frame 5", "frame 6"]);
    assert_eq!(track(&folder.made(), "train").known_tk, [true, true, true, true, false, false, false, false]);
    let changes = &folder.manifest().rows.stages[0].changes;
    let changes: Vec<_> = changes.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(changes, [("infinite coordinate", 1), ("only some coordinates", 1)]);
}

#[test]
fn files_that_are_no_recordings_of_the_skeleton_are_errors() {
    let folder = folder();
    let refused = |text: &str, words: &[&str]| {
        folder.write("raw/a.csv", text);
        folder.call(&["run", "config.toml"]).refused(words);
        assert!(!folder.made().join("manifest.json").exists());
    };
    refused("", &["`raw/a.csv`: the file is empty", "hint:"]);
    refused(
        "nose_1,nose_2,nose_3\n1,2,3\n",
        &["`raw/a.csv`, row 1: no column `tail_1` for the keypoint `tail`", "hint: the file has"],
    );
    refused("nose_1,nose_2,nose_3,Tail_1,Tail_2,Tail_3\n", &["no column `tail_1`", "hint: did you mean `Tail_1`?"]);
    refused("nose_1,nose_2,tail_1,tail_2\n1,2,3,4\n", &["`nose` has two coordinates", "hint: `triangulate`"]);
    refused(&walk(0), &["`raw/a.csv`: there is a header but no frame"]);
    refused("nose;tail\n;\n;\n", &["all 2 rows were rejected: 2 × no known keypoint in the whole recording"]);
    refused(
        "frame;nose;tail\n8;[1,2,3];\n7;[1,2,3];\n",
        &["`raw/a.csv`, row 3: frame 7 comes after frame 8", "hint: rows must be"],
    );
    refused("frame;nose;tail\n8;[1,2,3];\n8;[1,2,3];\n", &["frame 8 is there twice"]);

    folder.write("raw/a.csv", walk(2));
    folder.write("raw/a.csv.gz", "x");
    folder.call(&["check", "config.toml"]).refused(&["`a.csv` and `a.csv.gz` are both the recording `a`"]);
    fs_err::remove_file(folder.path().join("raw/a.csv.gz")).unwrap();
    let card = |text: &str, words: &[&str]| {
        folder.write("mouse.toml", text);
        folder.call(&["run", "config.toml"]).refused(words);
    };
    card(
        &CARD.replace("[\"nose\", \"tail\"]]", "[\"nose\", \"tale\"]]"),
        &["`mouse.toml`: `skeleton` names `tale`, which is not among the keypoints"],
    );
    card(&CARD.replace("keypoints = [", "keypoints = [\"ear\", "), &["no column `ear_1` for the keypoint `ear`"]);
    card("name = 3", &["`mouse.toml`: not a skeleton card"]);
    fs_err::remove_file(folder.path().join("mouse.toml")).unwrap();
    folder.call(&["run", "config.toml"]).refused(&["`mouse.toml`: no such file", "hint: `skeleton` is the card"]);
}

#[test]
fn the_tail_of_each_recording_is_held_out() {
    let folder = folder();
    folder.write("raw/a.csv", walk(20));
    folder.write("raw/b.csv", walk(10));
    let split = "[[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\ntest = 0.3\nvalidation = 0.1\n";
    folder.config(&format!("{READ}{split}"));
    folder.run(&[]);
    let ids = |split: &str| folder.column(split, "id");
    assert_eq!(ids("validation"), ["a-0000012", "a-0000013", "b-0000006"]);
    let test = ids("test");
    assert_eq!(
        (test.len(), test[0].as_str(), test[6].as_str(), test[8].as_str()),
        (9, "a-0000014", "b-0000007", "b-0000009")
    );
    assert_eq!(folder.manifest().splits["train"].rows, 18);
    let text = "[[pipeline.stage]]\nkind = \"read-text\"\n";
    folder.config(&format!("{text}{split}"));
    folder.call(&["run", "config.toml"]).refused(&["`test` and `only` are of recordings of poses"]);
}

#[test]
fn real_recordings_are_read_to_the_last_digit() {
    for (name, frames, keypoints, first, last) in [
        ("rat23.csv", 1000, 23, [415.7864, 114.5862, 66.2208], "frame 999"),
        ("fly14.csv.gz", 6000, 14, [1.02566, -0.07492, 1.42640], "frame 5999"),
    ] {
        let Some(dir) = shared(&format!("data/pose/{name}")) else {
            say(format!("skipped: set TESSERA_SHARED to the folder above `data/pose/{name}`"));
            continue;
        };
        let folder = Folder::new();
        let animal = name.split('.').next().unwrap();
        let card = dir.join(format!("data/pose/{animal}.toml"));
        let data = format!("paths = [{:?}]\nlicense = \"Apache-2.0\"", dir.join("data/pose").join(name));
        let stages = format!(
            "[[pipeline.stage]]\nkind = \"read-poses\"\nskeleton = {card:?}\n\
             [[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\ntest = 0.3\n"
        );
        folder.config_of(&data, &stages);
        folder.run(&[]);
        let manifest = folder.manifest();
        assert_eq!((manifest.rows.kept, manifest.rows.rejected.len()), (frames, 0));
        assert_eq!(manifest.splits["test"].rows, frames * 3 / 10);
        let train = track(&folder.made(), "train");
        assert_eq!((train.keypoints, train.point(0, 0)), (keypoints, Some(first)));
        assert!(train.known_tk.iter().all(|known| *known));
        assert_eq!(folder.column("test", "loc").last().map(String::as_str), Some(last));

        // what is read is what the file says, as another reader of the same text sees it
        let skeleton = Skeleton::read(&card).unwrap();
        let file = formats::read(&dir.join("data/pose").join(name), &skeleton, Some(Format::Flattened)).unwrap();
        let test = track(&folder.made(), "test");
        assert_eq!([train.positions_tkc, test.positions_tkc].concat(), file.track.positions_tkc);
    }
}

#[test]
fn what_is_exported_is_what_was_read() {
    let folder = folder();
    let mut walk = walk(30);
    // a keypoint that is missing, and a frame that is dropped
    walk += "1,2,3,,,\n1,2\n1e-7,-0.3333333,123456.789,0.1,0.2,0.3\n";
    folder.write("raw/day 1/a.csv", walk);
    folder.write("raw/b.csv", "nose;tail\n[1, 2, 3];\n;[4, 5, 6]\n");
    let split = "[[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\nvalidation = 0.2\ntest = 0.3\n";
    folder.config(&format!("{READ}{split}"));
    folder.run(&[]);
    let whole = |dir: &Path| {
        // the splits are in the order of time within a recording
        let names = ["train", "validation", "test"];
        names.map(|split| (folder.column(split, "id"), folder.column(split, "content_hash"), track(dir, split)))
    };
    let before = whole(&folder.made());
    for (format, more) in [("flattened", "--gzip"), ("cvkit3d", "--replace"), ("deeplabcut", "--replace")] {
        let output = format!("exported-{format}");
        let ended = folder.call(&["export-poses", "data/made", "--format", format, "--output", &output, more]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(ended.stdout.trim(), format!("2 recordings of 34 frames as `{format}` in {output}"));
        let ending = if format == "flattened" { "csv.gz" } else { "csv" };
        let file = folder.path().join(&output).join(format!("day 1/a.{ending}"));
        let skeleton = Skeleton::parse(CARD).unwrap();
        let back = formats::read(&file, &skeleton, None).unwrap();
        assert_eq!((back.format.name(), back.frames[30], back.frames[31]), (format, 30, 32));
        assert_eq!(back.track.point(31, 0), Some([1e-7, -0.333_333_3, 123_456.79]));
        // and as a dataset it has the same rows
        folder.config_of(&format!("paths = [{output:?}]\nlicense = \"CC0-1.0\""), &format!("{READ}{split}"));
        folder.run(&["--replace"]);
        assert_eq!(whole(&folder.made()), before, "{format}");
    }
    let again = ["export-poses", "data/made", "--format", "cvkit3d", "--output", "exported-cvkit3d"];
    folder.call(&again).refused(&["exported-cvkit3d/b.csv`: the file is there already", "hint:", "`--replace`"]);
    let ended =
        folder.call(&["export-poses", "data/made", "--format", "flattened", "--output", "held", "--split", "test"]);
    assert_eq!(ended.stdout.trim(), "2 recordings of 11 frames as `flattened` in held");
    folder
        .call(&["export-poses", "data/made", "--format", "cvkit", "--output", "x"])
        .refused(&["the formats are flattened, cvkit3d, deeplabcut"]);
    folder.write("text/a.txt", "text");
    folder.config_of("paths = [\"text\"]", "[[pipeline.stage]]\nkind = \"read-text\"\n");
    folder.run(&["--replace"]);
    folder.call(&again).refused(&["a dataset of kind `text`, which has no recordings of poses"]);
}

#[test]
fn statistics_of_poses_are_in_a_file_and_in_the_card() {
    let folder = folder();
    folder.write("raw/a.csv", walk(18) + "1,2,3,,,\n18,0.25,1,18.5,-1,2\n");
    folder.config(&format!("{READ}[[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\ntest = 0.5\n[[pipeline.stage]]\nkind = \"statistics\"\n"));
    folder.run(&[]);
    let text = fs_err::read_to_string(folder.made().join("stats/poses.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let [train, test] = ["train", "test"].map(|split| &report["splits"][split]);
    assert_eq!((&train["frames"], &test["frames"], &train["missing_share"]), (&10.into(), &10.into(), &0.0.into()));
    assert_eq!(test["keypoints"]["tail"]["missing"], 1);
    let bone = train["bones"][0]["mean"].as_f64().unwrap();
    assert!((bone - (0.25 + 1.25_f64.powi(2) + 1.0).sqrt()).abs() < 1e-6, "{bone}");
    assert_eq!(folder.manifest().details["pose"]["splits"]["test"]["longest_gap"], 1);
    let card = fs_err::read_to_string(folder.made().join("README.md")).unwrap();
    assert!(card.contains("2 keypoints and 1 bone of the skeleton `mouse`, in mm: nose, tail."), "{card}");
    assert!(card.contains("| test | 1 | 10 | 5.00 % | 1 | 1 |"), "{card}");
}
