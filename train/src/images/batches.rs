//! Training batches of images.

use std::sync::{Arc, Mutex, PoisonError};

use tch::Tensor;
use tessera_datasets::{Error, Result};

use super::augment::mix::Mix;
use super::{AugmentConfig, Draw, ImageData, Preparation, Preparer};
use crate::loader::{Batch, BatchSource};
use crate::order::Order;
use crate::shim::filled;

/// The batches of every epoch. Each row that has a label comes once an epoch, or `repeats` times
/// in succession, in an order drawn anew for every epoch; a batch may reach into the next.
///
/// Where the split does not fit into memory, its row groups come in an order drawn for each epoch,
/// and rows are shuffled among as many groups as memory holds at a time.
///
/// The tensors of a batch are `images_bchw` (float32, normalised, channels-last in memory) and
/// `labels_b` (int64); where [`AugmentConfig::mixes`], also `other_labels_b` and `share_b`
/// (float32): the target is `share` of the one and the rest of the other label.
pub struct ImageBatches {
    data: Arc<ImageData>,
    preparation: Preparation,
    augment: AugmentConfig,
    order: Order,
    batch: usize,
    seed: u64,
    /// One for each thread that has been here.
    preparers: Mutex<Vec<Preparer>>,
}

impl ImageBatches {
    /// Batches of `batch` images each.
    ///
    /// # Errors
    /// When no row has a label.
    pub fn new(
        data: Arc<ImageData>,
        preparation: Preparation,
        augment: AugmentConfig,
        batch: usize,
        seed: u64,
    ) -> Result<Self> {
        let order = data.order(augment.repeats, seed);
        if order.len() == 0 {
            return Err(Error::input("no image with a label in the training split")
                .hint("check the folders or the label column that the dataset was made from"));
        }
        Ok(Self { data, preparation, augment, order, batch, seed, preparers: Mutex::default() })
    }

    /// Rows that are left out because they have no label.
    pub fn left_out(&self) -> usize {
        self.data.len() - self.order.len() as usize
    }

    /// Rows in an epoch.
    pub fn rows(&self) -> u64 {
        self.order.len()
    }

    fn lent(&self) -> Preparer {
        let mut preparers = self.preparers.lock().unwrap_or_else(PoisonError::into_inner);
        preparers.pop().unwrap_or_else(|| Preparer::new(self.preparation))
    }

    fn give_back(&self, preparer: Preparer) {
        self.preparers.lock().unwrap_or_else(PoisonError::into_inner).push(preparer);
    }
}

impl BatchSource for ImageBatches {
    fn batch(&self, step: u64) -> Result<Batch> {
        let first = step * self.batch as u64;
        let rows = self.order.rows(first..first + self.batch as u64);
        let size = self.preparation.image_size as i64;
        let mut preparer = self.lent();
        let values = preparer.values();
        let mut mixed = None;
        let images_bhwc = filled(&[self.batch as i64, size, size, 3], |out| {
            for (place, (row, out)) in rows.iter().zip(out.chunks_exact_mut(values)).enumerate() {
                let mut random = Draw::new(self.seed, "augment", first + place as u64);
                let image = self.data.decoded(*row as usize)?;
                preparer.training(&image, &self.augment, &mut random, out)?;
            }
            if self.augment.mixes() {
                let mix = Mix::draw(&self.augment, size as usize, &mut Draw::new(self.seed, "mix", step));
                mix.apply(out, size as usize);
                mixed = Some(mix.share());
            }
            Ok(())
        })?;
        self.give_back(preparer);
        let labels: Vec<i64> = rows.iter().map(|row| self.data.label(*row as usize)).collect();
        let labels_b = Tensor::from_slice(&labels);
        let mut tensors = vec![images_bhwc.permute([0, 3, 1, 2])];
        if let Some(share) = mixed {
            let (other_b, share_b) = (labels_b.flip([0]), Tensor::from_slice(&vec![share; labels.len()]));
            tensors.extend([labels_b, other_b, share_b]);
        } else {
            tensors.push(labels_b);
        }
        Ok(Batch { tensors, items: self.batch as u64 })
    }
}
