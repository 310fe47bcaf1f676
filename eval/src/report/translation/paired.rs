//! Two or more runs on the same sentences: whether they differ, and where.

use serde::Serialize;
use tessera_datasets::Result;

use super::difference::Difference;
use super::examples::shortened;
use super::sentence::{Sentence, Worth};
use crate::bootstrap::Bootstrap;
use crate::metric::Tally;
use crate::score::Score;
use crate::significance::{Method, Resamples, paired};

/// Sentences where the run of the report is ahead, and as many where it is behind.
const SHOWN: usize = 3;
/// Trials of approximate randomisation, as many as sacrebleu does.
const TRIALS: usize = 10_000;
/// Below this probability a difference is said to be hardly by chance.
const CHANCE: f64 = 0.05;

/// Runs compared sentence by sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The run that the others are compared with: the one that the report is about.
    pub subject: String,
    /// Sentences of that run.
    pub sentences: u64,
    /// Runs that translated something else, with what differs first; they are not tested.
    pub refused: Vec<Refused>,
    /// A test for each other run and metric.
    pub tests: Vec<Test>,
    /// How often the bootstrap drew the sentences anew.
    pub replicates: u64,
    /// How often randomisation swapped translations.
    pub trials: u64,
    /// Sentences where it is furthest ahead of the best of the others, the furthest first.
    pub ahead: Vec<Apart>,
    /// Sentences where it is furthest behind the best of the others, the furthest first.
    pub behind: Vec<Apart>,
}

/// A run that was not scored on the same sentences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// The run.
    pub run: String,
    /// What differs.
    pub reason: String,
}

/// Whether another run differs from the subject by one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// The other run.
    pub run: String,
    /// The metric's kind.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// The unit of its value.
    pub unit: String,
    /// Its value for the other run minus that for the subject.
    pub difference: f64,
    /// Whether the other run is the better one by its value.
    pub is_better: bool,
    /// How often a difference this large would come up if there were none, by paired bootstrap
    /// (Koehn 2004, as sacrebleu computes it); none where no interval was wanted or all is the same.
    pub bootstrap_p: Option<f64>,
    /// The same by approximate randomisation (Riezler and Maxwell 2005).
    pub randomisation_p: Option<f64>,
    /// What that means.
    pub in_words: String,
}

/// A sentence where runs differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Apart {
    /// Its row, from 1.
    pub row: u64,
    /// The source.
    pub source: String,
    /// The references.
    pub references: Vec<String>,
    /// Sentence BLEU of the subject minus that of the best other run.
    pub gap: f64,
    /// What every run made of it: the subject first.
    pub wordings: Vec<Wording>,
}

/// What a run made of a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wording {
    /// The run.
    pub run: String,
    /// Sentence BLEU, 0 to 100.
    pub bleu: f64,
    /// Sentence chrF, 0 to 100.
    pub chrf: f64,
    /// The translation beside the reference that is nearest to it.
    pub difference: Difference,
}

/// A run as it takes part.
pub(in crate::report) struct Side<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) sentences: &'a [Sentence],
    pub(in crate::report) worth: &'a [Option<Worth>],
    /// Its scores with the statistics behind them, without those that must not be compared.
    pub(in crate::report) scored: Vec<(&'a Score, &'a dyn Tally)>,
}

impl Paired {
    /// Compares the first of some runs with the others.
    ///
    /// # Errors
    /// When a test is not possible: a fault of ours, for the sentences are the same.
    pub(in crate::report) fn of(sides: &[Side<'_>], bootstrap: &Bootstrap) -> Result<Self> {
        let mut fitting: Vec<&Side<'_>> = Vec::new();
        let mut refused = Vec::new();
        for side in sides {
            match mismatch(sides[0].sentences, side.sentences) {
                None => fitting.push(side),
                Some(reason) => refused.push(Refused { run: side.name.clone(), reason }),
            }
        }
        let (ahead, behind) = apart(&fitting);
        let resamples = Resamples::new(bootstrap.count as usize);
        let trials = Resamples { count: if bootstrap.count == 0 { 0 } else { TRIALS }, ..resamples };
        let mut tests = Vec::new();
        for other in fitting.iter().skip(1) {
            for (ours, our_tally) in &sides[0].scored {
                if let Some((theirs, tally)) = other.scored.iter().find(|(score, _)| score.name == ours.name) {
                    let p = |method: Method, resamples: &Resamples| match resamples.count {
                        0 => Ok(None),
                        // of scores that are always equal a test says nothing
                        _ => paired(*our_tally, *tally, method, resamples)
                            .map(|found| (!found.identical).then_some(found.p_value)),
                    };
                    let found = (p(Method::Bootstrap, &resamples)?, p(Method::Randomisation, &trials)?);
                    tests.push(Test::of(&other.name, ours, theirs, found));
                }
            }
        }
        Ok(Self {
            subject: sides[0].name.clone(),
            sentences: sides[0].sentences.len() as u64,
            refused,
            tests,
            replicates: resamples.count as u64,
            trials: trials.count as u64,
            ahead,
            behind,
        })
    }
}

impl Test {
    /// A score of the subject, that of another run, and how likely their difference is by chance.
    fn of(run: &str, ours: &Score, theirs: &Score, p: (Option<f64>, Option<f64>)) -> Self {
        let (bootstrap_p, randomisation_p) = p;
        let is_better = theirs.is_better_than(ours);
        let direction = match (theirs.value == ours.value, is_better) {
            (true, _) => "the same",
            (false, true) => "better",
            (false, false) => "worse",
        };
        let in_words = match (bootstrap_p, randomisation_p) {
            _ if theirs.value == ours.value => direction.to_owned(),
            (Some(a), Some(b)) if a.max(b) < CHANCE => format!("{direction}, hardly by chance"),
            (Some(a), Some(b)) if a.min(b) < CHANCE => format!("{direction}, but the two tests do not agree"),
            (Some(_), Some(_)) => format!("{direction}, as it may well come by chance"),
            _ => format!("{direction}, not tested"),
        };
        Self {
            run: run.to_owned(),
            metric: ours.name.clone(),
            label: ours.label.clone(),
            unit: ours.unit.clone(),
            difference: theirs.value - ours.value,
            is_better,
            bootstrap_p,
            randomisation_p,
            in_words,
        }
    }
}

/// What keeps two runs from being compared sentence by sentence; none where nothing does.
fn mismatch(ours: &[Sentence], theirs: &[Sentence]) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!("it has {} sentences, this run has {}", theirs.len(), ours.len()));
    }
    let differing = |of: fn(&Sentence, &Sentence) -> bool| {
        let rows: Vec<u64> = ours.iter().zip(theirs).filter(|(a, b)| of(a, b)).map(|(a, _)| a.row).collect();
        rows.first().map(|first| (rows.len(), *first))
    };
    let says = |what: &str, (count, first): (usize, u64)| {
        let rows = if count == 1 { "one row".to_owned() } else { format!("{count} rows") };
        format!("{rows} have another {what}, the first is row {first}").replace("one row have", "one row has")
    };
    if let Some(found) = differing(|a, b| a.source != b.source) {
        return Some(says("source", found));
    }
    differing(|a, b| a.references != b.references).map(|found| says("reference", found))
}

