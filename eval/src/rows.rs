//! The columns of a batch of predictions, with errors that name who wanted what.

use arrow::array::{
    Array, BinaryArray, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, UInt32Array, UInt64Array,
};
use arrow::buffer::BooleanBuffer;
use tessera_datasets::{Error, Result};

use crate::predictions::Details;

/// A batch of rows as one reader sees it.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    batch: &'a RecordBatch,
    reader: &'a str,
    first: u64,
    details: Option<&'a Details>,
}

impl<'a> Rows<'a> {
    /// The rows of a batch. `reader` is who asks, such as ``metric `loss` ``; `first` is the
    /// number of rows before the batch.
    pub fn new(batch: &'a RecordBatch, reader: &'a str, first: u64) -> Self {
        Self { batch, reader, first, details: None }
    }

    /// The same rows for a reader who must know how they were made.
    #[must_use]
    pub fn with_details(self, details: &'a Details) -> Self {
        Self { details: Some(details), ..self }
    }

    /// How they were made.
    ///
    /// # Errors
    /// When they came without a word about it, which is a fault of the caller.
    pub fn details(&self) -> Result<&'a Details> {
        self.details.ok_or_else(|| Error::internal(format!("{} asks how the rows were made", self.reader)))
    }

    /// Rows in the batch.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column of `uint32`.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn u32s(&self, name: &str) -> Result<&'a [u32]> {
        Ok(self.column::<UInt32Array>(name, "uint32")?.values())
    }

    /// A column of `uint64`.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn u64s(&self, name: &str) -> Result<&'a [u64]> {
        Ok(self.column::<UInt64Array>(name, "uint64")?.values())
    }

    /// A column of `int64`.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn i64s(&self, name: &str) -> Result<&'a [i64]> {
        Ok(self.column::<Int64Array>(name, "int64")?.values())
    }

    /// A column of `float64`.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn f64s(&self, name: &str) -> Result<&'a [f64]> {
        Ok(self.column::<Float64Array>(name, "float64")?.values())
    }

    /// A column of strings.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn strings(&self, name: &str) -> Result<&'a StringArray> {
        self.column(name, "string")
    }

    /// A column of lists of `float32`, row by row.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn f32_lists(&self, name: &str) -> Result<Vec<&'a [f32]>> {
        let lists = self.column::<ListArray>(name, "list<float32>")?;
        let values = lists.values().as_any().downcast_ref::<Float32Array>();
        let values = values.ok_or_else(|| self.wrong_type(name, "list<float32>"))?.values();
        Ok(ranges(lists).map(|(from, to)| &values[from..to]).collect())
    }

    /// A column of lists of `float32` that all have one length, row by row.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn fixed_f32_lists(&self, name: &str) -> Result<Vec<&'a [f32]>> {
        let lists = self.column::<FixedSizeListArray>(name, "fixed_size_list<float32>")?;
        let values = lists.values().as_any().downcast_ref::<Float32Array>();
        let values = values.ok_or_else(|| self.wrong_type(name, "fixed_size_list<float32>"))?.values();
        let length = lists.value_length() as usize;
        Ok((0..lists.len()).map(|row| &values[row * length..(row + 1) * length]).collect())
    }

    /// A column of lists of truth values that all have one length, row by row.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn fixed_bool_lists(&self, name: &str) -> Result<Vec<BooleanBuffer>> {
        let lists = self.column::<FixedSizeListArray>(name, "fixed_size_list<bool>")?;
        let values = lists.values().as_any().downcast_ref::<BooleanArray>();
        let values = values.ok_or_else(|| self.wrong_type(name, "fixed_size_list<bool>"))?.values();
        let length = lists.value_length() as usize;
        Ok((0..lists.len()).map(|row| values.slice(row * length, length)).collect())
    }

    /// The encoded bytes of a column of images, row by row; none where a row has no image.
    ///
    /// # Errors
    /// When it is absent or of another type.
    pub fn images(&self, name: &str) -> Result<Vec<Option<&'a [u8]>>> {
        let images = self.typed::<StructArray>(name, "struct<bytes: binary, path: string>")?;
        let bytes = images.column_by_name("bytes").and_then(|bytes| bytes.as_any().downcast_ref::<BinaryArray>());
        let bytes = bytes.ok_or_else(|| self.wrong_type(name, "struct<bytes: binary, path: string>"))?;
        let image = |row: usize| (images.is_valid(row) && bytes.is_valid(row)).then(|| bytes.value(row));
        Ok((0..images.len()).map(image).collect())
    }

    /// A column of lists of `uint32`, row by row.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn u32_lists(&self, name: &str) -> Result<Vec<&'a [u32]>> {
        let lists = self.column::<ListArray>(name, "list<uint32>")?;
        let values = lists.values().as_any().downcast_ref::<UInt32Array>();
        let values = values.ok_or_else(|| self.wrong_type(name, "list<uint32>"))?.values();
        Ok(ranges(lists).map(|(from, to)| &values[from..to]).collect())
    }

    /// A column of lists of strings, row by row.
    ///
    /// # Errors
    /// When it is absent, of another type, or has nulls.
    pub fn string_lists(&self, name: &str) -> Result<Vec<Vec<&'a str>>> {
        let lists = self.column::<ListArray>(name, "list<string>")?;
        let values = lists.values().as_any().downcast_ref::<StringArray>();
        let values = values.ok_or_else(|| self.wrong_type(name, "list<string>"))?;
        Ok(ranges(lists).map(|(from, to)| (from..to).map(|i| values.value(i)).collect()).collect())
    }

    /// An error about row `index` of this batch, counted from 0.
    pub fn error(&self, index: usize, message: impl Into<String>) -> Error {
        Error::input(message).row(self.first + index as u64 + 1)
    }

    /// A column without nulls.
    fn column<T: Array + 'static>(&self, name: &str, wanted: &str) -> Result<&'a T> {
        let typed = self.typed::<T>(name, wanted)?;
        match (0..typed.len()).find(|i| typed.is_null(*i)) {
            Some(row) => Err(self.error(row, format!("no value in column `{name}`, which {} reads", self.reader))),
            None => Ok(typed),
        }
    }

    fn typed<T: Array + 'static>(&self, name: &str, wanted: &str) -> Result<&'a T> {
        let column = self.batch.column_by_name(name).ok_or_else(|| {
            let schema = self.batch.schema_ref();
            let there: Vec<String> = schema.fields().iter().map(|f| format!("`{}`", f.name())).collect();
            Error::input(format!("{} reads column `{name}`, which is not there", self.reader))
                .hint(format!("columns: {}", there.join(", ")))
        })?;
        column.as_any().downcast_ref::<T>().ok_or_else(|| self.wrong_type(name, wanted))
    }

    fn wrong_type(&self, name: &str, wanted: &str) -> Error {
        let found = self.batch.column_by_name(name).map(|c| c.data_type().to_string()).unwrap_or_default();
        Error::input(format!("{} reads column `{name}` as {wanted}, but it is {found}", self.reader))
    }
}

