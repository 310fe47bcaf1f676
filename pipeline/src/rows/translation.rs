//! Rows of kind `translation`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder, StructArray};
use arrow::datatypes::DataType;
use tessera_datasets::schema::{RecordSchema, translation};
use tessera_datasets::{Error, Result};

use super::{Origin, OriginBuilder, is_full};

/// Builds batches of sentences in several languages.
pub struct TranslationRows {
    schema: RecordSchema,
    columns: Vec<StringBuilder>,
    bytes: usize,
    origins: OriginBuilder,
}

impl TranslationRows {
    /// Rows of sentences in these languages, which must be sorted.
    pub fn new(languages: &[&str]) -> Self {
        Self {
            schema: translation(languages),
            columns: languages.iter().map(|_| StringBuilder::new()).collect(),
            bytes: 0,
            origins: OriginBuilder::default(),
        }
    }

    /// Adds one sentence, in the order of the languages.
    pub fn push(&mut self, sentences: &[&str], origin: &Origin<'_>) {
        for (column, sentence) in self.columns.iter_mut().zip(sentences) {
            column.append_value(sentence);
            self.bytes += sentence.len();
        }
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.bytes, self.origins.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows as a batch; starts anew.
    ///
    /// # Errors
    /// When a row had not one sentence for each language.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.bytes = 0;
        let column = self.schema.fields().iter().find(|f| f.name() == "translation");
        let Some(DataType::Struct(fields)) = column.map(|c| c.data_type()) else {
            return Err(Error::internal("`translation` is no struct"));
        };
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef).collect();
        let sentences = StructArray::try_new(fields.clone(), arrays, None)?;
        debug_assert_eq!(sentences.len(), self.origins.len());
        self.origins.finish(&self.schema, vec![Arc::new(sentences)])
    }
}
