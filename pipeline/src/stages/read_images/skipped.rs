//! Files that are no images.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names::ending;

/// How many are named.
const NAMED: usize = 5;

/// How many files were left aside, by ending, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    count: u64,
    samples: Vec<String>,
    endings: BTreeMap<String, u64>,
}

impl Skipped {
    pub(super) fn add(&mut self, name: &str) {
        self.count += 1;
        if self.samples.len() < NAMED {
            self.samples.push(name.to_owned());
        }
        *self.endings.entry(ending(name)).or_default() += 1;
    }

    pub(super) fn append(&mut self, later: Self) {
        self.count += later.count;
        let room = NAMED - self.samples.len();
        self.samples.extend(later.samples.into_iter().take(room));
        for (ending, count) in later.endings {
            *self.endings.entry(ending).or_default() += count;
        }
    }

    /// What the manifest says; nothing where there are none.
    pub(super) fn note(&self) -> Option<Value> {
        let note = || json!({ "count": self.count, "samples": self.samples, "endings": self.endings });
        (self.count > 0).then(note)
    }
}
