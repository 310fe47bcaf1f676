//! A run that looks like one that learned to optimise the walks of the built-in animal.
//!
//! Walks, interpolation and the Kalman smoother are real, the nearest poses are searched for among
//! those of another walk, and the model is the truth with an error that a seed draws.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{DataType, Field};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use tessera_datasets::Result;
use tessera_datasets::hash::sha256;
use tessera_datasets::manifest::{MadeBy, Manifest, Parent, SourceFile, StageCounts};
use tessera_datasets::pose::geometry::{Point, Similarity};
use tessera_datasets::pose::{self, Track, interpolate, kalman};
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::schema::{self, Kind, PROVENANCE};
use tessera_datasets::world::animal;

use super::run::{Spec, write_checkpoint, write_curves, write_provenance};
use super::tables::{self, strings};

/// What to make.
#[derive(Clone, Debug)]
pub struct Walks {
    pub name: String,
    pub recordings: usize,
    /// Windows of each.
    pub windows: usize,
    /// Frames of a window.
    pub frames: usize,
    /// Copies of each window with keypoints hidden at random.
    pub copies: usize,
    /// How far the model is off where a keypoint is hidden, in millimetres for each coordinate.
    pub off: f64,
    /// Whether any keypoint is hidden.
    pub hide: bool,
    /// Poses that the nearest are looked for among.
    pub poses: usize,
    pub explain: usize,
    pub layers: usize,
    pub heads: usize,
    pub seed: u64,
    pub eval: String,
}

/// One row of the predictions.
#[derive(Clone, Debug)]
pub struct Optimised {
    pub id: String,
    pub subject: String,
    pub frame: i64,
    pub corruption: String,
    pub frames: usize,
    pub input: Track,
    pub truth: Track,
    /// Model, interpolation, Kalman smoother, nearest poses.
    pub estimates: [Vec<f32>; 4],
}

/// What was made.
#[derive(Clone, Debug)]
pub struct MadeWalks {
    pub run: RunDir,
    pub dataset: PathBuf,
    pub rows: Vec<Optimised>,
    pub skeleton: pose::Skeleton,
}

impl Walks {
    pub fn tiny(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            recordings: 2,
            windows: 3,
            frames: 12,
            copies: 3,
            off: 2.0,
            hide: true,
            poses: 24,
            explain: 2,
            layers: 2,
            heads: 2,
            seed: 1,
            eval: "[eval]\nbootstrap = 100\n".to_owned(),
        }
    }
}

/// Makes `data/<name>` and `runs/<name>` below `root`.
pub fn make(root: &Path, walks: &Walks) -> Result<MadeWalks> {
    let skeleton = animal::Skeleton::quadruped().card();
    let rows = optimise(walks, &skeleton);
    let dataset = root.join("data").join(&walks.name);
    let manifest = write_dataset(&dataset, walks, &skeleton, &rows)?;
    let run = RunDir::new(root.join("runs").join(&walks.name));
    let spec = Spec {
        eval: walks.eval.clone(),
        train_seconds: 1260.0,
        parameters: 896_430,
        steps: 400,
        ..Spec::tiny(&walks.name)
    };
    let checkpoint = write_checkpoint(&run, &spec)?;
    write_predictions(&run, walks, &skeleton, &rows, &spec, &checkpoint, &manifest)?;
    write_explanations(&run, walks, &skeleton, &rows)?;
    write_curves(&run, &spec, 22.0, 640.0)?;
    add_errors(&run)?;
    write_provenance(&run, &spec, &dataset, &manifest)?;
    let mut provenance = run.provenance()?;
    provenance.task = "pose-transformer".to_owned();
    run.write_provenance(&provenance)?;
    Ok(MadeWalks { run, dataset, rows, skeleton })
}

/// A track in which everything is known.
fn whole(keypoints: usize, positions_tkc: Vec<f32>) -> Track {
    let known_tk = vec![true; positions_tkc.len() / 3];
    Track { keypoints, positions_tkc, known_tk }
}

