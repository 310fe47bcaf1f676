//! Whether two systems differ by more than chance.

use serde::Serialize;
use tessera_datasets::{Error, Result};

use super::randomise::Exchanges;
use super::resample::{Estimate, Resamples, merged};
use crate::metric::Statistic;

/// How a difference is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Both systems are resampled, with the same segments each time (Koehn, "Statistical
    /// significance tests for machine translation evaluation", 2004).
    Bootstrap,
    /// In every trial a coin decides for each segment whether the systems exchange their outputs
    /// (Riezler and Maxwell, "On some pitfalls in automatic evaluation and significance testing for
    /// MT", 2005).
    Randomisation,
}

/// What a test finds about a system and a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairedResult {
    /// How it was tested.
    pub method: Method,
    /// Resamples or trials.
    pub count: usize,
    /// The seed.
    pub seed: u64,
    /// The score of the baseline.
    pub baseline: f64,
    /// The score of the system.
    pub system: f64,
    /// The system's score less that of the baseline.
    pub difference: f64,
    /// About how often a difference as large as this comes about although the two systems are
    /// equally good.
    ///
    /// Of two systems whose scores are always equal it is the smallest there is, as in sacrebleu and
    /// multeval; see `identical`.
    pub p_value: f64,
    /// Whether the two scores were equal in every resample or trial, so that `p_value` says nothing.
    pub identical: bool,
    /// The mean score of the resampled system; of a bootstrap.
    pub mean: Option<f64>,
    /// Half the width of its interval at 95 %; of a bootstrap.
    pub half_width: Option<f64>,
}

/// How statistics become scores in a test.
pub struct Scoring<Exact, Resampled> {
    /// The score of statistics as they are.
    pub exact: Exact,
    /// The score of resampled statistics.
    pub resampled: Resampled,
}

impl Method {
    /// Tests a system against a baseline, segment by segment.
    ///
    /// # Errors
    /// When they have different numbers of segments, or none.
    pub fn test<S: Statistic>(
        self,
        baseline: &[S],
        system: &[S],
        resamples: &Resamples,
        scoring: &Scoring<impl Fn(&S) -> f64, impl Fn(&S) -> f64>,
    ) -> Result<PairedResult> {
        let segments = baseline.len();
        if segments != system.len() {
            let message = format!(
                "a paired test needs the same segments: the baseline has {segments}, the system {}",
                system.len()
            );
            return Err(Error::input(message));
        }
        if segments == 0 || resamples.count == 0 {
            return Err(Error::input("a paired test needs segments and resamples"));
        }
        let whole = |of: &[S]| {
            (scoring.exact)(&of.iter().fold(S::default(), |mut total, one| {
                total.merge(one);
                total
            }))
        };
        let (baseline_score, system_score) = (whole(baseline), whole(system));
        let difference = system_score - baseline_score;
        let (deltas, systems) = match self {
            Self::Bootstrap => bootstrap(baseline, system, resamples, &scoring.resampled),
            Self::Randomisation => (Exchanges::of(baseline, system).differences(resamples, &scoring.exact), Vec::new()),
        };
        let estimate = Estimate::of(systems);
        Ok(PairedResult {
            method: self,
            count: resamples.count,
            seed: resamples.seed,
            baseline: baseline_score,
            system: system_score,
            difference,
            p_value: self.p_value(&deltas, difference.abs()),
            identical: deltas.iter().all(|delta| *delta == 0.0),
            mean: estimate.map(|of| of.mean),
            half_width: estimate.map(|of| of.half_width),
        })
    }

    /// How many of the absolute differences are larger than the one observed, with one added above
    /// and below so that a null hypothesis is never rejected too easily. Differences of a bootstrap
    /// scatter around the one observed, so they are shifted by their mean first.
    fn p_value(self, deltas: &[f64], observed: f64) -> f64 {
        let shift = match self {
            Self::Bootstrap => deltas.iter().sum::<f64>() / deltas.len() as f64,
            Self::Randomisation => 0.0,
        };
        let larger = deltas.iter().filter(|delta| *delta - shift > observed).count();
        (larger + 1) as f64 / (deltas.len() + 1) as f64
    }
}

/// The absolute difference of every resample, and the system's scores.
fn bootstrap<S: Statistic>(
    baseline: &[S],
    system: &[S],
    resamples: &Resamples,
    score: impl Fn(&S) -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let mut deltas = Vec::with_capacity(resamples.count);
    let mut scores = Vec::with_capacity(resamples.count);
    resamples.each(baseline.len(), |drawn| {
        let of_system = score(&merged(system, drawn));
        deltas.push((of_system - score(&merged(baseline, drawn))).abs());
        scores.push(of_system);
    });
    (deltas, scores)
}
