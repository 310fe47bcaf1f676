//! Whether two classifiers that judged the same cases differ, from the cases where only one of them
//! is right.

use serde::Serialize;

use crate::proportion::wilson;

/// Fewer discordant cases than this are tested exactly.
pub const FEW: u64 = 25;

/// How a test came to its p-value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum McNemarMethod {
    /// The binomial distribution, both sides.
    Exact,
    /// The χ² distribution with one degree of freedom, with Edwards' correction for continuity.
    ChiSquare,
}

/// What McNemar's test finds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// How the p-value came about.
    pub method: McNemarMethod,
    /// χ²; none of an exact test.
    pub statistic: Option<f64>,
    /// How often cases where only one is right would be shared out at least this unevenly, if both
    /// were right equally often. None where there is no such case.
    pub p: Option<f64>,
}

/// McNemar's test ("Note on the sampling error of the difference between correlated proportions or
/// percentages", 1947) of `ahead` cases where only the first is right and `behind` where only the
/// second is: exact below [`FEW`] of them together, else by χ² with continuity correction (Edwards,
/// 1948). Both are those of statsmodels' `mcnemar`.
pub fn mcnemar(ahead: u64, behind: u64) -> McNemar {
    let discordant = ahead + behind;
    if discordant < FEW {
        let p = (discordant > 0).then(|| exact(ahead.min(behind), discordant));
        return McNemar { method: McNemarMethod::Exact, statistic: None, p };
    }
    let statistic = (ahead.abs_diff(behind) as f64 - 1.0).powi(2) / discordant as f64;
    // the survival function of χ² with one degree of freedom
    let p = libm::erfc((statistic / 2.0).sqrt());
    McNemar { method: McNemarMethod::ChiSquare, statistic: Some(statistic), p: Some(p) }
}

/// Twice the chance of at most `least` of `all` fair coins, at most 1. `all` is below [`FEW`].
fn exact(least: u64, all: u64) -> f64 {
    let mut ways = 1_u64;
    let mut sum = 0_u64;
    for k in 0..=least {
        sum += ways;
        ways = ways * (all - k) / (k + 1);
    }
    (2.0 * sum as f64 / (1_u64 << all) as f64).min(1.0)
}

/// The cases of two classifiers by who is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Both are right.
    pub both: u64,
    /// Only the first is.
    pub ahead: u64,
    /// Only the second is.
    pub behind: u64,
    /// None is.
    pub neither: u64,
}

/// A difference with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The share of the first minus that of the second.
    pub value: f64,
    /// The lower end at 95 %.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Shared {
    /// Adds a case.
    pub fn add(&mut self, first: bool, second: bool) {
        match (first, second) {
            (true, true) => self.both += 1,
            (true, false) => self.ahead += 1,
            (false, true) => self.behind += 1,
            (false, false) => self.neither += 1,
        }
    }

    /// Cases.
    pub fn count(&self) -> u64 {
        self.both + self.ahead + self.behind + self.neither
    }

    /// McNemar's test.
    pub fn mcnemar(&self) -> McNemar {
        mcnemar(self.ahead, self.behind)
    }

    /// The difference of the two shares with the interval of Newcombe ("Improved confidence
    /// intervals for the difference between binomial proportions based on paired data", 1998, method
    /// 10): the Wilson intervals of both, put together with regard to their correlation. None of no
    /// case.
    pub fn difference(&self) -> Option<Difference> {
        let n = self.count();
        let (first, second) = (self.both + self.ahead, self.both + self.behind);
        let (one, two) = (wilson(first, n)?, wilson(second, n)?);
        let (p1, p2) = (first as f64 / n as f64, second as f64 / n as f64);
        let phi = self.correlation();
        let reach = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        let value = (self.ahead as f64 - self.behind as f64) / n as f64;
        Some(Difference {
            value,
            low: value - reach(p1 - one.low, two.high - p2),
            high: value + reach(p2 - two.low, one.high - p1),
        })
    }

    /// Newcombe's φ: the correlation of both being right, corrected for continuity where it is
    /// positive.
    fn correlation(&self) -> f64 {
        let [a, b, c, d] = [self.both, self.ahead, self.behind, self.neither].map(|n| n as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins == 0.0 {
            return 0.0;
        }
        let product = a * d - b * c;
        let corrected = if product > 0.0 { (product - (a + b + c + d) / 2.0).max(0.0) } else { product };
        corrected / margins.sqrt()
    }
}
