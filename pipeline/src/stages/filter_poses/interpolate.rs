//! `interpolate-poses`: fills short gaps with straight lines.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::duration::Duration;
use super::{Animal, Entry, Filter, Pass, positive, stage};
use crate::pose::filters::gaps::fill;
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "interpolate-poses",
    summary: "fills short gaps of keypoints with straight lines in time",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The longest gap that is filled.
    longest: Duration,
    /// Where the skeleton does not say.
    frames_per_second: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { longest: Duration::Seconds(0.15), frames_per_second: None }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    positive(section, "frames_per_second", config.frames_per_second)?;
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        let longest = self.longest.frames(animal, self.frames_per_second, "longest")?;
        Ok(Box::new(move |track, frames, log| fill(track, frames, longest, log)))
    }
}
