use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use arrow::datatypes::{Float32Type, Int64Type, UInt32Type};
use proptest::prelude::*;
use tessera_datasets::config::RunConfig;
use tessera_datasets::pose::{self, Track};
use tessera_datasets::schema::pose as pose_schema;

use super::draw::Draw;
use super::grid::Grid;
use super::motion::{Motion, STILL};
use super::protocol::{Kind as Masking, Protocol};
use super::*;
use crate::rows::tests::origin;
use crate::rows::{Pose, PoseRows, strings};

const NAMES: [&str; 6] = ["nose", "ear_l", "ear_r", "spine", "hip", "tail"];

fn skeleton() -> Skeleton {
    let keypoints: Vec<String> = NAMES.map(str::to_owned).to_vec();
    let edges = vec![["nose".to_owned(), "ear_l".to_owned()]];
    let mirror = vec![["ear_l".to_owned(), "ear_r".to_owned()]];
    Skeleton {
        name: "mouse".to_owned(),
        unit: "mm".to_owned(),
        keypoints,
        edges,
        frames_per_second: None,
        scale: None,
        mirror,
    }
}

/// The stage with a table of its config, for poses beside their truth or not.
fn prepared(table: &str, truth: bool) -> Result<Box<dyn PreparedMap>> {
    let text = format!(
        "version = 1\nname = \"a\"\nseed = 3\n[data]\ncard = \"world\"\n[[pipeline.stage]]\nkind = \"mask-keypoints\"\n{table}"
    );
    let config = RunConfig::parse(Path::new("a.toml"), &text, &[])?;
    let context = StageContext { name: config.name.clone(), seed: config.seed, data: config.data.clone() };
    let section = config.section("pipeline")?.children("stage")?.remove(0).kind()?.1;
    let Stage::Map(map) = parse(&section, &context)? else {
        panic!("no map");
    };
    let mut artifacts = Artifacts::new("none");
    artifacts.detail(pose::DETAIL, skeleton().to_detail());
    map.prepare(&pose_schema(NAMES.len(), truth), &mut artifacts)
}

/// Where the animal is: a walk on which no two points are the same.
fn position(frame: usize, keypoint: usize) -> [f32; 3] {
    let (t, k) = (frame as f32, keypoint as f32);
    [t + 10.0 * k, 3.0 * (0.1 * t + k).sin() + 2.0 * k, 1.0 + k * k]
}

/// Frames of one subject in one split; what `known` says no to was not seen.
fn frames(split: &str, numbers: &[usize], truth: bool, known: impl Fn(usize, usize) -> bool) -> RecordBatch {
    let mut rows = PoseRows::new(NAMES.len(), truth);
    for frame in numbers {
        let right: Vec<f32> = (0..NAMES.len()).flat_map(|k| position(*frame, k)).collect();
        let seen: Vec<f32> = right.iter().map(|v| if truth { v + 0.25 } else { *v }).collect();
        let mask: Vec<bool> = (0..NAMES.len()).map(|k| known(*frame, k)).collect();
        let pose = Pose { positions: &seen, mask: &mask, truth: truth.then_some(&right[..]) };
        rows.push(&pose, "mouse", *frame as i64, &origin(split, &frame.to_string()));
    }
    rows.finish().unwrap()
}

/// What the stage makes of rows.
fn made(table: &str, batches: &[RecordBatch]) -> (RecordBatch, Rejects, BTreeMap<String, u64>) {
    let truth = batches[0].column_by_name("truth").is_some();
    let prepared = prepared(table, truth).unwrap();
    let mut mapper = prepared.open(0);
    let mut rejects = Rejects::new();
    let mut out = Vec::new();
    for batch in batches {
        out.extend(mapper.map(batch.clone(), &mut rejects).unwrap());
    }
    while let Some(more) = mapper.flush(&mut rejects).unwrap() {
        out.push(more);
    }
    let schema = crate::rows::travelling(&prepared.schema());
    (concat_batches(&schema, &out).unwrap(), rejects, mapper.changes())
}

/// The rows of a split, in words and numbers.
struct Window {
    id: String,
    corruption: String,
    frames: usize,
    first: i64,
    input: Vec<f32>,
    given: Vec<bool>,
    target: Vec<f32>,
    known: Vec<bool>,
}

