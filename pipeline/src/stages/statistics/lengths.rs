//! Lengths of rows: exact quantiles from how many rows have each.

use std::collections::BTreeMap;

use serde::Serialize;

/// How long rows are, in characters or tokens.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Lengths {
    pub(super) mean: f64,
    pub(super) minimum: u64,
    pub(super) p05: u64,
    pub(super) p25: u64,
    pub(super) median: u64,
    pub(super) p75: u64,
    pub(super) p95: u64,
    pub(super) p99: u64,
    pub(super) maximum: u64,
}

impl Lengths {
    pub(super) fn of(lengths: &BTreeMap<u64, u64>) -> Self {
        let rows: u64 = lengths.values().sum();
        let sum: f64 = lengths.iter().map(|(length, count)| (length * count) as f64).sum();
        // nearest rank: the smallest length that at least this share of the rows do not exceed
        let at = |share: f64| {
            let rank = (share * rows as f64).ceil().max(1.0) as u64;
            let mut seen = 0;
            let found = lengths.iter().find(|(_, count)| {
                seen += **count;
                seen >= rank
            });
            found.map_or(0, |(length, _)| *length)
        };
        Self {
            mean: sum / rows.max(1) as f64,
            minimum: at(0.0),
            p05: at(0.05),
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
            p99: at(0.99),
            maximum: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_nearest_rank() {
        let lengths = Lengths::of(&(1..=100).map(|i| (i, 1)).collect());
        assert_eq!(lengths.mean, 50.5);
        let found = [
            lengths.minimum,
            lengths.p05,
            lengths.p25,
            lengths.median,
            lengths.p75,
            lengths.p95,
            lengths.p99,
            lengths.maximum,
        ];
        assert_eq!(found, [1, 5, 25, 50, 75, 95, 99, 100]);
        assert_eq!(Lengths::of(&BTreeMap::from([(7, 3)])).p05, 7);
    }
}
