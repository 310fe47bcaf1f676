//! Rows of kind `text`.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringBuilder};
use tessera_datasets::Result;
use tessera_datasets::schema::{RecordSchema, text};

use super::{Origin, OriginBuilder, is_full};

/// Builds batches of text.
pub struct TextRows {
    schema: RecordSchema,
    text: StringBuilder,
    bytes: usize,
    origins: OriginBuilder,
}

impl Default for TextRows {
    fn default() -> Self {
        Self { schema: text(), text: StringBuilder::new(), bytes: 0, origins: OriginBuilder::default() }
    }
}

impl TextRows {
    /// Adds a row.
    pub fn push(&mut self, text: &str, origin: &Origin<'_>) {
        self.text.append_value(text);
        self.bytes += text.len();
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.bytes, self.origins.len())
    }

    /// Whether a text would make a batch that holds rows already too large.
    pub fn is_full_with(&self, text: &str) -> bool {
        !self.is_empty() && is_full(self.bytes + text.len(), self.origins.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows as a batch; starts anew.
    ///
    /// # Errors
    /// Never for rows that were pushed.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.bytes = 0;
        let text = Arc::new(self.text.finish());
        self.origins.finish(&self.schema, vec![text])
    }
}
