//! A small n-gram language model, so that a made-up run has real losses, candidates and samples.
//!
//! Witten-Bell interpolation (Chen and Goodman, "An empirical study of smoothing techniques for
//! language modeling", 1998): no token ever gets probability 0.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What followed a context, and how often.
#[derive(Default)]
struct Followers {
    total: u32,
    counts: HashMap<u32, u32>,
}

pub struct Ngram {
    vocabulary: usize,
    order: usize,
    followers: HashMap<Vec<u32>, Followers>,
}

impl Ngram {
    /// Counts every context of up to `order - 1` tokens.
    pub fn train(tokens: &[u32], vocabulary: usize, order: usize) -> Self {
        let mut followers: HashMap<Vec<u32>, Followers> = HashMap::new();
        for end in 0..tokens.len() {
            for length in 0..order.min(end + 1) {
                let seen = followers.entry(tokens[end - length..end].to_vec()).or_default();
                seen.total += 1;
                *seen.counts.entry(tokens[end]).or_default() += 1;
            }
        }
        Self { vocabulary, order, followers }
    }

    /// The probability of every token after a context.
    pub fn next(&self, context: &[u32]) -> Vec<f64> {
        let mut probabilities = vec![1.0 / self.vocabulary as f64; self.vocabulary];
        for length in 0..self.order.min(context.len() + 1) {
            let Some(seen) = self.followers.get(&context[context.len() - length..]) else {
                break;
            };
            let distinct = seen.counts.len() as f64;
            let whole = f64::from(seen.total) + distinct;
            probabilities.iter_mut().for_each(|p| *p *= distinct / whole);
            for (token, count) in &seen.counts {
                probabilities[*token as usize] += f64::from(*count) / whole;
            }
        }
        probabilities
    }

    /// The most probable tokens, the first of equals first.
    pub fn top(probabilities: &[f64], k: usize) -> Vec<u32> {
        let mut ids: Vec<u32> = (0..probabilities.len() as u32).collect();
        ids.sort_by(|a, b| probabilities[*b as usize].total_cmp(&probabilities[*a as usize]));
        ids.truncate(k);
        ids
    }

    /// Goes on from a prompt.
    pub fn sample(&self, prompt: &[u32], length: usize, seed: u64, temperature: f64) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut tokens = prompt.to_vec();
        for _ in 0..length {
            let weights: Vec<f64> = self.next(&tokens).iter().map(|p| p.powf(1.0 / temperature)).collect();
            let mut left = weights.iter().sum::<f64>() * (random.next_u32() as f64 / 2_f64.powi(32));
            let drawn = weights.iter().position(|w| {
                left -= w;
                left < 0.0
            });
            tokens.push(drawn.unwrap_or(0) as u32);
        }
        tokens.split_off(prompt.len())
    }
}
