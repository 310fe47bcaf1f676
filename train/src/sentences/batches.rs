//! Training batches by a budget of tokens.

use std::sync::{Arc, Mutex, PoisonError};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tessera_datasets::hash::derive_seed;
use tessera_datasets::{Error, Result};

use super::{PaddedPairs, Pairs};
use crate::loader::{Batch, BatchSource};

/// Pairs that are sorted by length together. Larger pools waste less on padding, smaller ones
/// mix better.
const POOL: usize = 8192;

/// How large a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many pairs.
    Pairs(usize),
    /// So many tokens on either side, ends and padding included (fairseq's `--max-tokens`).
    Tokens(usize),
}

/// The batches of every epoch. Each pair comes once an epoch, in batches of pairs of like length;
/// which pairs meet and in which order the batches come is drawn anew for every epoch.
pub struct PairBatches {
    pairs: Arc<Pairs>,
    /// The pairs that are not too long.
    usable: Vec<u32>,
    budget: Budget,
    pieces: usize,
    end: u32,
    seed: u64,
    plan: Mutex<Plan>,
}

/// The batches of one epoch, kept because neighbouring steps need the same, and where every epoch
/// up to it starts.
#[derive(Default)]
struct Plan {
    epoch: Option<u64>,
    batches: Vec<Vec<u32>>,
    /// The first step of each epoch that has been planned, and of the one after.
    starts: Vec<u64>,
}

impl PairBatches {
    /// Leaves out pairs with a side longer than `longest` tokens, end included. Each batch is cut
    /// into `pieces` parts.
    ///
    /// # Errors
    /// When no pair is left, or the longest alone is over the budget.
    pub fn new(pairs: Arc<Pairs>, longest: usize, budget: Budget, pieces: usize, end: u32, seed: u64) -> Result<Self> {
        let fits = |index: &u32| length(&pairs, *index) <= longest;
        let usable: Vec<u32> = (0..u32::try_from(pairs.len()).unwrap_or(u32::MAX)).filter(fits).collect();
        if usable.is_empty() {
            let message = format!("no pair of sentences of at most {longest} tokens in the training split");
            return Err(Error::input(message).hint("raise `train.model.longest`"));
        }
        if let Budget::Tokens(tokens) = budget {
            let most = usable.iter().map(|index| length(&pairs, *index)).max().unwrap_or(0);
            if most > tokens {
                let message = format!("a sentence of {most} tokens does not fit into `batch_tokens` {tokens}");
                return Err(Error::input(message).hint("raise `train.batch_tokens` or lower `train.model.longest`"));
            }
        }
        Ok(Self { pairs, usable, budget, pieces, end, seed, plan: Mutex::default() })
    }

    /// Pairs that are left out because a side is too long.
    pub fn left_out(&self) -> usize {
        self.pairs.len() - self.usable.len()
    }

    /// The batches of an epoch as pairs' numbers.
    fn planned(&self, epoch: u64) -> Vec<Vec<u32>> {
        let mut random = ChaCha8Rng::seed_from_u64(derive_seed(self.seed, "pairs", epoch));
        let mut order = self.usable.clone();
        order.shuffle(&mut random);
        let mut batches = Vec::new();
        for pool in order.chunks_mut(POOL) {
            // by the side that the budget looks at, then by the source: 5 % of either side is padding
            // (by source and target it is nothing of the source and 12 % of the dearer target);
            // equal lengths keep their drawn order, which mixes them
            pool.sort_by_key(|index| {
                let pair = self.pairs.get(*index as usize);
                (pair.source.len().max(pair.target.len()), pair.source.len())
            });
            self.cut(pool, &mut batches);
        }
        batches.shuffle(&mut random);
        batches
    }

    fn cut(&self, pool: &[u32], batches: &mut Vec<Vec<u32>>) {
        let mut batch: Vec<u32> = Vec::new();
        let mut longest = 0;
        for index in pool {
            let grown = longest.max(length(&self.pairs, *index));
            let full = match self.budget {
                Budget::Pairs(most) => batch.len() == most,
                Budget::Tokens(most) => (batch.len() + 1) * grown > most,
            };
            if full {
                batches.push(std::mem::take(&mut batch));
                longest = 0;
            }
            longest = longest.max(length(&self.pairs, *index));
            batch.push(*index);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
    }

    /// The pairs of a step.
    fn numbers(&self, step: u64) -> Vec<u32> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.starts.is_empty() {
            plan.starts.push(0);
        }
        // epochs differ a little in their number of batches: those before must be planned once
        while plan.starts.last().is_some_and(|start| *start <= step) {
            let epoch = plan.starts.len() as u64 - 1;
            plan.batches = self.planned(epoch);
            plan.epoch = Some(epoch);
            let next = plan.starts[epoch as usize] + plan.batches.len() as u64;
            plan.starts.push(next);
        }
        let epoch = plan.starts.partition_point(|start| *start <= step) - 1;
        if plan.epoch != Some(epoch as u64) {
            plan.batches = self.planned(epoch as u64);
            plan.epoch = Some(epoch as u64);
        }
        plan.batches[(step - plan.starts[epoch]) as usize].clone()
    }
}

