//! Running one group: its maps over all parts, then its folds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::manifest::StageCounts;
use tessera_datasets::schema::RecordSchema;
use tessera_datasets::{Error, Result};

use super::chain::Chain;
use super::fold;
use super::part::{PartRecord, PartWriter};
use crate::artifacts::Artifacts;
use crate::parallel;
use crate::plan::Group;
use crate::rejects::Rejects;
use crate::stage::{Outlet, PreparedMap, PreparedSource};

/// Where the rows of a group come from.
pub(super) enum GroupInput<'a> {
    /// The source, with its name.
    Source(&'static str, &'a dyn PreparedSource),
    /// The group before.
    Parts(&'a GroupRun),
}

/// A group that is done.
pub(super) struct GroupRun {
    pub(super) dir: PathBuf,
    pub(super) schema: RecordSchema,
    pub(super) parts: Vec<PartRecord>,
    /// Rows in and out of each stage of the group, over all parts.
    pub(super) stages: Vec<StageCounts>,
    /// Rows that its stages dropped.
    pub(super) rejects: Rejects,
}

pub(super) fn run(group: &Group, input: &GroupInput<'_>, dir: &Path, artifacts: &mut Artifacts) -> Result<GroupRun> {
    fs_err::create_dir_all(dir)?;
    artifacts.enter(dir.join("files"));
    let mut schema = input.schema();
    let mut maps: Vec<(&'static str, Box<dyn PreparedMap>)> = Vec::new();
    for map in &group.maps {
        let prepared = map.stage.prepare(&schema, artifacts)?;
        schema = prepared.schema();
        maps.push((map.name, prepared));
    }
    let label = input.label(maps.last().map(|(name, _)| *name));
    let parts = run_parts(label, input, &maps, &schema, dir)?;
    let mut done = GroupRun { dir: dir.to_path_buf(), schema, stages: Vec::new(), rejects: Rejects::new(), parts };
    done.sum_up();
    done.refuse_none()?;
    fold::run_all(&group.folds, &mut done, artifacts)?;
    Ok(done)
}

fn run_parts(
    label: &str,
    input: &GroupInput<'_>,
    maps: &[(&'static str, Box<dyn PreparedMap>)],
    schema: &RecordSchema,
    dir: &Path,
) -> Result<Vec<PartRecord>> {
    let sizes = input.sizes();
    let mut parts: Vec<Option<PartRecord>> = (0..sizes.len()).map(|i| PartRecord::load(dir, i)).collect();
    let missing: Vec<usize> = (0..sizes.len()).filter(|i| parts[*i].is_none()).collect();
    if !missing.is_empty() {
        let total: u64 = sizes.iter().sum();
        let open: u64 = missing.iter().map(|i| sizes[*i]).sum();
        let progress = Progress::new(label, total, input.unit()).starting_at(total - open);
        let advance = |n: u64| progress.advance(n, String::new);
        let made = parallel::each(missing.len(), |i| make_part(input, maps, schema, dir, missing[i], &advance))?;
        for (i, record) in missing.into_iter().zip(made) {
            parts[i] = Some(record);
        }
        progress.finish("");
    }
    Ok(parts.into_iter().flatten().collect())
}

fn make_part(
    input: &GroupInput<'_>,
    maps: &[(&'static str, Box<dyn PreparedMap>)],
    schema: &RecordSchema,
    dir: &Path,
    part: usize,
    advance: &dyn Fn(u64),
) -> Result<PartRecord> {
    let mut chain = Chain::open(maps, part);
    let mut writer = PartWriter::new(dir, part, schema);
    let mut rejects = Rejects::new();
    let mut rows = 0;
    let mut push = |batch: RecordBatch| {
        rows += batch.num_rows() as u64;
        chain.push(batch, &mut rejects, &mut |out| writer.write(out))
    };
    let mut stages = Vec::new();
    let mut dropped = Rejects::new();
    match input {
        GroupInput::Source(name, source) => {
            let mut changes = BTreeMap::new();
            let mut out = Outlet { emit: &mut push, rejects: &mut dropped, changes: &mut changes, advance };
            source.read(part, &mut out)?;
            let (stage, rows_in) = ((*name).to_owned(), rows + dropped.count());
            stages.push(StageCounts { stage, rows_in, rows_out: rows, changes });
        }
        GroupInput::Parts(before) => {
            let mut take = |batch: RecordBatch| {
                let rows = batch.num_rows() as u64;
                push(batch)?;
                advance(rows);
                Ok(())
            };
            before.parts[part].read(&before.dir, &before.schema, &mut take)?;
        }
    }
    stages.extend(chain.finish(&mut rejects, &mut |out| writer.write(out))?);
    dropped.append(rejects.by_reason());
    let record = PartRecord { stages, rejected: dropped.into_reasons(), splits: writer.finish()? };
    record.save(dir, part)?;
    Ok(record)
}

impl GroupInput<'_> {
    fn schema(&self) -> RecordSchema {
        match self {
            Self::Source(_, source) => source.schema(),
            Self::Parts(before) => before.schema.clone(),
        }
    }

    /// What people see at the progress: reading is what takes the time where there is reading.
    fn label(&self, last_map: Option<&'static str>) -> &'static str {
        match self {
            Self::Source(name, _) => name,
            Self::Parts(_) => last_map.unwrap_or("copy"),
        }
    }

    fn sizes(&self) -> Vec<u64> {
        match self {
            Self::Source(_, source) => source.parts().iter().map(|p| p.size).collect(),
            Self::Parts(before) => before.parts.iter().map(PartRecord::rows).collect(),
        }
    }

    fn unit(&self) -> Unit {
        match self {
            Self::Source(_, source) => source.unit(),
            Self::Parts(_) => Unit::Count("rows"),
        }
    }
}

impl GroupRun {
    /// The rows of all parts.
    pub(super) fn rows(&self) -> u64 {
        self.parts.iter().map(PartRecord::rows).sum()
    }

    fn sum_up(&mut self) {
        for part in &self.parts {
            self.rejects.append(&part.rejected);
            if self.stages.is_empty() {
                self.stages.clone_from(&part.stages);
                continue;
            }
            for (sum, more) in self.stages.iter_mut().zip(&part.stages) {
                sum.rows_in += more.rows_in;
                sum.rows_out += more.rows_out;
                more.changes.iter().for_each(|(reason, n)| *sum.changes.entry(reason.clone()).or_default() += n);
            }
        }
    }

    /// A dataset without rows is a mistake, not a result.
    fn refuse_none(&self) -> Result<()> {
        if self.rows() > 0 {
            return Ok(());
        }
        Err(match self.rejects.count() {
            0 => Error::input("there is not a single row").hint("are the files empty?"),
            n => Error::input(format!("all {n} rows were rejected: {}", self.rejects.lines().join("; "))),
        })
    }
}
