//! Images in their order, without chance.

use tch::Tensor;
use tessera_datasets::Result;

use super::{ImageData, Preparation, Preparer};
use crate::shim::filled;

/// Batches of a split for validation and predictions.
pub struct EvaluationImages<'a> {
    data: &'a ImageData,
    preparer: Preparer,
    size: i64,
    batch: usize,
    rows: Vec<usize>,
    next: usize,
}

/// Some images side by side.
pub struct EvaluationBatch {
    /// Their rows in the split.
    pub rows: Vec<usize>,
    /// Normalised, float32, channels-last in memory.
    pub images_bchw: Tensor,
    /// Their classes, int64; -1 where one is not known.
    pub labels_b: Tensor,
}

impl<'a> EvaluationImages<'a> {
    /// All rows in order.
    pub fn new(data: &'a ImageData, preparation: Preparation, batch: usize) -> Self {
        Self::of(data, preparation, batch, (0..data.len()).collect())
    }

    /// At most so many rows, evenly spread over the split.
    pub fn spread(data: &'a ImageData, preparation: Preparation, batch: usize, limit: usize) -> Self {
        let count = limit.min(data.len());
        Self::of(data, preparation, batch, (0..count).map(|i| i * data.len() / count).collect())
    }

    fn of(data: &'a ImageData, preparation: Preparation, batch: usize, rows: Vec<usize>) -> Self {
        let size = preparation.image_size as i64;
        Self { data, preparer: Preparer::new(preparation), size, batch: batch.max(1), rows, next: 0 }
    }

    /// One row's image `x_1chw`.
    ///
    /// # Errors
    /// When it cannot be read or decoded.
    pub fn image(&mut self, row: usize) -> Result<Tensor> {
        self.images(&[row])
    }

    fn images(&mut self, rows: &[usize]) -> Result<Tensor> {
        let shape = [rows.len() as i64, self.size, self.size, 3];
        let values = self.preparer.values();
        let images_bhwc = filled(&shape, |out| {
            for (row, out) in rows.iter().zip(out.chunks_exact_mut(values)) {
                self.preparer.evaluation(&self.data.decoded(*row)?, out)?;
            }
            Ok(())
        })?;
        Ok(images_bhwc.permute([0, 3, 1, 2]))
    }
}

impl Iterator for EvaluationImages<'_> {
    type Item = Result<EvaluationBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = (self.next + self.batch).min(self.rows.len());
        let rows = self.rows[self.next..end].to_vec();
        self.next = end;
        if rows.is_empty() {
            return None;
        }
        let labels: Vec<i64> = rows.iter().map(|row| self.data.label(*row)).collect();
        let images = self.images(&rows);
        Some(images.map(|images_bchw| EvaluationBatch { rows, images_bchw, labels_b: Tensor::from_slice(&labels) }))
    }
}
