//! Which rows come when.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tessera_datasets::hash::derive_seed;

/// How many windows are kept: one, the next where a batch reaches into it, and one for a thread
/// that lags behind.
const KEPT: usize = 3;

/// The order of an endless stream of rows in which each comes once an epoch.
///
/// Rows lie in blocks that are read as a whole. An epoch draws an order of the blocks, takes some
/// of them together as a window, and draws an order of the rows of each window. With all rows in
/// one block it is a plain permutation. The row at a place of the stream follows from the seed and
/// the place alone.
pub(crate) struct Order {
    blocks: Vec<Vec<u32>>,
    /// Blocks in a window.
    together: usize,
    /// Rows in all blocks.
    rows: u64,
    /// How many times a row comes in succession.
    repeats: u64,
    /// What the rows are, which names the random numbers.
    what: &'static str,
    seed: u64,
    windows: Mutex<VecDeque<Arc<Window>>>,
}

/// Some rows of an epoch in their order.
struct Window {
    epoch: u64,
    /// Their places in the epoch.
    places: Range<u64>,
    rows: Vec<u32>,
}

impl Order {
    /// Blocks of rows, of which `together` make a window; `what` they are.
    pub(crate) fn new(blocks: Vec<Vec<u32>>, together: usize, repeats: usize, what: &'static str, seed: u64) -> Self {
        let rows = blocks.iter().map(|block| block.len() as u64).sum();
        Self {
            blocks,
            together: together.max(1),
            rows,
            repeats: repeats.max(1) as u64,
            what,
            seed,
            windows: Mutex::default(),
        }
    }

    /// Rows in an epoch.
    pub(crate) fn len(&self) -> u64 {
        self.rows
    }

    /// The rows at these places of the stream; there must be at least one row.
    pub(crate) fn rows(&self, places: Range<u64>) -> Vec<u32> {
        let mut out = Vec::with_capacity((places.end - places.start) as usize);
        let mut window: Option<Arc<Window>> = None;
        for place in places {
            let place = place / self.repeats;
            let (epoch, place) = (place / self.rows, place % self.rows);
            let found = match window.take().filter(|w| w.epoch == epoch && w.places.contains(&place)) {
                Some(same) => same,
                None => self.window(epoch, place),
            };
            out.push(found.rows[(place - found.places.start) as usize]);
            window = Some(found);
        }
        out
    }

    /// The window with this place of an epoch.
    fn window(&self, epoch: u64, place: u64) -> Arc<Window> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = windows.iter().find(|w| w.epoch == epoch && w.places.contains(&place)) {
            return found.clone();
        }
        let made = Arc::new(self.shuffled(epoch, place));
        windows.push_back(made.clone());
        if windows.len() > KEPT {
            windows.pop_front();
        }
        made
    }

    fn shuffled(&self, epoch: u64, place: u64) -> Window {
        let mut random = ChaCha8Rng::seed_from_u64(derive_seed(self.seed, self.what, epoch));
        let mut order: Vec<usize> = (0..self.blocks.len()).collect();
        order.shuffle(&mut random);
        let mut start = 0;
        for blocks in order.chunks(self.together) {
            let length: u64 = blocks.iter().map(|block| self.blocks[*block].len() as u64).sum();
            if place < start + length {
                let mut rows: Vec<u32> = blocks.iter().flat_map(|block| self.blocks[*block].iter().copied()).collect();
                // a generator of its own: the windows before need not be shuffled to get here
                let seed = derive_seed(self.seed, &format!("{} of epoch {epoch}", self.what), start);
                rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                return Window { epoch, places: start..start + length, rows };
            }
            start += length;
        }
        unreachable!("a place of an epoch is below the number of rows")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(sizes: &[usize]) -> Vec<Vec<u32>> {
        let mut next = 0..;
        sizes.iter().map(|size| next.by_ref().take(*size).collect()).collect()
    }

    proptest! {
        #[test]
        fn every_row_comes_once_an_epoch(
            sizes in prop::collection::vec(0_usize..9, 1..8),
            together in 1_usize..5,
            batch in 1_u64..7,
            seed in 0_u64..50,
        ) {
            let order = Order::new(blocks(&sizes), together, 1, "rows", seed);
            prop_assume!(order.len() > 0);
            let stream: Vec<u32> = (0..3 * order.len()).step_by(batch as usize).flat_map(|i| order.rows(i..i + batch)).collect();
            for epoch in stream.chunks_exact(order.len() as usize).take(3) {
                let mut seen = epoch.to_vec();
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..order.len() as u32).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_place_gives_the_same_row_in_any_order() {
        let make = || Order::new(blocks(&[5, 0, 9, 4, 7]), 2, 1, "rows", 3);
        let order = make();
        let forward: Vec<Vec<u32>> = (0..30).map(|step| order.rows(step * 6..step * 6 + 6)).collect();
        let other = make();
        for step in [29, 0, 17, 5, 4, 12, 29_u64] {
            assert_eq!(other.rows(step * 6..step * 6 + 6), forward[step as usize]);
        }
        assert_ne!(forward[..4].concat(), forward[5..9].concat());
    }

    #[test]
    fn rows_of_a_window_come_together() {
        let order = Order::new(blocks(&[10; 6]), 2, 1, "rows", 5);
        for window in 0..3 {
            let mut seen: Vec<u32> = order.rows(window * 20..window * 20 + 20).iter().map(|row| row / 10).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 2);
        }
    }

    #[test]
    fn repeats_come_in_succession() {
        let once = Order::new(blocks(&[8]), 1, 1, "rows", 5).rows(0..8);
        let thrice = Order::new(blocks(&[8]), 1, 3, "rows", 5).rows(0..24);
        assert_eq!(thrice, once.iter().flat_map(|row| [*row; 3]).collect::<Vec<_>>());
    }
}
