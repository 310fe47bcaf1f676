//! A split of an image dataset.

use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use serde_json::Value;
use tessera_datasets::image::{self, Limits, Rgb};
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::blocks::{Block, Encoded, Files, Store, no_bytes};
use crate::order::Order;

/// A split whose shards are larger than this is read a row group at a time.
const MEMORY: u64 = 2 << 30;

/// The names of the classes in the order of their numbers.
///
/// # Errors
/// When the dataset is none of images with classes.
pub fn class_names(dataset: &Dataset) -> Result<Vec<String>> {
    let manifest = dataset.manifest();
    if manifest.kind != Kind::Image {
        let message = format!("a dataset of kind `{}`, but `{}` is needed", manifest.kind, Kind::Image);
        return Err(Error::input(message).at(dataset.dir()));
    }
    let names = manifest.details.get("classes").and_then(Value::as_array);
    let names: Option<Vec<String>> =
        names.and_then(|names| names.iter().map(|n| n.as_str().map(String::from)).collect());
    match names.filter(|names| !names.is_empty()) {
        Some(names) => Ok(names),
        None => Err(Error::input("images without classes: the manifest has no `classes`")
            .at(dataset.dir())
            .hint("make the dataset from folders or from a list with labels")),
    }
}

/// The rows of a split: encoded images, labels and ids.
///
/// The images stay encoded. They are held in memory where the shards of the split have at most
/// 2 GiB, and are read a row group at a time where they have more.
pub struct ImageData {
    place: PathBuf,
    split: String,
    classes: Vec<String>,
    labels: Vec<i64>,
    ids: Ids,
    store: Store,
}

/// Many short texts in one.
#[derive(Default)]
struct Ids {
    text: String,
    ends: Vec<usize>,
}

impl ImageData {
    /// Opens a split.
    ///
    /// # Errors
    /// When the dataset is none of images with classes, there is no such split, a row has no
    /// image, or a label is of no class.
    pub fn open(dataset: &Dataset, split: &str) -> Result<Self> {
        Self::open_within(dataset, split, MEMORY)
    }

    /// As [`ImageData::open`], with so many bytes of encoded images in memory.
    ///
    /// # Errors
    /// As [`ImageData::open`].
    pub fn open_within(dataset: &Dataset, split: &str, memory: u64) -> Result<Self> {
        let classes = class_names(dataset)?;
        let bytes: u64 = dataset.shards(split)?.iter().map(|shard| shard.bytes).sum();
        let rows: u64 = dataset.shards(split)?.iter().map(|shard| shard.rows).sum();
        let fits = bytes <= memory;
        let capacity = if fits { usize::try_from(bytes).unwrap_or(0) } else { 0 };
        let mut block = Block::with_capacity(capacity, usize::try_from(rows).unwrap_or(0));
        let (mut labels, mut ids) = (Vec::new(), Ids::default());
        let columns: &[&str] = if fits { &["image", "label", "id"] } else { &["label", "id"] };
        for batch in dataset.batches(split, columns)? {
            let batch = batch?;
            read_labels(&batch, &mut labels);
            ids.read(&batch);
            if fits {
                block.append(&batch).map_err(|row| no_bytes(dataset, row))?;
            }
        }
        let known = -1..classes.len() as i64;
        if let Some(row) = labels.iter().position(|label| !known.contains(label)) {
            let message = format!("label {} with {} classes", labels[row], classes.len());
            return Err(Error::input(message).at(dataset.dir()).row(row as u64 + 1));
        }
        let store = match fits {
            true => Store::Memory(block),
            false => Store::Files(Box::new(Files::new(dataset, split, memory)?)),
        };
        Ok(Self { place: dataset.dir().to_path_buf(), split: split.to_owned(), classes, labels, ids, store })
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The class of a row; -1 where it is not known.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn label(&self, row: usize) -> i64 {
        self.labels[row]
    }

    /// The id of a row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn id(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ids.ends[row - 1] };
        &self.ids.text[start..self.ids.ends[row]]
    }

    /// The bytes of a row's image, as they stand in the shard.
    ///
    /// # Errors
    /// When the shard cannot be read.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn encoded(&self, row: usize) -> Result<Encoded<'_>> {
        self.store.get(row)
    }

    /// The pixels of a row's image.
    ///
    /// # Errors
    /// When the shard cannot be read, or the bytes are no image.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn decoded(&self, row: usize) -> Result<Rgb> {
        let bytes = self.encoded(row)?;
        image::decode(&bytes, &Limits::default()).map_err(|refusal| {
            let message = format!("image `{}` of split `{}`: {refusal}", self.id(row), self.split);
            Error::input(message).at(&self.place).row(row as u64 + 1).hint(
                "its header is sound, its pixels are not: `filter-images` with `decode = true` leaves such images out",
            )
        })
    }

    /// The order of the rows that have a label.
    pub(super) fn order(&self, repeats: usize, seed: u64) -> Order {
        let (ranges, together) = self.store.blocks(self.len());
        let labelled = |range: std::ops::Range<usize>| range.filter(|row| self.labels[*row] >= 0);
        let number = |row: usize| u32::try_from(row).expect("a split has fewer than 2^32 images");
        let blocks = ranges.into_iter().map(|range| labelled(range).map(number).collect()).collect();
        Order::new(blocks, together, repeats, "images", seed)
    }
}

fn read_labels(batch: &RecordBatch, labels: &mut Vec<i64>) {
    let column = batch.column_by_name("label").and_then(|column| column.as_primitive_opt::<Int64Type>());
    match column {
        Some(column) => labels.extend(column.iter().map(|label| label.unwrap_or(-1))),
        None => labels.extend(std::iter::repeat_n(-1, batch.num_rows())),
    }
}

impl Ids {
    fn read(&mut self, batch: &RecordBatch) {
        let column = batch.column_by_name("id").and_then(|column| column.as_string_opt::<i32>());
        for row in 0..batch.num_rows() {
            if let Some(column) = column.filter(|column| column.is_valid(row)) {
                self.text.push_str(column.value(row));
            }
            self.ends.push(self.text.len());
        }
    }
}
