//! Shares: how often something happened, of how often it could.

use serde::Serialize;

use crate::bootstrap::{CONFIDENCE, Interval};

/// The 97.5th percentile of the standard normal distribution.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// What [`Interval::method`] says of [`wilson`].
pub const WILSON: &str = "wilson";

/// A share with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proportion {
    /// How often it happened.
    pub count: u64,
    /// How often it could.
    pub of: u64,
    /// One over the other.
    pub value: f64,
    /// The lower end of the interval at 95 %.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Proportion {
    /// The share with its Wilson interval; none of nothing.
    pub fn new(count: u64, of: u64) -> Option<Self> {
        let interval = wilson(count, of)?;
        Some(Self { count, of, value: count as f64 / of as f64, low: interval.low, high: interval.high })
    }
}

/// The score interval of a share (Wilson, "Probable inference, the law of succession, and
/// statistical inference", 1927), without continuity correction. Unlike the one around `p ± z·σ` it
/// stays between 0 and 1 and covers the truth also of few segments and of shares near 0 or 1
/// (Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", 2001).
///
/// None of nothing.
pub fn wilson(count: u64, of: u64) -> Option<Interval> {
    if of == 0 || count > of {
        return None;
    }
    let (n, p) = (of as f64, count as f64 / of as f64);
    let (z2, spread) = (Z * Z, Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt());
    let (middle, scale) = (p + z2 / (2.0 * n), 1.0 + z2 / n);
    // at the ends the formula gives 0 and 1 but for rounding
    let low = if count == 0 { 0.0 } else { (middle - spread) / scale };
    let high = if count == of { 1.0 } else { (middle + spread) / scale };
    Some(Interval { low, high, confidence: CONFIDENCE, method: WILSON })
}
