//! The encoded bytes of a split: in memory where they fit, else a row group at a time.

use std::collections::VecDeque;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::record_batch::RecordBatch;
use tessera_datasets::shard::{Dataset, RowGroup};
use tessera_datasets::{Error, Result};

/// Encoded images one after the other.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Block {
    pub(super) fn with_capacity(bytes: usize, rows: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(rows) }
    }

    /// Appends the `image` column of some rows; says which of them has no bytes.
    pub(super) fn append(&mut self, rows: &RecordBatch) -> Result<(), usize> {
        let images = rows.column_by_name("image").and_then(|column| column.as_struct_opt());
        let bytes = images.and_then(|images| images.column_by_name("bytes")?.as_any().downcast_ref::<BinaryArray>());
        let (Some(images), Some(bytes)) = (images, bytes) else {
            return Err(self.ends.len());
        };
        for row in 0..rows.num_rows() {
            if images.is_null(row) || bytes.is_null(row) {
                return Err(self.ends.len());
            }
            self.bytes.extend_from_slice(bytes.value(row));
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }

    fn range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }
}

/// The bytes of one encoded image, as they stand in the shard.
pub struct Encoded<'a>(Bytes<'a>);

enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Held(Arc<Block>, Range<usize>),
}

impl Deref for Encoded<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Held(block, range) => &block.bytes[range.clone()],
        }
    }
}

/// Where the bytes of a split are.
pub(super) enum Store {
    Memory(Block),
    Files(Box<Files>),
}

/// The row groups of a split, and those that were read last.
pub(super) struct Files {
    dataset: Dataset,
    split: String,
    groups: Vec<RowGroup>,
    /// The first row of each group, and the number of all rows.
    starts: Vec<usize>,
    /// What the blocks in `read` may hold together, in bytes.
    budget: u64,
    read: Mutex<VecDeque<(usize, Arc<Block>)>>,
}

impl Store {
    /// The bytes of a row.
    pub(super) fn get(&self, row: usize) -> Result<Encoded<'_>> {
        match self {
            Store::Memory(block) => Ok(Encoded(Bytes::Borrowed(&block.bytes[block.range(row)]))),
            Store::Files(files) => {
                let group = files.starts.partition_point(|start| *start <= row) - 1;
                let block = files.block(group)?;
                let range = block.range(row - files.starts[group]);
                Ok(Encoded(Bytes::Held(block, range)))
            }
        }
    }

    /// The rows that are read together, and how many such blocks may be in use at a time.
    pub(super) fn blocks(&self, rows: usize) -> (Vec<Range<usize>>, usize) {
        match self {
            Store::Memory(_) => (std::iter::once(0..rows).collect(), 1),
            Store::Files(files) => {
                let largest = files.groups.iter().map(|group| group.bytes).max().unwrap_or(1).max(1);
                // a batch may reach from one window of blocks into the next
                let together = (files.budget / 2 / largest).max(1);
                let ranges = files.starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
                (ranges, usize::try_from(together).unwrap_or(usize::MAX))
            }
        }
    }
}

impl Files {
    pub(super) fn new(dataset: &Dataset, split: &str, budget: u64) -> Result<Self> {
        let groups = dataset.row_groups(split)?;
        let mut starts = vec![0];
        for group in &groups {
            starts.push(starts[starts.len() - 1] + group.rows);
        }
        let (dataset, split) = (dataset.clone(), split.to_owned());
        Ok(Self { dataset, split, groups, starts, budget, read: Mutex::default() })
    }

    fn block(&self, group: usize) -> Result<Arc<Block>> {
        // one thread reads while the others wait: they would want the same block
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = read.iter().position(|(number, _)| *number == group) {
            let found = read.remove(at).expect("the place was found just now");
            let block = found.1.clone();
            read.push_back(found);
            return Ok(block);
        }
        let wanted = &self.groups[group];
        let held =
            |read: &VecDeque<(usize, Arc<Block>)>| -> u64 { read.iter().map(|(_, b)| b.bytes.len() as u64).sum() };
        while held(&read) + wanted.bytes > self.budget && read.pop_front().is_some() {}
        let mut block = Block::with_capacity(usize::try_from(wanted.bytes).unwrap_or(0), wanted.rows);
        for rows in self.dataset.read_row_group(&self.split, wanted, &["image"])? {
            let without = block.append(&rows?);
            without.map_err(|row| no_bytes(&self.dataset, self.starts[group] + row))?;
        }
        let block = Arc::new(block);
        read.push_back((group, block.clone()));
        Ok(block)
    }
}

/// The error for a row whose image is null.
pub(super) fn no_bytes(dataset: &Dataset, row: usize) -> Error {
    Error::input("a row without the bytes of an image").at(dataset.dir()).row(row as u64 + 1)
}
