//! Random numbers of one image or one batch.

use std::f64::consts::TAU;
use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tessera_datasets::hash::derive_seed;

/// A source of random numbers that follows from a seed, a purpose and a number.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The same arguments give the same numbers.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(derive_seed(seed, purpose, index)))
    }

    /// Evenly from `from` to `to`.
    pub fn uniform(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// One of these whole numbers.
    pub fn integer(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.random_range(range)
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.random::<f64>()).ln()).sqrt();
        radius * (TAU * self.0.random::<f64>()).cos()
    }

    /// Fills with normal numbers, two from each draw.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        for pair in out.chunks_mut(2) {
            let radius = (-2.0 * (1.0 - self.0.random::<f32>()).ln()).sqrt();
            let (sine, cosine) = (std::f32::consts::TAU * self.0.random::<f32>()).sin_cos();
            pair[0] = radius * cosine;
            if let Some(second) = pair.get_mut(1) {
                *second = radius * sine;
            }
        }
    }

    /// Beta(α, α) of two Gamma numbers.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (a, b) = (self.log_gamma(alpha), self.log_gamma(alpha));
        // logarithms: with a small α both numbers may be too small for a float
        1.0 / (1.0 + (b - a).exp())
    }

    /// The logarithm of a Gamma(α, 1) number (Marsaglia and Tsang 2000).
    fn log_gamma(&mut self, alpha: f64) -> f64 {
        if alpha < 1.0 {
            let boost = (1.0 - self.0.random::<f64>()).ln() / alpha;
            return self.log_gamma(alpha + 1.0) + boost;
        }
        let d = alpha - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.0.random::<f64>()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return (d * v).ln();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 100_000;

    fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
        let values: Vec<f64> = values.collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance)
    }

    #[test]
    fn beta_has_its_mean_and_variance() {
        let mut draw = Draw::new(1, "beta", 0);
        for alpha in [0.1, 0.2, 0.8, 1.0, 4.0] {
            let (mean, variance) = moments((0..COUNT).map(|_| draw.beta(alpha)));
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 5.0 * (expected / COUNT as f64).sqrt(), "α {alpha}: mean {mean}");
            assert!((variance / expected - 1.0).abs() < 0.03, "α {alpha}: variance {variance}, not {expected}");
        }
    }

    #[test]
    fn normal_numbers_are_normal() {
        let mut draw = Draw::new(1, "normal", 0);
        let mut filled = vec![0.0; COUNT + 1];
        draw.fill_normal(&mut filled);
        let one_by_one: Vec<f64> = (0..COUNT).map(|_| draw.normal()).collect();
        for values in [one_by_one, filled.iter().map(|v| f64::from(*v)).collect()] {
            let (mean, variance) = moments(values.iter().copied());
            assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
            let within = values.iter().filter(|v| v.abs() < 1.0).count() as f64 / values.len() as f64;
            assert!((within - 0.6827).abs() < 0.01, "{within}");
        }
    }

    #[test]
    fn numbers_follow_from_their_arguments_alone() {
        let draw = |seed, purpose, index| Draw::new(seed, purpose, index).uniform(0.0, 1.0);
        assert_eq!(draw(1, "a", 2), draw(1, "a", 2));
        let others = [draw(2, "a", 2), draw(1, "b", 2), draw(1, "a", 3)];
        assert!(others.iter().all(|other| *other != draw(1, "a", 2)));
    }
}
