//! The tables of a run and its dataset, written with the real writers.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Builder, Float64Array, Float64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder,
    UInt16Builder, UInt32Array, UInt32Builder, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use tessera_datasets::Result;
use tessera_datasets::manifest::Split;
use tessera_datasets::schema::{PROVENANCE, RecordSchema};
use tessera_datasets::shard::{ShardWriter, shard_path};

/// One window of predictions.
pub struct Window {
    pub id: String,
    pub offset: u64,
    pub bytes: u32,
    pub token_nll: Vec<f32>,
    pub correct: u32,
    pub text: String,
}

/// What the model would have said at each position of a window.
pub struct Candidates {
    pub id: String,
    pub truth: Vec<String>,
    pub names: Vec<String>,
    pub probabilities: Vec<f32>,
}

pub fn predictions(schema: &RecordSchema, windows: &[Window]) -> Result<RecordBatch> {
    let nll = |w: &Window| w.token_nll.iter().map(|x| f64::from(*x)).sum::<f64>();
    let columns: Vec<ArrayRef> = vec![
        strings(windows.iter().map(|w| w.id.as_str())),
        Arc::new(windows.iter().map(|w| w.offset).collect::<UInt64Array>()),
        Arc::new(windows.iter().map(|w| w.token_nll.len() as u32).collect::<UInt32Array>()),
        Arc::new(windows.iter().map(|w| w.bytes).collect::<UInt32Array>()),
        Arc::new(windows.iter().map(nll).collect::<Float64Array>()),
        float_lists(windows.iter().map(|w| w.token_nll.as_slice())),
        Arc::new(windows.iter().map(|w| w.correct).collect::<UInt32Array>()),
        strings(windows.iter().map(|w| w.text.as_str())),
    ];
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

pub fn explanations(schema: &RecordSchema, rows: &[Candidates]) -> Result<RecordBatch> {
    let mut shapes = ListBuilder::new(UInt32Builder::new()).with_field(Field::new("item", DataType::UInt32, false));
    for row in rows {
        let tokens = row.truth.len() as u32;
        shapes.values().append_slice(&[tokens, row.names.len() as u32 / tokens.max(1)]);
        shapes.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        strings(rows.iter().map(|r| r.id.as_str())),
        strings(rows.iter().map(|_| "candidates")),
        string_lists(rows.iter().map(|r| r.truth.as_slice())),
        string_lists(rows.iter().map(|r| r.names.as_slice())),
        Arc::new(shapes.finish()),
        float_lists(rows.iter().map(|r| r.probabilities.as_slice())),
    ];
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

/// One explanation of any shape.
pub struct Shaped {
    pub id: String,
    pub name: String,
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    pub shape: Vec<u32>,
    pub values: Vec<f32>,
}

pub fn shaped(schema: &RecordSchema, rows: &[Shaped]) -> Result<RecordBatch> {
    let mut shapes = ListBuilder::new(UInt32Builder::new()).with_field(Field::new("item", DataType::UInt32, false));
    for row in rows {
        shapes.values().append_slice(&row.shape);
        shapes.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        strings(rows.iter().map(|r| r.id.as_str())),
        strings(rows.iter().map(|r| r.name.as_str())),
        string_lists(rows.iter().map(|r| r.rows.as_slice())),
        string_lists(rows.iter().map(|r| r.columns.as_slice())),
        Arc::new(shapes.finish()),
        float_lists(rows.iter().map(|r| r.values.as_slice())),
    ];
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

/// Rows of at most `length` ids, with the provenance that the pipeline writes.
pub fn tokens(schema: &RecordSchema, ids: &[u32], length: usize, split: &str) -> Result<RecordBatch> {
    let rows: Vec<&[u32]> = ids.chunks(length).collect();
    let mut lists = ListBuilder::new(UInt16Builder::new()).with_field(Field::new("item", DataType::UInt16, false));
    for row in &rows {
        row.iter().for_each(|id| lists.values().append_value(*id as u16));
        lists.append(true);
    }
    let bytes: UInt32Array = rows.iter().map(|row| row.len() as u32).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(lists.finish()), Arc::new(bytes)];
    for name in PROVENANCE {
        let cells: Vec<String> = (0..rows.len()).map(|i| format!("{name}-{split}-{i}")).collect();
        columns.push(strings(cells.iter().map(String::as_str)));
    }
    Ok(RecordBatch::try_new(schema.arrow(), columns)?)
}

/// Writes one shard under its final name.
pub fn publish(dir: &Path, split: &str, schema: &RecordSchema, batch: &RecordBatch) -> Result<Split> {
    let path = shard_path(split, 0, 1);
    let mut writer = ShardWriter::create(dir.join(&path), schema)?;
    writer.write(batch)?;
    let mut shard = writer.finish()?;
    shard.path = path;
    Ok(Split::of(vec![shard]))
}

pub fn strings<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

pub fn float_lists<'a>(rows: impl Iterator<Item = &'a [f32]>) -> ArrayRef {
    let mut lists = ListBuilder::new(Float32Builder::new()).with_field(Field::new("item", DataType::Float32, false));
    for row in rows {
        lists.values().append_slice(row);
        lists.append(true);
    }
    Arc::new(lists.finish())
}

pub fn double_lists<'a>(rows: impl Iterator<Item = &'a [f64]>) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new()).with_field(Field::new("item", DataType::Float64, false));
    for row in rows {
        lists.values().append_slice(row);
        lists.append(true);
    }
    Arc::new(lists.finish())
}

pub fn string_lists<'a>(rows: impl Iterator<Item = &'a [String]>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false));
    for row in rows {
        row.iter().for_each(|cell| lists.values().append_value(cell));
        lists.append(true);
    }
    Arc::new(lists.finish())
}
