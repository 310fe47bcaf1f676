//! Rows on their way through a pipeline.
//!
//! A batch has the columns of its record kind with a `split` column in front: `split`, then the
//! content (`text`, `input_ids`, …), then the provenance. The split column is only for the way: in
//! a published dataset each split has its own shards.

mod image_column;
mod images;
mod pose;
mod pose_windows;
mod recording;
mod text;
mod tokens;
mod translation;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tessera_datasets::hash::sha256;
use tessera_datasets::schema::{PROVENANCE, RecordSchema};
use tessera_datasets::{Error, Result};

pub use image_column::{ImageColumn, classes_of, needs_images, with_images};
pub use images::{CaptionRows, ImageRows};
pub use pose::{Pose, PoseColumns, PoseRows, with_keypoints};
pub use pose_windows::{WindowPoints, WindowRows};
pub use recording::{Gather, Recording};
pub use text::TextRows;
pub use tokens::{TokenColumn, TokenRows};
pub use translation::{TranslationColumns, TranslationRows, languages_of, no_language};

/// The name of the leading column.
pub const SPLIT: &str = "split";

/// The split of rows that no stage has divided.
pub const TRAIN: &str = "train";

/// The columns of rows on their way.
pub fn travelling(schema: &RecordSchema) -> SchemaRef {
    let split = Arc::new(Field::new(SPLIT, DataType::Utf8, false));
    let fields: Vec<_> = std::iter::once(split).chain(schema.fields().iter().cloned()).collect();
    Arc::new(Schema::new(fields))
}

/// The first 16 hex digits of the SHA-256 of a row's content.
pub fn content_hash(content: &[u8]) -> String {
    let mut hash = sha256(content);
    hash.truncate(16);
    hash
}

/// A column of strings.
///
/// # Errors
/// When the batch has none of that name, which is a fault of the stage before.
pub fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    column.ok_or_else(|| Error::internal(format!("no column `{name}` of strings")))
}

/// Which split a row belongs to and where it comes from: see [`PROVENANCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The split.
    pub split: &'a str,
    /// Unique within the dataset.
    pub id: &'a str,
    /// The card's name, or the dataset's where there is no card.
    pub source: &'a str,
    /// The file, relative to the folder of the source.
    pub src: &'a str,
    /// The place in the file.
    pub loc: &'a str,
    /// The licence.
    pub license: &'a str,
    /// Rows with one key are never separated.
    pub split_key: &'a str,
    /// The hash of the content, see [`content_hash`].
    pub content_hash: &'a str,
}

/// How many columns an [`Origin`] takes.
const COLUMNS: usize = 1 + PROVENANCE.len();

impl<'a> Origin<'a> {
    /// The values in the order of the columns: the split, then [`PROVENANCE`].
    fn values(&self) -> [&'a str; COLUMNS] {
        let Self { split, id, source, src, loc, license, split_key, content_hash } = *self;
        [split, id, source, src, loc, license, split_key, content_hash]
    }
}

/// The origins of the rows of a batch.
pub struct Origins<'a>([&'a StringArray; COLUMNS]);

impl<'a> Origins<'a> {
    /// The origin columns of a batch.
    ///
    /// # Errors
    /// When the batch has not all of them, which is a fault of the stage before.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let mut columns = [strings(batch, SPLIT)?; COLUMNS];
        for (slot, name) in columns[1..].iter_mut().zip(PROVENANCE) {
            *slot = strings(batch, name)?;
        }
        Ok(Self(columns))
    }

    /// The origin of one row.
    pub fn get(&self, row: usize) -> Origin<'a> {
        let [split, id, source, src, loc, license, split_key, content_hash] = self.0.map(|column| column.value(row));
        Origin { split, id, source, src, loc, license, split_key, content_hash }
    }
}

/// Builds the origin columns of a batch.
#[derive(Default)]
pub struct OriginBuilder {
    columns: [StringBuilder; COLUMNS],
    rows: usize,
}

