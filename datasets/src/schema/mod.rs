//! The record kinds: what one row of a dataset is.
//!
//! Every kind is one Arrow schema. Its Parquet files also carry the `huggingface` key, so that
//! `datasets.load_dataset("parquet", …)` sees images as images and labels with their names.
//! Published shards use `string` and `binary`, never the Large or View types, because the
//! `datasets` library does not recognise an image whose bytes are `large_binary`.

mod features;
mod kinds;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use kinds::*;

use crate::{Error, Result};

/// What the rows of a dataset are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A document or a line of text.
    Text,
    /// A sequence of token ids.
    Tokens,
    /// One sentence in several languages.
    Translation,
    /// An encoded image, with a class where there is one.
    Image,
    /// An image with a sentence about it.
    Caption,
    /// An image as a grid of codebook indices.
    ImageTokens,
    /// The 3D keypoints of one animal in one frame.
    Pose,
    /// Some frames of 3D keypoints as they were observed, or made to look, beside their truth.
    PoseWindows,
    /// What a model said about each row of a split.
    Predictions,
    /// What only the model can show: attention weights, candidate probabilities, filters.
    Explanations,
}

impl Kind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Kind; 10] = [
        Kind::Text,
        Kind::Tokens,
        Kind::Translation,
        Kind::Image,
        Kind::Caption,
        Kind::ImageTokens,
        Kind::Pose,
        Kind::PoseWindows,
        Kind::Predictions,
        Kind::Explanations,
    ];

    /// The name used in manifests and messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Tokens => "tokens",
            Kind::Translation => "translation",
            Kind::Image => "image",
            Kind::Caption => "caption",
            Kind::ImageTokens => "image-tokens",
            Kind::Pose => "pose",
            Kind::PoseWindows => "pose-windows",
            Kind::Predictions => "predictions",
            Kind::Explanations => "explanations",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a column is laid out in a Parquet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Snappy, dictionary where it helps.
    Plain,
    /// Already compressed media: stored as it is, without dictionary.
    Media,
    /// Token ids: byte stream split and zstd, without dictionary.
    Tokens,
}

/// The columns of a dataset: Arrow schema, Hugging Face features and layout.
#[derive(Clone, Debug)]
pub struct RecordSchema {
    kind: Kind,
    fields: Vec<FieldRef>,
    features: Map<String, Value>,
    layouts: HashMap<String, Layout>,
}

impl RecordSchema {
    /// A schema without columns.
    pub fn new(kind: Kind) -> Self {
        Self { kind, fields: Vec::new(), features: Map::new(), layouts: HashMap::new() }
    }

    /// Adds a column whose Hugging Face feature follows from its type.
    #[must_use]
    pub fn column(self, name: &str, data_type: DataType, nullable: bool) -> Self {
        let feature = features::of_type(&data_type);
        self.add(name, data_type, nullable, feature)
    }

    /// Adds a column with a feature of its own, such as `Image` or `ClassLabel`.
    ///
    /// Such a column is nullable in the schema, with nullable fields inside, although no row has a
    /// null there but the `image` of predictions: `datasets` takes the feature only where the Arrow field equals the one it would
    /// write itself, and falls back to a plain struct without a word otherwise.
    #[must_use]
    pub fn column_as(self, name: &str, data_type: DataType, feature: Value) -> Self {
        self.add(name, data_type, true, feature)
    }

    fn add(mut self, name: &str, data_type: DataType, nullable: bool, feature: Value) -> Self {
        self.fields.push(Arc::new(Field::new(name, data_type, nullable)));
        self.features.insert(name.to_owned(), feature);
        self
    }

    /// Says how the column that was added last is laid out.
    #[must_use]
    pub fn laid_out(mut self, layout: Layout) -> Self {
        if let Some(field) = self.fields.last() {
            self.layouts.insert(field.name().clone(), layout);
        }
        self
    }

    /// Adds the columns that say where a row comes from. See [`PROVENANCE`].
    #[must_use]
    pub fn with_provenance(self) -> Self {
        PROVENANCE.iter().fold(self, |schema, name| schema.column(name, DataType::Utf8, false))
    }

    /// What the rows are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The Arrow schema with the `huggingface` metadata that makes a published shard readable.
    pub fn arrow(&self) -> SchemaRef {
        let info = serde_json::json!({ "info": { "features": self.features } });
        let metadata = HashMap::from([("huggingface".to_owned(), info.to_string())]);
        Arc::new(Schema::new_with_metadata(self.fields.clone(), metadata))
    }

    /// The features, as the dataset card lists them.
    pub fn features(&self) -> &Map<String, Value> {
        &self.features
    }

    /// How a column is laid out.
    pub fn layout(&self, column: &str) -> Layout {
        self.layouts.get(column).copied().unwrap_or(Layout::Plain)
    }

    /// The columns in order.
    pub fn fields(&self) -> &[FieldRef] {
        &self.fields
    }

    /// The same schema with one more column in front, for rows on their way through a pipeline.
    ///
    /// # Errors
    /// When the column is there already.
    pub fn with_leading(mut self, name: &str, data_type: DataType) -> Result<Self> {
        if self.fields.iter().any(|f| f.name() == name) {
            return Err(Error::internal(format!("column `{name}` twice")));
        }
        let field = Arc::new(Field::new(name, data_type, false));
        self.fields.insert(0, field);
        Ok(self)
    }
}

/// Where a row comes from:
///
/// | column | meaning |
/// |---|---|
/// | `id` | unique within the dataset |
/// | `source` | the card's name, or the dataset's where there is no card |
/// | `src` | file, relative to the folder of the source |
/// | `loc` | place in the file, such as `line 12` |
/// | `license` | SPDX identifier or the card's own words |
/// | `split_key` | what decides the split: rows with one key are never separated |
/// | `content_hash` | the first 16 hex digits of the SHA-256 of the content |
pub const PROVENANCE: [&str; 7] = ["id", "source", "src", "loc", "license", "split_key", "content_hash"];
