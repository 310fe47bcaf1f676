//! How many tokens have which loss.

use serde::Serialize;

/// The width of the bins that are counted, in nats. Quantiles are exact to this.
const FINE: f64 = 0.01;
/// A loss beyond this many nats is counted as this.
const MOST: f64 = 40.0;
/// Bins of the histogram that is shown, at most.
const MOST_BINS: f64 = 40.0;
/// The share of the tokens that the bins must hold; a long tail would leave the rest no room.
const SHOWN: f64 = 0.99;

/// Tokens by loss.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The width of a bin in nats; the first begins at 0.
    pub width: f64,
    /// Tokens in each bin.
    pub counts: Vec<u64>,
    /// Tokens with a loss above the last bin.
    pub beyond: u64,
}

/// Counts in fine bins, from which quantiles and a histogram can be had without keeping the tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    fine: Vec<u64>,
    tokens: u64,
}

impl Losses {
    pub(super) fn add(&mut self, token_nll: &[f32]) {
        for nll in token_nll {
            let bin = (f64::from(*nll).clamp(0.0, MOST) / FINE) as usize;
            if self.fine.len() <= bin {
                self.fine.resize(bin + 1, 0);
            }
            self.fine[bin] += 1;
            self.tokens += 1;
        }
    }

    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The loss that this share of the tokens does not exceed, to the width of a fine bin.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.tokens as f64;
        let mut seen = 0;
        for (bin, count) in self.fine.iter().enumerate() {
            seen += count;
            if seen as f64 >= wanted {
                return super::rounded((bin as f64 + 0.5) * FINE);
            }
        }
        0.0
    }

    pub(super) fn histogram(&self) -> Histogram {
        let top = self.quantile(SHOWN);
        let widths = [0.1, 0.2, 0.25, 0.5];
        let width = widths.into_iter().find(|width| top / width <= MOST_BINS).unwrap_or(1.0);
        let bins = (top / width).ceil().max(1.0) as usize;
        let per_bin = (width / FINE).round() as usize;
        let mut counts = vec![0; bins];
        let mut beyond = 0;
        for (fine, count) in self.fine.iter().enumerate() {
            match counts.get_mut(fine / per_bin) {
                Some(bin) => *bin += count,
                None => beyond += count,
            }
        }
        Histogram { width, counts, beyond }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_in_one_bin() {
        let mut losses = Losses::default();
        let values: Vec<f32> = (0..4900).map(|i| (i % 700) as f32 / 100.0).collect();
        losses.add(&values);
        losses.add(&[999.0, 1000.0, -0.1]);
        let histogram = losses.histogram();
        assert_eq!(histogram.counts.iter().sum::<u64>() + histogram.beyond, 4903);
        assert_eq!((histogram.width, histogram.beyond), (0.2, 2));
        assert!((losses.quantile(0.5) - 3.5).abs() < 0.05);
    }

    #[test]
    fn no_tokens_are_no_reason_to_panic() {
        let losses = Losses::default();
        assert_eq!((losses.quantile(0.5), losses.histogram().counts.len()), (0.0, 1));
    }
}
