//! Rows that were dropped: how many for each reason, and the first few of them.

use std::collections::BTreeMap;

use tessera_datasets::manifest::{RejectSample, Rejected};

/// How many rows are kept as samples for each reason.
pub const SAMPLES: usize = 5;

/// How many characters of a row a sample shows.
const EXCERPT: usize = 80;

/// Dropped rows by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejects {
    reasons: BTreeMap<String, Rejected>,
}

impl Rejects {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a row. `reason` should be one of a few, `excerpt` what is special about this row.
    pub fn add(&mut self, reason: &str, src: &str, loc: &str, excerpt: &str) {
        if !self.reasons.contains_key(reason) {
            self.reasons.insert(reason.to_owned(), Rejected::default());
        }
        let Some(rejected) = self.reasons.get_mut(reason) else {
            return;
        };
        rejected.count += 1;
        if rejected.samples.len() < SAMPLES {
            rejected.samples.push(RejectSample { src: src.to_owned(), loc: loc.to_owned(), excerpt: shorten(excerpt) });
        }
    }

    /// Adds the rejects of what came after.
    pub fn append(&mut self, later: &BTreeMap<String, Rejected>) {
        for (reason, more) in later {
            let rejected = self.reasons.entry(reason.clone()).or_default();
            rejected.count += more.count;
            let room = SAMPLES - rejected.samples.len();
            rejected.samples.extend(more.samples.iter().take(room).cloned());
        }
    }

    /// All rows, whatever the reason.
    pub fn count(&self) -> u64 {
        self.reasons.values().map(|r| r.count).sum()
    }

    /// The rejects as the manifest lists them.
    pub fn by_reason(&self) -> &BTreeMap<String, Rejected> {
        &self.reasons
    }

    /// As [`Rejects::by_reason`].
    pub fn into_reasons(self) -> BTreeMap<String, Rejected> {
        self.reasons
    }

    /// One line for each reason, the most frequent first: count, reason, first sample.
    pub fn lines(&self) -> Vec<String> {
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, rejected)| std::cmp::Reverse(rejected.count));
        let line = |(reason, rejected): &(&String, &Rejected)| {
            let sample = rejected.samples.first().map(|s| match s.excerpt.is_empty() {
                true => format!(", first in `{}`, {}", s.src, s.loc),
                false => format!(", first in `{}`, {}: {}", s.src, s.loc, s.excerpt),
            });
            format!("{} × {reason}{}", rejected.count, sample.unwrap_or_default())
        };
        reasons.iter().map(line).collect()
    }
}

/// The start of a row on one line.
fn shorten(text: &str) -> String {
    let mut out: String = text.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(EXCERPT).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_samples_in_order() {
        let mut first = Rejects::new();
        let mut second = Rejects::new();
        for line in 1..=3 {
            first.add("empty", "a.txt", &format!("line {line}"), "");
            second.add("empty", "b.txt", &format!("line {line}"), "");
        }
        second.add("not UTF-8", "b.txt", "line 9", &"x".repeat(100));
        first.append(second.by_reason());
        assert_eq!(first.count(), 7);
        let places: Vec<String> =
            first.by_reason()["empty"].samples.iter().map(|s| format!("{} {}", s.src, s.loc)).collect();
        assert_eq!(places, ["a.txt line 1", "a.txt line 2", "a.txt line 3", "b.txt line 1", "b.txt line 2"]);
        assert_eq!(first.by_reason()["not UTF-8"].samples[0].excerpt.chars().count(), EXCERPT + 1);
    }

    #[test]
    fn excerpts_stay_on_one_line() {
        assert_eq!(shorten("a\nb\u{7}c"), "a b c");
    }
}
