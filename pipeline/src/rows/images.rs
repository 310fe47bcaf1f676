//! Rows of kind `image` and `caption`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder, StructArray};
use tessera_datasets::Result;
use tessera_datasets::schema::{RecordSchema, caption, image, image_fields};

use super::{Origin, OriginBuilder, is_full};

/// The column `image`: encoded images, each with the name that it would have as a file.
#[derive(Default)]
struct Images {
    encoded: BinaryBuilder,
    names: StringBuilder,
    bytes: usize,
}

impl Images {
    fn push(&mut self, encoded: &[u8], name: &str) {
        self.encoded.append_value(encoded);
        self.names.append_value(name);
        self.bytes += encoded.len();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        self.bytes = 0;
        let arrays: Vec<ArrayRef> = vec![Arc::new(self.encoded.finish()), Arc::new(self.names.finish())];
        Ok(Arc::new(StructArray::try_new(image_fields(), arrays, None)?))
    }
}

/// Builds batches of images, with or without a class.
pub struct ImageRows {
    schema: RecordSchema,
    images: Images,
    labels: Option<Int64Builder>,
    origins: OriginBuilder,
}

impl ImageRows {
    /// Images of these classes, or of none.
    pub fn new(classes: Option<&[String]>) -> Self {
        Self {
            schema: image(classes),
            images: Images::default(),
            labels: classes.map(|_| Int64Builder::new()),
            origins: OriginBuilder::default(),
        }
    }

    /// Adds an encoded image; `label` is -1 where the class is not known.
    pub fn push(&mut self, encoded: &[u8], name: &str, label: i64, origin: &Origin<'_>) {
        self.images.push(encoded, name);
        if let Some(labels) = &mut self.labels {
            labels.append_value(label);
        }
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.images.bytes, self.origins.len())
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
        let labels = self.labels.as_mut().map(|l| Arc::new(l.finish()) as ArrayRef);
        let content = std::iter::once(self.images.finish()?).chain(labels).collect();
        self.origins.finish(&self.schema, content)
    }
}

/// Builds batches of images with a sentence about each.
pub struct CaptionRows {
    schema: RecordSchema,
    images: Images,
    captions: StringBuilder,
    origins: OriginBuilder,
}

impl Default for CaptionRows {
    fn default() -> Self {
        Self {
            schema: caption(),
            images: Images::default(),
            captions: StringBuilder::new(),
            origins: OriginBuilder::default(),
        }
    }
}

impl CaptionRows {
    /// Adds an encoded image with its caption.
    pub fn push(&mut self, encoded: &[u8], name: &str, caption: &str, origin: &Origin<'_>) {
        self.images.push(encoded, name);
        self.captions.append_value(caption);
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.images.bytes, self.origins.len())
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
        let content: Vec<ArrayRef> = vec![self.images.finish()?, Arc::new(self.captions.finish())];
        self.origins.finish(&self.schema, content)
    }
}
