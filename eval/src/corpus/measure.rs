//! A metric as the command line uses it: over files of lines, signed as sacrebleu signs.

use crate::metric::Statistic;
use crate::metrics::bleu::{self, Bleu, BleuStatistic};
use crate::metrics::chrf::{self, Chrf, ChrfStatistic};
use crate::metrics::ter::{self, Ter, TerStatistic};
use crate::score::Signature;

/// A metric over sentences.
pub trait Measure {
    /// What it keeps of a sentence.
    type Statistic: Statistic;

    /// Its name in what is printed, such as `chrF2++`.
    fn name(&self) -> String;

    /// The statistics of hypotheses with their references, in order.
    fn statistics<'a>(&self, sentences: impl Iterator<Item = (&'a str, &'a [&'a str])>) -> Vec<Self::Statistic>;

    /// The score of merged statistics; that of nothing is 0.
    fn score(&self, total: &Self::Statistic) -> f64;

    /// The score in single precision, in which sacrebleu computes it of what it resamples.
    fn resampled_score(&self, total: &Self::Statistic) -> f64;

    /// What is printed after the score, if anything.
    fn explained(&self, total: &Self::Statistic) -> Option<String>;

    /// Adds its settings to a signature.
    fn settings(&self, signature: Signature) -> Signature;
}

impl Measure for Bleu {
    type Statistic = BleuStatistic;

    fn name(&self) -> String {
        "BLEU".to_owned()
    }

    fn statistics<'a>(&self, sentences: impl Iterator<Item = (&'a str, &'a [&'a str])>) -> Vec<BleuStatistic> {
        let mut workspace = bleu::Workspace::default();
        sentences.map(|(hypothesis, references)| self.segment(&mut workspace, hypothesis, references)).collect()
    }

    fn score(&self, total: &BleuStatistic) -> f64 {
        Bleu::score(self, total).score
    }

    fn resampled_score(&self, total: &BleuStatistic) -> f64 {
        Bleu::resampled_score(self, total)
    }

    fn explained(&self, total: &BleuStatistic) -> Option<String> {
        let score = Bleu::score(self, total);
        let precisions: Vec<String> = score.precisions.iter().map(|precision| format!("{precision:.1}")).collect();
        Some(format!(
            "{} (BP = {:.3} ratio = {:.3} hyp_len = {} ref_len = {})",
            precisions.join("/"),
            score.brevity_penalty,
            score.ratio,
            score.hypothesis_length,
            score.reference_length
        ))
    }

    fn settings(&self, signature: Signature) -> Signature {
        Bleu::settings(self, signature)
    }
}

impl Measure for Chrf {
    type Statistic = ChrfStatistic;

    fn name(&self) -> String {
        Chrf::name(self)
    }

    fn statistics<'a>(&self, sentences: impl Iterator<Item = (&'a str, &'a [&'a str])>) -> Vec<ChrfStatistic> {
        let mut workspace = chrf::Workspace::default();
        sentences.map(|(hypothesis, references)| self.segment(&mut workspace, hypothesis, references)).collect()
    }

    fn score(&self, total: &ChrfStatistic) -> f64 {
        Chrf::score(self, total)
    }

    fn resampled_score(&self, total: &ChrfStatistic) -> f64 {
        Chrf::resampled_score(self, total)
    }

    fn explained(&self, _: &ChrfStatistic) -> Option<String> {
        None
    }

    fn settings(&self, signature: Signature) -> Signature {
        Chrf::settings(self, signature)
    }
}

impl Measure for Ter {
    type Statistic = TerStatistic;

    fn name(&self) -> String {
        "TER".to_owned()
    }

    fn statistics<'a>(&self, sentences: impl Iterator<Item = (&'a str, &'a [&'a str])>) -> Vec<TerStatistic> {
        let mut workspace = ter::Workspace::default();
        sentences.map(|(hypothesis, references)| self.segment(&mut workspace, hypothesis, references)).collect()
    }

    fn score(&self, total: &TerStatistic) -> f64 {
        Ter::score(self, total)
    }

    fn resampled_score(&self, total: &TerStatistic) -> f64 {
        Ter::resampled_score(self, total)
    }

    fn explained(&self, _: &TerStatistic) -> Option<String> {
        None
    }

    fn settings(&self, signature: Signature) -> Signature {
        Ter::settings(self, signature)
    }
}
