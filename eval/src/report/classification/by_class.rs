//! The classes one by one.

use serde::Serialize;

use super::confusion::Confusion;
use super::row::Row;
use crate::metric::Statistic;
use crate::metrics::classification::ClassCounts;
use crate::proportion::Proportion;

/// How well one class is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByClass {
    /// Its number.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Its images.
    pub support: u64,
    /// Images that the model says are of it.
    pub predicted: u64,
    /// The share of its images that the model finds; none where it has no image.
    pub recall: Option<Proportion>,
    /// The share of right ones where the model says this class; none where it never does.
    pub precision: Option<Proportion>,
    /// The harmonic mean of both; none where it has no image and is never said.
    pub f1: Option<f64>,
    /// What its images are most often taken for.
    pub taken_for: Option<Taken>,
}

/// What images of a class are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Taken {
    /// The class.
    pub class: usize,
    /// Images.
    pub count: u64,
    /// Over all images of the true class.
    pub share: f64,
}

/// The classes, the hardest first, those without an image last.
pub(super) fn of(rows: &[&Row], names: &[String], confusion: &Confusion) -> Vec<ByClass> {
    let mut counts = ClassCounts::default();
    for row in rows {
        if let Some(label) = row.label {
            counts.merge(&ClassCounts::One { label, prediction: row.prediction });
        }
    }
    let counts = counts.by_class();
    let describe = |(class, name): (usize, &String)| {
        let count = counts.get(class).copied().unwrap_or_default();
        ByClass {
            class,
            name: name.clone(),
            support: count.support,
            predicted: count.predicted,
            recall: Proportion::new(count.correct, count.support),
            precision: Proportion::new(count.correct, count.predicted),
            f1: count.f1(),
            taken_for: confusion.taken_for(class, count.support),
        }
    };
    let mut classes: Vec<ByClass> = names.iter().enumerate().map(describe).collect();
    let accuracy = |class: &ByClass| class.recall.map_or(2.0, |recall| recall.value);
    classes.sort_by(|a, b| accuracy(a).total_cmp(&accuracy(b)).then(a.class.cmp(&b.class)));
    classes
}
