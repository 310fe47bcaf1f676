//! A small dataset of tokens and a config, made without the pipeline.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StructArray, UInt16Builder, UInt32Array,
};
use arrow::datatypes::{DataType, Field};
use tessera_datasets::image::{Filter, Region, Resizer, Rgb, encode_png};
use tessera_datasets::manifest::{FileEntry, MadeBy, Manifest, Split};
use tessera_datasets::pose::{DETAIL, Skeleton};
use tessera_datasets::schema::{self, Kind, PROVENANCE, RecordSchema};
use tessera_datasets::shard::{ShardWriter, shard_path};
use tessera_datasets::tokenizer::END_OF_TEXT;
use tessera_datasets::world::{Colour, Object, Picture, SUBPIXELS, Scene, SceneOptions, Shape, render};

/// Letters and a space, in the order of their ids.
const ALPHABET: &str = " abcdefghijklmnopqrstuvwxyz\n";

pub(crate) fn tokenizer_json() -> String {
    tokenizer_with(ALPHABET.chars().map(|c| c.to_string()), serde_json::json!([]))
}

/// As [`tokenizer_json`], with the token that ends a sentence as id 0.
fn sentence_tokenizer_json() -> String {
    let letters = ALPHABET.chars().map(|c| c.to_string());
    let special = serde_json::json!([{
        "id": 0, "content": END_OF_TEXT, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true
    }]);
    tokenizer_with(std::iter::once(END_OF_TEXT.to_owned()).chain(letters), special)
}

fn tokenizer_with(tokens: impl Iterator<Item = String>, special: serde_json::Value) -> String {
    let vocabulary: serde_json::Map<String, serde_json::Value> =
        tokens.enumerate().map(|(id, token)| (token, id.into())).collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": special,
        "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                  "ignore_merges": false, "vocab": vocabulary, "merges": []}
    })
    .to_string()
}

/// Writes a dataset of `words` pseudo-words (`train`) and a tenth of that (`validation`).
pub(crate) fn write_dataset(dir: &Path, words: usize) {
    let text = |from: usize, count: usize| -> Vec<u16> {
        let word = |i: usize| ["the", "cat", "sat", "on", "a", "mat", "and", "slept"][(i * i + i / 3) % 8];
        let text: String = (from..from + count).map(|i| format!("{} ", word(i))).collect();
        text.chars().map(|c| ALPHABET.find(c).unwrap() as u16).collect()
    };
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new("words", Kind::Tokens, made_by);
    for (split, ids) in [("train", text(0, words)), ("validation", text(words, words / 10))] {
        let record = schema::tokens(ALPHABET.len());
        let path = shard_path(split, 0, 1);
        let mut writer = ShardWriter::create(dir.join(&path), &record).unwrap();
        let item = Field::new("item", DataType::UInt16, false);
        let mut lists = ListBuilder::new(UInt16Builder::new()).with_field(item);
        let mut bytes = Vec::new();
        for row in ids.chunks(256) {
            lists.values().append_slice(row);
            lists.append(true);
            bytes.push(row.len() as u32);
        }
        let rows = bytes.len();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(lists.finish()), Arc::new(UInt32Array::from(bytes))];
        for name in PROVENANCE {
            columns.push(Arc::new(StringArray::from_iter_values((0..rows).map(|i| format!("{name}-{i}")))));
        }
        writer.write(&RecordBatch::try_new(record.arrow(), columns).unwrap()).unwrap();
        let mut shard = writer.finish().unwrap();
        shard.path = path;
        manifest.splits.insert(split.to_owned(), Split::of(vec![shard]));
    }
    publish(dir, manifest, &tokenizer_json());
}

