//! How a model classifies images: which classes it knows and mixes up, whether its confidence can
//! be trusted, its most confident mistakes, what it looked at, and its first layer.

mod by_class;
mod confusion;
mod explained;
mod map;
mod mistakes;
mod paired;
mod picture;
mod portrait;
mod reliability;
mod results;
mod row;

use std::path::Path;

use serde::Serialize;
use tessera_datasets::{Error, Result};

pub use by_class::{ByClass, Taken};
pub use confusion::{Confusion, Pair};
pub use explained::{Explained, ExplainedImage, HeadMaps, StageMap};
pub use map::Map;
pub use mistakes::Mistake;
pub use paired::{ByClassPaired, Disagreement, McNemarTest, SameImages, Verdict};
pub use picture::Picture;
pub use portrait::{Filters, Portrait, Similarity, SimilarityMap};
pub use reliability::{Group, Reliability};
pub use results::{HEADER as RESULTS_HEADER, Results};
pub use row::Guess;

pub(super) use map::{Array, each_array};
pub(super) use paired::Side;
pub(super) use row::{Row, Shown};

use crate::metric::Tally;
use crate::metrics::classification::CalibrationError;
use crate::predictions::Predictions;
use crate::proportion::Proportion;
use crate::rows::Rows;

/// The `task` of the predictions that this section is about.
pub(super) const TASK: &str = "image-classification";

/// What the predictions of image classification show beyond their scores.
#[derive(Clone, Debug, Serialize)]
pub struct Classification {
    /// The names of the classes, in their order.
    pub classes: Vec<String>,
    /// Images that were classified.
    pub images: u64,
    /// Images among them whose class is not known; they count in no score.
    pub unlabelled: u64,
    /// The side of the square that the network sees, in pixels.
    pub image_size: Option<u64>,
    /// The share of an image that is looked at.
    pub crop: Option<f64>,
    /// How images were resized, such as `bicubic`.
    pub interpolation: Option<String>,
    /// Parameters of the network.
    pub parameters: Option<u64>,
    /// Whether the weights are an exponential moving average of those that were trained.
    pub average: bool,
    /// How often the most probable class is right; none where no class is known.
    pub top_1: Option<Proportion>,
    /// How often the right class is among the five most probable.
    pub top_5: Option<Proportion>,
    /// The classes, the hardest first, those without an image last.
    pub by_class: Vec<ByClass>,
    /// Which classes are taken for which.
    pub confusion: Confusion,
    /// Whether confidence can be trusted.
    pub reliability: Reliability,
    /// The mistakes that the model was surest of, the surest first.
    pub mistakes: Vec<Mistake>,
    /// What the model looked at.
    pub explained: Explained,
    /// What the network shows about itself.
    pub portrait: Portrait,
    /// The row of timm's results file.
    pub results: Results,
    #[serde(skip)]
    pub(super) rows: Vec<Row>,
    #[serde(skip)]
    pub(super) shown: Shown,
}

impl Classification {
    /// Reads all predictions once, and the explanations.
    ///
    /// # Errors
    /// When a column is absent, a value cannot be, or the explanations are not what they should be.
    pub(super) fn read(
        predictions: &Predictions,
        explanations: &Path,
        tallies: &[Box<dyn Tally>],
        name: &str,
    ) -> Result<Self> {
        let mut rows = Vec::new();
        let mut shown = Shown::default();
        let mut count = 0;
        predictions.each_batch(|batch, first| {
            let batch = Rows::new(batch, "the report", first);
            row::read(&batch, first, &mut rows, &mut shown, &mut count)
        })?;
        let details = predictions.details();
        let classes = names(details.texts("classes"), count)?;
        let labelled: Vec<&Row> = rows.iter().filter(|row| row.label.is_some()).collect();
        let hits = |most: usize| labelled.iter().filter(|row| row.rank.is_some_and(|rank| rank < most)).count() as u64;
        let known = labelled.len() as u64;
        let calibration = tallies.iter().find_map(|tally| tally.metric().downcast_ref::<CalibrationError>());
        let (top_1, top_5) = (Proportion::new(hits(1), known), Proportion::new(hits(5), known));
        let confusion = Confusion::of(&labelled, classes.len());
        Ok(Self {
            images: rows.len() as u64,
            unlabelled: rows.len() as u64 - known,
            image_size: details.number("image_size"),
            crop: details.real("crop"),
            interpolation: details.text("interpolation").map(str::to_owned),
            parameters: details.number("parameters"),
            average: details.flag("average"),
            by_class: by_class::of(&labelled, &classes, &confusion),
            reliability: Reliability::of(&labelled, &calibration.copied().unwrap_or_default()),
            mistakes: mistakes::surest(&labelled, &shown),
            explained: Explained::read(explanations, predictions.split(), &rows, &shown)?,
            portrait: Portrait::read(explanations, predictions.split())?,
            results: Results::of(details, name, top_1, top_5),
            classes,
            top_1,
            top_5,
            confusion,
            rows,
            shown,
        })
    }
}

/// The names of the classes; their numbers where the predictions name none.
fn names(named: Vec<String>, count: usize) -> Result<Vec<String>> {
    match named.len() {
        0 => Ok((0..count).map(|class| class.to_string()).collect()),
        n if n == count => Ok(named),
        n => Err(Error::input(format!("the predictions have {count} log-probabilities, but name {n} classes"))),
    }
}
