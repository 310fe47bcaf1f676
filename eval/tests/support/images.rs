//! A run that looks like one that learned to classify pictures of the built-in world.
//!
//! The pictures are the world's, the logits are drawn around the true class from a seed, and what
//! the model looked at lies around the object; all of it is written with the writers that real runs
//! use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use tessera_datasets::Result;
use tessera_datasets::hash::sha256;
use tessera_datasets::image::{Rgb, encode_png};
use tessera_datasets::manifest::{MadeBy, Manifest, Parent, SourceFile, StageCounts};
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::schema::{self, Kind, PROVENANCE, image_fields};
use tessera_datasets::world::{Scene, SceneOptions, class_names, render};

use super::run::{Spec, write_checkpoint, write_curves, write_provenance};
use super::tables::{self, strings};

/// What only the network can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Attention.
    Vit,
    /// Stages.
    Convnext,
}

/// What to make.
#[derive(Clone, Debug)]
pub struct Gallery {
    pub name: String,
    pub family: Family,
    pub images: usize,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// How far the true class stands out.
    pub skill: f64,
    /// What the logits are multiplied with: above 1 the model is too sure.
    pub certainty: f64,
    pub explain: usize,
    pub layers: usize,
    pub heads: usize,
    pub seed: u64,
    pub eval: String,
    /// Rows at the start whose class is not known.
    pub unknown: usize,
    /// The ids of the images start with this.
    pub prefix: String,
}

/// A row of the predictions.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: String,
    pub label: i64,
    pub prediction: i64,
    pub log_probabilities: Vec<f32>,
    pub scene: Scene,
}

impl Seen {
    pub fn confidence(&self) -> f64 {
        f64::from(self.log_probabilities[self.prediction as usize]).exp()
    }
}

/// What was made.
#[derive(Clone, Debug)]
pub struct MadeGallery {
    pub run: RunDir,
    pub dataset: PathBuf,
    pub rows: Vec<Seen>,
}

/// The first so many classes of the world, and numbers beyond them.
pub fn names(classes: usize) -> Vec<String> {
    let mut names = class_names();
    names.extend((names.len()..classes).map(|class| format!("class {class}")));
    names.truncate(classes);
    names
}

impl Gallery {
    pub fn tiny(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            family: Family::Vit,
            images: 240,
            classes: names(6),
            skill: 2.4,
            certainty: 1.0,
            explain: 3,
            layers: 2,
            heads: 3,
            seed: 1,
            eval: "[eval]\nbootstrap = 100\n".to_owned(),
            unknown: 0,
            prefix: "validation".to_owned(),
        }
    }
}

/// Makes `data/<name>` and `runs/<name>` below `root`.
pub fn make(root: &Path, gallery: &Gallery) -> Result<MadeGallery> {
    let rows = classify(gallery);
    let dataset = root.join("data").join(&gallery.name);
    let manifest = write_dataset(&dataset, gallery, &rows)?;
    let run = RunDir::new(root.join("runs").join(&gallery.name));
    let spec = Spec {
        eval: gallery.eval.clone(),
        train_seconds: 1840.0,
        parameters: 5_362_762,
        steps: 400,
        ..Spec::tiny(&gallery.name)
    };
    let checkpoint = write_checkpoint(&run, &spec)?;
    write_predictions(&run, gallery, &rows, &spec, &checkpoint, &manifest)?;
    write_explanations(&run, gallery, &rows)?;
    write_curves(&run, &spec, 0.6, (gallery.classes.len() as f64).ln())?;
    add_accuracy(&run)?;
    write_provenance(&run, &spec, &dataset, &manifest)?;
    let mut provenance = run.provenance()?;
    provenance.task = if gallery.family == Family::Vit { "vit" } else { "convnext" }.to_owned();
    run.write_provenance(&provenance)?;
    Ok(MadeGallery { run, dataset, rows })
}

