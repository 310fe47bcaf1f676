//! Parquet files with a column of images, as `datasets` writes them.
//!
//! The image is a struct of `bytes` and `path`, or the bytes alone. A label is a number with the
//! names of a `ClassLabel`, a number without, or a string. The split is what the name of the file
//! begins with (`train-00000-of-00002.parquet`), or a folder above it.

mod footer;
mod values;

use std::collections::BTreeSet;
use std::ops::Range;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use tessera_datasets::{Error, Result, ResultExt};

use super::classes::Classes;
use super::columns::{Columns, list};
use super::config::Record;
use super::names::{Place, base_name, ending, split_named};
use super::sink::{Picture, Shape, Sink};
use super::{Opened, Pictures, ReadImages, Skipped};
use crate::inputs::{Found, InputFile};
use crate::parallel;
use crate::stage::{BATCH_BYTES, Part};
use footer::Footer;
use values::{Images, Texts};

/// Whether a file is a Parquet file by its name.
pub(super) fn is_parquet(name: &str) -> bool {
    ending(name) == "parquet"
}

pub(super) fn open(stage: &ReadImages, found: Found) -> Result<Opened> {
    let mut skipped = Skipped::default();
    found.skipped.iter().for_each(|name| skipped.add(name));
    let files = found.files;
    let columns = Columns::of(&stage.config);
    let footers = parallel::each(files.len(), |i| Footer::of(&files[i], &columns))?;
    let shape = shape_of(stage, &files, &footers, &columns)?;
    let (mut parts, mut items) = (Vec::new(), Vec::new());
    for (number, (file, footer)) in files.iter().zip(&footers).enumerate() {
        for (groups, bytes) in footer.stretches(stage.config.part_bytes) {
            parts.push(Part { label: file.name.clone(), size: bytes });
            items.push(Item { file: number, groups });
        }
    }
    Ok(Opened { pictures: Box::new(Tables { files, footers, parts, items }), shape, skipped })
}

fn shape_of(stage: &ReadImages, files: &[InputFile], footers: &[Footer], columns: &Columns) -> Result<Shape> {
    // the first file without such a column
    let lacks = |has: fn(&Footer) -> bool| footers.iter().position(|footer| !has(footer)).map(|i| &files[i]);
    let missing = |file: &InputFile, key: &str, names: &[String]| {
        Error::input(format!("no column is called {}", list(names)))
            .at(&file.path)
            .hint(format!("`{key}` names another column"))
    };
    if stage.config.record == Record::Caption {
        return match lacks(|footer| footer.caption.is_some()) {
            None => Ok(Shape::Captions),
            Some(file) => Err(missing(file, "caption", &columns.caption)),
        };
    }
    if stage.config.labels == Some(false) {
        return Ok(Shape::Images(None));
    }
    match (lacks(|footer| footer.label.is_some()), &stage.listed) {
        (Some(file), listed) if listed.is_some() || stage.config.labels == Some(true) => {
            Err(missing(file, "label", &columns.label))
        }
        (Some(file), _) if footers.iter().any(|footer| footer.label.is_some()) => {
            Err(missing(file, "label", &columns.label).hint("other files have one; `labels = false` reads none"))
        }
        (Some(_), _) => Ok(Shape::Images(None)),
        (None, Some(listed)) => Ok(Shape::Images(Some(listed.clone()))),
        (None, None) => Ok(Shape::Images(Some(classes_of(files, footers)?))),
    }
}