impl OriginBuilder {
    /// Adds a row.
    pub fn push(&mut self, origin: &Origin<'_>) {
        for (column, value) in self.columns.iter_mut().zip(origin.values()) {
            column.append_value(value);
        }
        self.rows += 1;
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Puts the columns around those of the content and starts anew.
    ///
    /// # Errors
    /// When the content has another number of rows or other columns than the schema.
    pub fn finish(&mut self, schema: &RecordSchema, content: Vec<ArrayRef>) -> Result<RecordBatch> {
        self.rows = 0;
        let mut origin = self.columns.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef);
        let columns = origin.next().into_iter().chain(content).chain(origin).collect();
        Ok(RecordBatch::try_new(travelling(schema), columns)?)
    }
}

/// Splits a batch into one batch for each split, in alphabetical order, without the split column.
///
/// # Errors
/// When the split column is missing.
pub fn by_split(batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>> {
    let splits = strings(batch, SPLIT)?;
    let mut names: Vec<&str> = splits.iter().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let content: Vec<usize> = (1..batch.num_columns()).collect();
    let content = batch.project(&content)?;
    if let [name] = names[..] {
        return Ok(vec![(name.to_owned(), content)]);
    }
    let select = |name: &str| {
        let mask = splits.iter().map(|s| Some(s == Some(name))).collect();
        let rows = arrow::compute::filter_record_batch(&content, &mask)?;
        Ok((name.to_owned(), rows))
    };
    names.into_iter().map(select).collect()
}

/// Puts the split column in front of rows that were read from the shards of one split.
///
/// # Errors
/// When the rows have other columns than the schema.
pub fn with_split(split: &str, rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let splits = StringArray::from_iter_values(std::iter::repeat_n(split, rows.num_rows()));
    let columns = std::iter::once(Arc::new(splits) as ArrayRef).chain(rows.columns().iter().cloned());
    Ok(RecordBatch::try_new(schema.clone(), columns.collect())?)
}

/// Replaces the split column.
///
/// # Errors
/// When there is not one name for each row.
pub fn set_splits(batch: &RecordBatch, splits: StringArray) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(splits);
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// The rows of a batch that are kept; nothing where none is.
///
/// # Errors
/// When there is not one answer for each row.
pub fn only_kept(batch: RecordBatch, kept: &BooleanArray) -> Result<Option<RecordBatch>> {
    match kept.true_count() {
        0 => Ok(None),
        n if n == batch.num_rows() => Ok(Some(batch)),
        _ => Ok(Some(arrow::compute::filter_record_batch(&batch, kept)?)),
    }
}

/// Whether so many bytes and rows are a batch: see [`BATCH_BYTES`](crate::stage::BATCH_BYTES).
pub(crate) fn is_full(bytes: usize, rows: usize) -> bool {
    bytes >= crate::stage::BATCH_BYTES || rows >= 8192
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An origin for tests; the id is the row's number.
    pub(crate) fn origin<'a>(split: &'a str, id: &'a str) -> Origin<'a> {
        Origin {
            split,
            id,
            source: "test",
            src: "a.txt",
            loc: id,
            license: "CC0-1.0",
            split_key: id,
            content_hash: "0",
        }
    }

    #[test]
    fn rows_of_each_split_keep_their_order() {
        let mut rows = TextRows::default();
        for (split, id) in [("train", "1"), ("test", "2"), ("train", "3")] {
            rows.push(&format!("text {id}"), &origin(split, id));
        }
        let batch = rows.finish().unwrap();
        let parts = by_split(&batch).unwrap();
        let ids: Vec<(String, Vec<&str>)> = parts
            .iter()
            .map(|(split, rows)| (split.clone(), strings(rows, "id").unwrap().iter().flatten().collect()))
            .collect();
        assert_eq!(ids, [("test".to_owned(), vec!["2"]), ("train".to_owned(), vec!["1", "3"])]);

        let back = with_split("test", &parts[0].1, &batch.schema()).unwrap();
        assert_eq!(Origins::of(&back).unwrap().get(0), origin("test", "2"));
    }
}