fn windows(rows: &RecordBatch, split: &str) -> Vec<Window> {
    let text = |name: &str, row: usize| strings(rows, name).unwrap().value(row).to_owned();
    let numbers = |name: &str, row: usize| {
        let list = rows.column_by_name(name).unwrap().as_fixed_size_list().value(row);
        list.as_primitive::<Float32Type>().values().to_vec()
    };
    let marks = |name: &str, row: usize| {
        let list = rows.column_by_name(name).unwrap().as_fixed_size_list().value(row);
        list.as_boolean().values().iter().collect::<Vec<bool>>()
    };
    (0..rows.num_rows())
        .filter(|row| text("split", *row) == split)
        .map(|row| Window {
            id: text("id", row),
            corruption: text("corruption", row),
            frames: rows.column_by_name("frames").unwrap().as_primitive::<UInt32Type>().value(row) as usize,
            first: rows.column_by_name("frame").unwrap().as_primitive::<Int64Type>().value(row),
            input: numbers("input", row),
            given: marks("given", row),
            target: numbers("target", row),
            known: marks("known", row),
        })
        .collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<usize> {
    range.collect()
}

#[test]
fn kinds_come_in_the_shares_of_their_protocol() {
    for (protocol, expected) in
        [("paper", [19.0, 3.0, 5.0, 37.0, 10.0, 26.0]), ("later", [14.0, 5.0, 10.0, 45.0, 10.0, 16.0])]
    {
        let table = format!("noise = 1.0\nprotocol = \"{protocol}\"\nrepeats = 100");
        let (rows, ..) = made(&table, &[frames("train", &numbers(0..100), false, |_, _| true)]);
        let windows = windows(&rows, "train");
        assert_eq!(windows.len(), 10_000);
        // the 99.9 % quantile of χ² with 5 degrees of freedom; the seed is fixed
        let distance: f64 = Masking::ALL
            .iter()
            .zip(expected)
            .map(|(kind, share)| {
                let found = windows.iter().filter(|w| w.corruption == kind.name()).count() as f64;
                (found - share * 100.0).powi(2) / (share * 100.0)
            })
            .sum();
        assert!(distance < 20.515, "{protocol}: {distance}");
    }
}

/// How often each number of points was hidden from one frame, over many windows of 30 frames.
fn hide(protocol: Protocol, kind: Masking, exact: bool, number: u64) -> Vec<Vec<bool>> {
    let mut hidden = vec![false; 30 * 12];
    protocol.hide(kind, exact, &mut Grid::new(&mut hidden, 12), &mut Draw::new(1, "test", number));
    hidden.chunks(12).map(<[bool]>::to_vec).collect()
}

fn blank(frame: &[bool]) -> bool {
    frame.iter().all(|hidden| *hidden)
}

#[test]
fn each_kind_hides_what_it_says() {
    let lost = |frame: &Vec<bool>| frame.iter().filter(|hidden| **hidden).count();
    for protocol in [Protocol::Paper, Protocol::Later] {
        let is_paper = protocol == Protocol::Paper;
        let mut lengths = BTreeSet::new();
        let mut ends = [0, 0, 0];
        let mut complete = 0;
        for number in 0..2000 {
            let alternate = hide(protocol, Masking::AlternateFrames, false, number);
            let parity = usize::from(!blank(&alternate[0]));
            assert!((0..30).all(|t| blank(&alternate[t]) == (t % 2 == parity) && lost(&alternate[t]) % 12 == 0));

            let end = hide(protocol, Masking::Ends, false, number);
            let count = end.iter().filter(|frame| blank(frame)).count();
            let allowed = if is_paper { 5..=10 } else { 5..=15 };
            assert!(allowed.contains(&count), "{count}");
            let at_start = end[..count].iter().all(|frame| blank(frame));
            assert!(at_start || end[30 - count..].iter().all(|frame| blank(frame)));
            assert_eq!(end.iter().map(lost).sum::<usize>(), count * 12);
            ends[usize::from(at_start)] += 1;
            let exact = hide(protocol, Masking::Ends, true, number);
            ends[2] += usize::from(exact.iter().map(lost).sum::<usize>() == 0);

            let block = hide(protocol, Masking::FrameBlock, false, number);
            let gone: Vec<usize> = (0..30).filter(|t| blank(&block[*t])).collect();
            assert_eq!(gone.len(), gone[gone.len() - 1] + 1 - gone[0], "one block");
            assert!((2..=10).contains(&gone.len()));
            lengths.insert(gone.len());
            let allowed = if is_paper { 0..=6 } else { 1..=3 };
            assert!(block.iter().filter(|frame| !blank(frame)).all(|frame| allowed.contains(&lost(frame))));

            let keypoints = hide(protocol, Masking::Keypoints, false, number);
            let hit = keypoints.iter().filter(|frame| lost(frame) > 0).count();
            assert!((20..=25).contains(&hit), "{hit}");
            let distinct: BTreeSet<_> = keypoints.iter().filter(|frame| lost(frame) > 0).collect();
            assert!(is_paper || distinct.len() == 1);
            assert!(keypoints.iter().all(|frame| lost(frame) <= if is_paper { 6 } else { 4 }));

            let block = hide(protocol, Masking::KeypointBlock, false, number);
            let always: Vec<usize> = (0..12).filter(|k| block.iter().all(|frame| frame[*k])).collect();
            complete += usize::from(block.iter().all(|frame| frame == &block[0]) && !always.is_empty());
        }
        assert!(ends[0] > 900 && ends[1] > 900, "{ends:?}");
        assert!((900..1100).contains(&ends[2]), "{ends:?}");
        assert!((900..1150).contains(&complete), "{complete}");
        assert_eq!(lengths, (2..=10).collect());
    }
}

#[test]
fn masks_of_ones_own_hide_what_they_say() {
    let mask: mixture::Mask = toml_mask("name = \"a\"\nshare = 1\nabsent = [1, 0.5]");
    let mut counts = BTreeSet::new();
    for number in 0..500 {
        let mut hidden = vec![false; 30 * 7];
        mask.hide(&mut Grid::new(&mut hidden, 7), &mut Draw::new(1, "test", number));
        assert!(hidden.chunks(7).all(|frame| frame == &hidden[..7]));
        counts.insert(hidden[..7].iter().filter(|h| **h).count());
    }
    assert_eq!(counts, (1..=3).collect());

    let mask = toml_mask("name = \"a\"\nshare = 1\nblock = [3, 25]\nblock_keypoints = [2, 2]");
    let mut lengths = BTreeSet::new();
    for number in 0..2000 {
        let mut hidden = vec![false; 30 * 7];
        mask.hide(&mut Grid::new(&mut hidden, 7), &mut Draw::new(1, "test", number));
        let hit: Vec<usize> = (0..30).filter(|t| hidden[t * 7..][..7].contains(&true)).collect();
        assert!(hit.iter().all(|t| hidden[t * 7..][..7].iter().filter(|h| **h).count() == 2));
        assert_eq!(hit.len(), hit[hit.len() - 1] + 1 - hit[0]);
        lengths.insert(hit.len());
    }
    assert_eq!(lengths, (3..=25).collect());

    let mask = toml_mask("name = \"a\"\nshare = 1\nframes = [0.5, 0.5]\nkeypoints = [0.5, 0.5]");
    let mut hidden = 0;
    for number in 0..1000 {
        let mut marks = vec![false; 30 * 7];
        mask.hide(&mut Grid::new(&mut marks, 7), &mut Draw::new(1, "test", number));
        hidden += marks.iter().filter(|h| **h).count();
    }
    // a quarter; points of one frame go together, hence a deviation of 150 · 7 ≈ 0.5 %
    assert!((hidden as f64 / 210_000.0 - 0.25).abs() < 0.006, "{hidden}");
}

fn toml_mask(text: &str) -> mixture::Mask {
    let config = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[eval]\n{text}");
    RunConfig::parse(Path::new("a.toml"), &config, &[]).unwrap().section("eval").unwrap().parse().unwrap()
}

#[test]
fn a_point_that_is_given_is_known_and_one_that_is_not_is_nothing() {
    let known = |t: usize, k: usize| !(t * 7 + k * 3).is_multiple_of(5);
    for (split, table) in [
        (
            "train",
            "noise = 1.0\nrepeats = 20\nmirror = true\nreverse = true\nrange = [0, 500]\nlift = 20\nscale_deviation = 0.02",
        ),
        ("test", "noise = 1.0\nstrata = [\"absent\", \"absent-several\", \"random\", \"block\", \"ends\"]"),
    ] {
        let (rows, ..) = made(table, &[frames(split, &numbers(0..85), false, known)]);
        let windows = windows(&rows, split);
        assert!(windows.len() > 100);
        for window in &windows {
            let there = window.frames * NAMES.len();
            for i in 0..30 * NAMES.len() {
                assert!(!window.given[i] || window.known[i], "{}", window.id);
                assert!(i < there || !window.known[i]);
                for c in 0..3 {
                    assert!(window.given[i] || window.input[i * 3 + c] == 0.0);
                    assert!(window.known[i] || window.target[i * 3 + c] == 0.0);
                }
            }
        }
        assert!(windows.iter().any(|w| w.frames < 30));
    }
}

#[test]
fn what_is_held_out_stays_where_it_was_and_each_stratum_is_there() {
    let table = "noise = 0.5\nstrata = [\"absent\", \"random\", \"intact\"]\ncopies = 4";
    let (rows, rejects, changes) = made(table, &[frames("test", &numbers(0..70), false, |_, _| true)]);
    let windows = windows(&rows, "test");
    assert_eq!(windows.len(), 2 * (6 + 4 + 4));
    assert_eq!(rejects.count(), 0);
    assert_eq!(changes, BTreeMap::from([("frames in no window".to_owned(), 10)]));
    let ids: BTreeSet<&str> = windows.iter().map(|w| w.id.as_str()).collect();
    assert_eq!(ids.len(), windows.len());
    assert!(ids.contains("0/absent/nose") && ids.contains("30/random/003"), "{ids:?}");
    for window in &windows {
        for i in 0..30 * 6 {
            let (frame, keypoint) = (window.first as usize + i / 6, i % 6);
            let point = &window.target[i * 3..i * 3 + 3];
            assert_eq!(point, position(frame, keypoint));
            let absent = window.corruption == "absent" && window.id.ends_with(NAMES[keypoint]);
            assert!(window.corruption == "random" || window.given[i] != absent);
            if window.given[i] {
                for (input, target) in window.input[i * 3..].iter().zip(point) {
                    assert!((input - target).abs() <= 0.501 && input != target);
                }
            }
        }
    }
}

#[test]
fn truth_stands_beside_what_was_observed() {
    let table = "noise = 0\nstrata = [\"observed\", \"absent\"]\ntraining_noise = { windows = 0.0 }\nrotation = false";
    let seen = |t: usize, k: usize| t % 4 != k;
    let (rows, ..) = made(table, &[frames("test", &numbers(0..30), true, seen)]);
    let windows_of = windows(&rows, "test");
    assert_eq!(windows_of.len(), 1 + 6);
    for window in &windows_of {
        assert!(window.known.iter().all(|k| *k));
        for i in 0..30 * 6 {
            assert!(window.corruption != "observed" || window.given[i] == seen(i / 6, i % 6));
            assert_eq!(window.target[i * 3], position(i / 6, i % 6)[0]);
            assert!(!window.given[i] || window.input[i * 3] == window.target[i * 3] + 0.25);
        }
    }
    let (rows, ..) = made(&format!("{table}\ninput = \"truth\""), &[frames("train", &numbers(0..30), true, seen)]);
    for window in windows(&rows, "train") {
        assert!((0..30 * 6).all(|i| !window.given[i] || window.input[i * 3] == window.target[i * 3]));
    }
    let error = prepared("noise = 1.0\nstrata = [\"observed\"]", false).err().unwrap().to_string();
    assert!(error.contains("no column `truth`"), "{error}");
}

#[test]
fn the_template_has_each_training_frame_once_as_it_is() {
    let numbers: Vec<usize> = (0..65).chain(70..75).collect();
    let known = |t: usize, k: usize| t % 9 != k;
    let (rows, ..) = made("noise = 1.0\nrepeats = 0", &[frames("train", &numbers, false, known)]);
    let mut seen = Vec::new();
    for window in windows(&rows, "template") {
        assert_eq!((&window.input, &window.given), (&window.target, &window.known));
        for t in 0..window.frames {
            let frame = window.first as usize + t;
            seen.push(frame);
            for k in 0..6 {
                assert_eq!(window.known[t * 6 + k], known(frame, k));
                let expected = if known(frame, k) { position(frame, k) } else { [0.0; 3] };
                assert_eq!(window.target[(t * 6 + k) * 3..][..3], expected);
            }
        }
    }
    assert_eq!(seen, numbers);
    assert!(windows(&rows, "train").is_empty());
}

#[test]
fn training_windows_stay_in_runs_without_jumps_and_short_ones_are_counted() {
    let numbers: Vec<usize> = (0..40).chain(100..110).collect();
    let table = "noise = 1.0\nrotation = false\ntraining_noise = { windows = 0.0 }\nshares = { intact = 1 }";
    let (rows, rejects, changes) = made(table, &[frames("train", &numbers, false, |_, _| true)]);
    let windows = windows(&rows, "train");
    assert_eq!(windows.len(), 40);
    assert!(windows.iter().all(|w| w.first as usize + w.frames <= 40 && (20..=30).contains(&w.frames)));
    assert!(windows.iter().all(|w| w.input == w.target && w.given == w.known));
    assert!(windows.iter().any(|w| w.first > 0));
    assert_eq!((rejects.count(), changes["frames in no window"]), (0, 10));

    let (_, rejects, _) = made(
        "noise = 1.0",
        &[
            frames("test", &(0..19).collect::<Vec<_>>(), false, |_, _| true),
            frames("train", &(0..30).collect::<Vec<_>>(), false, |_, _| true),
        ],
    );
    let reject = &rejects.by_reason()["recording shorter than a window"];
    assert_eq!(reject.count, 1);
    assert_eq!(reject.samples[0].excerpt, "19 frames in a row, of 20 that a window needs");

    // whole frames only
    let table = "noise = 1.0\ngaps = false\nrepeats = 10";
    let (rows, ..) = made(table, &[frames("train", &(0..60).collect::<Vec<_>>(), false, |t, k| t != 35 || k != 2)]);
    let windows = super::tests::windows(&rows, "train");
    assert_eq!(windows.len(), 590);
    assert!(windows.iter().all(|w| w.known.iter().filter(|k| **k).count() == w.frames * 6));
}

#[test]
fn windows_do_not_depend_on_threads_or_on_how_rows_arrive() {
    let table = "noise = 1.0\nrepeats = 5\nmirror = true\nreverse = true";
    let train = frames("train", &numbers(0..90), false, |t, k| (t + k) % 11 != 0);
    let test = frames("test", &numbers(90..150), false, |_, _| true);
    let run = |threads: usize, batches: &[RecordBatch]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| made(table, batches).0)
    };
    let one = run(1, &[train.clone(), test.clone()]);
    assert_eq!(run(4, &[train.clone(), test.clone()]), one);
    let pieces: Vec<RecordBatch> = (0..90).step_by(7).map(|i| train.slice(i, 7.min(90 - i))).chain([test]).collect();
    assert_eq!(run(2, &pieces), one);
}

