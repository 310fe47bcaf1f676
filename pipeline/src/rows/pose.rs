//! Rows of kind `pose`: one frame each.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, FixedSizeListArray, Float32Builder, Int64Array,
    Int64Builder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, FieldRef, Float32Type, Int64Type};
use tessera_datasets::schema::{RecordSchema, pose};
use tessera_datasets::{Error, Result};

use super::{Origin, OriginBuilder, is_full, strings};

/// Builds batches of frames.
pub struct PoseRows {
    schema: RecordSchema,
    keypoints: usize,
    positions: Float32Builder,
    mask: BooleanBuilder,
    truth: Option<Float32Builder>,
    subjects: StringBuilder,
    frames: Int64Builder,
    origins: OriginBuilder,
}

impl PoseRows {
    /// Frames of so many keypoints, beside their truth or not.
    pub fn new(keypoints: usize, truth: bool) -> Self {
        Self {
            schema: pose(keypoints, truth),
            keypoints,
            positions: Float32Builder::new(),
            mask: BooleanBuilder::new(),
            truth: truth.then(Float32Builder::new),
            subjects: StringBuilder::new(),
            frames: Int64Builder::new(),
            origins: OriginBuilder::default(),
        }
    }

    /// Adds a frame.
    pub fn push(&mut self, pose: &Pose<'_>, subject: &str, frame: i64, origin: &Origin<'_>) {
        for (point, seen) in pose.positions.as_chunks::<3>().0.iter().zip(pose.mask) {
            self.positions.append_slice(if *seen { point } else { &[0.0; 3] });
        }
        self.mask.append_slice(pose.mask);
        if let (Some(column), Some(truth)) = (&mut self.truth, pose.truth) {
            column.append_slice(truth);
        }
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
        let positions = points_column(&self.schema, "keypoints", &mut self.positions)?;
        let mask = marks_column(&self.schema, "mask", &mut self.mask)?;
        let truth = self.truth.as_mut().map(|truth| points_column(&self.schema, "truth", truth)).transpose()?;
        let rest: [ArrayRef; 2] = [Arc::new(self.subjects.finish()), Arc::new(self.frames.finish())];
        let content = [positions, mask].into_iter().chain(truth).chain(rest).collect();
        self.origins.finish(&self.schema, content)
    }
}

/// One frame, on its way into a row.
#[derive(Clone, Copy, Debug)]
pub struct Pose<'a> {
    /// x, y, z of each keypoint.
    pub positions: &'a [f32],
    /// Which were seen; the positions of the others do not matter.
    pub mask: &'a [bool],
    /// x, y, z of each as they were.
    pub truth: Option<&'a [f32]>,
}

/// The columns of a batch of frames.
pub struct PoseColumns<'a> {
    /// How many keypoints a frame has.
    pub keypoints: usize,
    /// x, y, z of each keypoint of each frame, one frame after the other.
    pub positions: &'a [f32],
    /// Which were seen, in the same order.
    pub mask: &'a BooleanArray,
    /// As `positions`, where the truth is known.
    pub truth: Option<&'a [f32]>,
    /// Whose frames they are.
    pub subjects: &'a StringArray,
    /// Their numbers.
    pub frames: &'a Int64Array,
}

impl<'a> PoseColumns<'a> {
    /// The columns of a batch.
    ///
    /// # Errors
    /// When it holds no poses, which is a fault of the stage before.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let list = |name: &str| batch.column_by_name(name).and_then(|column| column.as_fixed_size_list_opt());
        let no = || Error::internal("a batch without poses");
        let marks = list("mask").ok_or_else(no)?;
        Ok(Self {
            keypoints: usize::try_from(marks.value_length()).map_err(|_| no())?,
            positions: list("keypoints").and_then(flat_points).ok_or_else(no)?,
            mask: marks.values().as_boolean_opt().ok_or_else(no)?,
            truth: list("truth").and_then(flat_points),
            subjects: strings(batch, "subject")?,
            frames: batch.column_by_name("frame").and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(no)?,
        })
    }
}

/// The batch with other positions and marks for its keypoints; positions of keypoints that are not
/// seen become 0.
///
/// # Errors
/// When there is not one of each for every keypoint of every row.
pub fn with_keypoints(
    batch: &RecordBatch,
    schema: &RecordSchema,
    mut positions: Vec<f32>,
    mask: Vec<bool>,
) -> Result<RecordBatch> {
    let unseen = positions.as_chunks_mut::<3>().0.iter_mut().zip(&mask).filter(|(_, seen)| !**seen);
    unseen.for_each(|(point, _)| *point = [0.0; 3]);
    let mut values = Float32Builder::with_capacity(positions.len());
    values.append_slice(&positions);
    let mut marks = BooleanBuilder::with_capacity(mask.len());
    marks.append_slice(&mask);
    let changed = [
        ("keypoints", points_column(schema, "keypoints", &mut values)?),
        ("mask", marks_column(schema, "mask", &mut marks)?),
    ];
    let mut columns = batch.columns().to_vec();
    for (name, column) in changed {
        let place = batch.schema().index_of(name)?;
        columns[place] = column;
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// The numbers below a column of lists of points.
fn flat_points(column: &FixedSizeListArray) -> Option<&[f32]> {
    let (points, length) = (column.values().as_fixed_size_list_opt()?, column.value_length() as usize * 3);
    let values: &[f32] = points.values().as_primitive_opt::<Float32Type>()?.values();
    // a slice of a batch shares its buffers: what it covers is a matter of its length only, for
    // arrow slices the children of lists of a fixed length too
    (values.len() == column.len() * length).then_some(values)
}

fn points_column(schema: &RecordSchema, name: &str, values: &mut Float32Builder) -> Result<ArrayRef> {
    let (point, points) = fixed_list_of(schema, name)?;
    let DataType::FixedSizeList(coordinate, 3) = point.data_type() else {
        return Err(Error::internal("a keypoint has not three coordinates"));
    };
    let flat = Arc::new(values.finish());
    let positions = FixedSizeListArray::try_new(coordinate.clone(), 3, flat, None)?;
    Ok(Arc::new(FixedSizeListArray::try_new(point, points, Arc::new(positions), None)?))
}

fn marks_column(schema: &RecordSchema, name: &str, marks: &mut BooleanBuilder) -> Result<ArrayRef> {
    let (seen, points) = fixed_list_of(schema, name)?;
    Ok(Arc::new(FixedSizeListArray::try_new(seen, points, Arc::new(marks.finish()), None)?))
}

/// The item and the length of a column of lists of a fixed length.
fn fixed_list_of(schema: &RecordSchema, name: &str) -> Result<(FieldRef, i32)> {
    match schema.fields().iter().find(|f| f.name() == name).map(|f| f.data_type()) {
        Some(DataType::FixedSizeList(item, length)) => Ok((item.clone(), *length)),
        _ => Err(Error::internal(format!("`{name}` is no list of a fixed length"))),
    }
}