/// Writes a dataset of `pairs` sentences (`train`) and a tenth of that (`validation`) in a
/// language `en` and its mirror `de`: the words in reverse order, each with another ending.
pub(crate) fn write_bitext(dir: &Path, pairs: usize) {
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new("pairs", Kind::Translation, made_by);
    manifest.details.insert("languages".to_owned(), serde_json::json!(["de", "en"]));
    let sentence = |number: usize| -> Vec<&str> {
        let words = ["the", "cat", "sat", "on", "a", "mat"];
        (0..1 + number % 3).map(|place| words[(number * (place + 3) + number / 5 + place * place) % 6]).collect()
    };
    for (split, from, count) in [("train", 0, pairs), ("validation", pairs, pairs / 10)] {
        let numbers = from..from + count;
        let english: Vec<String> = numbers.clone().map(|n| sentence(n).join(" ")).collect();
        let mirrored = |n: usize| sentence(n).iter().rev().map(|w| format!("{w}en")).collect::<Vec<_>>().join(" ");
        let german: Vec<String> = numbers.map(mirrored).collect();
        let record = schema::translation(&["de", "en"]);
        let path = shard_path(split, 0, 1);
        let mut writer = ShardWriter::create(dir.join(&path), &record).unwrap();
        let DataType::Struct(fields) = record.fields()[0].data_type().clone() else { panic!("no struct") };
        let sides: Vec<ArrayRef> = vec![Arc::new(StringArray::from(german)), Arc::new(StringArray::from(english))];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StructArray::new(fields, sides, None))];
        for name in PROVENANCE {
            columns.push(Arc::new(StringArray::from_iter_values((0..count).map(|i| format!("{name}-{i}")))));
        }
        writer.write(&RecordBatch::try_new(record.arrow(), columns).unwrap()).unwrap();
        let mut shard = writer.finish().unwrap();
        shard.path = path;
        manifest.splits.insert(split.to_owned(), Split::of(vec![shard]));
    }
    publish(dir, manifest, &sentence_tokenizer_json());
}

/// The picture of a scene's first thing, a little wider than it.
fn close_up(scene: &Scene) -> Rgb {
    let Picture { width, height, rgb } = render(scene);
    let image = Rgb { width, height, pixels: rgb };
    let Object { x, y, half, .. } = scene.objects[0];
    let side = (2 * half / SUBPIXELS + 2) as u32;
    let start = |middle: i32| ((middle - half) / SUBPIXELS - 1).max(0) as u32;
    let region =
        Region { left: start(x).min(width - side), top: start(y).min(height - side), width: side, height: side };
    Resizer::new().resize(&image, region, side, side, Filter::Nearest).unwrap()
}

/// Writes a dataset of `count` pictures of one coloured shape each (`train`) and a quarter of that
/// (`validation`). The class is what `class` makes of the world's.
pub(crate) fn write_pictures(dir: &Path, count: u64, classes: &[String], class: impl Fn(usize) -> usize) {
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new("pictures", Kind::Image, made_by);
    manifest.details.insert("classes".to_owned(), classes.to_vec().into());
    let options = SceneOptions::default().one_object();
    for (split, numbers) in [("train", 0..count), ("validation", count..count + count / 4)] {
        let record = schema::image(Some(classes));
        let path = shard_path(split, 0, 1);
        let mut writer = ShardWriter::create(dir.join(&path), &record).unwrap();
        let (mut bytes, mut paths, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for number in numbers.clone() {
            let scene = Scene::draw(3, number, &options);
            bytes.push(encode_png(&close_up(&scene)).unwrap());
            paths.push(format!("{number}.png"));
            labels.push(class(scene.label().unwrap()) as i64);
        }
        let images: Vec<ArrayRef> =
            vec![Arc::new(BinaryArray::from_iter_values(&bytes)), Arc::new(StringArray::from(paths))];
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(StructArray::new(schema::image_fields(), images, None)), Arc::new(Int64Array::from(labels))];
        for name in PROVENANCE {
            columns.push(Arc::new(StringArray::from_iter_values(numbers.clone().map(|i| format!("{name}-{i}")))));
        }
        writer.write(&RecordBatch::try_new(record.arrow(), columns).unwrap()).unwrap();
        let mut shard = writer.finish().unwrap();
        shard.path = path;
        manifest.splits.insert(split.to_owned(), Split::of(vec![shard]));
    }
    manifest.publish(dir).unwrap();
}

/// Frames of a window and keypoints of a frame of the dataset of poses.
const WINDOW: usize = 8;
const KEYPOINTS: usize = 5;

/// An animal of five keypoints that walks in circles, nodding: where a keypoint is in a frame.
fn walker(frame: usize, keypoint: usize) -> [f32; 3] {
    let (time, place) = (frame as f32 * 0.1, keypoint as f32);
    let (turn, along) = (time * 0.3, 20.0 * place);
    let nod = 5.0 * (time * 2.0 + place).sin();
    [100.0 * turn.cos() + along * turn.sin() + nod, 100.0 * turn.sin() + along * turn.cos(), 30.0 + nod]
}

/// Writes windows of a walking animal: `train`, in which keypoints are missing for a while,
/// `template`, in which none is, and `validation` with two corruptions.
pub(crate) fn write_poses(dir: &Path, windows: usize) {
    write_poses_with(dir, windows, 0.0);
}

