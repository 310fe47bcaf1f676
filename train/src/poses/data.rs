//! A split of a dataset of pose windows.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray};
use arrow::datatypes::{DataType, Float32Type, Int64Type, UInt32Type};
use arrow::record_batch::RecordBatch;
use tch::{Device, Tensor};
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::network::Poses;
use crate::shim::filled;

const COLUMNS: [&str; 9] = ["input", "given", "target", "known", "frames", "corruption", "subject", "frame", "id"];

/// How large a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Frames in succession.
    pub frames: usize,
    /// Keypoints of each.
    pub keypoints: usize,
}

impl Shape {
    /// Keypoints of all frames.
    pub fn points(self) -> usize {
        self.frames * self.keypoints
    }
}

/// The skeleton of a dataset of windows, and how large these are.
///
/// # Errors
/// When the dataset holds no pose windows.
pub fn describe(dataset: &Dataset) -> Result<(Skeleton, Shape)> {
    let manifest = dataset.manifest();
    if manifest.kind != Kind::PoseWindows {
        let message = format!("a dataset of kind `{}`, but `{}` is needed", manifest.kind, Kind::PoseWindows);
        let hint = "end the pipeline with a `mask-keypoints` stage, which makes windows of poses";
        return Err(Error::input(message).at(dataset.dir()).hint(hint));
    }
    let skeleton = Skeleton::of_details(&manifest.details).map_err(|error| error.at(dataset.dir()))?;
    let keypoints = skeleton.keypoints.len();
    for split in manifest.splits.keys() {
        if let Some(batch) = dataset.batches(split, &["known"])?.next() {
            let batch = batch?;
            let points = match batch.column(0).data_type() {
                DataType::FixedSizeList(_, length) => *length as usize,
                _ => 0,
            };
            if points == 0 || !points.is_multiple_of(keypoints) {
                let message = format!("windows of {points} points do not fit {keypoints} keypoints");
                return Err(Error::input(message).at(dataset.dir()));
            }
            return Ok((skeleton, Shape { frames: points / keypoints, keypoints }));
        }
    }
    Err(Error::input("the dataset has no windows").at(dataset.dir()))
}

/// The split of training frames as they are: neither augmented nor masked, each once.
const TEMPLATE: &str = "template";

/// The training frames with what is known of them, each once; windows follow each other without
/// being neighbours in time.
///
/// # Errors
/// When a row cannot be read.
pub fn training_frames(dataset: &Dataset, shape: Shape) -> Result<Track> {
    // windows by other programs may have no such split; then a frame may come often
    let split = if dataset.manifest().splits.contains_key(TEMPLATE) { TEMPLATE } else { "train" };
    let data = PoseData::open(dataset, split, shape)?;
    let mut out = Track::unknown(0, shape.keypoints);
    for row in 0..data.len() {
        let frames = data.target(row);
        out.positions_tkc.extend(frames.positions_tkc);
        out.known_tk.extend(frames.known_tk);
    }
    Ok(out)
}

/// The windows of a split in memory; all vectors hold one row after the other.
pub struct PoseData {
    /// How large a window is.
    pub shape: Shape,
    input: Vec<f32>,
    given: Vec<bool>,
    target: Vec<f32>,
    known: Vec<bool>,
    frames: Vec<u32>,
    corruptions: Names,
    subjects: Names,
    first_frames: Vec<i64>,
    ids: Vec<String>,
}

/// Few texts, each many times.
#[derive(Default)]
struct Names {
    texts: Vec<String>,
    numbers: Vec<u32>,
}

