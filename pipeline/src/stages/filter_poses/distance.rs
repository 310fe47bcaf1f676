//! `filter-distance`: removes keypoints that are far from most others.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::{Animal, Entry, Filter, Pass, positive, stage};
use crate::pose::filters::median_distance::{learn, remove_far};
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "filter-distance",
    summary: "removes keypoints whose median distance to the others of the frame is too large",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The largest median distance, in the skeleton's unit; learned where it is not given.
    farthest: Option<f64>,
    /// Of what is learned: how many times the usual median distance of the keypoint is too far.
    factor: f64,
    /// Whether keypoints go in their order, and not the worst first, as in BU-CVKit.
    exact: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { farthest: None, factor: 1.5, exact: false }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    positive(section, "farthest", config.farthest)?;
    positive(section, "factor", Some(config.factor))?;
    if config.farthest.is_some() && section.table().contains_key("factor") {
        return Err(section.error("factor", "`factor` is of distances that are learned, but `farthest` is given"));
    }
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, _: &Animal<'_>) -> Result<Pass> {
        let Self { farthest, factor, exact } = *self;
        Ok(Box::new(move |track, _, log| {
            let farthest_k = match farthest {
                Some(farthest) => vec![farthest; track.keypoints],
                None => learn(track).into_iter().map(|usual| usual * factor).collect(),
            };
            remove_far(track, &farthest_k, exact, log);
        }))
    }
}
