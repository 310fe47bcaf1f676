use serde_json::Value;
use tessera_datasets::pose::kalman::Motion;

use super::average::Window;
use super::bone_distances::Distances;
use super::kalman::Filter;
use super::*;

/// A recording of 80 frames and 5 keypoints, and what BU-CVKit makes of it; see the script beside.
fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/bu_cvkit_golden.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

fn track_of(value: &Value) -> Track {
    let frames = value.as_array().unwrap();
    let mut track = Track::unknown(frames.len(), 5);
    for (t, points) in frames.iter().enumerate() {
        for (k, point) in points.as_array().unwrap().iter().enumerate() {
            let point = (!point.is_null()).then(|| numbers(point));
            track.set(t, k, point.map(|p| [p[0] as f32, p[1] as f32, p[2] as f32]));
        }
    }
    track
}

fn consecutive(track: &Track) -> Vec<i64> {
    (0..track.frames() as i64).collect()
}

/// Runs a filter on the recording and compares with what BU-CVKit makes of it.
fn follows(name: &str, run: impl Fn(&mut Track, &[i64], &mut Log, &Value)) {
    let golden = golden();
    let mut track = track_of(&golden["input"]);
    let frames = consecutive(&track);
    let before = track.clone();
    run(&mut track, &frames, &mut Log::default(), &golden[name]);
    assert_ne!(track, before, "{name}");
    compare(name, &track, &track_of(&golden[name]["output"]));
}

fn compare(name: &str, found: &Track, expected: &Track) {
    for t in 0..expected.frames() {
        for k in 0..expected.keypoints {
            match (found.point(t, k), expected.point(t, k)) {
                (None, None) => {}
                (Some(found), Some(expected)) => {
                    let near = (0..3).all(|c| (found[c] - expected[c]).abs() <= 2e-6 * expected[c].abs() + 1e-5);
                    assert!(near, "{name}, frame {t}, keypoint {k}: {found:?} instead of {expected:?}");
                }
                other => panic!("{name}, frame {t}, keypoint {k}: {other:?}"),
            }
        }
    }
}

#[test]
fn clusters_are_those_of_bu_cvkit() {
    let golden = golden();
    let track = track_of(&golden["input"]);
    let ends = |run: Range<usize>| [run.start as f64, run.end as f64 - 1.0];
    for k in 0..5 {
        let missing: Vec<f64> = runs(track.frames(), |t| track.point(t, k).is_none()).flat_map(ends).collect();
        assert_eq!(missing, numbers(&golden["clusters"]["missing"][k]));
    }
    let complete = runs(track.frames(), |t| (0..5).all(|k| track.point(t, k).is_some()));
    assert_eq!(complete.flat_map(ends).collect::<Vec<_>>(), numbers(&golden["clusters"]["complete"]));
    let occupancy: Vec<f64> = (0..track.frames()).map(|t| clusters::occupancy(&track, t)).collect();
    assert_eq!(occupancy, numbers(&golden["clusters"]["occupancy"]));
}

#[test]
fn distance_statistics_are_those_of_bu_cvkit() {
    let golden = golden();
    let mut expected = track_of(&golden["distance_statistics"]["output"]);
    let input = track_of(&golden["input"]);
    // BU-CVKit removes the only known point of a frame: it counts itself as an unfit distance
    let alone: Vec<usize> = (0..80).filter(|t| (0..5).filter(|k| input.point(*t, *k).is_some()).count() == 1).collect();
    assert_eq!(alone, [66, 67]);
    for t in alone {
        assert_eq!(expected.point(t, 0), None);
        expected.set(t, 0, input.point(t, 0));
    }
    let given = &golden["distance_statistics"];
    let distances =
        Distances { keypoints: 5, mean_kk: numbers(&given["mean"]), deviation_kk: numbers(&given["deviation"]) };
    let mut found = input;
    bone_distances::remove_unfit(&mut found, &distances, 0.5, 3.0, &mut Log::default());
    compare("distance_statistics", &found, &expected);
}

#[test]
fn median_distance_velocity_and_interpolation_are_those_of_bu_cvkit() {
    follows("median_distance", |track, _, log, _| median_distance::remove_far(track, &[90.0; 5], true, log));
    follows("velocity", |track, frames, log, _| velocity::remove_fast(track, frames, &[900.0 / 60.0; 5], log));
    follows("interpolation", |track, frames, log, _| gaps::fill(track, frames, 10, log));
}

#[test]
fn kalman_filter_and_moving_average_are_those_of_bu_cvkit() {
    follows("kalman", |track, frames, log, _| {
        let step = 1.0_f64 / 60.0;
        let motion = Motion { measurement: 0.8, process: step.powi(4) };
        let start = Some([100.0, 100.0 * step.powi(2), 100.0 * step.powi(4)]);
        Filter { motion, longest: 0, smooth: false, start }.run(track, frames, log);
    });
    follows("moving_average", |track, frames, log, _| average::average(track, frames, 4, Window::Recursive, log));
}

