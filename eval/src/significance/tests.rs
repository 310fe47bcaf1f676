//! The tests themselves tested: exchanges against the definition, known answers, multi-segment
//! edges.

use proptest::prelude::*;

use super::randomise::Exchanges;
use super::*;
use crate::metric::Statistic;

/// A sum of numbers: enough of a statistic to see what is merged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum(i64);

impl Statistic for Sum {
    fn merge(&mut self, other: &Self) {
        self.0 += other.0;
    }
}

fn sums(values: &[i64]) -> Vec<Sum> {
    values.iter().copied().map(Sum).collect()
}

type Value = fn(&Sum) -> f64;

const SCORING: Scoring<Value, Value> = Scoring { exact: value, resampled: value };

fn value(sum: &Sum) -> f64 {
    sum.0 as f64
}

proptest! {
    #[test]
    fn exchanges_are_those_of_the_definition(
        pairs in prop::collection::vec((-50_i64..50, -50_i64..50), 1..40),
        count in 1_usize..200,
        seed in 0_u64..100,
    ) {
        let (baseline, system): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
        let trials = Resamples { count, seed };
        let fast = Exchanges::of(&sums(&baseline), &sums(&system)).differences(&trials, value);
        let mut generator = Generator::new(seed);
        let words: Vec<u64> = (0..(count * pairs.len()).div_ceil(64)).map(|_| generator.flips()).collect();
        let flip = |at: usize| words[at / 64] >> (at % 64) & 1 == 1;
        let slow = (0..count).map(|trial| {
            let difference: i64 = pairs.iter().enumerate().map(|(i, (baseline, system))| {
                if flip(trial * pairs.len() + i) { baseline - system } else { system - baseline }
            }).sum();
            difference.unsigned_abs() as f64
        });
        prop_assert_eq!(fast, slow.collect::<Vec<_>>());
    }

    #[test]
    fn a_system_against_itself_is_identical(values in prop::collection::vec(-50_i64..50, 1..40)) {
        let system = sums(&values);
        for method in [Method::Bootstrap, Method::Randomisation] {
            let result = method.test(&system, &system, &Resamples::new(50), &SCORING).unwrap();
            prop_assert!(result.identical);
            prop_assert_eq!((result.difference, result.p_value), (0.0, 1.0 / 51.0));
        }
    }
}

#[test]
fn many_trials_are_drawn_in_parts_without_a_seam() {
    // so many segments that a part has 64 trials
    let values: Vec<i64> = (0..(1 << 20)).map(|i| i % 7).collect();
    let others: Vec<i64> = (0..(1 << 20)).map(|i| i % 5).collect();
    let run = |count| Exchanges::of(&sums(&values), &sums(&others)).differences(&Resamples::new(count), value);
    let all = run(65);
    assert_eq!(all[..64], run(64));
    let mut generator = Generator::new(Resamples::new(1).seed);
    (0..64 << 14).for_each(|_| _ = generator.flips());
    let last: i64 = (0..1 << 14)
        .flat_map(|word| {
            let flips = generator.flips();
            (0..64).map(move |bit| (word * 64 + bit, flips >> bit & 1 == 1))
        })
        .map(|(i, flipped)| if flipped { values[i] - others[i] } else { others[i] - values[i] })
        .sum();
    assert_eq!(all[64], last.unsigned_abs() as f64);
}

#[test]
fn a_clear_difference_is_significant_and_noise_is_not() {
    let baseline: Vec<i64> = (0..100).map(|i| i % 10).collect();
    let better: Vec<i64> = baseline.iter().map(|value| value + 1).collect();
    // as often better as worse
    let noisy: Vec<i64> =
        baseline.iter().enumerate().map(|(i, value)| value + if i % 2 == 0 { 1 } else { -1 }).collect();
    for method in [Method::Bootstrap, Method::Randomisation] {
        let test =
            |system: &[i64]| method.test(&sums(&baseline), &sums(system), &Resamples::usual(method), &SCORING).unwrap();
        assert!(test(&better).p_value < 0.001);
        assert_eq!(test(&better).difference, 100.0);
        assert!(test(&noisy).p_value > 0.3);
    }
}

#[test]
fn what_cannot_be_tested_is_refused() {
    let test = |a: &[i64], b: &[i64]| Method::Bootstrap.test(&sums(a), &sums(b), &Resamples::new(10), &SCORING);
    assert!(test(&[1, 2], &[1]).unwrap_err().message().contains("the baseline has 2, the system 1"));
    assert!(test(&[], &[]).is_err());
}

#[test]
fn an_estimate_leaves_a_fortieth_out_at_each_end() {
    let estimate = Estimate::of((0..1000).map(f64::from).collect()).unwrap();
    assert_eq!((estimate.mean, estimate.half_width), (499.5, 474.5));
    assert!(Estimate::of(Vec::new()).is_none());
}