/// The same, with something added to the first coordinate of every target.
pub(crate) fn write_poses_with(dir: &Path, windows: usize, more: f32) {
    let skeleton = Skeleton::parse(
        r#"
        name = "walker"
        unit = "mm"
        keypoints = ["nose", "neck", "back", "hip", "tail"]
        skeleton = [["nose", "neck"], ["neck", "back"], ["back", "hip"], ["hip", "tail"]]
        frames_per_second = 10.0
        "#,
    )
    .unwrap();
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new("poses", Kind::PoseWindows, made_by);
    manifest.details.insert(DETAIL.to_owned(), skeleton.to_detail());
    let quarter = windows / 4;
    for (split, numbers) in
        [("train", 0..windows), ("template", 0..quarter), ("validation", windows..windows + quarter)]
    {
        let mut rows = PoseRows::default();
        for number in numbers.clone() {
            let absent = number % 2 == 0;
            let hidden = |frame: usize, keypoint: usize| match (split, absent) {
                ("template", _) => false,
                (_, true) => keypoint == number % KEYPOINTS,
                (_, false) => (frame * 3 + keypoint + number).is_multiple_of(4),
            };
            // the last window of each split is a short one
            let frames = if number + 1 == numbers.end { WINDOW - 2 } else { WINDOW };
            let corruption = if absent { "absent" } else { "random" };
            rows.push(number * 3, frames, corruption, hidden);
            let first = rows.target.len() - WINDOW * KEYPOINTS * 3;
            rows.target[first] += more;
        }
        let record = schema::pose_windows(WINDOW, KEYPOINTS);
        let path = shard_path(split, 0, 1);
        let mut writer = ShardWriter::create(dir.join(&path), &record).unwrap();
        writer.write(&rows.batch(&record)).unwrap();
        let mut shard = writer.finish().unwrap();
        shard.path = path;
        manifest.splits.insert(split.to_owned(), Split::of(vec![shard]));
    }
    manifest.publish(dir).unwrap();
}

/// Rows of pose windows.
#[derive(Default)]
struct PoseRows {
    input: Vec<f32>,
    given: Vec<bool>,
    target: Vec<f32>,
    known: Vec<bool>,
    frames: Vec<u32>,
    corruptions: Vec<String>,
    first_frames: Vec<i64>,
}

impl PoseRows {
    fn push(&mut self, first: usize, frames: usize, corruption: &str, hidden: impl Fn(usize, usize) -> bool) {
        for (frame, keypoint) in (0..WINDOW).flat_map(|frame| (0..KEYPOINTS).map(move |keypoint| (frame, keypoint))) {
            let known = frame < frames;
            let given = known && !hidden(frame, keypoint);
            let noise = ((first + frame * 7 + keypoint * 13) % 5) as f32 * 0.2 - 0.4;
            let point = walker(first + frame, keypoint);
            self.target.extend(point.map(|x| if known { x } else { 0.0 }));
            self.input.extend(point.map(|x| if given { x + noise } else { 0.0 }));
            self.known.push(known);
            self.given.push(given);
        }
        self.frames.push(frames as u32);
        self.corruptions.push(corruption.to_owned());
        self.first_frames.push(first as i64);
    }

    fn batch(self, record: &RecordSchema) -> RecordBatch {
        let rows = self.frames.len();
        let list = |values: ArrayRef| -> ArrayRef {
            let item = Field::new("item", values.data_type().clone(), false);
            let length = (values.len() / rows) as i32;
            Arc::new(FixedSizeListArray::new(Arc::new(item), length, values, None))
        };
        let mut columns: Vec<ArrayRef> = vec![
            list(Arc::new(Float32Array::from(self.input))),
            list(Arc::new(BooleanArray::from(self.given))),
            list(Arc::new(Float32Array::from(self.target))),
            list(Arc::new(BooleanArray::from(self.known))),
            Arc::new(UInt32Array::from(self.frames)),
            Arc::new(StringArray::from(self.corruptions)),
            Arc::new(StringArray::from(vec!["walker"; rows])),
            Arc::new(Int64Array::from(self.first_frames)),
        ];
        for name in PROVENANCE {
            columns.push(Arc::new(StringArray::from_iter_values((0..rows).map(|i| format!("{name}-{i}")))));
        }
        RecordBatch::try_new(record.arrow(), columns).unwrap()
    }
}

fn publish(dir: &Path, mut manifest: Manifest, tokenizer: &str) {
    fs_err::write(dir.join("tokenizer.json"), tokenizer).unwrap();
    let sha256 = tessera_datasets::hash::sha256(tokenizer.as_bytes());
    manifest.files.push(FileEntry { path: "tokenizer.json".to_owned(), sha256 });
    manifest.publish(dir).unwrap();
}

