//! The stages that filter poses: `filter-clusters`, `filter-bone-distances`, `filter-distance`,
//! `filter-velocity`, `interpolate-poses`, `kalman-poses` and `average-poses`.
//!
//! They stand in any order, and more than once. No row is dropped: a keypoint that is not believed
//! becomes unknown, one in a short gap becomes known. What was done, why and to which keypoint is
//! counted in the stage's `changes` in the manifest. All splits are filtered, because what a model
//! will be given later is filtered too; the column `truth` stays as it is.
//!
//! A stage gathers the frames of a subject (of one split) and looks at them as a whole. What it
//! does not get from its config it learns from this recording, never from another. The algorithms
//! are in [`crate::pose::filters`].

mod average;
mod bone_distances;
mod clusters;
mod distance;
mod duration;
mod interpolate;
mod kalman;
mod matrix;
mod velocity;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use tessera_datasets::config::Section;
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::artifacts::Artifacts;
use crate::pose::filters::Log;
use crate::rejects::Rejects;
use crate::rows::{Gather, Recording, travelling};
use crate::stage::{Map, Mapper, PreparedMap, Stage, needs_kind};

/// The entries, in the order in which filters usually stand.
pub(super) use average::ENTRY as AVERAGE;
pub(super) use bone_distances::ENTRY as BONE_DISTANCES;
pub(super) use clusters::ENTRY as CLUSTERS;
pub(super) use distance::ENTRY as DISTANCE;
pub(super) use interpolate::ENTRY as INTERPOLATE;
pub(super) use kalman::ENTRY as KALMAN;
pub(super) use velocity::ENTRY as VELOCITY;

/// What filters a recording: its track, the numbers of its frames, and where to note what was done.
type Pass = Box<dyn Fn(&mut Track, &[i64], &mut Log) + Send + Sync>;

/// The table of a filter.
trait Filter: Send + Sync + 'static {
    /// Makes the filter for an animal.
    ///
    /// # Errors
    /// When something is missing that the skeleton does not say, or a file cannot be read.
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass>;

    /// Files that decide what it does.
    fn inputs(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// What a filter may know of the animal.
struct Animal<'a> {
    skeleton: &'a Skeleton,
    /// The table in the config, for messages.
    section: &'a Section,
}

impl Animal<'_> {
    /// Frames per second: what the stage says, else what the skeleton says.
    fn frames_per_second(&self, given: Option<f64>) -> Option<f64> {
        given.or(self.skeleton.frames_per_second)
    }

    /// The same, where nothing can be done without.
    fn needs_frames_per_second(&self, given: Option<f64>, key: &str) -> Result<f64> {
        self.frames_per_second(given).ok_or_else(|| {
            let message = format!("`{key}` needs to know how long a second is, and the skeleton does not say");
            let hint = "set `frames_per_second` in this stage or in the skeleton's card";
            self.section.error(key, message).hint(hint)
        })
    }
}

fn stage(section: &Section, filter: impl Filter) -> Result<Stage> {
    Ok(Stage::map(FilterPoses { section: section.clone(), filter }))
}

/// Refuses a number that is not one or not more than 0.
fn positive(section: &Section, key: &str, value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(value.is_finite() && value > 0.0) => {
            Err(section.error(key, format!("`{key}` is `{value}`; it must be more than 0")))
        }
        _ => Ok(()),
    }
}

/// Refuses a number that is no share.
fn share(section: &Section, key: &str, value: f64) -> Result<()> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(section.error(key, format!("`{key}` is `{value}`; it must be from 0 to 1"))),
    }
}

struct FilterPoses<F> {
    section: Section,
    filter: F,
}

impl<F: Filter> Map for FilterPoses<F> {
    fn output(&self, input: Kind) -> Result<Kind> {
        match input {
            Kind::Pose => Ok(input),
            _ => Err(needs_kind(&[Kind::Pose], input)),
        }
    }

    fn inputs(&self) -> Vec<PathBuf> {
        self.filter.inputs()
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let skeleton = Skeleton::of_details(artifacts.details())?;
        let pass = self.filter.ready(&Animal { skeleton: &skeleton, section: &self.section })?;
        Ok(Box::new(Prepared { pass, schema: input.clone(), keypoints: skeleton.keypoints }))
    }
}

struct Prepared {
    pass: Pass,
    schema: RecordSchema,
    keypoints: Vec<String>,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(AtWork { prepared: self, gather: Gather::default(), log: Log::default() })
    }
}

struct AtWork<'a> {
    prepared: &'a Prepared,
    gather: Gather,
    log: Log,
}

impl AtWork<'_> {
    fn filter(&mut self, recording: Recording) -> Result<RecordBatch> {
        let mut recording = recording;
        if recording.track.keypoints != self.prepared.keypoints.len() {
            return Err(Error::internal("poses have other keypoints than their skeleton"));
        }
        (self.prepared.pass)(&mut recording.track, &recording.frames, &mut self.log);
        recording.into_rows(&self.prepared.schema)
    }
}

impl Mapper for AtWork<'_> {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        let whole = self.gather.push(&batch)?;
        let filtered = whole.into_iter().map(|recording| self.filter(recording)).collect::<Result<Vec<_>>>()?;
        match filtered.is_empty() {
            true => Ok(None),
            false => Ok(Some(concat_batches(&travelling(&self.prepared.schema), &filtered)?)),
        }
    }

    fn flush(&mut self, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        self.gather.finish()?.map(|recording| self.filter(recording)).transpose()
    }

    fn changes(&self) -> BTreeMap<String, u64> {
        self.log.changes(&self.prepared.keypoints)
    }
}

#[cfg(test)]
mod tests;