/// The names of the `ClassLabel`, which must be the same in all files, or else all labels.
fn classes_of(files: &[InputFile], footers: &[Footer]) -> Result<Classes> {
    if let Some(other) = footers.iter().position(|footer| footer.classes != footers[0].classes) {
        let message = format!("the classes are not those of `{}`", files[0].name);
        return Err(Error::input(message)
            .at(&files[other].path)
            .hint("list the classes of both as `classes`, in the order of their labels"));
    }
    if let Some(names) = &footers[0].classes {
        return Classes::listed(names.clone());
    }
    let found = parallel::each(files.len(), |i| {
        let mut found = BTreeSet::new();
        let (file, footer) = (&files[i], &footers[i]);
        let rows = 1 << 16;
        for batch in footer.read(file, &[footer.label.as_deref()], None, rows)? {
            let batch = batch.map_err(|e| Error::input(format!("unreadable rows: {e}")).at(&file.path))?;
            let labels = Texts::of(&batch, footer.label.as_deref())?;
            for label in (0..batch.num_rows()).filter_map(|row| labels.get(row)) {
                if !found.contains(label) {
                    found.insert(label.to_owned());
                }
            }
        }
        Ok(found)
    })?;
    Classes::of_labels(found.into_iter().flatten().collect())
}

impl Footer {
    /// Reads some columns of some row groups (all where none are said).
    fn read(
        &self,
        file: &InputFile,
        columns: &[Option<&str>],
        groups: Option<Range<usize>>,
        rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let opened = fs_err::File::open(&file.path)?;
        if opened.metadata()?.len() != file.bytes {
            return Err(Error::input("the file was changed while the pipeline ran").at(&file.path));
        }
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(opened.into_parts().0).at(&file.path)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied().flatten());
        builder = builder.with_projection(mask).with_batch_size(rows);
        if let Some(groups) = groups {
            builder = builder.with_row_groups(groups.collect());
        }
        builder.build().at(&file.path)
    }
}

/// Row groups of a file.
struct Item {
    file: usize,
    groups: Range<usize>,
}

struct Tables {
    files: Vec<InputFile>,
    footers: Vec<Footer>,
    parts: Vec<Part>,
    /// One for each part.
    items: Vec<Item>,
}

impl Pictures for Tables {
    fn inputs(&self) -> &[InputFile] {
        &self.files
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        let item = self.items.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let (file, footer) = (&self.files[item.file], &self.footers[item.file]);
        let said = match sink.shape() {
            Shape::Images(None) => None,
            Shape::Images(Some(_)) => footer.label.as_deref(),
            Shape::Captions => footer.caption.as_deref(),
        };
        let rows = (BATCH_BYTES as u64 / footer.row_bytes.max(1)).clamp(1, 1024) as usize;
        let reader = footer.read(file, &[Some(&footer.image), said], Some(item.groups.clone()), rows)?;
        let mut number = footer.rows_before(item.groups.start);
        let (mut id, mut loc, mut name) = (String::new(), String::new(), String::new());
        for batch in reader {
            let batch =
                batch.map_err(|e| Error::input(format!("unreadable rows: {e}")).at(&file.path).row(number + 1))?;
            let images = Images::of(&batch, &footer.image)?;
            let texts = Texts::of(&batch, said)?.named(footer.classes.as_deref());
            for row in 0..batch.num_rows() {
                number += 1;
                values::write_place(&mut id, &mut loc, &mut name, &file.name, number)?;
                let Some(bytes) = images.bytes(row) else {
                    sink.reject("no bytes of an image", &file.name, &loc, images.path(row).unwrap_or_default());
                    continue;
                };
                sink.push(&Picture {
                    file,
                    bytes,
                    id: &id,
                    src: &file.name,
                    loc: &loc,
                    name: images.path(row).map_or(&name, base_name),
                    split: split_of(&file.name),
                    said: texts.said(row, sink.shape()),
                })?;
            }
        }
        advance(self.parts[part].size);
        Ok(())
    }
}

/// The split of a file, by the first word of its name or a folder.
fn split_of(name: &str) -> Option<&'static str> {
    let word = base_name(name).split(['-', '.', '_']).next();
    word.and_then(split_named).or(Place::of(name).split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_is_in_the_name() {
        assert_eq!(split_of("data/train-00000-of-00002.parquet"), Some("train"));
        assert_eq!(split_of("validation/0000.parquet"), Some("validation"));
        assert_eq!(split_of("test.parquet"), Some("test"));
        assert_eq!(split_of("trainer-0.parquet"), None);
    }
}