fn ranges(lists: &ListArray) -> impl Iterator<Item = (usize, usize)> + '_ {
    lists.value_offsets().windows(2).map(|pair| (pair[0] as usize, pair[1] as usize))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn says_who_wanted_which_column() {
        let column: Arc<dyn Array> = Arc::new(UInt32Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("tokens", column)]).unwrap();
        let rows = Rows::new(&batch, "metric `loss`", 0);
        assert_eq!(rows.u32s("tokens").unwrap(), [1, 2]);
        let error = rows.f64s("nll").unwrap_err();
        assert_eq!(error.message(), "metric `loss` reads column `nll`, which is not there");
        assert_eq!(error.hint_text(), Some("columns: `tokens`"));
        let error = rows.f64s("tokens").unwrap_err();
        assert_eq!(error.message(), "metric `loss` reads column `tokens` as float64, but it is UInt32");
    }

    #[test]
    fn a_null_is_an_error_with_its_row() {
        let column: Arc<dyn Array> = Arc::new(UInt32Array::from(vec![Some(1), None]));
        let batch = RecordBatch::try_from_iter([("tokens", column)]).unwrap();
        let error = Rows::new(&batch, "metric `loss`", 10).u32s("tokens").unwrap_err();
        assert!(error.to_string().starts_with("row 12: no value"), "{error}");
    }
}
