//! Random numbers of one window.

use std::f64::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tessera_datasets::hash::derive_seed;

/// A source of random numbers that follows from a seed, a purpose and a number, so that each
/// window can be drawn without those before it.
pub(super) struct Draw {
    rng: ChaCha8Rng,
    order: Vec<usize>,
}

impl Draw {
    /// The same arguments give the same numbers.
    pub(super) fn new(seed: u64, purpose: &str, index: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(derive_seed(seed, purpose, index)), order: Vec::new() }
    }

    /// One of the whole numbers from `low` to `high`; `low` where there is none.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        self.rng.random_range(low..=high.max(low))
    }

    /// Evenly from `low` to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.rng.random::<f64>()
    }

    /// Evenly from -1 to 1.
    pub(super) fn signed(&mut self) -> f32 {
        // 24 bits, as many as a float tells apart
        (self.rng.next_u32() >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.rng.next_u32()) < probability * 4_294_967_296.0
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.rng.random::<f64>()).ln()).sqrt();
        radius * (TAU * self.rng.random::<f64>()).cos()
    }

    /// So many of the numbers below `of`, none twice; all of them where there are not so many.
    pub(super) fn some(&mut self, of: usize, count: usize) -> &[usize] {
        self.order.clear();
        self.order.extend(0..of);
        let count = count.min(of);
        for i in 0..count {
            let other = self.rng.random_range(i..of);
            self.order.swap(i, other);
        }
        &self.order[..count]
    }
}