#[test]
fn noise_moves_the_input_and_never_the_target() {
    let table = "noise = 1.0\nrotation = false\nshares = { intact = 1 }\nrepeats = 20\nminimum = 30\n";
    let batch = frames("train", &numbers(0..60), false, |_, _| true);
    let (rows, ..) = made(table, std::slice::from_ref(&batch));
    let (mut strong, mut slight, mut none, mut all) = (0.0, 0.0, 0.0, 0.0);
    for window in windows(&rows, "train") {
        for i in 0..30 * 6 {
            let right = position(window.first as usize + i / 6, i % 6);
            assert_eq!(window.target[i * 3..i * 3 + 3], right);
            let moved = (0..3).map(|c| (window.input[i * 3 + c] - right[c]).abs()).fold(0.0, f32::max);
            assert!(moved <= 10.01);
            all += 1.0;
            *(if moved > 1.01 {
                &mut strong
            } else if moved > 0.0 {
                &mut slight
            } else {
                &mut none
            }) += 1.0;
        }
    }
    // of intact windows: a fifth strong, of the rest half slight; offsets come to that a little
    assert!((0.18..0.25).contains(&(strong / all)), "{}", strong / all);
    assert!((0.35..0.43).contains(&(slight / all)), "{}", slight / all);
    assert!((0.35..0.43).contains(&(none / all)), "{}", none / all);

    let even = format!("{table}training_noise = {{ slight_chance = 1.0, strong_chance = 0.0, offset_chance = 0.0 }}");
    let (rows, ..) = made(&even, &[batch]);
    let mut squares = 0.0;
    let windows = windows(&rows, "train");
    for window in &windows {
        for (input, target) in window.input.iter().zip(&window.target) {
            assert!((input - target).abs() <= 1.001);
            squares += f64::from(input - target).powi(2);
        }
    }
    let variance = squares / (windows.len() * 540) as f64;
    assert!((variance - 1.0 / 3.0).abs() < 0.005, "{variance}");
}

