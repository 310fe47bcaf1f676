//! What the footer of a Parquet file says of its columns and rows.

use std::ops::Range;

use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tessera_datasets::{Error, Result, ResultExt};

use super::super::columns::{Columns, find, list};
use crate::inputs::InputFile;

/// What is known of a file before its rows are read.
pub(super) struct Footer {
    /// The columns, by name.
    pub(super) image: String,
    pub(super) label: Option<String>,
    pub(super) caption: Option<String>,
    /// The names of a `ClassLabel`.
    pub(super) classes: Option<Vec<String>>,
    /// How large a row of the largest group is, on average.
    pub(super) row_bytes: u64,
    /// Rows and bytes of each row group.
    groups: Vec<(u64, u64)>,
}

impl Footer {
    pub(super) fn of(file: &InputFile, columns: &Columns) -> Result<Self> {
        let opened = fs_err::File::open(&file.path)?.into_parts().0;
        let builder = ParquetRecordBatchReaderBuilder::try_new(opened)
            .at(&file.path)
            .hint("the file is no Parquet file, or not whole: copy or download it again")?;
        let schema = builder.schema();
        let metadata = builder.metadata();
        let there: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let name = |names: &[String]| find(names, &there).map(|column| there[column].to_owned());
        let image = match name(&columns.image) {
            Some(image) => image,
            None => alone(schema).ok_or_else(|| {
                Error::input(format!("no column is called {}", list(&columns.image)))
                    .at(&file.path)
                    .hint(format!("the columns are {}; `image` names the one with the images", list(&there)))
            })?,
        };
        let label = name(&columns.label);
        // pyarrow writes it beside the Arrow schema, arrow-rs into it; here it is both
        let note = schema.metadata().get("huggingface");
        let features: Value = note.and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default();
        let classes = label.as_ref().and_then(|label| names_of(&features["info"]["features"][label]));
        let groups = metadata
            .row_groups()
            .iter()
            .map(|group| (group.num_rows().unsigned_abs(), group.total_byte_size().unsigned_abs()));
        let groups: Vec<(u64, u64)> = groups.collect();
        Ok(Self {
            row_bytes: groups.iter().map(|(rows, bytes)| bytes / rows.max(&1)).max().unwrap_or(1),
            caption: name(&columns.caption),
            image,
            label,
            classes,
            groups,
        })
    }

    /// Row groups that come to about so many bytes, and their bytes.
    pub(super) fn stretches(&self, part_bytes: u64) -> Vec<(Range<usize>, u64)> {
        let mut stretches: Vec<(Range<usize>, u64)> = Vec::new();
        for (i, (_, bytes)) in self.groups.iter().enumerate() {
            match stretches.last_mut() {
                Some((groups, sum)) if *sum + bytes <= part_bytes => {
                    groups.end = i + 1;
                    *sum += bytes;
                }
                _ => stretches.push((i..i + 1, *bytes)),
            }
        }
        stretches
    }

    /// How many rows stand before a row group.
    pub(super) fn rows_before(&self, group: usize) -> u64 {
        self.groups[..group].iter().map(|(rows, _)| rows).sum()
    }
}

/// The only column of a struct with bytes and a path.
fn alone(schema: &SchemaRef) -> Option<String> {
    let is_image = |data: &DataType| match data {
        DataType::Struct(fields) => ["bytes", "path"].iter().all(|name| fields.find(name).is_some()),
        _ => false,
    };
    let mut images = schema.fields().iter().filter(|field| is_image(field.data_type()));
    match (images.next(), images.next()) {
        (Some(image), None) => Some(image.name().clone()),
        _ => None,
    }
}

/// The names of a `ClassLabel`.
fn names_of(feature: &Value) -> Option<Vec<String>> {
    let names = feature["names"].as_array().filter(|_| feature["_type"] == "ClassLabel")?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}
