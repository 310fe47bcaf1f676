//! What a model leaves for `tessera-eval`: predictions, explanations and samples.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Builder};
use arrow::datatypes::{DataType, Field};
use serde_json::{Map, Value};
use tessera_datasets::files::{remove_dir, rename, write_atomic};
use tessera_datasets::hash::sha256;
use tessera_datasets::manifest::{MadeBy, Manifest, Parent, Split};
use tessera_datasets::run_dir::{RunDir, Sample};
use tessera_datasets::schema::{self, RecordSchema};
use tessera_datasets::shard::{ShardWriter, shard_path};
use tessera_datasets::{Error, Result};

use crate::task::Predict;

/// A small dataset that is being written into a run; its folder appears when it is whole.
pub struct Output<'a> {
    request: &'a Predict,
    folder: PathBuf,
    temporary: PathBuf,
    schema: RecordSchema,
    writer: ShardWriter,
}

impl<'a> Output<'a> {
    /// Starts a dataset of one shard.
    ///
    /// # Errors
    /// When the run's folder cannot be written.
    pub fn create(request: &'a Predict, folder: &Path, schema: RecordSchema) -> Result<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.with_file_name(format!(".{name}.writing"));
        remove_dir(&temporary)?;
        let writer = ShardWriter::create(temporary.join(shard_path(&request.split, 0, 1)), &schema)?;
        Ok(Self { request, folder: folder.to_path_buf(), temporary, schema, writer })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch)
    }

    /// Writes the manifest and moves the folder into place.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn publish(self, details: Map<String, Value>, dataset: &Manifest) -> Result<()> {
        let request = self.request;
        let mut shard = self.writer.finish()?;
        shard.path = shard_path(&request.split, 0, 1);
        let made_by = MadeBy { sha256: sha256(request.config.as_bytes()), toml: request.config.clone() };
        let mut manifest = Manifest::new(&request.run_name, self.schema.kind(), made_by);
        manifest.rows.read = shard.rows;
        manifest.rows.kept = shard.rows;
        manifest.splits.insert(request.split.clone(), Split::of(vec![shard]));
        manifest.details = details;
        let more = [
            ("split", Value::from(request.split.clone())),
            ("checkpoint_step", request.step.into()),
            ("checkpoint_sha256", request.weights_sha256.clone().into()),
        ];
        manifest.details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        let parent =
            |what: &str, name: &str, sha256: String| Parent { what: what.to_owned(), name: name.to_owned(), sha256 };
        manifest.parents = vec![
            parent("dataset", &dataset.name, dataset.sha256()),
            parent("run", &request.run_name, request.weights_sha256.clone()),
        ];
        manifest.publish(&self.temporary)?;
        remove_dir(&self.folder)?;
        rename(&self.temporary, &self.folder)
    }
}

/// One array that the report draws, with names for its rows and columns.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The row of the predictions that it explains.
    pub id: String,
    /// What it is, such as `candidates`.
    pub name: String,
    /// Names along the first dimension.
    pub row_labels: Vec<String>,
    /// Names along the others, in row-major order where each cell has its own.
    pub column_labels: Vec<String>,
    /// The shape of `values`.
    pub shape: Vec<u32>,
    /// The numbers in row-major order.
    pub values: Vec<f32>,
}

impl Explanation {
    /// Writes explanations as a dataset of the run; none leave no folder.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write_all(
        explanations: &[Explanation],
        request: &Predict,
        details: &Map<String, Value>,
        dataset: &Manifest,
    ) -> Result<()> {
        let folder = request.run.explanations(&request.split);
        if explanations.is_empty() {
            return remove_dir(folder);
        }
        let mut output = Output::create(request, &folder, schema::explanations())?;
        let item = |data_type: DataType| Field::new("item", data_type, false);
        let mut rows = ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
        let mut columns = ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
        let mut shapes = ListBuilder::new(UInt32Builder::new()).with_field(item(DataType::UInt32));
        let mut values = ListBuilder::new(Float32Builder::new()).with_field(item(DataType::Float32));
        for one in explanations {
            for label in &one.row_labels {
                rows.values().append_value(label);
            }
            rows.append(true);
            for label in &one.column_labels {
                columns.values().append_value(label);
            }
            columns.append(true);
            shapes.values().append_slice(&one.shape);
            shapes.append(true);
            values.values().append_slice(&one.values);
            values.append(true);
        }
        let strings = |get: fn(&Explanation) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(explanations.iter().map(get)))
        };
        let arrays: Vec<ArrayRef> = vec![
            strings(|e| &e.id),
            strings(|e| &e.name),
            Arc::new(rows.finish()),
            Arc::new(columns.finish()),
            Arc::new(shapes.finish()),
            Arc::new(values.finish()),
        ];
        output.write(&RecordBatch::try_new(schema::explanations().arrow(), arrays)?)?;
        output.publish(details.clone(), dataset)
    }
}

/// Writes `samples.jsonl`.
///
/// # Errors
/// When the disk is full.
pub fn write_samples(run: &RunDir, samples: &[Sample]) -> Result<()> {
    let lines: Result<Vec<String>> =
        samples.iter().map(|s| serde_json::to_string(s).map_err(|e| Error::internal(e.to_string()))).collect();
    let mut text = lines?.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    write_atomic(run.samples_path(), text.as_bytes())
}
