//! The columns of a batch, whatever Arrow type a writer has chosen for them.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use tessera_datasets::{Error, Result};

use super::super::sink::{Said, Shape};

/// A column of images.
pub(super) struct Images {
    bytes: BinaryArray,
    paths: Option<StringArray>,
}

impl Images {
    /// # Errors
    /// When the column holds something else.
    pub(super) fn of(batch: &RecordBatch, column: &str) -> Result<Self> {
        let array = batch.column_by_name(column).ok_or_else(|| Error::internal("a column that is not there"))?;
        let wrong = || {
            let found = array.data_type();
            Error::input(format!("the column `{column}` is of type {found}, not a struct of bytes and path"))
        };
        let (bytes, paths) = match array.as_struct_opt() {
            None => (array.clone(), None),
            Some(image) => {
                (image.column_by_name("bytes").ok_or_else(wrong)?.clone(), image.column_by_name("path").cloned())
            }
        };
        let bytes = cast(&bytes, &DataType::Binary).map_err(|_| wrong())?;
        let paths = paths.and_then(|paths| cast(&paths, &DataType::Utf8).ok());
        Ok(Self { bytes: bytes.as_binary().clone(), paths: paths.map(|paths| paths.as_string().clone()) })
    }

    /// The bytes of an image, where they are in the file.
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        self.bytes.is_valid(row).then(|| self.bytes.value(row))
    }

    /// Its path, where there is one.
    pub(super) fn path(&self, row: usize) -> Option<&str> {
        let paths = self.paths.as_ref().filter(|paths| paths.is_valid(row))?;
        Some(paths.value(row)).filter(|path| !path.is_empty())
    }
}

/// A column of labels or captions, as text.
pub(super) struct Texts<'n> {
    texts: Option<StringArray>,
    /// What numbers stand for.
    names: Option<&'n [String]>,
}

impl<'n> Texts<'n> {
    /// # Errors
    /// When the column holds something else.
    pub(super) fn of(batch: &RecordBatch, column: Option<&str>) -> Result<Self> {
        let texts = column.and_then(|column| batch.column_by_name(column)).map(|array: &ArrayRef| {
            let text = cast(array, &DataType::Utf8);
            let text = text.map_err(|_| {
                let (name, found) = (column.unwrap_or_default(), array.data_type());
                Error::input(format!("the column `{name}` is of type {found}, neither numbers nor strings"))
            })?;
            Ok::<_, Error>(text.as_string().clone())
        });
        Ok(Self { texts: texts.transpose()?, names: None })
    }

    /// With names for numbers.
    pub(super) fn named(mut self, names: Option<&'n [String]>) -> Self {
        self.names = names;
        self
    }

    /// The text of a row.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let texts = self.texts.as_ref().filter(|texts| texts.is_valid(row))?;
        Some(texts.value(row).trim()).filter(|text| !text.is_empty())
    }

    /// What a row says of its image. `datasets` writes -1 for a class that is not known.
    pub(super) fn said(&self, row: usize, shape: &Shape) -> Said<'_> {
        match (shape, self.get(row)) {
            (_, None) | (Shape::Images(_), Some("-1")) => Said::Nothing,
            (Shape::Captions, Some(text)) => Said::Caption(text),
            (Shape::Images(_), Some(text)) => {
                let named = |names: &'_ &'n [String]| names.get(text.parse::<usize>().ok()?).map(String::as_str);
                Said::Class(self.names.as_ref().and_then(named).unwrap_or(text))
            }
        }
    }
}

/// Writes the id of a row, its place, and a name for its image.
pub(super) fn write_place(id: &mut String, loc: &mut String, name: &mut String, file: &str, row: u64) -> Result<()> {
    [&mut *id, &mut *loc, &mut *name].into_iter().for_each(String::clear);
    let written =
        write!(id, "{file}:{row}").and_then(|()| write!(loc, "row {row}")).and_then(|()| write!(name, "{row}"));
    written.map_err(|e| Error::internal(e.to_string()))
}