impl Names {
    fn push(&mut self, text: &str) {
        // rows of one name come in succession: the last is looked at first
        let place = self.texts.iter().rposition(|known| known == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        self.numbers.push(place as u32);
    }

    fn get(&self, row: usize) -> &str {
        &self.texts[self.numbers[row] as usize]
    }
}

impl PoseData {
    /// Reads a split.
    ///
    /// # Errors
    /// When there is no such split, or a row has a number that is none.
    pub fn open(dataset: &Dataset, split: &str, shape: Shape) -> Result<Self> {
        let rows: u64 = dataset.shards(split)?.iter().map(|shard| shard.rows).sum();
        let points = rows as usize * shape.points();
        let mut data = Self {
            shape,
            input: Vec::with_capacity(points * 3),
            given: Vec::with_capacity(points),
            target: Vec::with_capacity(points * 3),
            known: Vec::with_capacity(points),
            frames: Vec::with_capacity(rows as usize),
            corruptions: Names::default(),
            subjects: Names::default(),
            first_frames: Vec::with_capacity(rows as usize),
            ids: Vec::with_capacity(rows as usize),
        };
        for batch in dataset.batches(split, &COLUMNS)? {
            let before = data.len();
            data.append(&batch?).map_err(|message| Error::input(message).at(dataset.dir()))?;
            if let Some(row) = (before..data.len()).find(|row| !data.is_sound(*row)) {
                let message =
                    format!("window `{}` of split `{split}` has a coordinate that is no number", data.id(row));
                return Err(Error::input(message).at(dataset.dir()).row(row as u64 + 1));
            }
        }
        Ok(data)
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let column = |name: &str| -> Result<&ArrayRef, String> {
            batch.column_by_name(name).ok_or_else(|| format!("no column `{name}`"))
        };
        let other = |name: &str| format!("column `{name}` has another type than that of pose windows");
        let list = |name: &str, each: usize| -> Result<(&FixedSizeListArray, Range<usize>), String> {
            let list = column(name)?.as_fixed_size_list_opt().ok_or_else(|| other(name))?;
            let length = list.value_length() as usize;
            if length != self.shape.points() * each {
                return Err(format!("column `{name}` has {length} values a row, not {}", self.shape.points() * each));
            }
            let start = list.value_offset(0) as usize;
            Ok((list, start..start + list.len() * length))
        };
        for (name, to) in [("input", &mut self.input), ("target", &mut self.target)] {
            let (list, range) = list(name, 3)?;
            let values = list.values().as_primitive_opt::<Float32Type>().ok_or_else(|| other(name))?;
            to.extend_from_slice(&values.values()[range]);
        }
        for (name, to) in [("given", &mut self.given), ("known", &mut self.known)] {
            let (list, range) = list(name, 1)?;
            let values: &BooleanArray = list.values().as_boolean_opt().ok_or_else(|| other(name))?;
            to.extend(values.values().slice(range.start, range.len()).iter());
        }
        let frames = column("frames")?.as_primitive_opt::<UInt32Type>().ok_or_else(|| other("frames"))?;
        self.frames.extend(frames.values().iter().map(|n| (*n).min(self.shape.frames as u32)));
        let first = column("frame")?.as_primitive_opt::<Int64Type>().ok_or_else(|| other("frame"))?;
        self.first_frames.extend_from_slice(first.values());
        for (name, to) in [("corruption", &mut self.corruptions), ("subject", &mut self.subjects)] {
            let texts = column(name)?.as_string_opt::<i32>().ok_or_else(|| other(name))?;
            (0..texts.len()).for_each(|row| to.push(texts.value(row)));
        }
        let ids = column("id")?.as_string_opt::<i32>().ok_or_else(|| other("id"))?;
        self.ids.extend((0..ids.len()).map(|row| ids.value(row).to_owned()));
        Ok(())
    }

