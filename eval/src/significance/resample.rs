//! Segments drawn with replacement, their statistics merged.

use super::numpy::Generator;
use crate::metric::Statistic;

/// How often, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resamples {
    /// Resamples of a bootstrap, or trials of a randomisation.
    pub count: usize,
    /// The seed of numpy's generator.
    pub seed: u64,
}

/// The mean of the scores of resamples and half the width of the interval that holds 95 % of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width.
    pub half_width: f64,
}

impl Estimate {
    /// The estimate from scores; none where there is no score.
    pub fn of(mut scores: Vec<f64>) -> Option<Self> {
        scores.sort_unstable_by(f64::total_cmp);
        let left_out = scores.len() / 40;
        let (low, high) = (scores.get(left_out)?, scores.get(scores.len() - 1 - left_out)?);
        let half_width = 0.5 * (high - low);
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        Some(Self { mean, half_width })
    }
}

impl Resamples {
    /// The score of every resample of some segments.
    pub fn scores<S: Statistic>(&self, segments: &[S], score: impl Fn(&S) -> f64) -> Vec<f64> {
        let mut scores = Vec::with_capacity(self.count);
        self.each(segments.len(), |drawn| scores.push(score(&merged(segments, drawn))));
        scores
    }

    /// The numbers of the segments of every resample. They depend on nothing but the seed and how
    /// many segments there are, so systems over one test set see the same ones.
    pub fn each(&self, segments: usize, mut with: impl FnMut(&[usize])) {
        let mut generator = Generator::new(self.seed);
        let mut drawn = vec![0; segments];
        for _ in 0..self.count {
            generator.choose(segments, &mut drawn);
            with(&drawn);
        }
    }
}

/// The merged statistic of the segments with these numbers.
pub fn merged<S: Statistic>(segments: &[S], drawn: &[usize]) -> S {
    drawn.iter().fold(S::default(), |mut total, segment| {
        total.merge(&segments[*segment]);
        total
    })
}
