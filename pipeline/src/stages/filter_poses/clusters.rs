//! `filter-clusters`: removes keypoints that are known only briefly, and frames of which little is.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::duration::Duration;
use super::{Animal, Entry, Filter, Pass, positive, share, stage};
use crate::pose::filters::clusters::remove_sparse;
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "filter-clusters",
    summary: "removes keypoints that are known only briefly between gaps, and frames of which too little is known",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// A keypoint that is known for less than this, between two gaps, becomes unknown.
    shortest: Duration,
    /// Of frames with less than this share of the keypoints all become unknown.
    occupancy: f64,
    /// Where the skeleton does not say.
    frames_per_second: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { shortest: Duration::Seconds(0.05), occupancy: 0.0, frames_per_second: None }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    share(section, "occupancy", config.occupancy)?;
    positive(section, "frames_per_second", config.frames_per_second)?;
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        let shortest = self.shortest.frames(animal, self.frames_per_second, "shortest")?;
        let occupancy = self.occupancy;
        Ok(Box::new(move |track, frames, log| remove_sparse(track, frames, shortest, occupancy, log)))
    }
}
