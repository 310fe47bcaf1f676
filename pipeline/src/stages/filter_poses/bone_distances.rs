//! `filter-bone-distances`: removes keypoints whose distances to the others are not the animal's.

use std::path::PathBuf;

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use super::matrix::read_square;
use super::{Animal, Entry, Filter, Pass, positive, share, stage};
use crate::pose::filters::bone_distances::{Distances, remove_unfit};
use crate::stage::{Stage, StageContext};

pub(in super::super) const ENTRY: Entry = Entry {
    name: "filter-bone-distances",
    summary: "removes keypoints whose distances to the others are unlike the animal's, learned or given",
    example: "",
    parse,
};

/// Of distances that were learned: posture changes them, and is no mistake.
const LEARNED_FACTOR: f64 = 4.0;
/// Of distances that are given, as BU-CVKit.
const GIVEN_FACTOR: f64 = 1.25;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The share of a keypoint's distances that may be unusual.
    threshold: f64,
    /// How many deviations are unusual.
    factor: Option<f64>,
    /// The mean of each distance, K × K, as NumPy saves it; learned where it is not given.
    mean: Option<PathBuf>,
    /// The standard deviation of each.
    deviation: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self { threshold: 0.5, factor: None, mean: None, deviation: None }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    share(section, "threshold", config.threshold)?;
    positive(section, "factor", config.factor)?;
    if config.mean.is_some() != config.deviation.is_some() {
        let hint = "leave out both to learn them from each recording";
        return Err(section.error("", "`mean` and `deviation` need each other").hint(hint));
    }
    stage(section, config)
}

impl Filter for Config {
    fn ready(&self, animal: &Animal<'_>) -> Result<Pass> {
        let threshold = self.threshold;
        let (Some(mean), Some(deviation)) = (&self.mean, &self.deviation) else {
            let factor = self.factor.unwrap_or(LEARNED_FACTOR);
            return Ok(Box::new(move |track, _, log| {
                remove_unfit(track, &Distances::learn(track), threshold, factor, log);
            }));
        };
        let keypoints = animal.skeleton.keypoints.len();
        let (mean_kk, deviation_kk) = (read_square(mean, keypoints)?, read_square(deviation, keypoints)?);
        let distances = Distances { keypoints, mean_kk, deviation_kk };
        let factor = self.factor.unwrap_or(GIVEN_FACTOR);
        Ok(Box::new(move |track, _, log| remove_unfit(track, &distances, threshold, factor, log)))
    }

    fn inputs(&self) -> Vec<PathBuf> {
        self.mean.iter().chain(&self.deviation).cloned().collect()
    }
}