/// The longer side in tokens, with its end.
fn length(pairs: &Pairs, index: u32) -> usize {
    let pair = pairs.get(index as usize);
    pair.source.len().max(pair.target.len()) + 1
}

impl BatchSource for PairBatches {
    fn batch(&self, step: u64) -> Result<Batch> {
        let numbers = self.numbers(step);
        let size = numbers.len().div_ceil(self.pieces).max(1);
        let (mut tensors, mut items) = (Vec::new(), 0);
        for part in numbers.chunks(size) {
            let pairs: Vec<_> = part.iter().map(|index| self.pairs.get(*index as usize)).collect();
            let padded = PaddedPairs::new(&pairs, self.end);
            items += padded.tokens().unsigned_abs();
            tensors.extend(padded.into_tensors());
        }
        Ok(Batch { tensors, items })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(lengths: &[(usize, usize)]) -> Arc<Pairs> {
        let mut out = Pairs::default();
        for (number, (source, target)) in lengths.iter().enumerate() {
            out.push(&vec![number as u32 + 1; *source], &vec![number as u32 + 1; *target]);
        }
        Arc::new(out)
    }

    proptest! {
        #[test]
        fn every_pair_comes_once_an_epoch_and_no_batch_is_over_the_budget(
            lengths in prop::collection::vec((0_usize..12, 0_usize..12), 1..80),
            tokens in 13_usize..60,
            seed in 0_u64..100,
        ) {
            let source = PairBatches::new(pairs(&lengths), 100, Budget::Tokens(tokens), 1, 0, seed).unwrap();
            let mut step = 0;
            for epoch in 0..3 {
                let count = source.planned(epoch).len() as u64;
                let mut seen = Vec::new();
                for _ in 0..count {
                    let numbers = source.numbers(step);
                    let longest = numbers.iter().map(|n| length(&source.pairs, *n)).max().unwrap();
                    prop_assert!(numbers.len() * longest <= tokens);
                    seen.extend(numbers);
                    step += 1;
                }
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..lengths.len() as u32).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_step_gives_the_same_batch_in_any_order() {
        let lengths: Vec<(usize, usize)> = (0..60).map(|i| (i % 7, i % 5)).collect();
        let make = || PairBatches::new(pairs(&lengths), 100, Budget::Pairs(8), 1, 0, 1).unwrap();
        let source = make();
        let forward: Vec<_> = (0..40).map(|step| source.numbers(step)).collect();
        let other = make();
        for step in [39, 0, 17, 8, 7, 20, 39] {
            assert_eq!(other.numbers(step), forward[step as usize]);
        }
        assert_ne!(forward[..8], forward[8..16]);
    }

    #[test]
    fn pairs_that_are_too_long_are_left_out_and_counted() {
        let source = PairBatches::new(pairs(&[(3, 3), (9, 1), (1, 10)]), 5, Budget::Pairs(8), 1, 0, 1).unwrap();
        assert_eq!(source.left_out(), 2);
        assert!(PairBatches::new(pairs(&[(9, 9)]), 5, Budget::Pairs(8), 1, 0, 1).is_err());
        let error = PairBatches::new(pairs(&[(9, 9)]), 50, Budget::Tokens(8), 1, 0, 1).err().unwrap();
        assert!(error.to_string().contains("does not fit"), "{error}");
    }

    #[test]
    fn pieces_of_a_batch_hold_what_the_batch_holds() {
        let lengths: Vec<(usize, usize)> = (0..30).map(|i| (i % 7, i % 5)).collect();
        let whole = PairBatches::new(pairs(&lengths), 100, Budget::Pairs(9), 1, 0, 1).unwrap();
        let cut = PairBatches::new(pairs(&lengths), 100, Budget::Pairs(9), 3, 0, 1).unwrap();
        let (one, many) = (whole.batch(0).unwrap(), cut.batch(0).unwrap());
        assert_eq!(one.items, many.items);
        assert_eq!(many.tensors.len(), 3 * PaddedPairs::TENSORS);
    }
}
