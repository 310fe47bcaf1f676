//! `average-poses`: the weighted mean of some frames.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::duration::Duration;
use super::{Animal, Entry, Filter, Pass, positive, stage};
use crate::pose::filters::average::{Window, average};
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "average-poses",
    summary: "replaces keypoints by a weighted mean of the frames around them, or before them",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// How much time is averaged.
    window: Duration,
    /// Whether only frames before count, which delays what is seen.
    causal: bool,
    /// Whether means go into later means, as in BU-CVKit; causal too.
    exact: bool,
    /// Where the skeleton does not say.
    frames_per_second: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { window: Duration::Seconds(0.1), causal: false, exact: false, frames_per_second: None }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    positive(section, "frames_per_second", config.frames_per_second)?;
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        let frames = self.window.frames(animal, self.frames_per_second, "window")?;
        let frames = usize::try_from(frames).unwrap_or(usize::MAX);
        let window = match (self.exact, self.causal) {
            (true, _) => Window::Recursive,
            (false, true) => Window::Causal,
            (false, false) => Window::Centred,
        };
        Ok(Box::new(move |track, numbers, log| average(track, numbers, frames, window, log)))
    }
}
