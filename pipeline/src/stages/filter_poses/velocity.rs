//! `filter-velocity`: removes keypoints that moved too fast.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::{Animal, Entry, Filter, Pass, positive, stage};
use crate::pose::filters::velocity::{learn, remove_fast};
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "filter-velocity",
    summary: "removes keypoints that are too far from where they were for the time between",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The greatest speed, in the skeleton's unit per second; learned where it is not given.
    fastest: Option<f64>,
    /// Of what is learned: how many times the speed that 95 % of the steps of the keypoint do not
    /// exceed is too fast.
    factor: f64,
    /// Where the skeleton does not say.
    frames_per_second: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { fastest: None, factor: 4.0, frames_per_second: None }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    positive(section, "fastest", config.fastest)?;
    positive(section, "factor", Some(config.factor))?;
    positive(section, "frames_per_second", config.frames_per_second)?;
    if config.fastest.is_some() && section.table().contains_key("factor") {
        return Err(section.error("factor", "`factor` is of speeds that are learned, but `fastest` is given"));
    }
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        let factor = self.factor;
        let Some(fastest) = self.fastest else {
            return Ok(Box::new(move |track, frames, log| {
                let fastest_k: Vec<f64> = learn(track, frames).into_iter().map(|usual| usual * factor).collect();
                remove_fast(track, frames, &fastest_k, log);
            }));
        };
        let step = fastest / animal.needs_frames_per_second(self.frames_per_second, "fastest")?;
        Ok(Box::new(move |track, frames, log| remove_fast(track, frames, &vec![step; track.keypoints], log)))
    }
}
