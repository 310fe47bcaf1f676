//! `kalman-poses`: a Kalman filter of constant acceleration, or the smoother.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;
use tessera_datasets::pose::kalman::{Motion, Options};

use super::duration::Duration;
use super::{Animal, Entry, Filter, Pass, positive, stage};
use crate::pose::filters::kalman::Filter as Kalman;
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "kalman-poses",
    summary: "smooths keypoints in time by a Kalman filter of constant acceleration, forward or both ways",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Whether frames that come later count too; else only those before.
    smooth: bool,
    /// The longest gap that is gone through and filled; 0 to leave all.
    longest: Duration,
    /// The standard deviation of a coordinate's error, in the skeleton's unit; learned where it is
    /// not given.
    measurement: Option<f64>,
    /// The standard deviation of the change of acceleration from frame to frame, in units per second
    /// squared.
    process: Option<f64>,
    /// Whether it is BU-CVKit's filter with its constants.
    exact: bool,
    /// Where the skeleton does not say.
    frames_per_second: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            smooth: true,
            longest: Duration::Frames(0),
            measurement: None,
            process: None,
            exact: false,
            frames_per_second: None,
        }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    positive(section, "measurement", config.measurement)?;
    positive(section, "process", config.process)?;
    positive(section, "frames_per_second", config.frames_per_second)?;
    if config.measurement.is_some() != config.process.is_some() {
        let hint = "leave out both to learn them from each recording";
        return Err(section.error("", "`measurement` and `process` need each other").hint(hint));
    }
    let own = ["smooth", "longest", "measurement", "process"];
    if let Some(key) = own.into_iter().find(|key| config.exact && section.table().contains_key(*key)) {
        return Err(section.error(key, format!("`exact` decides on `{key}`")));
    }
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        if self.exact {
            let exact = exact(animal.needs_frames_per_second(self.frames_per_second, "exact")?);
            return Ok(Box::new(move |track, frames, log| exact.run(track, frames, log)));
        }
        let longest = self.longest.frames(animal, self.frames_per_second, "longest")?;
        let smooth = self.smooth;
        let filter = move |motion: Motion| Kalman { motion, longest, smooth, start: None };
        if let (Some(measurement), Some(process)) = (self.measurement, self.process) {
            let frames_per_second = animal.needs_frames_per_second(self.frames_per_second, "process")?;
            let filter = filter(Options { frames_per_second, measurement, process }.motion());
            return Ok(Box::new(move |track, frames, log| filter.run(track, frames, log)));
        }
        // what is learned is learned in frames, whatever their length
        Ok(Box::new(move |track, frames, log| {
            let motion = Options::learn([&*track], 1.0).motion();
            filter(motion).run(track, frames, log);
        }))
    }
}

/// BU-CVKit's filter: forward, R = 0.8, P = 100 at the start, a variance of the process of 1, in
/// seconds and millimetres.
pub(in super::super) fn exact(frames_per_second: f64) -> Kalman {
    let step = frames_per_second.recip();
    Kalman {
        motion: Motion { measurement: 0.8, process: step.powi(4) },
        longest: 0,
        smooth: false,
        start: Some([100.0, 100.0 * step.powi(2), 100.0 * step.powi(4)]),
    }
}
