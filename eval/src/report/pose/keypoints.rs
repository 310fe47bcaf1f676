//! The keypoints one by one.

use serde::Serialize;
use tessera_datasets::pose::Skeleton;

use super::gaps::GapValue;
use super::gather::Gathered;
use super::row::METHODS;
use super::strata::Stratum;
use crate::metrics::pose::Estimate;

/// The keypoints in the windows of a stratum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeypointStratum {
    /// What was done to the input.
    pub corruption: String,
    /// The keypoints that were hidden there, in the order of the skeleton.
    pub keypoints: Vec<ByKeypoint>,
}

/// How well one keypoint is found where it is hidden.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByKeypoint {
    /// Its number.
    pub keypoint: usize,
    /// Its name.
    pub name: String,
    /// How often it was hidden.
    pub count: u64,
    /// The mean error of each method.
    pub methods: Vec<GapValue>,
}

impl ByKeypoint {
    /// The mean error of a method.
    pub fn value(&self, by: Estimate) -> Option<f64> {
        self.methods.iter().find(|method| method.estimate == by).map(|method| method.value)
    }
}

pub(super) fn of(gathered: &Gathered<'_>, skeleton: &Skeleton, strata: &[Stratum]) -> Vec<KeypointStratum> {
    let stratum = |stratum: &Stratum| {
        let sums = gathered.strata.get(&stratum.corruption)?;
        let hidden = sums.by_keypoint.iter().enumerate().filter(|(_, errors)| errors.count > 0);
        let keypoints = hidden.map(|(keypoint, errors)| ByKeypoint {
            keypoint,
            name: skeleton.keypoints[keypoint].clone(),
            count: u64::from(errors.count),
            methods: (0..METHODS)
                .filter_map(|m| Some(GapValue { estimate: Estimate::ALL[m], value: errors.mean(m)? }))
                .collect(),
        });
        let keypoints: Vec<ByKeypoint> = keypoints.collect();
        (!keypoints.is_empty()).then(|| KeypointStratum { corruption: stratum.corruption.clone(), keypoints })
    };
    strata.iter().filter_map(stratum).collect()
}