    fn is_sound(&self, row: usize) -> bool {
        let (input, target) = self.coordinates(row..row + 1);
        input.iter().chain(target).all(|value| value.is_finite())
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The id of a row.
    pub fn id(&self, row: usize) -> &str {
        &self.ids[row]
    }

    /// What was done to the input of a row.
    pub fn corruption(&self, row: usize) -> &str {
        self.corruptions.get(row)
    }

    /// All that was done to inputs, in the order in which it first comes.
    pub fn corruptions(&self) -> &[String] {
        &self.corruptions.texts
    }

    /// The recording that a row was cut from.
    pub fn subject(&self, row: usize) -> &str {
        self.subjects.get(row)
    }

    /// The number of a row's first frame in its recording.
    pub fn first_frame(&self, row: usize) -> i64 {
        self.first_frames[row]
    }

    /// How many of a row's frames are there; the rest is padding.
    pub fn frames(&self, row: usize) -> usize {
        self.frames[row] as usize
    }

    /// What a row gives, padding left out.
    pub fn input(&self, row: usize) -> Track {
        self.track(row, &self.input, &self.given)
    }

    /// What is true of a row, padding left out.
    pub fn target(&self, row: usize) -> Track {
        self.track(row, &self.target, &self.known)
    }

    fn track(&self, row: usize, positions: &[f32], known: &[bool]) -> Track {
        let (start, points) = (row * self.shape.points(), self.frames(row) * self.shape.keypoints);
        Track {
            keypoints: self.shape.keypoints,
            positions_tkc: positions[start * 3..(start + points) * 3].to_vec(),
            known_tk: known[start..start + points].to_vec(),
        }
    }

    /// The coordinates of the inputs and targets of some rows, `[b, t, k, c]`, padding included.
    pub fn coordinates(&self, rows: Range<usize>) -> (&[f32], &[f32]) {
        let points = self.shape.points() * 3;
        let range = rows.start * points..rows.end * points;
        (&self.input[range.clone()], &self.target[range])
    }

    /// Which points of the inputs of some rows are given and which of their targets are known,
    /// `[b, t, k]`, padding included.
    pub fn marks(&self, rows: Range<usize>) -> (&[bool], &[bool]) {
        let points = self.shape.points();
        let range = rows.start * points..rows.end * points;
        (&self.given[range.clone()], &self.known[range])
    }

    /// Rows as tensors.
    ///
    /// # Errors
    /// When libtorch has no memory.
    pub fn tensors(&self, rows: &[usize]) -> Result<WindowTensors> {
        let Shape { frames, keypoints } = self.shape;
        let (b, t, k) = (rows.len() as i64, frames as i64, keypoints as i64);
        let points = |from: &[f32]| {
            let size = self.shape.points() * 3;
            filled(&[b, t, k, 3], |out| {
                for (row, out) in rows.iter().zip(out.chunks_exact_mut(size)) {
                    out.copy_from_slice(&from[row * size..(row + 1) * size]);
                }
                Ok(())
            })
        };
        let marks = |from: &[bool]| {
            let size = self.shape.points();
            let gathered: Vec<bool> =
                rows.iter().flat_map(|row| &from[row * size..(row + 1) * size]).copied().collect();
            Tensor::from_slice(&gathered).view([b, t, k])
        };
        let there: Vec<bool> = rows.iter().flat_map(|row| (0..frames).map(|frame| frame < self.frames(*row))).collect();
        Ok(WindowTensors {
            input_btkc: points(&self.input)?,
            given_btk: marks(&self.given),
            target_btkc: points(&self.target)?,
            known_btk: marks(&self.known),
            frames_bt: Tensor::from_slice(&there).view([b, t]),
        })
    }
}

/// Windows as tensors, on the CPU.
pub struct WindowTensors {
    /// Given positions, float32; 0 where there is none.
    pub input_btkc: Tensor,
    /// Which are given.
    pub given_btk: Tensor,
    /// True positions, float32; 0 where they are not known.
    pub target_btkc: Tensor,
    /// Which are known.
    pub known_btk: Tensor,
    /// Which frames are there.
    pub frames_bt: Tensor,
}

impl WindowTensors {
    /// What a network sees of them.
    pub fn poses(&self) -> Poses<'_> {
        Poses { input_btkc: &self.input_btkc, given_btk: &self.given_btk, frames_bt: &self.frames_bt }
    }

    /// The same on a device.
    #[must_use]
    pub fn to_device(&self, device: Device) -> Self {
        Self {
            input_btkc: self.input_btkc.to_device(device),
            given_btk: self.given_btk.to_device(device),
            target_btkc: self.target_btkc.to_device(device),
            known_btk: self.known_btk.to_device(device),
            frames_bt: self.frames_bt.to_device(device),
        }
    }
}
