//! The bootstrap: how far a score would move if other segments had been drawn.
//!
//! Segments (windows, sentences, images) are drawn with replacement, the statistics of those drawn
//! are merged, and the score is computed from the merged statistics, never from averaged scores
//! (Koehn, "Statistical significance tests for machine translation evaluation", 2004).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

/// The share of the replicates that an interval covers.
pub const CONFIDENCE: f64 = 0.95;

/// The seed of every bootstrap, unless a caller has a reason for another; sacrebleu's default too.
pub const SEED: u64 = 12345;

/// How often to resample, and from which seed.
///
/// The draws depend on the seed, the number of the replicate and the number of segments, and on
/// nothing else. Two runs over the same segments therefore see the same draws, which is what a
/// paired test needs: the difference of their replicates is the distribution of their difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Replicates; 0 means that no interval is wanted.
    pub count: u32,
    /// The seed.
    pub seed: u64,
}

/// Where the true value plausibly lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end, in the unit of the score.
    pub low: f64,
    /// The upper end, in the unit of the score.
    pub high: f64,
    /// How often an interval made this way holds the true value: 0.95.
    pub confidence: f64,
    /// How it was made, such as `bootstrap percentile`.
    pub method: &'static str,
}

impl Bootstrap {
    /// A bootstrap with the seed that everything here uses.
    pub fn new(count: u32) -> Self {
        Self { count, seed: SEED }
    }

    /// The value of every replicate. `value` gets the numbers of the segments drawn, as many as
    /// there are segments; replicates for which it has none are left out.
    pub fn replicates(&self, segments: usize, mut value: impl FnMut(&[usize]) -> Option<f64>) -> Vec<f64> {
        if segments == 0 {
            return Vec::new();
        }
        let mut drawn = vec![0; segments];
        let values = (0..self.count).filter_map(|replicate| {
            // a stream for each replicate: they can be computed in any order, by any thread
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(u64::from(replicate));
            drawn.iter_mut().for_each(|slot| *slot = below(&mut random, segments));
            value(&drawn)
        });
        values.collect()
    }
}

/// The percentile interval of some replicates; none below two of them.
///
/// Of `B` sorted replicates it leaves out `B/40` at each end, as sacrebleu does.
pub fn percentile_interval(replicates: &[f64]) -> Option<Interval> {
    if replicates.len() < 2 {
        return None;
    }
    let mut sorted = replicates.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let left_out = sorted.len() / 40;
    Some(Interval {
        low: sorted[left_out],
        high: sorted[sorted.len() - 1 - left_out],
        confidence: CONFIDENCE,
        method: "bootstrap percentile",
    })
}

/// A number below `n`, by a multiplication instead of a division; its bias is below n / 2^64. It is
/// written out here so that a new version of a library cannot change the draws.
fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(random.next_u64()) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64], drawn: &[usize]) -> Option<f64> {
        Some(drawn.iter().map(|i| values[*i]).sum::<f64>() / drawn.len() as f64)
    }

    #[test]
    fn the_same_seed_gives_the_same_replicates_and_another_does_not() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let run = |bootstrap: Bootstrap| bootstrap.replicates(50, |drawn| mean(&values, drawn));
        let bootstrap = Bootstrap::new(100);
        assert_eq!(run(bootstrap), run(bootstrap));
        assert_ne!(run(bootstrap), run(Bootstrap { seed: 1, ..bootstrap }));
        // more replicates only add to those there are
        assert_eq!(run(bootstrap), run(Bootstrap::new(200))[..100]);
    }

    #[test]
    fn leaves_a_fortieth_out_at_each_end() {
        let values: Vec<f64> = (0..1000).rev().map(f64::from).collect();
        let interval = percentile_interval(&values).unwrap();
        assert_eq!((interval.low, interval.high), (25.0, 974.0));
        assert!(percentile_interval(&[1.0]).is_none());
        assert!(Bootstrap::new(10).replicates(0, |_| Some(1.0)).is_empty());
    }

    #[test]
    fn every_segment_is_drawn_about_as_often() {
        let mut seen = [0_u32; 10];
        Bootstrap::new(2000).replicates(10, |drawn| {
            drawn.iter().for_each(|i| seen[*i] += 1);
            None
        });
        // 2000 expected each, standard deviation 42
        assert!(seen.iter().all(|n| (1800..2200).contains(n)), "{seen:?}");
    }

    /// The interval of a mean must hold the true mean in about 95 of 100 experiments. With 80
    /// segments from a skewed distribution the percentile bootstrap is known to fall a little
    /// short, so the band is wide below.
    #[test]
    fn covers_the_truth_about_as_often_as_it_says() {
        let experiments = 400;
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut covered = 0;
        for _ in 0..experiments {
            // exponential with mean 1, shifted by 1
            let values: Vec<f64> = (0..80).map(|_| 1.0 - (1.0 - uniform()).ln()).collect();
            let replicates = Bootstrap::new(200).replicates(80, |drawn| mean(&values, drawn));
            let interval = percentile_interval(&replicates).unwrap();
            covered += u32::from(interval.low <= 2.0 && 2.0 <= interval.high);
        }
        let share = f64::from(covered) / f64::from(experiments);
        assert!((0.90..0.98).contains(&share), "{share}");
    }
}