/// A folder with the datasets `data/words`, `data/pairs`, `data/pictures` of coloured
/// things, `data/shapes` and `data/poses`, and the configs `run.toml`, a GPT, `translation.toml`, a
/// Transformer, `pictures.toml`, a ViT, and `poses.toml`, an OptiPose.
pub(crate) struct Workshop {
    pub(crate) dir: tempfile::TempDir,
}

const TRANSLATION: &str = r#"
version = 1
name = "translation"
seed = 5
[data]
dataset = "data/pairs"
[train]
steps = 24
batch_tokens = 200
log_every = 1
validate_every = 8
checkpoint_every = 4
keep_last = 3
average = 3
threads = 1
[train.optimizer]
learning_rate = 3e-3
betas = [0.9, 0.98]
epsilon = 1e-9
weight_decay = 0.0
clip = 0.0
[train.schedule]
kind = "inverse-square-root"
warmup = 8
[train.decode]
batch = 16
extra_length = 8
[train.model]
kind = "transformer"
source = "en"
target = "de"
layers = 1
heads = 2
width = 16
feed_forward = 32
dropout = 0.1
[eval]
split = "validation"
"#;

const PICTURES: &str = r#"
version = 1
name = "pictures"
seed = 5
[data]
dataset = "data/pictures"
[train]
steps = 24
batch = 8
accumulate = 2
log_every = 1
validate_every = 8
checkpoint_every = 4
threads = 1
[train.ema]
decay = 0.9
warmup = true
[train.augment]
crop = "resized"
flip = 0.5
color_jitter = 0.2
rand_augment = { operations = 1, magnitude = 5 }
erase = 0.25
mixup = 0.2
cutmix = 1.0
[train.optimizer]
learning_rate = 3e-3
weight_decay = 0.05
layer_decay = 0.9
[train.model]
kind = "vit"
image_size = 32
mean = [0.1, 0.1, 0.1]
deviation = [0.1, 0.1, 0.1]
label_smoothing = 0.1
patch_size = 8
layers = 2
heads = 2
width = 16
dropout = 0.1
stochastic_depth = 0.2
[eval]
split = "validation"
"#;

const POSES: &str = r#"
version = 1
name = "poses"
seed = 5
[data]
dataset = "data/poses"
[train]
steps = 24
batch = 8
accumulate = 2
log_every = 1
validate_every = 8
checkpoint_every = 4
threads = 1
[train.optimizer]
learning_rate = 3e-3
betas = [0.9, 0.999]
epsilon = 1e-7
weight_decay = 0.0
clip_by = "variable"
[train.schedule]
kind = "step"
every = 8
factor = 0.95
[train.model]
kind = "optipose"
architecture = "later"
context_models = 2
sub_models = 2
[eval]
split = "validation"
"#;

impl Workshop {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_dataset(&dir.path().join("data/words"), 4000);
        write_bitext(&dir.path().join("data/pairs"), 600);
        let colours = Colour::ALL.map(|colour| colour.name().to_owned());
        let shapes = Shape::ALL.map(|shape| shape.name().to_owned());
        write_pictures(&dir.path().join("data/pictures"), 240, &colours, |class| class / shapes.len());
        write_pictures(&dir.path().join("data/shapes"), 120, &shapes, |class| class % shapes.len());
        write_poses(&dir.path().join("data/poses"), 120);
        fs_err::write(dir.path().join("poses.toml"), POSES).unwrap();
        fs_err::write(dir.path().join("translation.toml"), TRANSLATION).unwrap();
        fs_err::write(dir.path().join("pictures.toml"), PICTURES).unwrap();
        let config = r#"
version = 1
name = "run"
seed = 5
[data]
dataset = "data/words"
[train]
steps = 24
batch = 4
log_every = 1
validate_every = 8
checkpoint_every = 4
threads = 1
[train.schedule]
kind = "cosine"
warmup = 4
[train.samples]
count = 1
tokens = 20
prompt = "the"
[train.model]
kind = "gpt"
layers = 1
heads = 2
width = 16
context = 16
dropout = 0.1
[eval]
split = "validation"
"#;
        fs_err::write(dir.path().join("run.toml"), config).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the real program in the folder.
    pub(crate) fn train(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera-train"));
        command.args(arguments).current_dir(self.dir.path()).env("OMP_NUM_THREADS", "1");
        command
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