fn classify(gallery: &Gallery) -> Vec<Seen> {
    let mut random = ChaCha8Rng::seed_from_u64(gallery.seed);
    let mut normal =
        || -> f64 { (0..12).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0 };
    let classes = gallery.classes.len();
    let options = SceneOptions::new(32, 1, 1, tessera_datasets::world::Combinations::All).expect("usual options");
    let row = |i: usize| {
        // the pictures and their classes are the same for every run
        let scene = Scene::draw(7, i as u64, &options);
        let truth = if classes <= 24 { scene.label().unwrap_or(0) % classes } else { i % classes };
        let mut logits: Vec<f64> = (0..classes).map(|_| normal()).collect();
        // some classes are harder than others, and each has one that it resembles
        logits[truth] += gallery.skill * (1.0 + 0.4 * (truth as f64).sin());
        logits[(truth ^ 1).min(classes - 1)] += 0.8 * gallery.skill * f64::from(u8::from(normal() > 0.4));
        let logits: Vec<f64> = logits.iter().map(|x| gallery.certainty * x).collect();
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|x| (x - highest).exp()).sum();
        let log_probabilities: Vec<f32> = logits.iter().map(|x| (x - highest - sum.ln()) as f32).collect();
        let best = (0..classes).fold(0, |a, b| if log_probabilities[b] > log_probabilities[a] { b } else { a });
        Seen {
            id: format!("{}-{i:06}", gallery.prefix),
            label: if i < gallery.unknown { -1 } else { truth as i64 },
            prediction: best as i64,
            log_probabilities,
            scene,
        }
    };
    (0..gallery.images).map(row).collect()
}

/// The rows that predictions explain.
fn explained<'a>(gallery: &Gallery, rows: &'a [Seen]) -> Vec<&'a Seen> {
    let every = (rows.len() / gallery.explain.max(1)).max(1);
    rows.iter().step_by(every).take(gallery.explain).collect()
}

fn png(scene: &Scene) -> Vec<u8> {
    let picture = render(scene);
    encode_png(&Rgb { width: picture.width, height: picture.height, pixels: picture.rgb }).expect("a picture is whole")
}

/// A column of images, null where there is none.
fn images(bytes: &[Option<Vec<u8>>]) -> ArrayRef {
    let there: NullBuffer = bytes.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    let values: BinaryArray = bytes.iter().map(Option::as_deref).collect();
    let paths: StringArray = bytes.iter().map(|image| image.as_ref().map(|_| "image.png")).collect();
    Arc::new(StructArray::new(image_fields(), vec![Arc::new(values), Arc::new(paths)], Some(there)))
}

fn write_dataset(dir: &Path, gallery: &Gallery, rows: &[Seen]) -> Result<Manifest> {
    let schema = schema::image(Some(&gallery.classes));
    let config = MadeBy { sha256: sha256(b"world"), toml: "[data]\ncard = \"world\"\n".to_owned() };
    let mut manifest = Manifest::new(&gallery.name, Kind::Image, config);
    let few = &rows[..rows.len().min(16)];
    let pictures: Vec<Option<Vec<u8>>> = few.iter().map(|row| Some(png(&row.scene))).collect();
    let labels: Int64Array = few.iter().map(|row| row.label).collect();
    let mut columns: Vec<ArrayRef> = vec![images(&pictures), Arc::new(labels)];
    columns.extend(PROVENANCE.iter().map(|_| strings(few.iter().map(|row| row.id.as_str()))));
    let batch = RecordBatch::try_new(schema.arrow(), columns)?;
    manifest.splits.insert("validation".to_owned(), tables::publish(dir, "validation", &schema, &batch)?);
    let count = rows.len() as u64;
    (manifest.rows.read, manifest.rows.kept) = (count, count);
    manifest.rows.stages =
        vec![StageCounts { stage: "draw-world".to_owned(), rows_in: 0, rows_out: count, ..StageCounts::default() }];
    manifest.sources.push(SourceFile {
        path: "world".to_owned(),
        bytes: 0,
        sha256: sha256(b"world"),
        source: "world".to_owned(),
        license: "CC0-1.0".to_owned(),
    });
    manifest.details.insert("classes".to_owned(), json!(gallery.classes));
    manifest.publish(dir)?;
    Ok(manifest)
}

