//! Writing one shard.

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{CdcOptions, WriterProperties};
use sha2::{Digest, Sha256};

use super::Shard;
use crate::schema::{Layout, RecordSchema};
use crate::{Result, ResultExt};

/// Row groups stay under 100 MB so that a reader can stream them; images flush at 100 rows a
/// batch on the pipeline's side.
const ROW_GROUP_BYTES: usize = 100_000_000;

/// Writes one shard and hashes it on the way.
pub struct ShardWriter {
    path: PathBuf,
    writer: ArrowWriter<HashingFile>,
    rows: u64,
}

impl ShardWriter {
    /// Starts a shard at `path`, which should be a temporary name.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: impl AsRef<Path>, schema: &RecordSchema) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let arrow = schema.arrow();
        let file = HashingFile::create(&path)?;
        let properties = properties(schema, &arrow)?;
        let writer = ArrowWriter::try_new(file, arrow, Some(properties)).at(&path)?;
        Ok(Self { path, writer, rows: 0 })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// When the disk is full or the batch has other columns than the schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).at(&self.path)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes so far, with those that wait for their row group to be full.
    pub fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Writes the footer, syncs the file and returns its entry; `path` in it is the file's name.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(self) -> Result<Shard> {
        let Self { path, writer, rows } = self;
        let file = writer.into_inner().at(&path)?;
        let (bytes, sha256) = file.finish()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Shard { path: name.into_owned(), rows, bytes, sha256 })
    }
}

fn properties(schema: &RecordSchema, arrow: &Schema) -> Result<WriterProperties> {
    let chunking = CdcOptions { min_chunk_size: 256 * 1024, max_chunk_size: 1024 * 1024, norm_level: 0 };
    let chunking_note = serde_json::json!({
        "min_chunk_size": chunking.min_chunk_size,
        "max_chunk_size": chunking.max_chunk_size,
        "norm_level": chunking.norm_level,
    });
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("tessera {}", crate::VERSION))
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_content_defined_chunking(Some(chunking))
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "content_defined_chunking".to_owned(),
            chunking_note.to_string(),
        )]));
    for leaf in ArrowSchemaConverter::new().convert(arrow)?.columns() {
        let path = leaf.path().clone();
        builder = match schema.layout(&path.parts()[0]) {
            Layout::Plain => builder,
            Layout::Media => builder
                .set_column_compression(path.clone(), Compression::UNCOMPRESSED)
                .set_column_encoding(path.clone(), Encoding::PLAIN)
                .set_column_dictionary_enabled(path, false),
            Layout::Tokens => builder
                .set_column_compression(path.clone(), Compression::ZSTD(ZstdLevel::default()))
                .set_column_encoding(path.clone(), Encoding::BYTE_STREAM_SPLIT)
                .set_column_dictionary_enabled(path, false),
        };
    }
    Ok(builder.build())
}

/// A file that knows the hash and the length of what was written to it.
struct HashingFile {
    file: std::io::BufWriter<fs_err::File>,
    hasher: Sha256,
    bytes: u64,
}

impl HashingFile {
    fn create(path: &Path) -> Result<Self> {
        let file = std::io::BufWriter::with_capacity(1 << 18, fs_err::File::create(path)?);
        Ok(Self { file, hasher: Sha256::new(), bytes: 0 })
    }

    fn finish(self) -> Result<(u64, String)> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let digest = self.hasher.finalize();
        let hex = digest.iter().map(|b| format!("{b:02x}")).collect();
        Ok((self.bytes, hex))
    }
}

impl Write for HashingFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(buffer)?;
        self.hasher.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
