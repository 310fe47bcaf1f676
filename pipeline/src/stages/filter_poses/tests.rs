use std::path::Path;

use tessera_datasets::config::{DataConfig, RunConfig};
use tessera_datasets::hash::derive_seed;
use tessera_datasets::pose::DETAIL;
use tessera_datasets::schema::pose;
use tessera_datasets::world::animal::{Faults, Track as Drawn};

use super::*;
use crate::pose::filters::{average, bone_distances as bones, clusters as few, gaps, kalman as smooth};
use crate::pose::filters::{median_distance, velocity as speed};
use crate::rows::tests::origin;
use crate::rows::{Pose, PoseColumns, PoseRows, strings};
use crate::stage::StageContext;

const FILTERS: [&str; 10] = [
    "kind = \"filter-clusters\"\noccupancy = 0.9",
    "kind = \"filter-bone-distances\"",
    "kind = \"filter-distance\"",
    "kind = \"filter-velocity\"",
    "kind = \"filter-velocity\"\nfastest = 2000",
    "kind = \"interpolate-poses\"",
    "kind = \"kalman-poses\"\nlongest = 0.1",
    "kind = \"kalman-poses\"\nexact = true",
    "kind = \"average-poses\"",
    "kind = \"average-poses\"\nexact = true",
];

fn sections(tables: &[&str]) -> Result<Vec<(Section, StageContext)>> {
    let tables: String = tables.iter().map(|table| format!("[[pipeline.stage]]\n{table}\n")).collect();
    let text = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n{tables}");
    let config = RunConfig::parse(Path::new("a.toml"), &text, &[])?;
    let data = DataConfig { card: Some("world".to_owned()), ..DataConfig::default() };
    let context = StageContext { name: "a".to_owned(), seed: 1, data };
    Ok(config.section("pipeline")?.children("stage")?.into_iter().map(|table| (table, context.clone())).collect())
}

fn artifacts(skeleton: &Skeleton) -> Artifacts {
    let mut artifacts = Artifacts::new("nowhere");
    artifacts.detail(DETAIL, skeleton.to_detail());
    artifacts
}

fn prepare(table: &str, skeleton: &Skeleton) -> Result<Box<dyn PreparedMap>> {
    let (section, context) = sections(&[table])?.remove(0);
    let (_, stage) = super::super::parse(&section, &context)?;
    let Stage::Map(map) = stage else { panic!("{table} is no map") };
    map.prepare(&pose(skeleton.keypoints.len(), true), &mut artifacts(skeleton))
}

/// Recordings of the world's animal: one with faults, one that is very short, one of which nothing
/// is known, and one whose frame numbers jump and go back.
fn recordings(skeleton: &Skeleton) -> RecordBatch {
    let keypoints = skeleton.keypoints.len();
    let mut rows = PoseRows::new(keypoints, true);
    let mut add = |subject: &str, drawn: &Drawn, known: bool, number: &dyn Fn(i64) -> i64| {
        for t in 0..drawn.frames {
            let points = t * keypoints * 3..(t + 1) * keypoints * 3;
            let mask: Vec<bool> =
                drawn.visible_tk[t * keypoints..(t + 1) * keypoints].iter().map(|visible| *visible && known).collect();
            let pose = Pose {
                positions: &drawn.observed_tkc[points.clone()],
                mask: &mask,
                truth: Some(&drawn.truth_tkc[points]),
            };
            rows.push(&pose, subject, number(t as i64), &origin("train", &format!("{subject}/{t}")));
        }
    };
    let faults = Faults { jump_rate: 0.01, ..Faults::default() };
    add("long", &Drawn::draw(1, 0, 150, &faults), true, &|t| t);
    add("short", &Drawn::draw(1, 1, 2, &faults), true, &|t| t);
    add("one", &Drawn::draw(1, 2, 1, &faults), true, &|t| t);
    add("unseen", &Drawn::draw(1, 3, 40, &faults), false, &|t| t);
    add("torn", &Drawn::draw(1, 4, 60, &faults), true, &|t| match t {
        0..20 => t,
        20..40 => i64::MAX - 40 + t,
        _ => t - 100,
    });
    rows.finish().unwrap()
}

fn known(batch: &RecordBatch) -> u64 {
    PoseColumns::of(batch).unwrap().mask.true_count() as u64
}

/// Runs one filter over a batch that comes in pieces.
fn run(prepared: &dyn PreparedMap, batch: &RecordBatch, piece: usize) -> (RecordBatch, BTreeMap<String, u64>) {
    let mut mapper = prepared.open(0);
    let mut rejects = Rejects::new();
    let mut out = Vec::new();
    for start in (0..batch.num_rows()).step_by(piece) {
        let rows = batch.slice(start, piece.min(batch.num_rows() - start));
        out.extend(mapper.map(rows, &mut rejects).unwrap());
    }
    out.extend(mapper.flush(&mut rejects).unwrap());
    assert_eq!(rejects.count(), 0);
    (concat_batches(&batch.schema(), &out).unwrap(), mapper.changes())
}

fn counted(changes: &BTreeMap<String, u64>, reasons: &[&str]) -> u64 {
    let is = |change: &str| reasons.contains(&change.split(": ").next().unwrap());
    changes.iter().filter(|(change, _)| is(change)).map(|(_, count)| count).sum()
}