fn optimise(walks: &Walks, skeleton: &pose::Skeleton) -> Vec<Optimised> {
    let keypoints = skeleton.keypoints.len();
    let library = animal::Track::draw(7, 900, 4 * walks.poses.max(1), &animal::Faults::NONE);
    let library = whole(keypoints, library.truth_tkc);
    let mut random = ChaCha8Rng::seed_from_u64(walks.seed);
    // what is hidden is the same for every run
    let mut masks = ChaCha8Rng::seed_from_u64(99);
    let mut rows = Vec::new();
    for recording in 0..walks.recordings {
        let frames = walks.windows * walks.frames;
        let walk = animal::Track::draw(7, recording as u64, frames, &animal::Faults::NONE);
        let walk = whole(keypoints, walk.truth_tkc);
        for window in 0..walks.windows {
            let truth = walk.slice(window * walks.frames, walks.frames);
            let mut add = |corruption: &str, what: &str, mask: &dyn Fn(usize, usize) -> bool| {
                let input = corrupt(&truth, &|t, k| walks.hide && mask(t, k), &mut masks);
                let estimates = [
                    model(&truth, &input, walks.off, &mut random),
                    interpolate::fill(&input),
                    kalman::smooth(
                        &input,
                        &kalman::Options {
                            frames_per_second: animal::FRAMES_PER_SECOND,
                            measurement: 0.6,
                            process: 3000.0,
                        },
                    ),
                    nearest(&input, &library, walks.poses),
                ];
                let frame = (window * walks.frames) as i64;
                rows.push(Optimised {
                    id: format!("walk-{recording}/{frame}/{corruption}/{what}"),
                    subject: format!("walk-{recording}"),
                    frame,
                    corruption: corruption.to_owned(),
                    frames: walks.frames,
                    input,
                    truth: truth.clone(),
                    estimates,
                });
            };
            for (k, name) in skeleton.keypoints.iter().enumerate() {
                add("absent", name, &|_, other| other == k);
            }
            for copy in 0..walks.copies {
                let mut random = ChaCha8Rng::seed_from_u64((recording * 1000 + window * 100 + copy) as u64);
                let hit: Vec<bool> = (0..walks.frames).map(|_| random.next_u32() % 2 == 0).collect();
                let hidden: Vec<bool> = (0..walks.frames * keypoints).map(|_| random.next_u32() % 2 == 0).collect();
                add("random", &copy.to_string(), &|t, k| hit[t] && hidden[t * keypoints + k]);
            }
        }
    }
    rows
}

/// A number around 0 with standard deviation 1.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
}

/// Hides keypoints and moves the others by up to a millimetre.
fn corrupt(truth: &Track, mask: &dyn Fn(usize, usize) -> bool, random: &mut ChaCha8Rng) -> Track {
    let mut input = truth.clone();
    for t in 0..truth.frames() {
        for k in 0..truth.keypoints {
            let noise = [0; 3].map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0);
            let place = truth.point(t, k).filter(|_| !mask(t, k));
            input.set(t, k, place.map(|p| [0, 1, 2].map(|c| p[c] + noise[c] as f32)));
        }
    }
    input
}

/// The truth with an error that is large and slow where a keypoint is hidden, small where not.
fn model(truth: &Track, input: &Track, off: f64, random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut made = truth.positions_tkc.clone();
    for k in 0..truth.keypoints {
        let drift = [0; 3].map(|_| off * normal(random));
        for t in 0..truth.frames() {
            let at = (t * truth.keypoints + k) * 3;
            for c in 0..3 {
                let error = match input.point(t, k) {
                    None => drift[c] + 0.1 * off * normal(random),
                    Some(_) => 0.3 * normal(random),
                };
                made[at + c] += error as f32;
            }
        }
    }
    made
}

/// What is hidden, from the pose of a library that fits what is given best.
fn nearest(input: &Track, library: &Track, poses: usize) -> Vec<f32> {
    let point = |track: &Track, t: usize, k: usize| track.point(t, k).map(|p| p.map(f64::from));
    let mut made = interpolate::fill(input);
    for t in 0..input.frames() {
        let given: Vec<usize> = (0..input.keypoints).filter(|k| input.point(t, *k).is_some()).collect();
        let here: Vec<Point> = given.iter().filter_map(|k| point(input, t, *k)).collect();
        let fits = (0..poses).filter_map(|pose| {
            let there: Vec<Point> = given.iter().filter_map(|k| point(library, 4 * pose, *k)).collect();
            let fit = Similarity::fit(&there, &here, false)?;
            let off = |(a, b): (&Point, &Point)| (0..3).map(|c| (fit.apply(*a)[c] - b[c]).powi(2)).sum::<f64>();
            Some((there.iter().zip(&here).map(off).sum::<f64>(), pose, fit))
        });
        let Some((_, pose, fit)) = fits.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|_| given.len() >= 3) else {
            continue;
        };
        for k in (0..input.keypoints).filter(|k| input.point(t, *k).is_none()) {
            let place = point(library, 4 * pose, k).map(|place| fit.apply(place)).unwrap_or_default();
            let at = (t * input.keypoints + k) * 3;
            (0..3).for_each(|c| made[at + c] = place[c] as f32);
        }
    }
    made
}

fn points<'a>(rows: impl Iterator<Item = &'a [f32]>, length: usize) -> ArrayRef {
    let values: Float32Array = rows.flat_map(|row| row.iter().copied()).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    Arc::new(FixedSizeListArray::new(item, length as i32, Arc::new(values), None))
}

