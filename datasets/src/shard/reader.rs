//! Reading a published dataset: the manifest first, then only what it names.

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;

use super::Shard;
use crate::hash::sha256_file;
use crate::manifest::Manifest;
use crate::schema::Kind;
use crate::{Error, Result, ResultExt};

/// A published dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    dir: PathBuf,
    manifest: Manifest,
}

impl Dataset {
    /// Opens the folder of a dataset and checks that every shard is there with its size.
    ///
    /// # Errors
    /// When there is no manifest, it is of another version, or a shard is absent or cut short.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref().to_path_buf();
        let manifest = Manifest::read(&dir)?;
        for shard in manifest.shards() {
            let path = dir.join(&shard.path);
            let found = fs_err::metadata(&path).map_err(|e| Error::from(e).hint(REMAKE))?.len();
            if found != shard.bytes {
                let message = format!("the manifest says {} bytes, the file has {found}", shard.bytes);
                return Err(Error::input(message).at(path).hint(REMAKE));
            }
        }
        Ok(Self { dir, manifest })
    }

    /// Opens a dataset that must be of one kind.
    ///
    /// # Errors
    /// As [`Dataset::open`], and when the kind is another.
    pub fn open_kind(dir: impl AsRef<Path>, kind: Kind) -> Result<Self> {
        let dataset = Self::open(dir)?;
        let found = dataset.manifest.kind;
        match found == kind {
            true => Ok(dataset),
            false => Err(Error::input(format!("a dataset of kind `{found}`, but `{kind}` is needed")).at(&dataset.dir)),
        }
    }

    /// Checks the hash of every shard and of every other file that the manifest names.
    ///
    /// # Errors
    /// At the first file whose content is not what was published.
    pub fn verify(&self) -> Result<()> {
        for shard in self.manifest.shards() {
            self.verify_file(&shard.path, &shard.sha256)?;
        }
        for file in &self.manifest.files {
            self.verify_file(&file.path, &file.sha256)?;
        }
        Ok(())
    }

    fn verify_file(&self, name: &str, expected: &str) -> Result<()> {
        let path = self.dir.join(name);
        let found = sha256_file(&path)?;
        if found == expected {
            return Ok(());
        }
        let message =
            format!("sha256 is `{}…`, the manifest says `{}…`", &found[..16], expected.get(..16).unwrap_or(expected));
        Err(Error::input(message).at(path).hint(REMAKE))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A file beside the shards, such as `tokenizer.json`.
    ///
    /// # Errors
    /// When the manifest does not name it.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        match self.manifest.files.iter().any(|f| f.path == name) {
            true => Ok(self.dir.join(name)),
            false => Err(Error::input(format!("the dataset has no `{name}`")).at(&self.dir)),
        }
    }

    /// The shards of a split.
    ///
    /// # Errors
    /// When there is no such split; the message lists those that exist.
    pub fn shards(&self, split: &str) -> Result<&[Shard]> {
        match self.manifest.splits.get(split) {
            Some(found) => Ok(&found.shards),
            None => {
                let known: Vec<_> = self.manifest.splits.keys().map(String::as_str).collect();
                let hint = format!("known splits: {}", known.join(", "));
                let message = format!("no split `{split}`");
                Err(Error::input(message).at(&self.dir).hint(hint))
            }
        }
    }

    /// All rows of a split in order, batch by batch, with only the columns named (all if empty).
    ///
    /// # Errors
    /// When there is no such split; reading errors come from the iterator.
    pub fn batches<'a>(
        &'a self,
        split: &str,
        columns: &'a [&'a str],
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + 'a> {
        let shards = self.shards(split)?;
        Ok(shards.iter().map(|shard| read_batches(&self.dir.join(&shard.path), columns)).flat_map(|batches| {
            match batches {
                Ok(batches) => either(Some(batches), None),
                Err(error) => either(None, Some(Err(error))),
            }
        }))
    }
}

/// Rows of a shard that are read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowGroup {
    shard: usize,
    group: usize,
    /// How many.
    pub rows: usize,
    /// Their size in memory, roughly.
    pub bytes: u64,
}

impl Dataset {
    /// The row groups of a split in order.
    ///
    /// # Errors
    /// When there is no such split, or a shard is no Parquet file.
    pub fn row_groups(&self, split: &str) -> Result<Vec<RowGroup>> {
        let mut out = Vec::new();
        for (shard, entry) in self.shards(split)?.iter().enumerate() {
            let builder = open(&self.dir.join(&entry.path))?;
            let groups = builder.metadata().row_groups().iter().enumerate();
            out.extend(groups.map(|(group, found)| RowGroup {
                shard,
                group,
                rows: usize::try_from(found.num_rows()).unwrap_or(0),
                bytes: found.total_byte_size().unsigned_abs(),
            }));
        }
        Ok(out)
    }

    /// The rows of a row group, batch by batch, with only the columns named (all if empty).
    ///
    /// # Errors
    /// When there is no such split, or the shard is no Parquet file or lacks a column.
    pub fn read_row_group(
        &self,
        split: &str,
        group: &RowGroup,
        columns: &[&str],
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let shards = self.shards(split)?;
        let shard = shards.get(group.shard).ok_or_else(|| Error::internal("a row group of another split"))?;
        let path = self.dir.join(&shard.path);
        let builder = open(&path)?.with_row_groups(vec![group.group]);
        read(builder, path, columns)
    }
}

const REMAKE: &str = "the dataset changed after it was published: remove its folder and make it again";

fn either<I: Iterator<Item = Result<RecordBatch>>>(
    batches: Option<I>,
    error: Option<Result<RecordBatch>>,
) -> impl Iterator<Item = Result<RecordBatch>> {
    batches.into_iter().flatten().chain(error)
}

/// The rows of one Parquet file, batch by batch, with only the columns named (all if empty).
///
/// # Errors
/// When the file is no Parquet file, is cut short, or lacks a column.
pub fn read_batches(path: &Path, columns: &[&str]) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    read(open(path)?, path.to_path_buf(), columns)
}

type Builder = ParquetRecordBatchReaderBuilder<std::fs::File>;

fn open(path: &Path) -> Result<Builder> {
    let file = fs_err::File::open(path)?.into_parts().0;
    ParquetRecordBatchReaderBuilder::try_new(file).at(path)
}

fn read(
    mut builder: Builder,
    path: PathBuf,
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    if !columns.is_empty() {
        for column in columns {
            if builder.schema().field_with_name(column).is_err() {
                return Err(Error::input(format!("no column `{column}`")).at(&path));
            }
        }
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    let rows = rows_per_batch(builder.metadata().row_groups());
    let reader = builder.with_batch_size(rows).build().at(&path)?;
    Ok(reader.map(move |batch| batch.map_err(|e| Error::input(format!("unreadable rows: {e}")).at(&path))))
}

/// What a batch should hold at most, in bytes: a batch of long documents may not fill the memory.
const BATCH_BYTES: i64 = 8 << 20;

fn rows_per_batch(groups: &[RowGroupMetaData]) -> usize {
    let row_bytes = groups.iter().map(|g| g.total_byte_size() / g.num_rows().max(1)).max();
    let rows = BATCH_BYTES / row_bytes.unwrap_or(1).max(1);
    usize::try_from(rows).unwrap_or(1).clamp(1, 1024)
}