/// A body of three points in a row that walks 2 a frame, seen without error.
fn walk(frames: usize) -> Track {
    let mut track = Track::unknown(frames, 3);
    for t in 0..frames {
        (0..3).for_each(|k| track.set(t, k, Some([2.0 * t as f32, 10.0 * k as f32, 0.0])));
    }
    track
}

fn moved(track: &mut Track, frame: usize, keypoint: usize, by: f32) {
    let [x, y, z] = track.point(frame, keypoint).unwrap();
    track.set(frame, keypoint, Some([x, y, z + by]));
}

fn unknown(track: &Track) -> Vec<(usize, usize)> {
    let places = (0..track.frames()).flat_map(|t| (0..track.keypoints).map(move |k| (t, k)));
    places.filter(|(t, k)| track.point(*t, *k).is_none()).collect()
}

#[test]
fn the_point_that_is_far_goes_and_not_those_that_it_is_far_from() {
    let mut track = walk(1);
    moved(&mut track, 0, 2, 500.0);
    let mut log = Log::default();
    median_distance::remove_far(&mut track, &[100.0; 3], false, &mut log);
    assert_eq!(unknown(&track), [(0, 2)]);
    assert_eq!(log.changes(&["a", "b", "c"].map(String::from)), [("too far from the others: c".to_owned(), 1)].into());
    // what BU-CVKit does instead
    moved(&mut walk(1), 0, 2, 500.0);
    let mut track = walk(1);
    moved(&mut track, 0, 2, 500.0);
    median_distance::remove_far(&mut track, &[100.0; 3], true, &mut log);
    assert_eq!(unknown(&track), [(0, 0), (0, 1)]);
}

#[test]
fn what_is_learned_finds_the_jumps_and_nothing_else() {
    let mut track = walk(400);
    let jumps = [(0, 1), (50, 0), (51, 0), (120, 2), (399, 1)];
    jumps.iter().for_each(|(t, k)| moved(&mut track, *t, *k, 60.0));
    let frames = consecutive(&track);
    let mut log = Log::default();
    let mut by_speed = track.clone();
    let fastest: Vec<f64> = velocity::learn(&track, &frames).iter().map(|usual| 4.0 * usual).collect();
    velocity::remove_fast(&mut by_speed, &frames, &fastest, &mut log);
    assert_eq!(unknown(&by_speed), jumps);
    let mut by_distance = track.clone();
    let farthest: Vec<f64> = median_distance::learn(&track).iter().map(|usual| 2.0 * usual).collect();
    median_distance::remove_far(&mut by_distance, &farthest, false, &mut log);
    assert_eq!(unknown(&by_distance), jumps);
    assert_eq!((log.of(velocity::FAST), log.of(median_distance::FAR)), (5, 5));
}

#[test]
fn distances_are_learned_whatever_jumps_and_the_one_that_does_not_fit_goes() {
    let mut track = Track::unknown(300, 5);
    for t in 0..300 {
        let sway = (t as f32 / 9.0).sin();
        (0..5).for_each(|k| track.set(t, k, Some([t as f32, 20.0 * k as f32 + sway * k as f32, 3.0 * sway])));
    }
    let clean = track.clone();
    let jumps = [(7, 4), (100, 0), (101, 0), (250, 2)];
    jumps.iter().for_each(|(t, k)| moved(&mut track, *t, *k, 80.0));
    let mut log = Log::default();
    let learned = Distances::learn(&track);
    assert!((learned.mean_kk[1] - 20.0).abs() < 1.0 && learned.deviation_kk[1] < 2.0, "{learned:?}");
    bone_distances::remove_unfit(&mut track, &learned, 0.5, 5.0, &mut log);
    assert_eq!(unknown(&track), jumps);
    let mut same = clean.clone();
    bone_distances::remove_unfit(&mut same, &learned, 0.5, 5.0, &mut log);
    assert_eq!(same, clean);
    // of a pair that was never seen nothing is said
    let few = Distances::learn(&clean.slice(0, 29));
    let mut track = clean.slice(0, 29);
    bone_distances::remove_unfit(&mut track, &few, 0.0, 1e-9, &mut log);
    assert_eq!(unknown(&track), []);
}

#[test]
fn clusters_that_are_brief_or_sparse_go_but_not_at_the_ends() {
    let mut track = walk(20);
    [(2, 0), (5, 0), (17, 0)].iter().for_each(|(t, k)| track.set(*t, *k, None));
    (9..11).for_each(|t| (1..3).for_each(|k| track.set(t, k, None)));
    let before = unknown(&track).len();
    let mut log = Log::default();
    clusters::remove_sparse(&mut track, &consecutive(&walk(20)), 3, 0.5, &mut log);
    // of keypoint 0 the frames 3 and 4 between two gaps, and 9 and 10, where the others are missing
    let gone = |k| unknown(&track).into_iter().filter(|place| place.1 == k).map(|place| place.0).collect::<Vec<_>>();
    assert_eq!(gone(0), [2, 3, 4, 5, 9, 10, 17]);
    assert_eq!((log.of(clusters::BRIEF), log.of(clusters::SPARSE)), (2, 2));
    assert_eq!(unknown(&track).len(), before + 4);
}