#[test]
fn all_filters_in_any_order_account_for_every_point() {
    let skeleton = tessera_datasets::world::animal::Skeleton::quadruped().card();
    let filters: Vec<_> = FILTERS.iter().map(|table| prepare(table, &skeleton).unwrap()).collect();
    let batch = recordings(&skeleton);
    let mut order: Vec<usize> = (0..filters.len()).collect();
    for round in 0..30 {
        let place = |at: &usize| derive_seed(round, "order", *at as u64);
        order.sort_by_key(place);
        let mut rows = batch.clone();
        for at in &order {
            let before = known(&rows);
            let (after, changes) = run(&*filters[*at], &rows, 1 + (place(at) % 99) as usize);
            let taken = [few::BRIEF, few::SPARSE, bones::UNFIT, median_distance::FAR, speed::FAST];
            let taken = counted(&changes, &taken);
            let given = counted(&changes, &[gaps::FILLED, smooth::PREDICTED]);
            assert_eq!(known(&after), before - taken + given, "{} in {order:?}: {changes:?}", FILTERS[*at]);
            for column in ["split", "id", "subject", "frame", "truth"] {
                assert_eq!(after.column_by_name(column), rows.column_by_name(column), "{column}");
            }
            let columns = PoseColumns::of(&after).unwrap();
            for (point, known) in columns.positions.as_chunks::<3>().0.iter().zip(columns.mask.values()) {
                assert!(point.iter().all(|value| value.is_finite()) && (known || *point == [0.0; 3]), "{point:?}");
            }
            rows = after;
        }
        // where nothing was known, nothing is
        let unseen = (0..rows.num_rows()).filter(|row| strings(&rows, "subject").unwrap().value(*row) == "unseen");
        let mask = PoseColumns::of(&rows).unwrap().mask;
        let keypoints = skeleton.keypoints.len();
        assert!(unseen.flat_map(|row| row * keypoints..(row + 1) * keypoints).all(|at| !mask.value(at)));
    }
    let (first, all) = run(&*filters[1], &batch, 7);
    assert_eq!((first, all), run(&*filters[1], &batch, 1000));
}

#[test]
fn each_filter_says_what_it_did_and_to_which_keypoint() {
    let skeleton = tessera_datasets::world::animal::Skeleton::quadruped().card();
    let batch = recordings(&skeleton);
    let reasons = [few::SPARSE, bones::UNFIT, median_distance::FAR, speed::FAST, speed::FAST, gaps::FILLED]
        .into_iter()
        .chain([smooth::PREDICTED, smooth::SMOOTHED, average::AVERAGED, average::AVERAGED]);
    for (table, reason) in FILTERS.iter().zip(reasons) {
        let (_, changes) = run(&*prepare(table, &skeleton).unwrap(), &batch, 50);
        assert!(counted(&changes, &[reason]) > 0, "{table}: {changes:?}");
        let keypoint = |change: &String| change.split_once(": ").map(|(_, keypoint)| keypoint.to_owned());
        assert!(changes.keys().filter_map(keypoint).all(|name| skeleton.keypoints.contains(&name)), "{changes:?}");
    }
}

#[test]
fn what_a_second_is_must_be_known_where_it_matters() {
    let mut skeleton = tessera_datasets::world::animal::Skeleton::quadruped().card();
    skeleton.frames_per_second = None;
    for (table, key) in [
        ("kind = \"filter-clusters\"", "shortest"),
        ("kind = \"interpolate-poses\"", "longest"),
        ("kind = \"average-poses\"", "window"),
        ("kind = \"filter-velocity\"\nfastest = 100", "fastest"),
        ("kind = \"kalman-poses\"\nmeasurement = 1\nprocess = 10", "process"),
        ("kind = \"kalman-poses\"\nexact = true", "exact"),
    ] {
        let error = prepare(table, &skeleton).err().unwrap_or_else(|| panic!("{table} is taken"));
        let words = format!("`{key}` needs to know how long a second is");
        assert!(error.to_string().contains(&words), "{error}");
        prepare(&format!("{table}\nframes_per_second = 50"), &skeleton).unwrap();
    }
    for table in [
        "kind = \"filter-clusters\"\nshortest = \"3 frames\"",
        "kind = \"interpolate-poses\"\nlongest = \"1 frame\"",
        "kind = \"average-poses\"\nwindow = \"5 frames\"",
        "kind = \"filter-velocity\"",
        "kind = \"filter-distance\"",
        "kind = \"kalman-poses\"",
    ] {
        prepare(table, &skeleton).unwrap();
    }
}

#[test]
fn wrong_values_are_named() {
    let skeleton = tessera_datasets::world::animal::Skeleton::quadruped().card();
    for (table, words) in [
        ("kind = \"filter-clusters\"\noccupancy = 1.5", "`occupancy` is `1.5`; it must be from 0 to 1"),
        ("kind = \"filter-clusters\"\nshortest = -1", "`-1` is no duration"),
        ("kind = \"interpolate-poses\"\nlongest = \"10\"", "`10` is no duration"),
        ("kind = \"interpolate-poses\"\nlongest = \"ten frames\"", "such as `\"10 frames\"`"),
        ("kind = \"filter-velocity\"\nfastest = 0", "`fastest` is `0`; it must be more than 0"),
        ("kind = \"filter-velocity\"\nfastest = 1\nfactor = 2", "but `fastest` is given"),
        ("kind = \"filter-distance\"\nfarthest = 1\nfactor = 2", "but `farthest` is given"),
        ("kind = \"filter-bone-distances\"\nmean = \"m.npy\"", "`mean` and `deviation` need each other"),
        ("kind = \"kalman-poses\"\nprocess = 3", "`measurement` and `process` need each other"),
        ("kind = \"kalman-poses\"\nexact = true\nsmooth = false", "`exact` decides on `smooth`"),
    ] {
        let error = prepare(table, &skeleton).err().unwrap_or_else(|| panic!("{table} is taken")).to_string();
        assert!(error.contains(words), "{table}: {error}");
    }
}
