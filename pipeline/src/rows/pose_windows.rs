//! Rows of kind `pose-windows`: frames in succession, corrupted and as they should be.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int64Builder, RecordBatch, StringBuilder, UInt32Builder,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field};
use tessera_datasets::Result;
use tessera_datasets::schema::{RecordSchema, pose_windows};

use super::{Origin, OriginBuilder};

/// A batch of windows: their points first, written in place, then one row for each.
pub struct WindowRows {
    schema: RecordSchema,
    frames: usize,
    keypoints: usize,
    input: Vec<f32>,
    given: Vec<bool>,
    target: Vec<f32>,
    known: Vec<bool>,
    lengths: UInt32Builder,
    corruptions: StringBuilder,
    subjects: StringBuilder,
    firsts: Int64Builder,
    origins: OriginBuilder,
}

/// The points of one window, in the order frame, keypoint, coordinate; all 0 and unknown at first.
pub struct WindowPoints<'a> {
    /// Where keypoints seem to be.
    pub input: &'a mut [f32],
    /// Which of `input` say something.
    pub given: &'a mut [bool],
    /// Where they are.
    pub target: &'a mut [f32],
    /// Which of `target` say something.
    pub known: &'a mut [bool],
}

impl WindowRows {
    /// So many windows of so many frames and keypoints.
    pub fn new(windows: usize, frames: usize, keypoints: usize) -> Self {
        let points = windows * frames * keypoints;
        Self {
            schema: pose_windows(frames, keypoints),
            frames,
            keypoints,
            input: vec![0.0; points * 3],
            given: vec![false; points],
            target: vec![0.0; points * 3],
            known: vec![false; points],
            lengths: UInt32Builder::new(),
            corruptions: StringBuilder::new(),
            subjects: StringBuilder::new(),
            firsts: Int64Builder::new(),
            origins: OriginBuilder::default(),
        }
    }

    /// The bytes of one window.
    pub fn bytes(frames: usize, keypoints: usize) -> usize {
        frames * keypoints * 26
    }

    /// The points of each window, in the order of the rows.
    pub fn windows(&mut self) -> Vec<WindowPoints<'_>> {
        let points = (self.frames * self.keypoints).max(1);
        let positions = self.input.chunks_mut(points * 3).zip(self.target.chunks_mut(points * 3));
        let marks = self.given.chunks_mut(points).zip(self.known.chunks_mut(points));
        let window = |((input, target), (given, known))| WindowPoints { input, given, target, known };
        positions.zip(marks).map(window).collect()
    }

    /// Says what the next window is: how many frames it has, what was done to it, whose it is, and
    /// the number of its first frame.
    pub fn push(&mut self, frames: u32, corruption: &str, subject: &str, first: i64, origin: &Origin<'_>) {
        self.lengths.append_value(frames);
        self.corruptions.append_value(corruption);
        self.subjects.append_value(subject);
        self.firsts.append_value(first);
        self.origins.push(origin);
    }

    /// The rows as a batch.
    ///
    /// # Errors
    /// When there is not one [`WindowRows::push`] for each window.
    pub fn finish(mut self) -> Result<RecordBatch> {
        let points = self.frames * self.keypoints;
        let content = vec![
            numbers(self.input, points * 3)?,
            marks(self.given, points)?,
            numbers(self.target, points * 3)?,
            marks(self.known, points)?,
            Arc::new(self.lengths.finish()),
            Arc::new(self.corruptions.finish()),
            Arc::new(self.subjects.finish()),
            Arc::new(self.firsts.finish()),
        ];
        self.origins.finish(&self.schema, content)
    }
}

fn numbers(values: Vec<f32>, length: usize) -> Result<ArrayRef> {
    fixed(Arc::new(Float32Array::from(values)), DataType::Float32, length)
}

fn marks(values: Vec<bool>, length: usize) -> Result<ArrayRef> {
    fixed(Arc::new(BooleanArray::from(BooleanBuffer::from(values))), DataType::Boolean, length)
}

fn fixed(values: ArrayRef, item: DataType, length: usize) -> Result<ArrayRef> {
    let length = i32::try_from(length).map_err(|e| tessera_datasets::Error::internal(e.to_string()))?;
    let field = Arc::new(Field::new("item", item, false));
    Ok(Arc::new(FixedSizeListArray::try_new(field, length, values, None)?))
}
