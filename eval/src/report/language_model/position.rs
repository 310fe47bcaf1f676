//! The loss at each position of the context window: what more context is worth.

use serde::Serialize;

/// More positions than this are put together, wider ones the further they are from the start.
const MOST_POSITIONS: usize = 96;

/// A context beyond this many tokens is taken for a mistake in the manifest.
const LONGEST: u64 = 1 << 22;

/// Standard normal quantile of a two-sided interval at 95 %.
const Z95: f64 = 1.96;

/// The loss at some positions of the window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Position {
    /// The first position, from 1.
    pub from: u64,
    /// The last position.
    pub to: u64,
    /// Tokens there.
    pub tokens: u64,
    /// Nats per token.
    pub loss: f64,
    /// The lower end of its interval at 95 % (normal approximation over tokens).
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Sums by position.
pub(super) struct Positions {
    sums: Vec<Sums>,
    /// Tokens that a window adds to those that the window before has scored.
    stride: usize,
    /// Tokens at the start of a window that the window before has scored.
    overlap: usize,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    tokens: u64,
    sum: f64,
    squares: f64,
}

impl Positions {
    pub(super) fn new(context: Option<u64>, stride: Option<u64>) -> Self {
        let (context, stride) = match (context, stride) {
            (Some(context), Some(stride)) if context <= LONGEST => (context as usize, stride.max(1) as usize),
            _ => (0, 0),
        };
        Self { sums: Vec::new(), stride, overlap: context.saturating_sub(stride) }
    }

    pub(super) fn add(&mut self, offset: u64, token_nll: &[f32]) {
        // where windows overlap, the first of a text is scored whole, the others at their end
        let is_first = offset <= self.overlap as u64 || token_nll.len() > self.stride;
        let first = if is_first { 0 } else { self.overlap };
        let end = first + token_nll.len();
        if self.sums.len() < end {
            self.sums.resize(end, Sums::default());
        }
        for (sums, nll) in self.sums[first..end].iter_mut().zip(token_nll) {
            let nll = f64::from(*nll);
            sums.tokens += 1;
            sums.sum += nll;
            sums.squares += nll * nll;
        }
    }

    pub(super) fn finish(self) -> Vec<Position> {
        let groups = groups(self.sums.len());
        let positions = groups.into_iter().filter_map(|(from, to)| {
            let total = self.sums[from..to].iter().fold(Sums::default(), |a, b| Sums {
                tokens: a.tokens + b.tokens,
                sum: a.sum + b.sum,
                squares: a.squares + b.squares,
            });
            let n = total.tokens as f64;
            let loss = total.sum / n;
            let variance = (total.squares / n - loss * loss).max(0.0);
            let half = Z95 * (variance / n).sqrt();
            (total.tokens > 0).then_some(Position {
                from: from as u64 + 1,
                to: to as u64,
                tokens: total.tokens,
                loss,
                low: loss - half,
                high: loss + half,
            })
        });
        positions.collect()
    }
}

/// By how many nats the mean loss of the second half of the positions is below that of the first
/// position.
pub(super) fn gain(positions: &[Position]) -> f64 {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
        return 0.0;
    };
    let late = positions.iter().filter(|p| 2 * p.from > last.to);
    let (sum, tokens) = late.fold((0.0, 0), |a, p| (a.0 + p.loss * p.tokens as f64, a.1 + p.tokens));
    if tokens == 0 { 0.0 } else { first.loss - sum / tokens as f64 }
}

/// Ranges that cover `0..count`, each as wide as its distance from the start allows.
fn groups(count: usize) -> Vec<(usize, usize)> {
    if count <= MOST_POSITIONS {
        return (0..count).map(|i| (i, i + 1)).collect();
    }
    let mut edges: Vec<usize> =
        (0..=MOST_POSITIONS).map(|i| (count as f64).powf(i as f64 / MOST_POSITIONS as f64).round() as usize).collect();
    edges[0] = 0;
    edges.dedup();
    edges.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_position_with_a_shorter_last_window() {
        let mut positions = Positions::new(Some(3), Some(3));
        positions.add(0, &[3.0, 2.0, 1.0]);
        positions.add(3, &[5.0, 2.0]);
        let found = positions.finish();
        let losses: Vec<(u64, u64, f64)> = found.iter().map(|p| (p.from, p.tokens, p.loss)).collect();
        assert_eq!(losses, [(1, 2, 4.0), (2, 2, 2.0), (3, 1, 1.0)]);
        // standard deviation 1 over two tokens
        assert!((found[0].high - found[0].loss - Z95 / 2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(found[1].low, found[1].high);
        // positions 2 and 3 of 3: two tokens at 2 nats, one at 1
        assert!((gain(&found) - (4.0 - 5.0 / 3.0)).abs() < 1e-12);
        assert_eq!(gain(&[]), 0.0);
    }

    #[test]
    fn overlapping_windows_score_late_positions_only() {
        let mut positions = Positions::new(Some(4), Some(2));
        positions.add(0, &[4.0, 3.0, 2.0, 1.0]);
        positions.add(4, &[2.0, 1.0]);
        let found = positions.finish();
        assert_eq!(found.iter().map(|p| p.tokens).collect::<Vec<_>>(), [1, 1, 2, 2]);
    }

    #[test]
    fn groups_cover_every_position_once() {
        for count in [0, 1, 96, 97, 256, 1024, 100_000] {
            let groups = groups(count);
            assert!(groups.len() <= MOST_POSITIONS);
            assert!(groups.windows(2).all(|pair| pair[0].1 == pair[1].0));
            assert_eq!(groups.last().map_or(0, |g| g.1), count);
        }
    }
}
