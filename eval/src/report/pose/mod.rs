//! How well poses are optimised: hidden keypoints beside simpler methods, keypoint by keypoint, by
//! the length of a gap, the lengths of bones, films of skeletons, tracks over time, what the filters
//! did, and where the model looked.

mod attention;
mod bones;
mod duel;
mod film;
mod gaps;
mod gather;
mod keypoints;
mod paired;
mod row;
mod sides;
mod strata;

use std::path::Path;

use serde::Serialize;
use tessera_datasets::manifest::StageCounts;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::{Error, Result};

pub use attention::{Attention, AttentionMap, ExplainedWindow};
pub use bones::Bone;
pub use duel::{Apart, Duel, Outcome};
pub use film::{Film, Reason as FilmReason};
pub use gaps::{Gap, GapValue};
pub use keypoints::{ByKeypoint, KeypointStratum};
pub use paired::{SameWindows, WindowsTest};
pub use sides::Side as BodySide;
pub use strata::{Measured, MethodResult, Stratum};

pub(super) use paired::Side;
pub(super) use row::Row;

use crate::bootstrap::Bootstrap;
use crate::metrics::pose::{Estimate, windows};
use crate::predictions::Predictions;
use crate::rows::Rows;

/// The `task` of the predictions that this section is about.
pub(super) const TASK: &str = "pose-optimisation";

/// What the predictions of poses show beyond their scores.
#[derive(Clone, Debug, Serialize)]
pub struct Poses {
    /// Which keypoints there are, in which unit.
    pub skeleton: Skeleton,
    /// The side of the body that each keypoint is on.
    pub sides: Vec<BodySide>,
    /// Windows that were optimised.
    pub windows: u64,
    /// Frames of a window.
    pub frames: usize,
    /// Different stretches of time that they are from: an interval hangs on these.
    pub stretches: u64,
    /// Recordings that they are from.
    pub subjects: u64,
    /// Keypoints that were hidden and whose truth is known.
    pub masked: u64,
    /// By what was done to the input.
    pub strata: Vec<Stratum>,
    /// Whom the model beats and who beats it, in sentences.
    pub verdict: Vec<String>,
    /// Keypoint by keypoint.
    pub by_keypoint: Vec<KeypointStratum>,
    /// The error of hidden keypoints by how many frames in succession they are hidden.
    pub by_gap: Vec<Gap>,
    /// The error of hidden keypoints by how far the next frame is in which they are given.
    pub by_distance: Vec<Gap>,
    /// How long bones are and how constant.
    pub bones: Vec<Bone>,
    /// What the stages did to the recordings before there were windows.
    pub filters: Vec<StageCounts>,
    /// Windows that are shown whole.
    pub films: Vec<Film>,
    /// What the model looked at.
    pub attention: Attention,
    /// Simpler methods that say the same as another in every window.
    pub alike: Vec<[Estimate; 2]>,
    /// Whether the weights are an exponential moving average of those that were trained.
    pub average: bool,
    #[serde(skip)]
    pub(super) rows: Vec<Row>,
}

impl Poses {
    /// Reads all predictions twice, once for the numbers and once for the films, and the
    /// explanations.
    ///
    /// # Errors
    /// When a column is absent, a value cannot be, or the explanations are not what they should be.
    pub(super) fn read(predictions: &Predictions, explanations: &Path, bootstrap: &Bootstrap) -> Result<Self> {
        let details = predictions.details();
        let skeleton = Skeleton::of_details(details.all())?;
        let edges = skeleton.edge_indices();
        let mut gathered = gather::Gathered::new(skeleton.keypoints.len(), &edges);
        predictions.each_batch(|batch, first| {
            let batch = Rows::new(batch, "the report", first).with_details(details);
            windows(&batch)?.iter().enumerate().for_each(|(i, window)| gathered.add(window, first + i as u64 + 1));
            Ok(())
        })?;
        let strata = strata::of(&gathered, bootstrap, &skeleton.unit);
        let chosen = film::choose(&gathered.rows, &strata);
        let sides = sides::of(&skeleton);
        let mut films = Vec::new();
        predictions.each_batch(|batch, first| {
            let batch = Rows::new(batch, "the report", first).with_details(details);
            for (i, window) in windows(&batch)?.iter().enumerate() {
                let reasons = chosen.iter().filter(|chosen| chosen.row == first + i as u64 + 1);
                films.extend(reasons.map(|chosen| Film::of(window, chosen)));
            }
            Ok(())
        })?;
        films.sort_by_key(|film: &Film| chosen.iter().position(|chosen| chosen.is(film)));
        Ok(Self {
            windows: gathered.rows.len() as u64,
            frames: gathered.frames,
            stretches: gathered.stretches(),
            subjects: gathered.subjects(),
            masked: gathered.rows.iter().map(|row| u64::from(row.masked.count)).sum(),
            verdict: strata::verdict(&strata, &skeleton.unit),
            by_keypoint: keypoints::of(&gathered, &skeleton, &strata),
            by_gap: gaps::of(&gathered.gaps, gathered.frames),
            by_distance: gaps::of(&gathered.distances, gathered.frames),
            bones: bones::of(&gathered, &skeleton),
            filters: filters(predictions)?,
            films,
            attention: Attention::read(explanations, predictions.split(), &skeleton)?,
            alike: row::alike(&gathered.rows),
            average: details.flag("average"),
            strata,
            sides,
            skeleton,
            rows: gathered.rows,
        })
    }
}

/// What the stages did, where the predictions say it.
fn filters(predictions: &Predictions) -> Result<Vec<StageCounts>> {
    match predictions.details().all().get("filters") {
        None => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|e| Error::input(format!("`details.filters` is not what stages did: {e}"))),
    }
}