#[test]
fn a_gap_is_as_long_as_its_time() {
    let mut track = walk(6);
    track.set(2, 1, None);
    track.set(4, 0, None);
    // three frames are left out after row 2
    let frames = [0, 1, 2, 6, 7, 8];
    let mut log = Log::default();
    let mut short = track.clone();
    gaps::fill(&mut short, &frames, 3, &mut log);
    assert_eq!(unknown(&short), [(2, 1)]);
    gaps::fill(&mut track, &frames, 4, &mut log);
    // from 2 to 6 in 5 frames
    assert_eq!(track.point(2, 1).unwrap(), [2.8, 10.0, 0.0]);
    assert_eq!(track.point(4, 0).unwrap(), [8.0, 0.0, 0.0]);
    // where numbers do not grow there is nothing between
    let mut back = walk(3);
    back.set(1, 0, None);
    gaps::fill(&mut back, &[5, 6, 5], 10, &mut log);
    assert_eq!(unknown(&back), [(1, 0)]);
}

#[test]
fn a_jump_of_the_frame_number_is_time_to_move_in() {
    let mut track = walk(4);
    (2..4).for_each(|t| moved(&mut track, t, 1, 30.0));
    let mut log = Log::default();
    let mut near = track.clone();
    velocity::remove_fast(&mut near, &[0, 1, 2, 3], &[5.0; 3], &mut log);
    assert_eq!(unknown(&near), [(2, 1), (3, 1)]);
    velocity::remove_fast(&mut track, &[0, 1, 8, 9], &[5.0; 3], &mut log);
    assert_eq!(unknown(&track), []);
}

#[test]
fn a_wrong_start_costs_no_good_points() {
    let mut track = walk(30);
    moved(&mut track, 0, 0, 400.0);
    velocity::remove_fast(&mut track, &consecutive(&walk(30)), &[5.0; 3], &mut Log::default());
    assert_eq!(unknown(&track), [(0, 0)]);
}

#[test]
fn a_centred_mean_does_not_come_late() {
    let (mut centred, mut causal) = (walk(30), walk(30));
    let frames = consecutive(&centred);
    let mut log = Log::default();
    average::average(&mut centred, &frames, 5, Window::Centred, &mut log);
    assert_eq!(centred, walk(30));
    average::average(&mut causal, &frames, 3, Window::Causal, &mut log);
    // the weights are 1, 4, 9, so it is late by (2 · 1 + 1 · 4) / 14 frames of 2
    assert!((causal.point(20, 0).unwrap()[0] - (40.0 - 2.0 * 6.0 / 14.0)).abs() < 1e-5);
    assert_eq!(log.of(average::AVERAGED), 180);
}

#[test]
fn a_smoother_goes_through_gaps_that_are_short_enough() {
    let mut track = walk(40);
    (10..14).for_each(|t| track.set(t, 0, None));
    (20..30).for_each(|t| track.set(t, 0, None));
    let filter = Filter { motion: Motion { measurement: 0.01, process: 0.01 }, longest: 5, smooth: true, start: None };
    let mut log = Log::default();
    filter.run(&mut track, &consecutive(&walk(40)), &mut log);
    assert_eq!(unknown(&track).len(), 10);
    assert_eq!((log.of(kalman::PREDICTED), log.of(kalman::SMOOTHED)), (4, 106));
    for t in 10..14 {
        assert!((track.point(t, 0).unwrap()[0] - 2.0 * t as f32).abs() < 0.05, "{:?}", track.point(t, 0));
    }
}

#[test]
fn a_kalman_filter_that_looks_ahead_is_nearer_than_one_that_does_not() {
    let truth = |t: usize| (t as f32 / 8.0).sin() * 30.0;
    let mut track = Track::unknown(300, 1);
    for t in 0..300 {
        let noise = [1.0, -1.2, 0.4, 0.9, -0.7, -0.2, 1.1, -1.3][(t * 5) % 8];
        track.set(t, 0, Some([truth(t) + noise, 0.0, 0.0]));
    }
    let frames = consecutive(&track);
    let error = |track: &Track| (0..300).map(|t| (track.point(t, 0).unwrap()[0] - truth(t)).abs()).sum::<f32>() / 300.0;
    let run = |smooth: bool| {
        let mut out = track.clone();
        let motion = Motion { measurement: 1.0, process: 0.01 };
        Filter { motion, longest: 0, smooth, start: None }.run(&mut out, &frames, &mut Log::default());
        error(&out)
    };
    let (ahead, behind) = (run(true), run(false));
    assert!(ahead < 0.7 * behind && behind < error(&track), "{ahead} {behind} {}", error(&track));
}
