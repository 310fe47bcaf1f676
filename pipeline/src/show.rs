//! `show`: the first rows of a split, and what its columns hold.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use polars::prelude::{Column, DataFrame, PolarsResult};
use tessera_datasets::schema::PROVENANCE;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

/// How many rows a table has at most; polars leaves out the middle of longer ones.
const TABLE_ROWS: usize = 8;
/// How many rows the summary looks at.
const SUMMARY_ROWS: usize = 10_000;
/// The provenance columns that are shown with the rows.
const SHOWN: [&str; 3] = ["id", "src", "loc"];

/// The first `rows` rows of a split as tables, then what its columns hold: content and provenance.
///
/// # Errors
/// When there is no such split, or a shard cannot be read.
pub fn show(dataset: &Dataset, split: &str, rows: usize) -> Result<Vec<String>> {
    let batch = first_rows(dataset, split, rows.max(SUMMARY_ROWS))?;
    let mut out = Vec::new();
    for first in (0..rows.min(batch.num_rows())).step_by(TABLE_ROWS) {
        let length = TABLE_ROWS.min(rows - first).min(batch.num_rows() - first);
        out.push(rows_table(&batch.slice(first, length))?.to_string());
    }
    let schema = batch.schema();
    let is_provenance = |i: &usize| PROVENANCE.contains(&schema.field(*i).name().as_str());
    let (provenance, content): (Vec<usize>, Vec<usize>) = (0..schema.fields().len()).partition(is_provenance);
    for columns in [content, provenance] {
        if !columns.is_empty() {
            out.push(summary_table(&batch.project(&columns)?)?.to_string());
        }
    }
    Ok(out)
}

fn first_rows(dataset: &Dataset, split: &str, rows: usize) -> Result<RecordBatch> {
    let mut batches: Vec<RecordBatch> = Vec::new();
    let mut missing = rows;
    for batch in dataset.batches(split, &[])? {
        let batch = batch?;
        let taken = batch.slice(0, batch.num_rows().min(missing));
        missing -= taken.num_rows();
        batches.push(taken);
        if missing == 0 {
            break;
        }
    }
    let first = batches.first().ok_or_else(|| Error::input(format!("split `{split}` has no rows")))?;
    Ok(arrow::compute::concat_batches(&first.schema(), &batches)?)
}

fn rows_table(batch: &RecordBatch) -> Result<DataFrame> {
    let schema = batch.schema();
    let shown =
        schema.fields().iter().zip(batch.columns()).filter(|(field, _)| {
            !PROVENANCE.contains(&field.name().as_str()) || SHOWN.contains(&field.name().as_str())
        });
    let column = |(field, array): (&std::sync::Arc<arrow::datatypes::Field>, &ArrayRef)| -> Result<Column> {
        Ok(Column::new(field.name().as_str().into(), cells(array)?))
    };
    let columns = shown.map(column).collect::<Result<Vec<_>>>()?;
    frame(DataFrame::new(batch.num_rows(), columns))
}

/// The values of a column as short text.
fn cells(array: &ArrayRef) -> Result<Vec<String>> {
    let options = FormatOptions::default();
    let plain = ArrayFormatter::try_new(array.as_ref(), &options)?;
    let cell = |row: usize| match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) if fields.iter().any(|f| f.name() == "bytes") => {
            let image = array.as_struct();
            let bytes = image.column_by_name("bytes").and_then(|c| c.as_binary_opt::<i32>());
            Ok(bytes.map_or(String::new(), |b| format!("image of {} bytes", b.value(row).len())))
        }
        _ => Ok(plain.value(row).to_string()),
    };
    (0..array.len()).map(cell).collect()
}

fn list(items: &ArrayRef) -> Result<String> {
    let options = FormatOptions::default();
    let item = ArrayFormatter::try_new(items.as_ref(), &options)?;
    let first: Vec<String> = (0..items.len().min(4)).map(|i| item.value(i).to_string()).collect();
    let more = if items.len() > 4 { format!(", … {}", items.len()) } else { String::new() };
    Ok(format!("[{}{more}]", first.join(", ")))
}

/// A line for each column: type, nulls, what its values (or their lengths) range over.
fn summary_table(batch: &RecordBatch) -> Result<DataFrame> {
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let types: Vec<String> = schema.fields().iter().map(|f| short_type(f.data_type())).collect();
    let nulls: Vec<u64> = batch.columns().iter().map(|c| c.null_count() as u64).collect();
    let ranges = batch.columns().iter().map(Range::of).collect::<Result<Vec<_>>>()?;
    let columns = vec![
        Column::new("column".into(), names),
        Column::new("type".into(), types),
        Column::new("nulls".into(), nulls),
        Column::new("of".into(), ranges.iter().map(|r| r.of).collect::<Vec<_>>()),
        Column::new("minimum".into(), ranges.iter().map(|r| r.minimum).collect::<Vec<_>>()),
        Column::new("mean".into(), ranges.iter().map(|r| r.mean).collect::<Vec<_>>()),
        Column::new("maximum".into(), ranges.iter().map(|r| r.maximum).collect::<Vec<_>>()),
    ];
    frame(DataFrame::new(schema.fields().len(), columns))
}

fn short_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::List(item) => format!("list of {}", short_type(item.data_type())),
        DataType::FixedSizeList(item, n) => format!("{n} × {}", short_type(item.data_type())),
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
            format!("struct of {}", names.join(", "))
        }
        other => other.to_string().to_lowercase(),
    }
}

struct Range {
    /// `values`, or what of the values is measured.
    of: &'static str,
    minimum: Option<f64>,
    mean: Option<f64>,
    maximum: Option<f64>,
}

impl Range {
    fn of(array: &ArrayRef) -> Result<Self> {
        let (of, values): (_, Vec<f64>) = match array.data_type() {
            DataType::Utf8 => ("bytes", array.as_string::<i32>().iter().flatten().map(|s| s.len() as f64).collect()),
            DataType::List(_) => ("items", array.as_list::<i32>().iter().flatten().map(|l| l.len() as f64).collect()),
            t if t.is_numeric() => {
                let numbers = arrow::compute::cast(array, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>().iter().flatten().filter(|v| !v.is_nan());
                ("values", numbers.collect())
            }
            _ => ("", Vec::new()),
        };
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        Ok(Self {
            of,
            mean,
            minimum: values.iter().copied().reduce(f64::min),
            maximum: values.iter().copied().reduce(f64::max),
        })
    }
}

fn frame(made: PolarsResult<DataFrame>) -> Result<DataFrame> {
    made.map_err(|e| Error::internal(format!("polars: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::TokenRows;
    use crate::rows::tests::origin;

    #[test]
    fn tables_show_rows_and_columns() {
        let mut rows = TokenRows::new(300);
        rows.push(&[1, 2, 3, 4, 299], 7, &origin("train", "line 1"));
        rows.push(&[5], 1, &origin("train", "line 2"));
        let batch = rows.finish().unwrap();
        let table = rows_table(&batch).unwrap().to_string();
        assert!(table.contains("[1, 2, 3, 4, … 5]") && table.contains("line 2"), "{table}");
        let summary = summary_table(&batch).unwrap().to_string();
        assert!(summary.contains("list of uint16") && summary.contains("items"), "{summary}");
        let range = Range::of(batch.column_by_name("bytes").unwrap()).unwrap();
        assert_eq!((range.minimum, range.mean, range.maximum), (Some(1.0), Some(4.0), Some(7.0)));
    }
}
