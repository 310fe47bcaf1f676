//! One part on the disk: a Parquet file for each split, and a record that says that they are whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use tessera_datasets::manifest::{Rejected, StageCounts, is_split_name};
use tessera_datasets::schema::RecordSchema;
use tessera_datasets::shard::{Shard, ShardWriter, read_batches};
use tessera_datasets::{Error, Result, files};

use crate::rows::{by_split, travelling, with_split};

/// What became of a part. It is written after the part's files, so where it is, they are whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartRecord {
    /// Rows in and out of each stage, the source first where there is one.
    pub(super) stages: Vec<StageCounts>,
    /// Rows that were dropped, by reason.
    pub(super) rejected: BTreeMap<String, Rejected>,
    /// The file of each split.
    pub(super) splits: BTreeMap<String, Shard>,
}

impl PartRecord {
    /// The rows of all splits.
    pub(super) fn rows(&self) -> u64 {
        self.splits.values().map(|s| s.rows).sum()
    }

    /// The record of a part that is done; nothing where it is not, or a file is not whole.
    pub(super) fn load(dir: &Path, part: usize) -> Option<Self> {
        let bytes = fs_err::read(record_path(dir, part)).ok()?;
        let record: Self = serde_json::from_slice(&bytes).ok()?;
        let is_whole = |shard: &Shard| fs_err::metadata(dir.join(&shard.path)).is_ok_and(|m| m.len() == shard.bytes);
        record.splits.values().all(is_whole).then_some(record)
    }

    /// Writes the record: from here on the part is done.
    pub(super) fn save(&self, dir: &Path, part: usize) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(|e| Error::internal(e.to_string()))?;
        files::write_atomic(record_path(dir, part), &bytes)
    }

    /// Reads the rows back, split by split.
    pub(super) fn read(
        &self,
        dir: &Path,
        schema: &RecordSchema,
        take: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let columns = travelling(schema);
        for (split, shard) in &self.splits {
            for batch in read_batches(&dir.join(&shard.path), &[])? {
                take(with_split(split, &batch?, &columns)?)?;
            }
        }
        Ok(())
    }
}

fn record_path(dir: &Path, part: usize) -> PathBuf {
    dir.join(format!("part-{part:05}.json"))
}

/// Writes the rows of a part.
pub(super) struct PartWriter<'a> {
    dir: &'a Path,
    part: usize,
    schema: &'a RecordSchema,
    splits: BTreeMap<String, ShardWriter>,
}

impl<'a> PartWriter<'a> {
    pub(super) fn new(dir: &'a Path, part: usize, schema: &'a RecordSchema) -> Self {
        Self { dir, part, schema, splits: BTreeMap::new() }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for (split, rows) in by_split(batch)? {
            if !self.splits.contains_key(&split) {
                check_name(&split)?;
                let writer = ShardWriter::create(self.dir.join(self.temporary(&split)), self.schema)?;
                self.splits.insert(split.clone(), writer);
            }
            if let Some(writer) = self.splits.get_mut(&split) {
                writer.write(&rows)?;
            }
        }
        Ok(())
    }

    /// Gives the files their names.
    pub(super) fn finish(mut self) -> Result<BTreeMap<String, Shard>> {
        let mut shards = BTreeMap::new();
        for (split, writer) in std::mem::take(&mut self.splits) {
            let mut shard = writer.finish()?;
            shard.path = format!("part-{:05}.{split}.parquet", self.part);
            files::rename(self.dir.join(self.temporary(&split)), self.dir.join(&shard.path))?;
            shards.insert(split, shard);
        }
        Ok(shards)
    }

    fn temporary(&self, split: &str) -> String {
        format!(".part-{:05}.{split}.tmp", self.part)
    }
}

fn check_name(split: &str) -> Result<()> {
    match is_split_name(split) {
        true => Ok(()),
        false => Err(Error::internal(format!("`{split}` is no name for a split"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::origin;
    use crate::rows::{TextRows, strings};
    use tessera_datasets::schema::text;

    #[test]
    fn a_part_is_done_when_its_record_and_its_files_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let schema = text();
        let mut rows = TextRows::default();
        for i in 0..5 {
            let split = if i % 2 == 0 { "train" } else { "test" };
            rows.push(&format!("text {i}"), &origin(split, "a"));
        }
        let mut writer = PartWriter::new(dir, 3, &schema);
        writer.write(&rows.finish().unwrap()).unwrap();
        assert_eq!(PartRecord::load(dir, 3), None);
        let splits = writer.finish().unwrap();
        assert_eq!(PartRecord::load(dir, 3), None);
        let record = PartRecord { stages: Vec::new(), rejected: BTreeMap::new(), splits };
        record.save(dir, 3).unwrap();
        assert_eq!(PartRecord::load(dir, 3).as_ref(), Some(&record));

        let mut back = Vec::new();
        let mut take = |batch: RecordBatch| {
            let splits = strings(&batch, "split").unwrap().iter().flatten();
            back.extend(splits.zip(strings(&batch, "text").unwrap().iter().flatten()).map(|(s, t)| format!("{s} {t}")));
            Ok(())
        };
        record.read(dir, &schema, &mut take).unwrap();
        assert_eq!(back, ["test text 1", "test text 3", "train text 0", "train text 2", "train text 4"]);

        let file = dir.join(&record.splits["test"].path);
        let bytes = fs_err::read(&file).unwrap();
        fs_err::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(PartRecord::load(dir, 3), None);
    }
}
