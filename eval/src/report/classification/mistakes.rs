//! The mistakes that the model was surest of.

use serde::Serialize;

use super::picture::Picture;
use super::row::{Row, Shown};

/// Mistakes that are shown.
const SHOWN: usize = 30;

/// An image that was taken for another class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// Its row, from 1.
    pub row: u64,
    /// Its id.
    pub id: String,
    /// Its class.
    pub truth: usize,
    /// What the model said.
    pub prediction: usize,
    /// The probability of what it said.
    pub confidence: f64,
    /// The probability of the true class.
    pub truth_probability: f64,
    /// The thumbnail, where the predictions have one.
    pub picture: Option<Picture>,
}

/// The mistakes with the highest confidence, the highest first.
pub(super) fn surest(rows: &[&Row], shown: &Shown) -> Vec<Mistake> {
    let mut wrong: Vec<&&Row> = rows.iter().filter(|row| row.correct() == Some(false)).collect();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.row.cmp(&b.row)));
    let mistake = |row: &&Row| {
        Some(Mistake {
            row: row.row,
            id: row.id.clone(),
            truth: row.label?,
            prediction: row.prediction,
            confidence: row.confidence.into(),
            truth_probability: row.truth?,
            picture: shown.get(&row.id).and_then(|shown| shown.picture.clone()),
        })
    };
    wrong.into_iter().take(SHOWN).filter_map(mistake).collect()
}
