//! One part on the disk: a Parquet file for each split, or several where it is large, and a record
//! that says that they are whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use tessera_datasets::manifest::{Rejected, StageCounts, is_split_name};
use tessera_datasets::schema::RecordSchema;
use tessera_datasets::shard::{Shard, ShardWriter, read_batches};
use tessera_datasets::{Error, Result, files};

use crate::rows::{by_split, travelling, with_split};

/// From how many bytes on a file is closed and another begun, as `datasets` does.
const SHARD_BYTES: u64 = 500_000_000;

/// What became of a part. It is written after the part's files, so where it is, they are whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartRecord {
    /// Rows in and out of each stage, the source first where there is one.
    pub(super) stages: Vec<StageCounts>,
    /// Rows that were dropped, by reason.
    pub(super) rejected: BTreeMap<String, Rejected>,
    /// The files of each split.
    pub(super) splits: BTreeMap<String, Vec<Shard>>,
}

impl PartRecord {
    /// The rows of all splits.
    pub(super) fn rows(&self) -> u64 {
        self.splits.values().flatten().map(|s| s.rows).sum()
    }

    /// The record of a part that is done; nothing where it is not, or a file is not whole.
    pub(super) fn load(dir: &Path, part: usize) -> Option<Self> {
        let bytes = fs_err::read(record_path(dir, part)).ok()?;
        let record: Self = serde_json::from_slice(&bytes).ok()?;
        let is_whole = |shard: &Shard| fs_err::metadata(dir.join(&shard.path)).is_ok_and(|m| m.len() == shard.bytes);
        record.splits.values().flatten().all(is_whole).then_some(record)
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
        for (split, shard) in self.splits.iter().flat_map(|(split, shards)| shards.iter().map(move |s| (split, s))) {
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
    shard_bytes: u64,
    open: BTreeMap<String, ShardWriter>,
    done: BTreeMap<String, Vec<Shard>>,
}

impl<'a> PartWriter<'a> {
    pub(super) fn new(dir: &'a Path, part: usize, schema: &'a RecordSchema) -> Self {
        Self { dir, part, schema, shard_bytes: SHARD_BYTES, open: BTreeMap::new(), done: BTreeMap::new() }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for (split, rows) in by_split(batch)? {
            let mut writer = match self.open.remove(&split) {
                Some(writer) => writer,
                None => {
                    check_name(&split)?;
                    ShardWriter::create(self.dir.join(self.temporary(&split)), self.schema)?
                }
            };
            writer.write(&rows)?;
            match writer.bytes() < self.shard_bytes {
                true => drop(self.open.insert(split, writer)),
                false => self.close(split, writer)?,
            }
        }
        Ok(())
    }

    /// Ends all files.
    pub(super) fn finish(mut self) -> Result<BTreeMap<String, Vec<Shard>>> {
        for (split, writer) in std::mem::take(&mut self.open) {
            self.close(split, writer)?;
        }
        Ok(self.done)
    }

    /// Ends a file and gives it its name.
    fn close(&mut self, split: String, writer: ShardWriter) -> Result<()> {
        let mut shard = writer.finish()?;
        let number = match self.done.get(&split).map_or(0, Vec::len) {
            0 => String::new(),
            n => format!(".{n}"),
        };
        shard.path = format!("part-{:05}.{split}{number}.parquet", self.part);
        files::rename(self.dir.join(self.temporary(&split)), self.dir.join(&shard.path))?;
        self.done.entry(split).or_default().push(shard);
        Ok(())
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
    use tessera_datasets::hash::sha256;
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

        let file = dir.join(&record.splits["test"][0].path);
        let bytes = fs_err::read(&file).unwrap();
        fs_err::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(PartRecord::load(dir, 3), None);
    }

    #[test]
    fn a_large_part_is_several_files_in_the_same_order() {
        let dir = tempfile::tempdir().unwrap();
        let schema = text();
        let mut writer = PartWriter { shard_bytes: 20_000, ..PartWriter::new(dir.path(), 0, &schema) };
        let mut expected = Vec::new();
        for i in 0..40 {
            let mut rows = TextRows::default();
            for j in 0..10 {
                // text that does not become much shorter by compression
                let text: String = (0..4).map(|k| sha256(format!("{i} {j} {k}").as_bytes())).collect();
                rows.push(&text, &origin("train", &format!("{i} {j}")));
                expected.push(text);
            }
            writer.write(&rows.finish().unwrap()).unwrap();
        }
        let record = PartRecord { stages: Vec::new(), rejected: BTreeMap::new(), splits: writer.finish().unwrap() };
        let names: Vec<&str> = record.splits["train"].iter().map(|shard| shard.path.as_str()).collect();
        assert!(names.len() > 2, "{names:?}");
        assert_eq!(names[..2], ["part-00000.train.parquet", "part-00000.train.1.parquet"]);
        assert_eq!(record.rows(), 400);
        let mut found = Vec::new();
        let mut take = |batch: RecordBatch| {
            found.extend(strings(&batch, "text").unwrap().iter().flatten().map(str::to_owned));
            Ok(())
        };
        record.read(dir.path(), &schema, &mut take).unwrap();
        assert_eq!(found, expected);
    }
}
