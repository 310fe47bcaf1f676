//! The maps of a group at work on one part, one behind the other.

use arrow::array::RecordBatch;
use tessera_datasets::Result;
use tessera_datasets::manifest::StageCounts;

use crate::rejects::Rejects;
use crate::stage::{Mapper, PreparedMap};

/// Where the last map puts its rows.
type Out<'a> = dyn FnMut(&RecordBatch) -> Result<()> + 'a;

pub(super) struct Chain<'a> {
    mappers: Vec<Box<dyn Mapper + 'a>>,
    counts: Vec<StageCounts>,
}

impl<'a> Chain<'a> {
    /// Starts part number `part`.
    pub(super) fn open(maps: &'a [(&'static str, Box<dyn PreparedMap>)], part: usize) -> Self {
        let counts = maps.iter().map(|(name, _)| StageCounts { stage: (*name).to_owned(), ..StageCounts::default() });
        Self { counts: counts.collect(), mappers: maps.iter().map(|(_, map)| map.open(part)).collect() }
    }

    /// Takes a batch through all maps.
    pub(super) fn push(&mut self, batch: RecordBatch, rejects: &mut Rejects, out: &mut Out<'_>) -> Result<()> {
        self.push_from(0, batch, rejects, out)
    }

    fn push_from(&mut self, first: usize, batch: RecordBatch, rejects: &mut Rejects, out: &mut Out<'_>) -> Result<()> {
        let mut batch = batch;
        for (mapper, counts) in self.mappers.iter_mut().zip(&mut self.counts).skip(first) {
            counts.rows_in += batch.num_rows() as u64;
            match mapper.map(batch, rejects)? {
                None => return Ok(()),
                Some(changed) => batch = changed,
            }
            counts.rows_out += batch.num_rows() as u64;
        }
        match batch.num_rows() {
            0 => Ok(()),
            _ => out(&batch),
        }
    }

    /// Takes through what the maps have kept back, in order; returns the rows in and out of each.
    pub(super) fn finish(mut self, rejects: &mut Rejects, out: &mut Out<'_>) -> Result<Vec<StageCounts>> {
        for i in 0..self.mappers.len() {
            while let Some(rest) = self.mappers[i].flush(rejects)? {
                self.counts[i].rows_out += rest.num_rows() as u64;
                self.push_from(i + 1, rest, rejects, out)?;
            }
            self.counts[i].changes = self.mappers[i].changes();
        }
        Ok(self.counts)
    }
}
