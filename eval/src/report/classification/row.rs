//! The predictions as the report keeps them.

use std::collections::HashMap;

use serde::Serialize;
use tessera_datasets::Result;

use super::picture::Picture;
use crate::metrics::classification::judged;
use crate::rows::Rows;

/// Classes that are named for an image that is shown.
const GUESSES: usize = 5;

/// What is kept of every image.
#[derive(Clone, Debug)]
pub(in crate::report) struct Row {
    /// Its row, from 1.
    pub(in crate::report) row: u64,
    pub(in crate::report) id: String,
    /// Its class, where it is known.
    pub(in crate::report) label: Option<usize>,
    pub(in crate::report) prediction: usize,
    /// The probability of the prediction.
    pub(in crate::report) confidence: f32,
    /// The probability of the right class.
    pub(in crate::report) truth: Option<f64>,
    /// How many classes are more probable than the right one.
    pub(in crate::report) rank: Option<usize>,
}

impl Row {
    /// Whether the prediction is right; none where the class is not known.
    pub(in crate::report) fn correct(&self) -> Option<bool> {
        self.label.map(|label| label == self.prediction)
    }
}

/// What is kept of the images that have a thumbnail, by id.
pub(in crate::report) type Shown = HashMap<String, Exhibited>;

/// An image that can be shown.
#[derive(Clone, Debug)]
pub(in crate::report) struct Exhibited {
    /// The thumbnail; none where its bytes are none that a browser knows.
    pub(in crate::report) picture: Option<Picture>,
    /// What the model finds most probable.
    pub(in crate::report) guesses: Vec<Guess>,
}

/// A class that an image may be of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// The class.
    pub class: usize,
    /// Its probability.
    pub probability: f64,
}

/// Appends the rows of a batch; `classes` becomes the number of log-probabilities.
pub(super) fn read(
    batch: &Rows<'_>,
    first: u64,
    rows: &mut Vec<Row>,
    shown: &mut Shown,
    classes: &mut usize,
) -> Result<()> {
    let images = batch.images("image")?;
    for (i, (judged, image)) in judged(batch)?.iter().zip(images).enumerate() {
        *classes = judged.log_probabilities.len();
        if let Some(bytes) = image {
            let guess = |class: usize| Guess { class, probability: judged.probability(class) };
            let guesses = judged.most_probable(GUESSES).into_iter().map(guess).collect();
            shown.insert(judged.id.to_owned(), Exhibited { picture: Picture::of(bytes), guesses });
        }
        rows.push(Row {
            row: first + i as u64 + 1,
            id: judged.id.to_owned(),
            label: judged.label,
            prediction: judged.prediction,
            confidence: judged.confidence(),
            truth: judged.label.map(|label| judged.probability(label)),
            rank: judged.label.map(|label| judged.rank(label)),
        });
    }
    Ok(())
}
