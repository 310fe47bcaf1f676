//! `mask-keypoints`: windows of poses in which keypoints are hidden and noisy, beside the same
//! windows as they are, for training and for scores.
//!
//! Of the split `train` windows are drawn, corrupted by OptiPose's six kinds or by masks of one's
//! own, turned and moved ([`Protocol`](protocol::Protocol), [`Mask`](mixture::Mask)). The frames of
//! `train` themselves, each once and untouched, are the split `template`: from them baselines and
//! models learn what poses look like. Of all other splits the windows stand side by side, and each
//! is there in every stratum.
//!
//! Everything random in a window follows from the seed, its split, its subject and its number.

mod config;
mod corruption;
mod draw;
mod grid;
mod mixture;
mod motion;
mod noise;
mod plan;
mod protocol;
mod runs;
mod set;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use arrow::array::RecordBatch;
use tessera_datasets::config::Section;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::schema::{Kind, RecordSchema, pose_windows};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Gather, Origins, Recording, WindowRows};
use crate::stage::{BATCH_BYTES, Map, Mapper, PreparedMap, Stage, StageContext, needs_kind};
use config::{Config, Input};
use corruption::Stratum;
use plan::Plan;
use set::{Making, Set};

pub(super) const ENTRY: Entry = Entry {
    name: "mask-keypoints",
    summary: "draws windows of poses whose keypoints are hidden and noisy, beside what they should be",
    example: "noise = 1.0",
    parse,
};

/// The split of the training frames as they are.
const TEMPLATE: &str = "template";

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    Ok(Stage::map(MaskKeypoints { config: Config::parse(section)?, seed: context.seed }))
}

struct MaskKeypoints {
    config: Config,
    seed: u64,
}

impl Map for MaskKeypoints {
    fn output(&self, input: Kind) -> Result<Kind> {
        match input {
            Kind::Pose => Ok(Kind::PoseWindows),
            other => Err(needs_kind(&[Kind::Pose], other)),
        }
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let config = self.config.clone();
        let skeleton = Skeleton::of_details(artifacts.details())?;
        let keypoints = skeleton.keypoints.len();
        let strata = config.strata(keypoints);
        let needs_truth = match config.input {
            Input::Truth => Some("`input = \"truth\"`"),
            Input::Keypoints if strata.iter().any(|(stratum, _)| *stratum == Stratum::Observed) => {
                Some("the stratum `observed`")
            }
            Input::Keypoints => None,
        };
        if let Some(what) = needs_truth.filter(|_| input.fields().iter().all(|field| field.name() != "truth")) {
            return Err(Error::input(format!(
                "{what} needs poses whose truth is known, and these have no column `truth`"
            )));
        }
        artifacts.detail("window", config.detail());
        Ok(Box::new(Making {
            motions: config.motions(&skeleton)?,
            noise: config.training_noise(),
            corruptions: config.corruptions(),
            strata,
            seed: self.seed,
            skeleton,
            config,
        }))
    }
}

impl PreparedMap for Making {
    fn schema(&self) -> RecordSchema {
        pose_windows(self.config.window, self.skeleton.keypoints.len())
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        let bytes = WindowRows::bytes(self.config.window, self.skeleton.keypoints.len());
        Box::new(Masker {
            making: self,
            batch: (BATCH_BYTES / bytes.max(1)).max(1),
            gather: Gather::default(),
            open: VecDeque::new(),
            changes: BTreeMap::new(),
        })
    }
}

struct Masker<'a> {
    making: &'a Making,
    /// Windows in a batch.
    batch: usize,
    gather: Gather,
    /// What is still to be made.
    open: VecDeque<Set>,
    changes: BTreeMap<String, u64>,
}

impl Mapper for Masker<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        for recording in self.gather.push(&batch)? {
            self.take(recording, rejects)?;
        }
        self.next()
    }

    fn flush(&mut self, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        if let Some(recording) = self.gather.finish()? {
            self.take(recording, rejects)?;
        }
        self.next()
    }

    fn changes(&self) -> BTreeMap<String, u64> {
        self.changes.clone()
    }
}

impl Masker<'_> {
    /// The next windows, if any are left.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.open.front().is_some_and(|set| set.done == set.count) {
            self.open.pop_front();
        }
        self.open.front_mut().map(|set| set.next(self.making, self.batch)).transpose()
    }

    /// Plans the windows of a recording.
    fn take(&mut self, recording: Recording, rejects: &mut Rejects) -> Result<()> {
        let Plan { frames, sets, left_over, longest } = Plan::of(self.making, recording)?;
        if sets.iter().all(|set| set.split == TEMPLATE) && self.making.wants_windows(frames.recording.split()?) {
            let origin = Origins::of(&frames.recording.rows)?.get(0);
            let minimum = self.making.config.minimum();
            let excerpt = format!("{longest} frames in a row, of {minimum} that a window needs");
            rejects.add("recording shorter than a window", origin.src, origin.loc, &excerpt);
        }
        if left_over > 0 {
            *self.changes.entry("frames in no window".to_owned()).or_default() += left_over as u64;
        }
        self.open.extend(sets);
        Ok(())
    }
}