fn marks<'a>(rows: impl Iterator<Item = &'a [bool]>, length: usize) -> ArrayRef {
    let values: BooleanArray = rows.flat_map(|row| row.iter().copied()).collect::<Vec<bool>>().into();
    let item = Arc::new(Field::new("item", DataType::Boolean, false));
    Arc::new(FixedSizeListArray::new(item, length as i32, Arc::new(values), None))
}

/// The predictions as a table.
pub fn batch(rows: &[Optimised]) -> Result<RecordBatch> {
    let (frames, keypoints) = (rows[0].truth.frames(), rows[0].truth.keypoints);
    let schema = schema::pose_predictions(frames, keypoints);
    let (marked, length) = (frames * keypoints, frames * keypoints * 3);
    let mut columns: Vec<ArrayRef> = vec![
        strings(rows.iter().map(|row| row.id.as_str())),
        strings(rows.iter().map(|row| row.subject.as_str())),
        Arc::new(rows.iter().map(|row| row.frame).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.frames as u32).collect::<UInt32Array>()),
        Arc::new(rows.iter().map(|row| Some(row.corruption.as_str())).collect::<StringArray>()),
        points(rows.iter().map(|row| row.input.positions_tkc.as_slice()), length),
        marks(rows.iter().map(|row| row.input.known_tk.as_slice()), marked),
        points(rows.iter().map(|row| row.truth.positions_tkc.as_slice()), length),
        marks(rows.iter().map(|row| row.truth.known_tk.as_slice()), marked),
    ];
    columns.extend((0..4).map(|m| points(rows.iter().map(|row| row.estimates[m].as_slice()), length)));
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

fn stages() -> Vec<StageCounts> {
    let stage = |stage: &str, changes: &[(&str, u64)]| StageCounts {
        stage: stage.to_owned(),
        rows_in: 4_800,
        rows_out: 4_800,
        changes: changes.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
    };
    vec![
        stage("draw-world", &[]),
        stage("filter-distance", &[("too far from the other keypoints", 214)]),
        stage("filter-velocity", &[("faster than 4,000 mm/s", 61), ("<b>after & before</b>", 3)]),
        stage("interpolate-poses", &[("filled", 1_903)]),
        stage("split", &[]),
    ]
}

fn write_dataset(dir: &Path, walks: &Walks, skeleton: &pose::Skeleton, rows: &[Optimised]) -> Result<Manifest> {
    let (frames, keypoints) = (walks.frames, skeleton.keypoints.len());
    let schema = schema::pose_windows(frames, keypoints);
    let config = MadeBy { sha256: sha256(b"world"), toml: "[data]\ncard = \"world\"\n".to_owned() };
    let mut manifest = Manifest::new(&walks.name, Kind::PoseWindows, config);
    let (marked, length) = (frames * keypoints, frames * keypoints * 3);
    let mut columns: Vec<ArrayRef> = vec![
        points(rows.iter().map(|row| row.input.positions_tkc.as_slice()), length),
        marks(rows.iter().map(|row| row.input.known_tk.as_slice()), marked),
        points(rows.iter().map(|row| row.truth.positions_tkc.as_slice()), length),
        marks(rows.iter().map(|row| row.truth.known_tk.as_slice()), marked),
        Arc::new(rows.iter().map(|row| row.frames as u32).collect::<UInt32Array>()),
        strings(rows.iter().map(|row| row.corruption.as_str())),
        strings(rows.iter().map(|row| row.subject.as_str())),
        Arc::new(rows.iter().map(|row| row.frame).collect::<Int64Array>()),
    ];
    columns.extend(PROVENANCE.iter().map(|_| strings(rows.iter().map(|row| row.id.as_str()))));
    let batch = RecordBatch::try_new(schema.arrow(), columns)?;
    manifest.splits.insert("validation".to_owned(), tables::publish(dir, "validation", &schema, &batch)?);
    let count = rows.len() as u64;
    (manifest.rows.read, manifest.rows.kept) = (4_800, count);
    manifest.rows.stages = stages();
    manifest.sources.push(SourceFile {
        path: "world".to_owned(),
        bytes: 0,
        sha256: sha256(b"world"),
        source: "world".to_owned(),
        license: "CC0-1.0".to_owned(),
    });
    manifest.details.insert(pose::DETAIL.to_owned(), skeleton.to_detail());
    manifest.publish(dir)?;
    Ok(manifest)
}

