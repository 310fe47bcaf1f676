//! Rows of kind `pose`: one frame each.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeListArray, Float32Builder, Int64Builder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, FieldRef};
use tessera_datasets::schema::{RecordSchema, pose};
use tessera_datasets::{Error, Result};

use super::{Origin, OriginBuilder, is_full};

/// Builds batches of frames.
pub struct PoseRows {
    schema: RecordSchema,
    keypoints: usize,
    positions: Float32Builder,
    mask: BooleanBuilder,
    subjects: StringBuilder,
    frames: Int64Builder,
    origins: OriginBuilder,
}

impl PoseRows {
    /// Frames of so many keypoints.
    pub fn new(keypoints: usize) -> Self {
        Self {
            schema: pose(keypoints),
            keypoints,
            positions: Float32Builder::new(),
            mask: BooleanBuilder::new(),
            subjects: StringBuilder::new(),
            frames: Int64Builder::new(),
            origins: OriginBuilder::default(),
        }
    }

    /// Adds a frame: x, y, z of each keypoint, and whether it was seen.
    pub fn push(&mut self, positions: &[f32], mask: &[bool], subject: &str, frame: i64, origin: &Origin<'_>) {
        self.positions.append_slice(positions);
        self.mask.append_slice(mask);
        self.subjects.append_value(subject);
        self.frames.append_value(frame);
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.origins.len() * self.keypoints * 13, self.origins.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows as a batch; starts anew.
    ///
    /// # Errors
    /// When a row had not one position and one mark for each keypoint.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let (point, points) = fixed_list_of(&self.schema, "keypoints")?;
        let DataType::FixedSizeList(coordinate, 3) = point.data_type() else {
            return Err(Error::internal("a keypoint has not three coordinates"));
        };
        let flat = Arc::new(self.positions.finish());
        let positions = FixedSizeListArray::try_new(coordinate.clone(), 3, flat, None)?;
        let positions = FixedSizeListArray::try_new(point, points, Arc::new(positions), None)?;
        let (seen, points) = fixed_list_of(&self.schema, "mask")?;
        let mask = FixedSizeListArray::try_new(seen, points, Arc::new(self.mask.finish()), None)?;
        let content: Vec<ArrayRef> =
            vec![Arc::new(positions), Arc::new(mask), Arc::new(self.subjects.finish()), Arc::new(self.frames.finish())];
        self.origins.finish(&self.schema, content)
    }
}

/// The item and the length of a column of lists of a fixed length.
fn fixed_list_of(schema: &RecordSchema, name: &str) -> Result<(FieldRef, i32)> {
    match schema.fields().iter().find(|f| f.name() == name).map(|f| f.data_type()) {
        Some(DataType::FixedSizeList(item, length)) => Ok((item.clone(), *length)),
        _ => Err(Error::internal(format!("`{name}` is no list of a fixed length"))),
    }
}
