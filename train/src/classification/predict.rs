//! The log-probabilities of a split's images.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray, StructArray,
    new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use tch::{Device, Kind};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::schema::{self, RecordSchema, image_fields};
use tessera_datasets::{Error, Result};

use super::chosen::{Verdict, to_explain, worst_mistakes};
use super::explain::explain;
use super::task::ClassificationTask;
use super::thumbnail::thumbnail;
use crate::images::{EvaluationImages, ImageData};
use crate::output::Output;
use crate::task::{Predict, Task};

/// Rows that are written at once.
const ROWS: usize = 1000;
/// Mistakes that keep their images.
const MISTAKES: usize = 64;

/// Writes predictions and explanations.
pub(super) fn predict(task: &ClassificationTask, request: &Predict) -> Result<()> {
    let data = ImageData::open(&task.dataset, &request.split)?;
    if data.is_empty() {
        return Err(Error::input(format!("split `{}` has no rows", request.split)).at(task.dataset.dir()));
    }
    let scores = Scores::of(task, &data, &request.split)?;
    let explained = to_explain(&scores.verdicts, request.explain);
    let mut shown: BTreeSet<usize> = worst_mistakes(&scores.verdicts, MISTAKES).into_iter().collect();
    shown.extend(&explained);
    let schema = schema::classification_predictions(&task.classes);
    let mut output = Output::create(request, &request.run.predictions(&request.split), schema.clone())?;
    let mut start = 0;
    while start < data.len() {
        let end = (start + ROWS).min(data.len());
        output.write(&rows(&schema, &data, &scores, &shown, start..end)?)?;
        start = end;
    }
    let mut details = task.details();
    details.insert("average".to_owned(), request.averaged.into());
    output.publish(details, task.dataset.manifest())?;
    explain(task, request, &data, &scores.verdicts, &explained)
}

/// What the network said about every row.
struct Scores {
    /// Row after row.
    log_probabilities: Vec<f32>,
    verdicts: Vec<Verdict>,
}

impl Scores {
    fn of(task: &ClassificationTask, data: &ImageData, split: &str) -> Result<Self> {
        let classes = task.classes.len();
        let mut out = Self {
            log_probabilities: Vec::with_capacity(data.len() * classes),
            verdicts: Vec::with_capacity(data.len()),
        };
        let progress = Progress::new("predict", data.len() as u64, Unit::Count("images"));
        for batch in EvaluationImages::new(data, task.preparation, task.rows_per_pass()) {
            let batch = batch?;
            let log_bn = task.score(&batch.images_bchw).log_softmax(-1, Kind::Float).to_device(Device::Cpu);
            let values: Vec<f32> =
                Vec::try_from(log_bn.reshape([-1])).map_err(|e: tch::TchError| Error::internal(e.to_string()))?;
            for (row, values) in batch.rows.iter().zip(values.chunks_exact(classes)) {
                // the first of equals, as argmax
                let better = |best: usize, class: usize| if values[class] > values[best] { class } else { best };
                let best = (0..classes).fold(0, better);
                let confidence = values[best];
                if !confidence.is_finite() {
                    let message = format!("the network's answer for image `{}` is not a number", data.id(*row));
                    return Err(Error::internal(message));
                }
                out.verdicts.push(Verdict { label: data.label(*row), prediction: best as i64, confidence });
            }
            out.log_probabilities.extend(values);
            progress.advance(batch.rows.len() as u64, String::new);
        }
        progress.finish(format!("of split {split}"));
        Ok(out)
    }
}

fn rows(
    schema: &RecordSchema,
    data: &ImageData,
    scores: &Scores,
    shown: &BTreeSet<usize>,
    range: Range<usize>,
) -> Result<RecordBatch> {
    let classes = data.classes().len();
    let verdicts = &scores.verdicts[range.clone()];
    let values = &scores.log_probabilities[range.start * classes..range.end * classes];
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Arc::new(Float32Array::from(values.to_vec()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(range.clone().map(|row| data.id(row)))),
        Arc::new(Int64Array::from_iter_values(verdicts.iter().map(|verdict| verdict.label))),
        Arc::new(Int64Array::from_iter_values(verdicts.iter().map(|verdict| verdict.prediction))),
        Arc::new(FixedSizeListArray::try_new(item, classes as i32, values, None)?),
        Arc::new(images(data, shown, range)?),
    ];
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

/// Thumbnails of the rows that are shown; null elsewhere.
fn images(data: &ImageData, shown: &BTreeSet<usize>, range: Range<usize>) -> Result<StructArray> {
    let mut bytes = BinaryBuilder::new();
    for row in range.clone() {
        match shown.contains(&row) {
            true => bytes.append_value(thumbnail(&data.encoded(row)?)?),
            false => bytes.append_null(),
        }
    }
    let present = NullBuffer::from_iter(range.clone().map(|row| shown.contains(&row)));
    let paths = new_null_array(&DataType::Utf8, range.len());
    Ok(StructArray::try_new(image_fields(), vec![Arc::new(bytes.finish()), paths], Some(present))?)
}