fn write_predictions(
    run: &RunDir,
    walks: &Walks,
    skeleton: &pose::Skeleton,
    rows: &[Optimised],
    spec: &Spec,
    checkpoint: &str,
    dataset: &Manifest,
) -> Result<()> {
    let schema = schema::pose_predictions(walks.frames, skeleton.keypoints.len());
    let dir = run.predictions("validation");
    let mut manifest = Manifest::new(&walks.name, Kind::Predictions, dataset.config.clone());
    let split = tables::publish(&dir, "validation", &schema, &batch(rows)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    let parent = |what: &str, sha256: &str| Parent {
        what: what.to_owned(),
        name: walks.name.clone(),
        sha256: sha256.to_owned(),
    };
    manifest.parents = vec![parent("run", checkpoint), parent("dataset", &dataset.sha256())];
    let details = json!({
        "task": "pose-optimisation", "split": "validation", "skeleton": skeleton.to_detail(),
        "window": { "frames": walks.frames, "noise": 1.0 }, "model": "pose-transformer",
        "parameters": spec.parameters, "checkpoint_step": spec.steps, "checkpoint_sha256": checkpoint,
        "average": false, "filters": stages(),
    });
    manifest.details = details.as_object().cloned().unwrap_or_default();
    manifest.publish(&dir)
}

/// Adds errors of hidden keypoints to the lines about the validation data.
fn add_errors(run: &RunDir) -> Result<()> {
    let text = fs_err::read_to_string(run.metrics_path())?;
    let line = |line: &str| {
        let mut value: serde_json::Value =
            serde_json::from_str(&line.replace("tokens_per", "windows_per")).expect("a metric line");
        if value["split"] == "validation" {
            let loss = value["values"]["loss"].as_f64().expect("a loss");
            value["values"]["mpjpe_masked"] = json!(loss / 6.5);
            value["values"]["mpjpe_masked_absent"] = json!(loss / 7.0);
            value["values"]["mpjpe_masked_random"] = json!(loss / 6.0);
        }
        value.to_string() + "\n"
    };
    Ok(fs_err::write(run.metrics_path(), text.lines().map(line).collect::<String>())?)
}

fn write_explanations(run: &RunDir, walks: &Walks, skeleton: &pose::Skeleton, rows: &[Optimised]) -> Result<()> {
    let keypoints = skeleton.keypoints.len();
    let every = (rows.len() / walks.explain.max(1)).max(1);
    let maps = walks.layers * walks.heads;
    // rows that add up to 1, strong near the diagonal
    let weights = |size: usize, wide: f64| -> Vec<f32> {
        let head = |m: usize| {
            (0..size).flat_map(move |i| {
                let near = move |j: usize| {
                    let shift = (m % walks.heads) as f64;
                    (-((i as f64 - j as f64 - shift) / wide).powi(2)).exp() + 0.02
                };
                let sum: f64 = (0..size).map(near).sum();
                (0..size).map(move |j| (near(j) / sum) as f32)
            })
        };
        (0..maps).flat_map(head).collect()
    };
    let mut arrays = Vec::new();
    for row in rows.iter().step_by(every).take(walks.explain) {
        for (name, size, wide) in [("time-attention", walks.frames, 2.5), ("joint-attention", keypoints, 1.5)] {
            let frames: Vec<String> = (1..=size).map(|frame| frame.to_string()).collect();
            let labels = if name == "time-attention" { frames } else { skeleton.keypoints.clone() };
            arrays.push(tables::Shaped {
                id: row.id.clone(),
                name: name.to_owned(),
                rows: labels.clone(),
                columns: labels,
                shape: [walks.layers, walks.heads, size, size].map(|n| n as u32).to_vec(),
                values: weights(size, wide),
            });
        }
    }
    let schema = schema::explanations();
    let dir = run.explanations("validation");
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new(&walks.name, Kind::Explanations, made_by);
    let split = tables::publish(&dir, "validation", &schema, &tables::shaped(&schema, &arrays)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&dir)
}

/// A folder with one small run `runs/tiny` that optimises poses.
pub struct PosePlace {
    pub dir: tempfile::TempDir,
    pub made: MadeWalks,
}

impl PosePlace {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Walks)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let made = make_changed(dir.path(), "tiny", change);
        Self { dir, made }
    }

    /// Another run beside the first.
    pub fn add(&self, name: &str, change: impl FnOnce(&mut Walks)) -> MadeWalks {
        make_changed(self.dir.path(), name, change)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn report(&self, file: &str) -> String {
        fs_err::read_to_string(self.path().join("runs/tiny/report").join(file)).expect("the report was written")
    }
}

fn make_changed(root: &Path, name: &str, change: impl FnOnce(&mut Walks)) -> MadeWalks {
    let mut walks = Walks::tiny(name);
    change(&mut walks);
    make(root, &walks).expect("a run can be made")
}
