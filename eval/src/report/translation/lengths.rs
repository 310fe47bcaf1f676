//! The score by the length of the source.

use serde::Serialize;

use super::sentence::Sentence;
use crate::bootstrap::{Bootstrap, percentile_interval};
use crate::metric::Tally;

/// The upper ends of the groups, in words of the source; the last group has none.
const UP_TO: [u64; 9] = [5, 10, 15, 20, 25, 30, 40, 60, 100];
/// Fewer sentences than this give no interval worth the name.
const FEWEST: usize = 10;

/// The sentences whose sources have about the same number of words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Length {
    /// Words of the shortest sources that belong here.
    pub from: u64,
    /// Words of the longest; none for the last group.
    pub to: Option<u64>,
    /// Sentences.
    pub sentences: u64,
    /// Their score, from their statistics together.
    pub value: f64,
    /// The lower end of its interval at 95 % (bootstrap), where there are enough sentences.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// The score of the sentences of every length, by the statistics that a metric has gathered of
/// them; groups without a score are left out.
pub(super) fn by_length(sentences: &[Sentence], tally: &dyn Tally, bootstrap: &Bootstrap) -> Vec<Length> {
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); UP_TO.len() + 1];
    for (i, sentence) in sentences.iter().enumerate().take(tally.segments()) {
        let words = sentence.source.split_whitespace().count() as u64;
        groups[UP_TO.partition_point(|end| *end < words)].push(i);
    }
    let lengths = groups.iter().enumerate().filter_map(|(g, members)| {
        let value = tally.value_of(members).filter(|value| !members.is_empty() && value.is_finite())?;
        let mut drawn = Vec::with_capacity(members.len());
        let replicates = match members.len() < FEWEST {
            true => Vec::new(),
            false => bootstrap.replicates(members.len(), |numbers| {
                drawn.clear();
                drawn.extend(numbers.iter().map(|n| members[*n]));
                tally.value_of(&drawn)
            }),
        };
        let interval = percentile_interval(&replicates);
        Some(Length {
            from: if g == 0 { 0 } else { UP_TO[g - 1] + 1 },
            to: UP_TO.get(g).copied(),
            sentences: members.len() as u64,
            value,
            low: interval.as_ref().map(|interval| interval.low),
            high: interval.as_ref().map(|interval| interval.high),
        })
    });
    lengths.collect()
}

impl Length {
    /// The words, such as `11–15`, `≤ 5` or `> 100`.
    pub fn words(&self) -> String {
        match (self.from, self.to) {
            (0, Some(to)) => format!("≤ {to}"),
            (from, Some(to)) => format!("{from}–{to}"),
            (from, None) => format!("> {}", from.saturating_sub(1)),
        }
    }
}