fn write_predictions(
    run: &RunDir,
    gallery: &Gallery,
    rows: &[Seen],
    spec: &Spec,
    checkpoint: &str,
    dataset: &Manifest,
) -> Result<()> {
    let schema = schema::classification_predictions(&gallery.classes);
    let dir = run.predictions("validation");
    let mut wrong: Vec<usize> =
        (0..rows.len()).filter(|i| rows[*i].label >= 0 && rows[*i].label != rows[*i].prediction).collect();
    wrong.sort_by(|a, b| rows[*b].confidence().total_cmp(&rows[*a].confidence()));
    wrong.truncate(64);
    let shown: Vec<&str> = explained(gallery, rows).iter().map(|row| row.id.as_str()).collect();
    let picture =
        |(i, row): (usize, &Seen)| (wrong.contains(&i) || shown.contains(&row.id.as_str())).then(|| png(&row.scene));
    let pictures: Vec<Option<Vec<u8>>> = rows.iter().enumerate().map(picture).collect();
    let values: Float32Array = rows.iter().flat_map(|row| row.log_probabilities.iter().copied()).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let classes = gallery.classes.len() as i32;
    let columns: Vec<ArrayRef> = vec![
        strings(rows.iter().map(|row| row.id.as_str())),
        Arc::new(rows.iter().map(|row| row.label).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.prediction).collect::<Int64Array>()),
        Arc::new(FixedSizeListArray::new(item, classes, Arc::new(values), None)),
        images(&pictures),
    ];
    let batch = RecordBatch::try_new(schema.arrow(), columns)?;
    let mut manifest = Manifest::new(&gallery.name, Kind::Predictions, dataset.config.clone());
    manifest.splits.insert("validation".to_owned(), tables::publish(&dir, "validation", &schema, &batch)?);
    let parent = |what: &str, sha256: &str| Parent {
        what: what.to_owned(),
        name: gallery.name.clone(),
        sha256: sha256.to_owned(),
    };
    manifest.parents = vec![parent("run", checkpoint), parent("dataset", &dataset.sha256())];
    let details = json!({
        "task": "image-classification", "split": "validation", "classes": gallery.classes,
        "model": if gallery.family == Family::Vit { "vit" } else { "convnext" }, "image_size": 32, "crop": 1.0,
        "interpolation": "bicubic", "mean": [0.49, 0.48, 0.45], "deviation": [0.25, 0.24, 0.26],
        "parameters": spec.parameters, "checkpoint_step": spec.steps, "checkpoint_sha256": checkpoint,
        "average": false,
    });
    manifest.details = details.as_object().cloned().unwrap_or_default();
    manifest.publish(&dir)
}

/// Adds top-1 accuracy to the lines about the validation data.
fn add_accuracy(run: &RunDir) -> Result<()> {
    let text = fs_err::read_to_string(run.metrics_path())?;
    let line = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("a metric line");
        if value["split"] == "validation" {
            let loss = value["values"]["loss"].as_f64().expect("a loss");
            value["values"]["top1"] = json!((-0.45 * loss).exp());
        }
        value.to_string() + "\n"
    };
    Ok(fs_err::write(run.metrics_path(), text.lines().map(line).collect::<String>())?)
}

/// A value for each place of a grid.
fn grid(rows: usize, columns: usize, of: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let at = |i: usize, count: usize| (i as f64 + 0.5) / count as f64;
    (0..rows * columns).map(|i| of(at(i / columns, rows), at(i % columns, columns)) as f32).collect()
}

fn normalised(mut values: Vec<f32>) -> Vec<f32> {
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}

/// How near a place is to the object of a scene, of 1.
fn near(scene: &Scene, y: f64, x: f64, wide: f64) -> f64 {
    let size = f64::from(scene.size);
    let object = &scene.objects[0];
    let at = |subpixels: i32| f64::from(subpixels) / (16.0 * size);
    (-((y - at(object.y)).powi(2) + (x - at(object.x)).powi(2)) / (2.0 * wide * wide)).exp()
}

