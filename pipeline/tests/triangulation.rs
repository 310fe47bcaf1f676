//! Views of several cameras, from their files to points in space.

use std::fmt::Write;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use tessera_datasets::shard::Dataset;
use tessera_pipeline::triangulation::{Camera, Lens, parse_cameras};

use crate::support::Folder;

const CARD: &str = "name = \"mouse\"\nunit = \"mm\"\nscale = 1000.0\nkeypoints = [\"nose\", \"tail\"]\nskeleton = [[\"nose\", \"tail\"]]\n";
const STAGE: &str =
    "[[pipeline.stage]]\nkind = \"triangulate\"\nskeleton = \"mouse.toml\"\ncameras = \"calibration.toml\"\n";
const FRAMES: usize = 40;

/// Three cameras, in aniposelib's format; metres.
const CAMERAS: &str = r#"
[cam_0]
name = "left"
size = [ 1280, 1024,]
matrix = [ [ 900.0, 0.0, 640.0,], [ 0.0, 905.0, 512.0,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.2, 0.06, 0.001, -0.0005, 0.0,]
rotation = [ 0.1, 0.7, -0.05,]
translation = [ -0.02, 0.01, 0.4,]

[cam_1]
name = "right"
size = [ 1280, 1024,]
matrix = [ [ 910.0, 0.0, 630.0,], [ 0.0, 910.0, 520.0,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.25, 0.1, 0.0, 0.0, 0.0,]
rotation = [ -0.2, -0.6, 0.1,]
translation = [ 0.03, -0.01, 0.42,]

[cam_2]
name = "top"
size = [ 1280, 1024,]
matrix = [ [ 700.0, 0.0, 650.0,], [ 0.0, 700.0, 500.0,], [ 0.0, 0.0, 1.0,],]
distortions = [ 0.02, -0.01, 0.003, -0.0007,]
rotation = [ 0.8, 0.05, 0.0,]
translation = [ 0.0, 0.02, 0.35,]
fisheye = true

[metadata]
adjusted = false
error = 0.4
"#;

/// Where the keypoints of a frame are, in metres.
fn pose(frame: usize) -> [[f64; 3]; 2] {
    let t = frame as f64 / 10.0;
    [[0.04 * t.cos(), 0.03 * t.sin(), 0.01], [0.04 * t.cos() - 0.03, 0.03 * t.sin() - 0.01, 0.02]]
}

/// Off by at most half a pixel, without a random number.
fn noise(frame: usize, camera: usize, keypoint: usize, axis: usize) -> f64 {
    let mixed = (frame * 37 + camera * 11 + keypoint * 5 + axis * 3) % 101;
    mixed as f64 / 100.0 - 0.5
}

/// What a camera sees, in a file of DeepLabCut; `change` may change the cells of a keypoint.
fn view(cameras: &[Camera], camera: usize, change: impl Fn(usize, usize) -> Option<String>) -> String {
    let mut text = "scorer,net,net,net,net,net,net\nbodyparts,nose,nose,nose,tail,tail,tail\n\
                    coords,x,y,likelihood,x,y,likelihood\n"
        .to_owned();
    for frame in 0..FRAMES {
        write!(text, "{frame}").unwrap();
        for (keypoint, point) in pose(frame).into_iter().enumerate() {
            let [u, v] = cameras[camera].pixel(point);
            let cell = |at: f64, axis: usize| format!("{:.3}", at + noise(frame, camera, keypoint, axis));
            let cells = change(frame, keypoint).unwrap_or_else(|| format!("{},{},0.98", cell(u, 0), cell(v, 1)));
            write!(text, ",{cells}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn folder() -> (Folder, Vec<Camera>) {
    let folder = Folder::new();
    folder.write("mouse.toml", CARD);
    folder.write("calibration.toml", CAMERAS);
    folder.config(STAGE);
    (folder, parse_cameras(CAMERAS).unwrap())
}

/// Positions and marks of the training split.
fn made(folder: &Folder) -> (Vec<[f32; 3]>, Vec<bool>) {
    let (mut points, mut known) = (Vec::new(), Vec::new());
    for batch in Dataset::open(folder.made()).unwrap().batches("train", &[]).unwrap() {
        let batch = batch.unwrap();
        let values = batch.column_by_name("keypoints").unwrap().as_fixed_size_list().values().clone();
        let values = values.as_fixed_size_list().values().clone();
        points.extend_from_slice(values.as_primitive::<Float32Type>().values().as_chunks::<3>().0);
        let marks = batch.column_by_name("mask").unwrap().as_fixed_size_list().values().clone();
        known.extend(marks.as_boolean().values().iter());
    }
    (points, known)
}

fn distance(a: [f32; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn points_come_back_within_the_noise() {
    let (folder, cameras) = folder();
    for (i, camera) in cameras.iter().enumerate() {
        folder.write(&format!("raw/day1_{}.csv", camera.name), view(&cameras, i, |_, _| None));
    }
    folder.write("raw/notes.csv", "x");
    let ended = folder.run(&[]);
    assert!(ended.stdout.contains("skipped 1 file of another sort, such as notes.csv"), "{}", ended.stdout);
    let (points, known) = made(&folder);
    assert_eq!((points.len(), known.contains(&false)), (2 * FRAMES, false));
    // half a pixel is 0.25 mm at this distance; three views average some of it out
    let off = points.iter().enumerate().map(|(at, point)| distance(*point, pose(at / 2)[at % 2].map(|v| 1000.0 * v)));
    let worst = off.fold(0.0, f64::max);
    assert!(worst > 0.01 && worst < 0.6, "{worst} mm");
    assert_eq!(folder.column("train", "subject")[0], "day1");
    assert_eq!(folder.column("train", "src")[0], "day1_{left,right,top}.csv");
    let manifest = folder.manifest();
    assert_eq!(manifest.details["cameras"], serde_json::json!(["left", "right", "top"]));
    let sources: Vec<&str> = manifest.sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(sources, ["day1_left.csv", "day1_right.csv", "day1_top.csv", "mouse.toml", "calibration.toml"]);
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let (folder, cameras) = folder();
    for recording in ["a", "b", "c"] {
        for (i, camera) in cameras.iter().enumerate() {
            folder.write(&format!("raw/{}/{recording}.csv", camera.name), view(&cameras, i, |_, _| None));
        }
    }
    folder.config(&format!("{STAGE}part_bytes = 1\n"));
    let hashes = |threads: &str| {
        folder.run(&["--threads", threads, "--replace"]);
        folder.manifest().splits["train"].shards.iter().map(|shard| shard.sha256.clone()).collect::<Vec<_>>()
    };
    let one = hashes("1");
    assert_eq!((one.len(), hashes("4")), (3, one));
}

#[test]
fn one_view_too_few_is_an_error_that_names_the_keypoint_and_the_frame() {
    let (folder, cameras) = folder();
    let hidden = |frame, keypoint| (frame == 7 && keypoint == 1).then(|| ",,0".to_owned());
    folder.write("raw/a-left.csv", view(&cameras, 0, |_, _| None));
    folder.write("raw/a-right.csv", view(&cameras, 1, hidden));
    folder.call(&["run", "config.toml"]).refused(&[
        "`tail` in frame 7 of `a-{left,right}.csv` is seen by one camera only, and two are needed",
        "hint: `too_few = \"unknown\"`",
    ]);
    folder.config(&format!("{STAGE}too_few = \"unknown\"\n"));
    folder.run(&[]);
    let (points, known) = made(&folder);
    assert_eq!(known.iter().position(|known| !known), Some(15));
    assert_eq!((known.iter().filter(|known| !**known).count(), points[15]), (1, [0.0; 3]));
    assert_eq!(folder.manifest().rows.stages[0].changes["fewer than two views"], 1);
}

#[test]
fn unsure_views_are_left_out_where_two_others_are_sure() {
    let (folder, cameras) = folder();
    // a wrong place that the detector is not sure of, and in frame 5 of the other views too
    let unsure = |frame, _| (frame % 2 == 1).then(|| "3,4,0.2".to_owned());
    let doubtful = |camera: usize| {
        let cameras = cameras.clone();
        move |frame: usize, keypoint: usize| {
            let [u, v] = cameras[camera].pixel(pose(frame)[keypoint]);
            (frame == 5).then(|| format!("{u:.3},{v:.3},0.4"))
        }
    };
    folder.write("raw/a-left.csv", view(&cameras, 0, doubtful(0)));
    folder.write("raw/a-right.csv", view(&cameras, 1, doubtful(1)));
    folder.write("raw/a-top.csv", view(&cameras, 2, unsure));
    folder.run(&[]);
    let off = |points: &[[f32; 3]], frame: usize| distance(points[2 * frame], pose(frame)[0].map(|v| 1000.0 * v));
    let (points, _) = made(&folder);
    assert!((0..FRAMES).filter(|frame| *frame != 5).all(|frame| off(&points, frame) < 1.0));
    // fewer than two are sure: all are used, and the result is as bad as its worst view
    assert!(off(&points, 5) > 10.0, "{}", off(&points, 5));
    folder.config(&format!("{STAGE}likelihood_threshold = 0.5\n"));
    folder.run(&["--replace"]);
    assert_eq!(made(&folder).1.iter().filter(|known| !**known).count(), 2);
    assert_eq!(folder.manifest().rows.stages[0].changes["likelihood below 0.5"], 2);
    folder.config(&format!("{STAGE}views = \"confident\"\n"));
    folder.call(&["run", "config.toml", "--replace"]).refused(&[
        "`nose` in frame 5 of",
        "is seen by no camera",
        "hint:",
    ]);
    folder.config(&format!("{STAGE}threshold = 0.1\n"));
    folder.run(&["--replace"]);
    assert!(off(&made(&folder).0, 1) > 10.0);
}

#[test]
fn markers_turn_scale_and_shift_points_into_the_arena() {
    let (folder, cameras) = folder();
    for (i, camera) in cameras.iter().enumerate() {
        folder.write(&format!("raw/a.{}.csv", camera.name), view(&cameras, i, |_, _| None));
    }
    let marker = |key: &str, point: [f64; 3]| {
        let pixel = |camera: &Camera| format!("{} = {:?}", camera.name, camera.pixel(point));
        format!("{key} = {{ {} }}\n", cameras.iter().map(pixel).collect::<Vec<_>>().join(", "))
    };
    let arena = [
        marker("origin", [0.01, 0.02, 0.0]),
        marker("x_axis", [0.01, 0.07, 0.0]),
        marker("y_axis", [-0.03, 0.02, 0.0]),
    ];
    folder.config(&format!("{STAGE}[pipeline.stage.arena]\n{}x_length = 50.0\ny_length = 40.0\n", arena.concat()));
    folder.run(&[]);
    for (at, point) in made(&folder).0.into_iter().enumerate() {
        let [x, y, z] = pose(at / 2)[at % 2];
        let expected = [1000.0 * (y - 0.02), -1000.0 * (x - 0.01), 1000.0 * z];
        assert!(distance(point, expected) < 0.6, "{point:?} {expected:?}");
    }
}

#[test]
fn files_that_do_not_fit_together_are_errors() {
    let (folder, cameras) = folder();
    let left = view(&cameras, 0, |_, _| None);
    let path = folder.write("raw/a-left.csv", &left);
    let run = |words: &[&str]| folder.call(&["run", "config.toml"]).refused(words);
    run(&["the recording `a` has no other view than that of `left`", "hint: views are named alike"]);
    folder.write("raw/a_left.csv", &left);
    run(&["`a-left.csv` and `a_left.csv` are both what `left` saw of `a`"]);
    fs_err::remove_file(folder.path().join("raw/a_left.csv")).unwrap();
    let right = folder.write("raw/a-right.csv", "nose;tail\n;\n");
    run(&["a-right.csv`", "BU-CVKit's 3D format", "hint: `read-poses`"]);
    fs_err::write(&right, "nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n1,2,3,4,5,6\n").unwrap();
    run(&["a-right.csv`, row 1: `nose` has three coordinates"]);
    fs_err::write(&right, "nose_1,nose_2\n1,2\n").unwrap();
    run(&["a-right.csv`, row 1: no column `tail_1` for the keypoint `tail`"]);
    fs_err::remove_file(&path).unwrap();
    fs_err::rename(&right, folder.path().join("raw/a-middle.csv")).unwrap();
    run(&["no file has the name of a camera in its own: `left`, `right`, `top`", "hint: `names`"]);
    folder.config(&format!("{STAGE}names = {{ middle = \"m\" }}\n"));
    run(&["`names` has `middle`, which is no camera", "hint: the cameras are `left`, `right`, `top`"]);
    folder.config(STAGE);
    folder.write("calibration.toml", "[a]\nmatrix = 3\n");
    run(&["`calibration.toml`: `a`: invalid type"]);
    folder.config(&format!("{STAGE}[pipeline.stage.arena]\norigin = [0, 0, 0]\n"));
    run(&["`arena` needs all of `origin`, `x_axis` and `y_axis`"]);
    // what the cameras are is part of what the dataset is made from
    let lens =
        Lens { matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], distortions: vec![], fisheye: false };
    assert_eq!(lens.straighten([3.0, 4.0]), Some([3.0, 4.0]));
}
