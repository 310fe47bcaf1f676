//! Which classes are taken for which.

use std::collections::BTreeMap;

use serde::Serialize;

use super::by_class::Taken;
use super::row::Row;

/// Classes of which `report.json` has the whole matrix.
const WHOLE: usize = 100;
/// Pairs that are listed.
const PAIRS: usize = 24;

/// How often images of each class were taken for each other one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Confusion {
    /// Rows are the true classes, columns what the model said; none of more than a hundred classes.
    pub matrix: Option<Vec<Vec<u64>>>,
    /// Pairs of different classes, the most frequent first.
    pub pairs: Vec<Pair>,
    /// Images by true class and prediction, where there are any.
    #[serde(skip)]
    pub(in crate::report) counts: BTreeMap<(usize, usize), u64>,
}

/// Images of one class that were taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The true class.
    pub truth: usize,
    /// What the model said.
    pub prediction: usize,
    /// Images.
    pub count: u64,
    /// Over all images of the true class.
    pub share: f64,
}

impl Confusion {
    pub(super) fn of(rows: &[&Row], classes: usize) -> Self {
        let mut counts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for row in rows {
            if let Some(label) = row.label {
                *counts.entry((label, row.prediction)).or_default() += 1;
            }
        }
        let mut support = vec![0; classes];
        counts.iter().for_each(|((truth, _), count)| support[*truth] += count);
        let pair = |((truth, prediction), count): (&(usize, usize), &u64)| Pair {
            truth: *truth,
            prediction: *prediction,
            count: *count,
            share: *count as f64 / support[*truth] as f64,
        };
        let mut pairs: Vec<Pair> = counts.iter().filter(|((a, b), _)| a != b).map(pair).collect();
        pairs.sort_by(|a, b| b.count.cmp(&a.count).then(b.share.total_cmp(&a.share)));
        pairs.truncate(PAIRS);
        let matrix = (classes <= WHOLE).then(|| {
            let mut matrix = vec![vec![0; classes]; classes];
            counts.iter().for_each(|((truth, prediction), count)| matrix[*truth][*prediction] = *count);
            matrix
        });
        Self { matrix, pairs, counts }
    }

    /// What images of a class are most often taken for.
    pub(super) fn taken_for(&self, class: usize, support: u64) -> Option<Taken> {
        let others = self.counts.range((class, 0)..(class + 1, 0)).filter(|((_, prediction), _)| *prediction != class);
        // of two that are as frequent the one with the lower number
        let ((_, other), count) = others.rev().max_by_key(|(_, count)| **count)?;
        Some(Taken { class: *other, count: *count, share: *count as f64 / support as f64 })
    }
}
