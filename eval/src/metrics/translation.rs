//! What the metrics of translation share.

use std::fmt;

use tessera_datasets::Result;

use crate::metric::{Statistic, Task};
use crate::rows::Rows;

/// The task of the predictions.
pub(crate) const TASK: Task = Task { name: "translation", segments: "sentences" };

/// The version of sacrebleu that all of them agree with.
pub const REFERENCE_VERSION: &str = "2.6.0";

/// How many references the segments had, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct References {
    fewest: u32,
    most: u32,
    digest: u64,
}

impl References {
    /// Those of one segment.
    pub fn of(references: &[&str]) -> Self {
        let count = u32::try_from(references.len()).unwrap_or(u32::MAX);
        let digest = references.iter().fold(0, |sum: u64, reference| sum.wrapping_add(fnv1a(reference)));
        Self { fewest: count, most: count, digest }
    }

    /// Eight hex digits that differ where the references do, in whatever order they were read.
    pub fn digest(&self) -> String {
        format!("{:08x}", self.digest >> 32)
    }
}

/// The 64-bit hash of Fowler, Noll and Vo (variant 1a): its values never change.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Default for References {
    fn default() -> Self {
        Self { fewest: u32::MAX, most: 0, digest: 0 }
    }
}

impl Statistic for References {
    fn merge(&mut self, other: &Self) {
        self.fewest = self.fewest.min(other.fewest);
        self.most = self.most.max(other.most);
        self.digest = self.digest.wrapping_add(other.digest);
    }
}

impl fmt::Display for References {
    /// As in a signature: a number, or `var` where the segments differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fewest < self.most {
            true => f.write_str("var"),
            false => write!(f, "{}", self.most),
        }
    }
}

/// The statistic of every row.
///
/// # Errors
/// When a column is absent, or a row has no reference.
pub(super) fn read<S>(rows: &Rows<'_>, mut statistic: impl FnMut(&str, &[&str]) -> S) -> Result<Vec<S>> {
    let hypotheses = rows.strings("hypothesis")?;
    let references = rows.string_lists("references")?;
    if let Some(row) = references.iter().position(Vec::is_empty) {
        return Err(rows.error(row, "`references` is an empty list: there is nothing to compare with"));
    }
    Ok((0..rows.len()).map(|row| statistic(hypotheses.value(row), &references[row])).collect())
}