#[test]
fn configs_that_make_no_sense_are_refused() {
    for (table, message) in [
        ("", "`noise` is missing"),
        ("noise = -1.0", "`noise` has `-1`"),
        ("noise = 1.0\nwindow = 1", "2 to 10000 frames"),
        ("noise = 1.0\nminimum = 31", "between 1 and `window`, 30"),
        ("noise = 1.0\nstrata = [\"absnet\"]", "`absnet` is no stratum; there are `absent`"),
        ("noise = 1.0\nstrata = [\"absent\", \"absent\"]", "`absent` is there twice"),
        ("noise = 1.0\nshares = { sentinels = 3 }", "`sentinels` is none of the kinds `intact`"),
        ("noise = 1.0\nexact = true\nmasks = [{ name = \"a\", share = 1 }]", "leave out `shares` and `exact`"),
        ("noise = 1.0\nmasks = [{ name = \"a\", share = 1, absent = [0, 1.5] }]", "between 0 and 1"),
        ("noise = 1.0\nmasks = [{ name = \"a\", share = 1, abesnt = [0, 1] }]", "unknown key `abesnt`"),
        ("noise = 1.0\nrange = [5, 5]", "the smaller first"),
        ("noise = 1.0\nprotocol = \"new\"", "unknown variant `new`"),
        ("noise = 1.0\ntraining_noise = { slight_chance = 2.0 }", "`training_noise` has `2`"),
    ] {
        let error = prepared(table, false).err().unwrap_or_else(|| panic!("{table}")).to_string();
        assert!(error.contains(message), "{error}");
    }
}

