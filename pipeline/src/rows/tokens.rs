//! Rows of kind `tokens`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray, RecordBatch, UInt32Builder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, UInt16Type, UInt32Type};
use tessera_datasets::schema::{RecordSchema, token_type, tokens};
use tessera_datasets::{Error, Result};

use super::{Origin, OriginBuilder, content_hash, is_full};

/// Builds batches of token ids.
pub struct TokenRows {
    schema: RecordSchema,
    item: DataType,
    ids: Vec<u32>,
    lengths: Vec<usize>,
    bytes: UInt32Builder,
    origins: OriginBuilder,
}

impl TokenRows {
    /// Rows of ids below `vocabulary`.
    pub fn new(vocabulary: usize) -> Self {
        Self {
            schema: tokens(vocabulary),
            item: token_type(vocabulary),
            ids: Vec::new(),
            lengths: Vec::new(),
            bytes: UInt32Builder::new(),
            origins: OriginBuilder::default(),
        }
    }

    /// Adds a row of ids that stand for `bytes` bytes of text. Its content hash is that of the ids
    /// as little-endian 32-bit numbers, whatever the origin says.
    pub fn push(&mut self, ids: &[u32], bytes: u32, origin: &Origin<'_>) {
        self.ids.extend_from_slice(ids);
        self.lengths.push(ids.len());
        self.bytes.append_value(bytes);
        let content: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let content_hash = &content_hash(&content);
        self.origins.push(&Origin { content_hash, ..*origin });
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(4 * self.ids.len(), self.origins.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows as a batch; starts anew.
    ///
    /// # Errors
    /// When an id does not fit its type, or a batch has 2^31 ids.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let ids = std::mem::take(&mut self.ids);
        if i32::try_from(ids.len()).is_err() {
            return Err(Error::input("a document of more than 2^31 tokens").hint("read it by line or paragraph"));
        }
        let values: ArrayRef = match self.item {
            DataType::UInt16 => {
                let narrow = ids.iter().map(|id| u16::try_from(*id)).collect::<Result<Vec<u16>, _>>();
                let narrow = narrow.map_err(|_| Error::internal("a token id past the vocabulary"))?;
                Arc::new(PrimitiveArray::<UInt16Type>::from(narrow))
            }
            _ => Arc::new(PrimitiveArray::<UInt32Type>::from(ids)),
        };
        let offsets = OffsetBuffer::from_lengths(self.lengths.drain(..));
        let column = self.schema.fields().iter().find(|f| f.name() == "input_ids");
        let DataType::List(item) = column.map(|c| c.data_type().clone()).unwrap_or(DataType::Null) else {
            return Err(Error::internal("`input_ids` is no list"));
        };
        let lists = ListArray::try_new(item, offsets, values, None)?;
        let bytes = Arc::new(self.bytes.finish());
        self.origins.finish(&self.schema, vec![Arc::new(lists), bytes])
    }
}

/// The `input_ids` of a batch, of either width.
pub struct TokenColumn<'a>(&'a ListArray);

impl<'a> TokenColumn<'a> {
    /// Finds the column.
    ///
    /// # Errors
    /// When the batch has none, which is a fault of the stage before.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let column = batch.column_by_name("input_ids").and_then(|c| c.as_list_opt::<i32>());
        column.map(Self).ok_or_else(|| Error::internal("no column `input_ids` of lists"))
    }

    /// Puts the ids of a row into `ids`, in place of what was there.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn read(&self, row: usize, ids: &mut Vec<u32>) -> Result<()> {
        ids.clear();
        let values = self.0.value(row);
        match values.data_type() {
            DataType::UInt16 => ids.extend(items::<UInt16Type>(&values).map(u32::from)),
            DataType::UInt32 => ids.extend(items::<UInt32Type>(&values)),
            other => return Err(Error::internal(format!("token ids of type {other}"))),
        }
        Ok(())
    }
}

fn items<T: ArrowPrimitiveType>(values: &ArrayRef) -> impl Iterator<Item = T::Native> + '_ {
    values.as_primitive::<T>().values().iter().copied()
}

#[cfg(test)]
mod tests {
    use super::super::tests::origin;
    use super::*;

    #[test]
    fn ids_of_both_widths_come_back() {
        for vocabulary in [65_536, 65_537] {
            let mut rows = TokenRows::new(vocabulary);
            rows.push(&[1, 2, 65_535], 3, &origin("train", "a"));
            rows.push(&[], 0, &origin("train", "b"));
            let batch = rows.finish().unwrap();
            assert!(rows.is_empty());
            let column = TokenColumn::of(&batch).unwrap();
            let mut ids = vec![9];
            column.read(0, &mut ids).unwrap();
            assert_eq!(ids, [1, 2, 65_535]);
            column.read(1, &mut ids).unwrap();
            assert!(ids.is_empty());
        }
    }
}
