//! What the metrics of language models share: their columns, checked, and their signature.

use tessera_datasets::Result;

use super::ratio::Ratio;
use super::translation;
use crate::metric::Task;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The tasks whose predictions say how likely a model finds a text: the rows of a language model,
/// and those of a translation model that is shown the reference.
pub(super) const TASKS: &[Task] = &[Task { name: "language-model", segments: "windows" }, translation::TASK];

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

/// The parts that name the unit, the windows or sentences, the text and the tokenizer.
pub(super) fn signature(
    unit: &str,
    counts: &'static str,
    total: &Ratio,
    segments: u64,
    details: &Details,
) -> Signature {
    let signature = Signature::new().with("unit", unit);
    let signature = match details.task() == translation::TASK.name {
        true => signature.with(translation::TASK.segments, segments),
        false => signature
            .with("context", details.number_or_unknown("context"))
            .with("stride", details.number_or_unknown("stride"))
            .with("windows", segments),
    };
    signature.with(counts, total.count()).with("tok", details.short_hash("tokenizer_sha256"))
}
