//! Scores of a corpus by one metric, with or without a test.

use tessera_datasets::Result;

use super::aligned::Corpus;
use super::measure::Measure;
use crate::metric::Statistic;
use crate::metrics::translation::REFERENCE_VERSION;
use crate::score::Signature;
use crate::significance::{Estimate, Method, Resamples, Scoring};

/// What is asked for beside the scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Question {
    /// Nothing.
    #[default]
    Score,
    /// How sure the score of each system is.
    Confidence(Resamples),
    /// Whether each system differs from the first.
    Paired(Method, Resamples),
}

/// What one metric says about a corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The name of the metric.
    pub metric: String,
    /// All that must agree for its scores to be comparable.
    pub signature: Signature,
    /// What it says of every system, in order.
    pub systems: Vec<Evaluated>,
}

/// What one metric says about a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The score.
    pub score: f64,
    /// What it is made of.
    pub explained: Option<String>,
    /// Mean and interval of its resamples.
    pub estimate: Option<Estimate>,
    /// About how often chance alone makes a difference as large as that to the first system.
    pub p_value: Option<f64>,
}

/// A metric whose statistic is hidden.
pub trait AnyMeasure {
    /// What it says about a corpus.
    ///
    /// # Errors
    /// When a test cannot be done.
    fn evaluate(&self, corpus: &Corpus<'_>, question: Question) -> Result<Evaluation>;

    /// What it says about every sentence of the first system.
    fn sentences(&self, corpus: &Corpus<'_>) -> Evaluation;
}

impl<M: Measure> AnyMeasure for M {
    fn evaluate(&self, corpus: &Corpus<'_>, question: Question) -> Result<Evaluation> {
        let mut systems = Vec::with_capacity(corpus.systems.len());
        let mut baseline: Option<Vec<M::Statistic>> = None;
        for system in &corpus.systems {
            let segments = self.statistics(corpus.sentences(system));
            let mut found = self.evaluated(&merged(&segments));
            match (question, &baseline) {
                (Question::Score, _) => {}
                (Question::Confidence(resamples), _) | (Question::Paired(Method::Bootstrap, resamples), None) => {
                    found.estimate = Estimate::of(resamples.scores(&segments, |total| self.resampled_score(total)));
                }
                (Question::Paired(Method::Randomisation, _), None) => {}
                (Question::Paired(method, resamples), Some(baseline)) => {
                    let scoring = Scoring {
                        exact: |t: &M::Statistic| self.score(t),
                        resampled: |t: &M::Statistic| self.resampled_score(t),
                    };
                    let result = method.test(baseline, &segments, &resamples, &scoring)?;
                    found.p_value = Some(result.p_value);
                    found.estimate =
                        result.mean.zip(result.half_width).map(|(mean, half_width)| Estimate { mean, half_width });
                }
            }
            systems.push(found);
            baseline.get_or_insert(segments);
        }
        Ok(Evaluation { metric: self.name(), signature: sign(self, corpus, question), systems })
    }

    fn sentences(&self, corpus: &Corpus<'_>) -> Evaluation {
        let segments = corpus.systems.first().map(|system| self.statistics(corpus.sentences(system)));
        Evaluation {
            metric: self.name(),
            signature: sign(self, corpus, Question::Score),
            systems: segments.unwrap_or_default().iter().map(|segment| self.evaluated(segment)).collect(),
        }
    }
}

/// What can be said without a test.
trait Evaluate: Measure {
    fn evaluated(&self, total: &Self::Statistic) -> Evaluated {
        Evaluated { score: self.score(total), explained: self.explained(total), estimate: None, p_value: None }
    }
}

impl<M: Measure> Evaluate for M {}

fn merged<S: Statistic>(segments: &[S]) -> S {
    segments.iter().fold(S::default(), |mut total, one| {
        total.merge(one);
        total
    })
}

/// The signature that sacrebleu gives for the same question.
fn sign<M: Measure>(measure: &M, corpus: &Corpus<'_>, question: Question) -> Signature {
    let signature = Signature::new().with("nrefs", corpus.references_per_sentence());
    let drawn = |signature: Signature, key, resamples: Resamples| {
        signature.with(key, resamples.count).with("seed", resamples.seed)
    };
    let signature = match question {
        Question::Score => signature,
        Question::Confidence(resamples) | Question::Paired(Method::Bootstrap, resamples) => {
            drawn(signature, "bs", resamples)
        }
        Question::Paired(Method::Randomisation, trials) => drawn(signature, "ar", trials),
    };
    measure.settings(signature).with("version", REFERENCE_VERSION)
}
