//! Of what a metric is: which windows, and whose places.

use serde::Deserialize;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::{Error, Result};

use super::errors::Which;
use super::window::group;
use super::{Estimate, Of, Seen, Window, windows};
use crate::metric::Statistic;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The settings that all metrics of poses have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::metrics) struct Scope {
    /// Only windows to which this was done, such as `absent`.
    pub(super) corruption: Option<String>,
    /// Whose places are scored.
    pub(super) estimate: Estimate,
    /// Only this keypoint.
    pub(super) keypoint: Option<String>,
}

impl Scope {
    /// The statistics of some rows; those of a window that is not meant are empty.
    pub(super) fn rows<S: Statistic>(
        &self,
        rows: &Rows<'_>,
        statistic: impl Fn(&Window<'_>, Which) -> S,
    ) -> Result<Vec<Of<S>>> {
        let windows = windows(rows)?;
        let which = self.which(rows)?;
        let one = |window: &Window<'_>| match self.holds(window) {
            true => Of { seen: Seen::of(window), statistic: statistic(window, which) },
            false => Of::default(),
        };
        Ok(windows.iter().map(one).collect())
    }

    fn which(&self, rows: &Rows<'_>) -> Result<Which> {
        let Some(name) = &self.keypoint else {
            return Ok(Which::All);
        };
        let skeleton = Skeleton::of_details(rows.details()?.all())?;
        let known = || format!("its keypoints are {}", skeleton.keypoints.join(", "));
        let unknown = || Error::input(format!("the skeleton has no keypoint `{name}`")).hint(known());
        Ok(Which::One(skeleton.index(name).ok_or_else(unknown)?))
    }

    /// Windows of the same frames are drawn together: copies in which other keypoints are hidden
    /// share their truth.
    pub(super) fn groups(rows: &Rows<'_>) -> Result<Option<Vec<u64>>> {
        let (subjects, frames) = (rows.strings("subject")?, rows.i64s("frame")?);
        Ok(Some(frames.iter().enumerate().map(|(i, frame)| group(subjects.value(i), *frame)).collect()))
    }

    fn holds(&self, window: &Window<'_>) -> bool {
        self.corruption.as_ref().is_none_or(|wanted| wanted == window.corruption)
    }

    /// `kind`, and what of it is not usual.
    pub(super) fn name(&self, kind: &str) -> String {
        let estimate = (self.estimate != Estimate::default()).then(|| self.estimate.column());
        let parts = [Some(kind), self.corruption.as_deref(), self.keypoint.as_deref(), estimate];
        parts.into_iter().flatten().collect::<Vec<_>>().join("-")
    }

    /// The label with what of it is not usual: `MPJPE, absent, linear interpolation`.
    pub(super) fn label(&self, label: &str) -> String {
        let estimate = (self.estimate != Estimate::default()).then(|| self.estimate.label());
        let parts = [Some(label), self.corruption.as_deref(), self.keypoint.as_deref(), estimate];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Whose places they are, as the subject of a sentence.
    pub(super) fn subject(&self) -> String {
        let keypoint = self.keypoint.as_ref().map_or_else(String::new, |name| format!(" for “{name}”"));
        let windows = self.corruption.as_ref().map_or_else(String::new, |name| format!(" in “{name}”"));
        let place = keypoint + &windows;
        match self.estimate {
            Estimate::Optimised => format!("the model's places{place} are"),
            Estimate::Interpolated => format!("places by linear interpolation{place} are"),
            Estimate::Kalman => format!("places by the Kalman smoother{place} are"),
            Estimate::Template => format!("places by the nearest poses{place} are"),
        }
    }

    pub(super) fn signature(&self, seen: &Seen, details: &Details) -> Signature {
        seen.signature(details)
            .with("corruption", self.corruption.as_deref().unwrap_or("all"))
            .with("keypoint", self.keypoint.as_deref().unwrap_or("all"))
            .with("of", self.estimate.column())
    }
}
