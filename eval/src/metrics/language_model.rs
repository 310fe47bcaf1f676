//! What the metrics of language models share: their columns, checked, and their signature.

use tessera_datasets::Result;

use super::ratio::Ratio;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The task in the manifest of the predictions.
pub(super) const TASK: &str = "language-model";

/// How far below 0 rounding may push the sum of the negative log-likelihoods of a window that the
/// model is certain about, in nats.
const ROUNDING: f64 = 1e-3;

/// The negative log-likelihood of every window, in nats, over the count in a column.
///
/// # Errors
/// When a column is absent, or a sum is infinite, not a number, or below 0.
pub(super) fn nll_over(rows: &Rows<'_>, count: &str) -> Result<Vec<Ratio>> {
    let nlls = rows.f64s("nll")?;
    let counts = rows.u32s(count)?;
    if let Some(row) = nlls.iter().position(|nll| !nll.is_finite() || *nll < -ROUNDING) {
        let message = format!("`nll` is {}: not a sum of finite negative log-likelihoods", nlls[row]);
        let hint = "a model that diverged, or that gives a token no probability at all, has no likelihood";
        return Err(rows.error(row, message).hint(hint));
    }
    Ok(nlls.iter().zip(counts).map(|(nll, count)| Ratio::new(*nll, *count)).collect())
}

/// The parts that name the unit, the windows, the text and the tokenizer.
pub(super) fn signature(unit: &str, counts: &'static str, total: &Ratio, windows: u64, details: &Details) -> Signature {
    Signature::new()
        .with("unit", unit)
        .with("context", details.number_or_unknown("context"))
        .with("stride", details.number_or_unknown("stride"))
        .with("windows", windows)
        .with(counts, total.count())
        .with("tok", details.short_hash("tokenizer_sha256"))
}
