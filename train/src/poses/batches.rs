//! Training batches of pose windows.

use std::sync::Arc;

use tch::Tensor;
use tessera_datasets::{Error, Result};

use super::data::{PoseData, WindowTensors};
use crate::loader::{Batch, BatchSource};
use crate::order::Order;

/// The batches of every epoch. Each window comes once an epoch in an order drawn anew for every
/// epoch; a batch may reach into the next.
///
/// The tensors of a batch are `input_btkc` (float32, 0 where nothing is given), `given_btk`
/// (bool), `target_btkc` (float32), `known_btk` (bool) and `frames_bt` (bool; false is padding).
pub struct PoseBatches {
    data: Arc<PoseData>,
    order: Order,
    batch: usize,
}

impl PoseBatches {
    /// Batches of `batch` windows each. Windows in whose target nothing is known are left out.
    ///
    /// # Errors
    /// When no window is left.
    pub fn new(data: Arc<PoseData>, batch: usize, seed: u64) -> Result<Self> {
        let says_something = |row: &usize| data.marks(*row..*row + 1).1.contains(&true);
        let rows: Vec<u32> = (0..data.len()).filter(says_something).map(|row| row as u32).collect();
        if rows.is_empty() {
            return Err(Error::input("no window with a known pose in the training split"));
        }
        let order = Order::new(vec![rows], 1, 1, "pose windows", seed);
        Ok(Self { data, order, batch })
    }

    /// Windows in an epoch.
    pub fn rows(&self) -> u64 {
        self.order.len()
    }
}

impl BatchSource for PoseBatches {
    fn batch(&self, step: u64) -> Result<Batch> {
        let first = step * self.batch as u64;
        let rows = self.order.rows(first..first + self.batch as u64);
        let rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
        let windows = self.data.tensors(&rows)?;
        let items = windows.frames_bt.sum(tch::Kind::Int64).int64_value(&[]).unsigned_abs();
        Ok(Batch { tensors: windows.into(), items })
    }
}

impl From<WindowTensors> for Vec<Tensor> {
    fn from(windows: WindowTensors) -> Self {
        let WindowTensors { input_btkc, given_btk, target_btkc, known_btk, frames_bt } = windows;
        vec![input_btkc, given_btk, target_btkc, known_btk, frames_bt]
    }
}

impl WindowTensors {
    /// From the tensors of a batch.
    ///
    /// # Errors
    /// When they are others.
    pub fn of(tensors: Vec<Tensor>) -> Result<Self> {
        let [input_btkc, given_btk, target_btkc, known_btk, frames_bt] =
            <[Tensor; 5]>::try_from(tensors).map_err(|_| Error::internal("a batch with other tensors"))?;
        Ok(Self { input_btkc, given_btk, target_btkc, known_btk, frames_bt })
    }
}