fn any_window() -> impl Strategy<Value = Track> {
    let point = (prop::array::uniform3(-500.0_f32..500.0), prop::bool::weighted(0.8));
    prop::collection::vec(point, 6 * 8).prop_map(|points| {
        let mut track = Track::unknown(8, 6);
        for (i, (point, known)) in points.into_iter().enumerate() {
            track.set(i / 6, i % 6, known.then_some(point));
        }
        track
    })
}

fn moved(motion: &Motion<'_>, window: &Track) -> Track {
    let mut out = Track::unknown(window.frames(), window.keypoints);
    motion.copy(window, &mut out.positions_tkc, &mut out.known_tk);
    out
}

fn distance(track: &Track, t: usize, a: usize, b: usize) -> Option<f32> {
    let (a, b) = (track.point(t, a)?, track.point(t, b)?);
    Some((0..3).map(|c| (a[c] - b[c]).powi(2)).sum::<f32>().sqrt())
}

proptest! {
    #[test]
    fn a_window_that_is_moved_keeps_its_bones(window in any_window(), number in 0_u64..1000) {
        let order = skeleton().mirrored().unwrap();
        let motions = motion::Motions {
            rotation: true,
            scale_deviation: 0.0,
            range: Some([0.0, 3000.0]),
            lift: 20.0,
            mirror: Some(order.clone()),
            reverse: true,
        };
        let motion = motions.draw(&window, &mut Draw::new(1, "test", number));
        let after = moved(&motion, &window);
        for (t, a, b) in (0..8).flat_map(|t| (0..6).flat_map(move |a| (0..a).map(move |b| (t, a, b)))) {
            let before = if motion.reverse { 7 - t } else { t };
            let other = |k: usize| motion.mirror.map_or(k, |order| order[k]);
            let lengths = (distance(&after, t, a, b), distance(&window, before, other(a), other(b)));
            match lengths {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 2e-3, "{found} {expected}"),
                lengths => prop_assert_eq!(lengths, (None, None)),
            }
        }
        let known = after.positions_tkc.as_chunks::<3>().0.iter().zip(&after.known_tk).filter(|(_, known)| **known);
        for (point, _) in known {
            prop_assert!(point[..2].iter().all(|v| (-0.01..3000.01).contains(v)), "{point:?}");
        }
    }

    #[test]
    fn no_window_is_too_small_for_any_kind(frames in 1_usize..40, keypoints in 1_usize..9, number in 0_u64..50) {
        for protocol in [Protocol::Paper, Protocol::Later] {
            for kind in Masking::ALL {
                let mut hidden = vec![false; frames * keypoints];
                let draw = &mut Draw::new(2, kind.name(), number);
                protocol.hide(kind, false, &mut Grid::new(&mut hidden, keypoints), draw);
                prop_assert!(kind != Masking::Intact || !hidden.contains(&true));
            }
        }
    }

    #[test]
    fn a_mirror_twice_and_backwards_twice_is_nothing(window in any_window()) {
        let order = skeleton().mirrored().unwrap();
        let motion = Motion { mirror: Some(&order), reverse: true, ..STILL };
        let once = moved(&motion, &window);
        prop_assert!(once != window);
        prop_assert_eq!(moved(&motion, &once), window);
    }
}
