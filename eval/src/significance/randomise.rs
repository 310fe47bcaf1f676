//! Outputs exchanged between two systems at random.

use super::numpy::Generator;
use super::resample::Resamples;
use crate::metric::Statistic;

/// Segments whose exchanges are looked up together.
const BLOCK: usize = 8;
const MASKS: usize = 1 << BLOCK;

/// Flips of at most this many 64-bit words are kept at a time.
const MOST_WORDS: usize = 1 << 20;

/// Two systems, cut into blocks of segments. Of every block the merged statistics of all ways to
/// exchange its outputs are tabled, so that a trial merges once for each block and not for each
/// segment.
pub(super) struct Exchanges<'a, S> {
    baseline: &'a [S],
    system: &'a [S],
}

impl<'a, S: Statistic> Exchanges<'a, S> {
    pub(super) fn of(baseline: &'a [S], system: &'a [S]) -> Self {
        Self { baseline, system }
    }

    /// The absolute difference of the two scores in every trial.
    pub(super) fn differences(&self, trials: &Resamples, score: impl Fn(&S) -> f64) -> Vec<f64> {
        let segments = self.baseline.len();
        let mut generator = Generator::new(trials.seed);
        let mut flips = Flips::default();
        let mut differences = Vec::with_capacity(trials.count);
        // a multiple of 64 trials fills whole words, so that the next ones begin with one
        let at_a_time = (MOST_WORDS / segments).max(1) * 64;
        for first in (0..trials.count).step_by(at_a_time) {
            let count = at_a_time.min(trials.count - first);
            flips.draw(&mut generator, count * segments);
            let pairs = self.exchanged(&flips, count);
            differences.extend(pairs.iter().map(|(a, b)| (score(a) - score(b)).abs()));
        }
        differences
    }

    /// The merged statistics of both pseudo-systems of some trials: the first takes the baseline's
    /// output of a segment where its flip is 1, the second the other one.
    fn exchanged(&self, flips: &Flips, trials: usize) -> Vec<(S, S)> {
        let segments = self.baseline.len();
        let mut totals = vec![(S::default(), S::default()); trials];
        let mut table = Vec::with_capacity(MASKS);
        for start in (0..segments).step_by(BLOCK) {
            let end = segments.min(start + BLOCK);
            fill(&mut table, &self.baseline[start..end], &self.system[start..end]);
            let mask = table.len() - 1;
            for (trial, (first, second)) in totals.iter_mut().enumerate() {
                let flipped = flips.byte(trial * segments + start) & mask;
                first.merge(&table[flipped]);
                second.merge(&table[flipped ^ mask]);
            }
        }
        totals
    }
}

/// The merged statistics of all choices between two systems: bit `i` of the place says whether
/// segment `i` is the baseline's.
fn fill<S: Statistic>(table: &mut Vec<S>, baseline: &[S], system: &[S]) {
    table.clear();
    table.push(S::default());
    for (of_baseline, of_system) in baseline.iter().zip(system) {
        for place in 0..table.len() {
            let mut with_baseline = table[place].clone();
            with_baseline.merge(of_baseline);
            table.push(with_baseline);
            table[place].merge(of_system);
        }
    }
}

/// Bits in the order in which they were drawn.
#[derive(Default)]
struct Flips(Vec<u64>);

impl Flips {
    fn draw(&mut self, generator: &mut Generator, count: usize) {
        self.0.clear();
        self.0.extend((0..count.div_ceil(64)).map(|_| generator.flips()));
        // `byte` may look past the end
        self.0.push(0);
    }

    /// The eight bits from a place on.
    fn byte(&self, at: usize) -> usize {
        let (word, shift) = (at / 64, at % 64);
        let low = self.0[word] >> shift;
        // by 64 less `shift`, in two steps because a shift by 64 is none
        let high = self.0[word + 1] << 1 << (63 - shift);
        (low | high) as usize & (MASKS - 1)
    }
}
