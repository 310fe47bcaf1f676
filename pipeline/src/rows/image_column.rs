//! The column `image` of rows of kind `image` and `caption`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::Int64Type;
use tessera_datasets::schema::{Kind, RecordSchema, image_fields};
use tessera_datasets::{Error, Result};

use crate::stage::needs_kind;

/// Refuses rows without an image.
///
/// # Errors
/// When they have none.
pub fn needs_images(kind: Kind) -> Result<Kind> {
    match kind {
        Kind::Image | Kind::Caption => Ok(kind),
        other => Err(needs_kind(&[Kind::Image, Kind::Caption], other)),
    }
}

/// The names of the classes, where rows have one.
pub fn classes_of(schema: &RecordSchema) -> Vec<String> {
    let names = schema.features().get("label").and_then(|feature| feature["names"].as_array());
    names.into_iter().flatten().filter_map(|name| name.as_str()).map(str::to_owned).collect()
}

/// The images of a batch, with what rows of their kind have beside them.
#[derive(Clone, Copy)]
pub struct ImageColumn<'a> {
    encoded: &'a BinaryArray,
    names: &'a StringArray,
    labels: Option<&'a Int64Array>,
    captions: Option<&'a StringArray>,
}

impl<'a> ImageColumn<'a> {
    /// The columns of a batch.
    ///
    /// # Errors
    /// When there are no images, which is a fault of the stage before.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let column = batch.column_by_name("image").and_then(|c| c.as_struct_opt());
        let encoded = column.and_then(|c| c.column_by_name("bytes")).and_then(|c| c.as_binary_opt());
        let names = column.and_then(|c| c.column_by_name("path")).and_then(|c| c.as_string_opt());
        let (Some(encoded), Some(names)) = (encoded, names) else {
            return Err(Error::internal("no column `image` of encoded images"));
        };
        let labels = batch.column_by_name("label").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let captions = batch.column_by_name("caption").and_then(|c| c.as_string_opt());
        Ok(Self { encoded, names, labels, captions })
    }

    /// The encoded image of a row.
    pub fn encoded(&self, row: usize) -> &'a [u8] {
        self.encoded.value(row)
    }

    /// The name that it has, or would have, as a file.
    pub fn name(&self, row: usize) -> &'a str {
        self.names.value(row)
    }

    /// Its class, where it is known.
    pub fn label(&self, row: usize) -> Option<usize> {
        self.labels.and_then(|labels| usize::try_from(labels.value(row)).ok())
    }

    /// The sentence about it, where there is one.
    pub fn caption(&self, row: usize) -> Option<&'a str> {
        self.captions.map(|captions| captions.value(row))
    }
}

/// Puts other encoded images into a batch, one for each row, with their names and hashes.
///
/// # Errors
/// When there is not one for each row.
pub fn with_images(
    batch: &RecordBatch,
    encoded: BinaryArray,
    names: StringArray,
    hashes: StringArray,
) -> Result<RecordBatch> {
    let arrays: Vec<ArrayRef> = vec![Arc::new(encoded), Arc::new(names)];
    let images = Arc::new(StructArray::try_new(image_fields(), arrays, None)?) as ArrayRef;
    let hashes = Arc::new(hashes) as ArrayRef;
    let schema = batch.schema();
    let column = |(field, column): (&Arc<arrow::datatypes::Field>, &ArrayRef)| match field.name().as_str() {
        "image" => Arc::clone(&images),
        "content_hash" => Arc::clone(&hashes),
        _ => Arc::clone(column),
    };
    let columns = schema.fields().iter().zip(batch.columns()).map(column).collect();
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
}