/// Where the first of some runs is furthest ahead of the best of the others, and furthest behind.
/// All have the same sentences.
fn apart(sides: &[&Side<'_>]) -> (Vec<Apart>, Vec<Apart>) {
    let [subject, others @ ..] = sides else {
        return (Vec::new(), Vec::new());
    };
    let bleu = |side: &Side<'_>, i: usize| side.worth.get(i).copied().flatten().map(|worth| worth.bleu);
    let gap = |i: usize| {
        let best = others.iter().filter_map(|side| bleu(side, i)).reduce(f64::max)?;
        Some((bleu(subject, i)? - best, i))
    };
    let mut gaps: Vec<(f64, usize)> = (0..subject.sentences.len()).filter_map(gap).collect();
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let describe = |(gap, i): &(f64, usize)| Apart {
        row: subject.sentences[*i].row,
        source: shortened(&subject.sentences[*i].source),
        references: subject.sentences[*i].references.iter().map(|reference| shortened(reference)).collect(),
        gap: *gap,
        wordings: sides.iter().filter_map(|side| Wording::of(side, *i)).collect(),
    };
    let ahead = gaps.iter().take(SHOWN).filter(|(gap, _)| *gap > 0.0).map(describe).collect();
    let behind = gaps.iter().rev().take(SHOWN).filter(|(gap, _)| *gap < 0.0).map(describe).collect();
    (ahead, behind)
}

impl Wording {
    fn of(side: &Side<'_>, i: usize) -> Option<Self> {
        let (sentence, worth) = (&side.sentences[i], side.worth[i]?);
        let references: Vec<String> = sentence.references.iter().map(|r| shortened(r)).collect();
        Some(Self {
            run: side.name.clone(),
            bleu: worth.bleu,
            chrf: worth.chrf,
            difference: Difference::of_nearest(&shortened(&sentence.hypothesis), &references)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(row: u64, source: &str, reference: &str) -> Sentence {
        Sentence { row, references: vec![reference.to_owned()], ..Sentence::plain(source, "x") }
    }

    #[test]
    fn other_sources_or_references_are_named() {
        let ours = [sentence(1, "a", "b"), sentence(2, "c", "d")];
        assert_eq!(mismatch(&ours, &ours.clone()), None);
        assert_eq!(mismatch(&ours, &ours[..1]).unwrap(), "it has 1 sentences, this run has 2");
        let other = [sentence(1, "a", "b"), sentence(2, "x", "d")];
        assert_eq!(mismatch(&ours, &other).unwrap(), "one row has another source, the first is row 2");
        let other = [sentence(1, "a", "y"), sentence(2, "c", "z")];
        assert_eq!(mismatch(&ours, &other).unwrap(), "2 rows have another reference, the first is row 1");
    }

    #[test]
    fn the_widest_gaps_on_both_sides() {
        let sentences: Vec<Sentence> = (1..=6).map(|row| sentence(row, "a", "b")).collect();
        let worth = |values: [f64; 6]| values.map(|bleu| Some(Worth { bleu, chrf: bleu })).to_vec();
        let (ours, theirs, third) = (
            worth([50.0, 10.0, 30.0, 90.0, 20.0, 5.0]),
            worth([20.0, 30.0, 30.0, 80.0, 60.0, 10.0]),
            worth([0.0, 0.0, 30.0, 85.0, 0.0, 9.0]),
        );
        let side = |name: &str, worth| Side { name: name.to_owned(), sentences: &sentences, worth, scored: Vec::new() };
        let sides = [side("a", &ours), side("b", &theirs), side("c", &third)];
        let (ahead, behind) = apart(&sides.each_ref());
        let rows = |found: &[Apart]| found.iter().map(|a| (a.row, a.gap)).collect::<Vec<_>>();
        assert_eq!(rows(&ahead), [(1, 30.0), (4, 5.0)]);
        assert_eq!(rows(&behind), [(5, -40.0), (2, -20.0), (6, -5.0)]);
        assert_eq!(ahead[0].wordings.iter().map(|w| w.run.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
