//! Whether a score is sure and a difference is more than chance, as sacrebleu 2.6.0 tests it.
//!
//! [`Resamples`] gives the interval of one system, [`Method`] compares two. All take the statistics
//! of segments and merge them; the draws are numpy's, so p-values are sacrebleu's. [`paired`] does
//! the same for two [`Tally`]s, whatever their metric. Of classifiers, whose cases are right or wrong,
//! [`Shared`] has McNemar's test, which needs no draws.

mod mcnemar;
mod numpy;
mod paired;
mod randomise;
mod resample;
#[cfg(test)]
mod tests;

use tessera_datasets::Result;

pub use mcnemar::{Difference, FEW, McNemar, McNemarMethod, Shared, mcnemar};
pub use numpy::Generator;
pub use paired::{Method, PairedResult, Scoring};
pub use resample::{Estimate, Resamples, merged};

use crate::bootstrap::SEED;
use crate::metric::Tally;

impl Resamples {
    /// This many, from the seed that sacrebleu uses where it is not told another.
    pub fn new(count: usize) -> Self {
        Self { count, seed: SEED }
    }

    /// As many as sacrebleu takes: 1000 for a bootstrap, 10,000 for a randomisation.
    pub fn usual(method: Method) -> Self {
        Self::new(match method {
            Method::Bootstrap => 1_000,
            Method::Randomisation => 10_000,
        })
    }
}

/// Tests a system against a baseline by one metric. The rows of both must be of the same segments
/// in the same order.
///
/// # Errors
/// When the tallies are of different metrics or sizes, or there is nothing to divide by.
pub fn paired(baseline: &dyn Tally, system: &dyn Tally, method: Method, resamples: &Resamples) -> Result<PairedResult> {
    baseline.paired(system, method, resamples)
}
