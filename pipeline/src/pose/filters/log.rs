//! What filters did.

use std::collections::BTreeMap;

/// What was done to keypoints, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    reasons: BTreeMap<&'static str, Vec<u64>>,
    whole: BTreeMap<&'static str, u64>,
}

impl Log {
    /// Counts one point of keypoint number `keypoint`.
    pub fn count(&mut self, reason: &'static str, keypoint: usize) {
        let counts = self.reasons.entry(reason).or_default();
        if counts.len() <= keypoint {
            counts.resize(keypoint + 1, 0);
        }
        counts[keypoint] += 1;
    }

    /// Counts a point where it does not matter of which keypoint it is.
    pub fn count_whole(&mut self, reason: &'static str) {
        *self.whole.entry(reason).or_default() += 1;
    }

    /// All points that were counted for a reason.
    #[must_use]
    pub fn of(&self, reason: &str) -> u64 {
        let by_keypoint = self.reasons.get(reason).map_or(0, |counts| counts.iter().sum());
        by_keypoint + self.whole.get(reason).copied().unwrap_or(0)
    }

    /// The counts as a manifest has them: `reason: keypoint` or `reason`, without those that are 0.
    #[must_use]
    pub fn changes(&self, keypoints: &[String]) -> BTreeMap<String, u64> {
        let mut changes: BTreeMap<String, u64> =
            self.whole.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        for (reason, counts) in &self.reasons {
            for (keypoint, count) in keypoints.iter().zip(counts).filter(|(_, count)| **count > 0) {
                changes.insert(format!("{reason}: {keypoint}"), *count);
            }
        }
        changes
    }
}
