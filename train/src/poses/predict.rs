//! The optimised poses of a split's windows, beside what simpler methods make of them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;
use tch::{Device, Tensor};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::schema::{self, RecordSchema};
use tessera_datasets::{Error, Result};

use super::baselines::{Baselines, Filled};
use super::data::PoseData;
use super::explain::explain;
use super::task::PoseTask;
use crate::output::Output;
use crate::task::{Predict, Task};

/// Windows that are written at once.
const ROWS: usize = 256;

/// Writes predictions and explanations.
pub(super) fn predict(task: &PoseTask, request: &Predict) -> Result<()> {
    let shape = task.shape;
    let data = PoseData::open(&task.dataset, &request.split, shape)?;
    if data.is_empty() {
        return Err(Error::input(format!("split `{}` has no rows", request.split)).at(task.dataset.dir()));
    }
    let baselines = Baselines::new(&task.dataset, &task.skeleton, shape)?;
    let schema = schema::pose_predictions(shape.frames, shape.keypoints);
    let mut output = Output::create(request, &request.run.predictions(&request.split), schema.clone())?;
    let progress = Progress::new("predict", data.len() as u64, Unit::Count("windows"));
    let mut start = 0;
    while start < data.len() {
        let range = start..(start + ROWS).min(data.len());
        let optimised = optimised(task, &data, range.clone())?;
        let filled: Vec<Filled> = range.clone().into_par_iter().map(|row| baselines.fill(&data.input(row))).collect();
        output.write(&rows(&schema, &data, &optimised, &filled, range.clone())?)?;
        progress.advance(range.len() as u64, String::new);
        start = range.end;
    }
    progress.finish(format!("of split {}", request.split));
    let mut details = task.details();
    details.insert("average".to_owned(), request.averaged.into());
    output.publish(details, task.dataset.manifest())?;
    explain(task, request, &data)
}

/// What the network makes of some rows, `y_btkc`; 0 in padding.
fn optimised(task: &PoseTask, data: &PoseData, range: Range<usize>) -> Result<Vec<f32>> {
    let rows: Vec<usize> = range.collect();
    let windows = data.tensors(&rows)?.to_device(task.device);
    let y_btkc = tch::no_grad(|| task.network.optimise(&windows.poses(), false));
    let there = windows.frames_bt.unsqueeze(-1).unsqueeze(-1);
    let y_btkc = y_btkc.where_self(&there, &Tensor::zeros_like(&y_btkc)).to_device(Device::Cpu);
    let values: Vec<f32> =
        Vec::try_from(y_btkc.reshape([-1])).map_err(|e: tch::TchError| Error::internal(e.to_string()))?;
    let size = data.shape.points() * 3;
    match rows.iter().zip(values.chunks_exact(size)).find(|(_, values)| values.iter().any(|v| !v.is_finite())) {
        Some((row, _)) => {
            Err(Error::internal(format!("the network's answer for window `{}` is not a number", data.id(*row))))
        }
        None => Ok(values),
    }
}

fn rows(
    schema: &RecordSchema,
    data: &PoseData,
    optimised: &[f32],
    filled: &[Filled],
    range: Range<usize>,
) -> Result<RecordBatch> {
    let points = data.shape.points();
    let strings = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(range.clone().map(text)))
    };
    let floats = |values: &[f32]| -> Result<ArrayRef> {
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let values = Arc::new(Float32Array::from(values.to_vec()));
        Ok(Arc::new(FixedSizeListArray::try_new(item, (points * 3) as i32, values, None)?))
    };
    let marks = |values: &[bool]| -> Result<ArrayRef> {
        let item = Arc::new(Field::new("item", DataType::Boolean, false));
        let values = Arc::new(BooleanArray::from(values.to_vec()));
        Ok(Arc::new(FixedSizeListArray::try_new(item, points as i32, values, None)?))
    };
    let (input, target) = data.coordinates(range.clone());
    let (given, known) = data.marks(range.clone());
    // baselines know nothing of padding
    let estimates = |of: &dyn Fn(&Filled) -> &Vec<f32>| {
        let mut values = vec![0.0; filled.len() * points * 3];
        for (filled, values) in filled.iter().zip(values.chunks_exact_mut(points * 3)) {
            values[..of(filled).len()].copy_from_slice(of(filled));
        }
        floats(&values)
    };
    let columns: Vec<ArrayRef> = vec![
        strings(&|row| data.id(row).to_owned()),
        strings(&|row| data.subject(row).to_owned()),
        Arc::new(Int64Array::from_iter_values(range.clone().map(|row| data.first_frame(row)))),
        Arc::new(UInt32Array::from_iter_values(range.clone().map(|row| data.frames(row) as u32))),
        strings(&|row| data.corruption(row).to_owned()),
        floats(input)?,
        marks(given)?,
        floats(target)?,
        marks(known)?,
        floats(optimised)?,
        estimates(&|filled| &filled.interpolated)?,
        estimates(&|filled| &filled.kalman)?,
        estimates(&|filled| &filled.template)?,
    ];
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}