fn write_explanations(run: &RunDir, gallery: &Gallery, rows: &[Seen]) -> Result<()> {
    let mut arrays = Vec::new();
    let mut add = |id: &str, name: &str, shape: &[usize], values: Vec<f32>| {
        arrays.push(tables::Shaped {
            id: id.to_owned(),
            name: name.to_owned(),
            rows: Vec::new(),
            columns: Vec::new(),
            shape: shape.iter().map(|n| *n as u32).collect(),
            values,
        });
    };
    for row in explained(gallery, rows) {
        let scene = &row.scene;
        match gallery.family {
            Family::Vit => {
                let rollout = normalised(grid(8, 8, |y, x| 0.4 + near(scene, y, x, 0.16)));
                add(&row.id, "attention-rollout", &[8, 8], rollout);
                let mut values = Vec::new();
                for l in 0..gallery.layers {
                    for h in 0..gallery.heads {
                        let wide = 0.08 + 0.09 * h as f64;
                        let depth = l as f64 / gallery.layers as f64;
                        let stripe =
                            |y: f64, x: f64| 0.5 + 0.5 * (9.0 * (if h % 2 == 0 { x } else { y }) + l as f64).sin();
                        let value =
                            |y: f64, x: f64| 0.02 + depth * near(scene, y, x, wide) + (1.0 - depth) * stripe(y, x);
                        values.extend(normalised(grid(8, 8, value)));
                    }
                }
                add(&row.id, "class-attention", &[gallery.layers, gallery.heads, 8, 8], values);
            }
            Family::Convnext => {
                for (stage, side) in [(1, 16), (2, 8), (3, 4), (4, 2)] {
                    let cam =
                        grid(side, side, |y, x| (near(scene, y, x, 0.1 + 0.06 * f64::from(stage)) - 0.1).max(0.0));
                    add(&row.id, &format!("grad-cam-stage-{stage}"), &[side, side], cam);
                    let norm = grid(side, side, |y, x| 2.0 + 9.0 * near(scene, y, x, 0.3));
                    add(&row.id, &format!("feature-norm-stage-{stage}"), &[side, side], norm);
                }
            }
        }
    }
    let filters = |count: usize| -> Vec<f32> {
        let mut values = Vec::new();
        for f in 0..count {
            for c in 0..3 {
                let (along, across) = ((f % 5) as f64, (f / 5) as f64);
                let wave = |y: f64, x: f64| (3.1 * (along * x + across * y) + f64::from(c) * (f % 3) as f64).cos();
                values.extend(grid(4, 4, wave));
            }
        }
        values
    };
    match gallery.family {
        Family::Vit => {
            add("model", "patch-filters", &[28, 3, 4, 4], filters(28));
            let mut similarity = Vec::new();
            for p in 0..64 {
                let (row, column) = ((p / 8) as f64 / 8.0 + 1.0 / 16.0, (p % 8) as f64 / 8.0 + 1.0 / 16.0);
                let value = |y: f64, x: f64| {
                    let (dy, dx) = (y - row, x - column);
                    (0.5 * (-dy * dy / 0.05).exp() + 0.5 * (-dx * dx / 0.05).exp() - 0.25) / 0.75
                };
                similarity.extend(grid(8, 8, value));
            }
            add("model", "position-similarity", &[8, 8, 8, 8], similarity);
            let distance = |i: usize| {
                let (layer, head) = ((i / gallery.heads) as f64, (i % gallery.heads) as f64);
                (14.0 - 9.0 * (-0.3 * layer).exp() * (0.3 + head / gallery.heads as f64)) as f32
            };
            let distances = (0..gallery.layers * gallery.heads).map(distance).collect();
            add("model", "attention-distance", &[gallery.layers, gallery.heads], distances);
        }
        Family::Convnext => add("model", "stem-filters", &[40, 3, 4, 4], filters(40)),
    }
    let schema = schema::explanations();
    let dir = run.explanations("validation");
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new(&gallery.name, Kind::Explanations, made_by);
    let split = tables::publish(&dir, "validation", &schema, &tables::shaped(&schema, &arrays)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&dir)
}

/// A folder with one small run `runs/tiny` that classifies.
pub struct ImagePlace {
    pub dir: tempfile::TempDir,
    pub made: MadeGallery,
}

impl ImagePlace {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Gallery)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let made = make_changed(dir.path(), "tiny", change);
        Self { dir, made }
    }

    /// Another run beside the first.
    pub fn add(&self, name: &str, change: impl FnOnce(&mut Gallery)) -> MadeGallery {
        make_changed(self.dir.path(), name, change)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn report(&self, file: &str) -> String {
        fs_err::read_to_string(self.path().join("runs/tiny/report").join(file)).expect("the report was written")
    }
}

fn make_changed(root: &Path, name: &str, change: impl FnOnce(&mut Gallery)) -> MadeGallery {
    let mut gallery = Gallery::tiny(name);
    change(&mut gallery);
    make(root, &gallery).expect("a run can be made")
}
