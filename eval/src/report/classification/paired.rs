//! Two or more runs on the same images: whether they differ, and where.

use std::collections::HashMap;

use serde::Serialize;

use super::picture::Picture;
use super::row::{Row, Shown};
use crate::number::chance;
use crate::report::translation::Refused;
use crate::significance::{Difference, McNemar, McNemarMethod, Shared};

/// Images where the run of the report is right and another is not, and as many the other way.
const SHOWN: usize = 8;
/// Below this probability a difference is said to be hardly by chance.
const CHANCE: f64 = 0.05;

/// Runs compared image by image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SameImages {
    /// The run that the others are compared with: the one that the report is about.
    pub subject: String,
    /// Images of that run whose class is known.
    pub images: u64,
    /// Runs that classified other images, with what differs first; they are not tested.
    pub refused: Vec<Refused>,
    /// A test for each other run.
    pub tests: Vec<McNemarTest>,
    /// The classes where the subject and the best of the others disagree, the most first.
    pub by_class: Vec<ByClassPaired>,
    /// The run that `by_class` compares the subject with.
    pub other: Option<String>,
    /// Images that the subject gets right and another run is sure is something else.
    pub ahead: Vec<Disagreement>,
    /// Images that another run gets right and the subject is sure is something else.
    pub behind: Vec<Disagreement>,
}

/// Whether another run is right more or less often than the subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct McNemarTest {
    /// The other run.
    pub run: String,
    /// The images by who is right: the subject is the first.
    pub shared: Shared,
    /// Top-1 accuracy of the other run minus that of the subject, with its paired interval.
    pub difference: Difference,
    /// McNemar's test.
    pub test: McNemar,
    /// Whether the other run is right more often.
    pub is_better: bool,
    /// What that means.
    pub in_words: String,
}

/// A class where two runs disagree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ByClassPaired {
    /// The class.
    pub class: usize,
    /// Its images by who is right: the subject is the first.
    pub shared: Shared,
}

/// An image that not all runs get right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// Its row, from 1.
    pub row: u64,
    /// Its id.
    pub id: String,
    /// Its class.
    pub truth: usize,
    /// What every run says: the subject first.
    pub verdicts: Vec<Verdict>,
    /// The thumbnail, where the predictions of a run have one.
    pub picture: Option<Picture>,
}

/// What a run says of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The run.
    pub run: String,
    /// The class it says.
    pub prediction: usize,
    /// Its probability.
    pub confidence: f64,
}

/// A run as it takes part.
pub(in crate::report) struct Side<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) classes: &'a [String],
    pub(in crate::report) rows: &'a [Row],
    pub(in crate::report) shown: &'a Shown,
}

impl SameImages {
    /// Compares the first of some runs with the others; images are matched by their ids.
    pub(in crate::report) fn of(sides: &[Side<'_>]) -> Self {
        let subject = &sides[0];
        let known: Vec<&Row> = subject.rows.iter().filter(|row| row.label.is_some()).collect();
        let mut refused = Vec::new();
        let mut matched: Vec<(&Side<'_>, Vec<&Row>)> = Vec::new();
        for side in &sides[1..] {
            match matching(subject, side, &known) {
                Ok(rows) => matched.push((side, rows)),
                Err(reason) => refused.push(Refused { run: side.name.clone(), reason }),
            }
        }
        let tests: Vec<McNemarTest> =
            matched.iter().filter_map(|(side, rows)| McNemarTest::of(&side.name, &known, rows)).collect();
        let best = tests.iter().enumerate().max_by(|a, b| {
            let value = |test: &McNemarTest| test.difference.value;
            value(a.1).total_cmp(&value(b.1)).then(b.0.cmp(&a.0))
        });
        let best = best.map(|(place, _)| &matched[place]);
        let (ahead, behind) = disagreements(subject, &known, &matched);
        Self {
            subject: subject.name.clone(),
            images: known.len() as u64,
            refused,
            tests,
            by_class: best.map(|(_, rows)| by_class(&known, rows)).unwrap_or_default(),
            other: best.map(|(side, _)| side.name.clone()),
            ahead,
            behind,
        }
    }
}

/// The rows of another run for the images of the subject, or why there are none.
fn matching<'a>(subject: &Side<'_>, side: &Side<'a>, known: &[&Row]) -> Result<Vec<&'a Row>, String> {
    if subject.classes != side.classes {
        let differs = subject.classes.iter().zip(side.classes).find(|(a, b)| a != b);
        return Err(match differs {
            Some((ours, theirs)) => format!("its classes are others: `{theirs}` where this run has `{ours}`"),
            None => format!("it has {} classes, this run has {}", side.classes.len(), subject.classes.len()),
        });
    }
    let labelled = side.rows.iter().filter(|row| row.label.is_some());
    let by_id: HashMap<&str, &Row> = labelled.map(|row| (row.id.as_str(), row)).collect();
    if by_id.len() != known.len() {
        return Err(format!("it has {} labelled images, this run has {}", by_id.len(), known.len()));
    }
    let matched: Vec<&Row> = known.iter().filter_map(|row| by_id.get(row.id.as_str()).copied()).collect();
    let absent = known.len() - matched.len();
    if absent > 0 {
        return Err(format!("{} not among its images", images_are(absent)));
    }
    match known.iter().zip(&matched).filter(|(a, b)| a.label != b.label).count() {
        0 => Ok(matched),
        other => Err(format!("{} of another class there", images_are(other))),
    }
}

fn images_are(n: usize) -> String {
    if n == 1 { "one image is".to_owned() } else { format!("{n} images are") }
}

fn right(row: &Row) -> bool {
    row.correct() == Some(true)
}

impl McNemarTest {
    fn of(run: &str, ours: &[&Row], theirs: &[&Row]) -> Option<Self> {
        let mut shared = Shared::default();
        ours.iter().zip(theirs).for_each(|(ours, theirs)| shared.add(right(ours), right(theirs)));
        let ours = shared.difference()?;
        // of the other run to the subject, as in the comparison of translations
        let difference = Difference { value: 0.0 - ours.value, low: -ours.high, high: -ours.low };
        let test = shared.mcnemar();
        let is_better = shared.behind > shared.ahead;
        let direction = match shared.ahead == shared.behind {
            true => "as often right",
            false if is_better => "more often right",
            false => "less often right",
        };
        let in_words = match test.p {
            None => "the same images are right".to_owned(),
            Some(_) if shared.ahead == shared.behind => direction.to_owned(),
            Some(p) if p < CHANCE => format!("{direction}, hardly by chance"),
            Some(_) => format!("{direction}, as it may well come by chance"),
        };
        Some(Self { run: run.to_owned(), shared, difference, test, is_better, in_words })
    }

    /// How it was tested, in words.
    pub fn method(&self) -> String {
        match (self.test.method, self.test.statistic) {
            (McNemarMethod::ChiSquare, Some(statistic)) => {
                format!("χ² = {}, corrected", crate::number::significant(statistic, 3))
            }
            _ => "exact".to_owned(),
        }
    }

    /// Its p-value as one reads it.
    pub fn p(&self) -> String {
        self.test.p.map_or_else(|| "–".to_owned(), chance)
    }
}

fn by_class(ours: &[&Row], theirs: &[&Row]) -> Vec<ByClassPaired> {
    let mut classes: HashMap<usize, Shared> = HashMap::new();
    for (ours, theirs) in ours.iter().zip(theirs) {
        if let Some(label) = ours.label {
            classes.entry(label).or_default().add(right(ours), right(theirs));
        }
    }
    let disagree = |shared: &Shared| shared.ahead + shared.behind;
    let mut classes: Vec<ByClassPaired> =
        classes.into_iter().map(|(class, shared)| ByClassPaired { class, shared }).collect();
    classes.retain(|class| disagree(&class.shared) > 0);
    classes.sort_by(|a, b| disagree(&b.shared).cmp(&disagree(&a.shared)).then(a.class.cmp(&b.class)));
    classes
}

/// Images where the subject is right and another run errs with confidence, and the other way.
fn disagreements(
    subject: &Side<'_>,
    known: &[&Row],
    matched: &[(&Side<'_>, Vec<&Row>)],
) -> (Vec<Disagreement>, Vec<Disagreement>) {
    let mut ahead: Vec<(f32, usize)> = Vec::new();
    let mut behind: Vec<(f32, usize)> = Vec::new();
    for (i, ours) in known.iter().enumerate() {
        let others = || matched.iter().map(|(_, rows)| rows[i]);
        if right(ours) {
            let surest = others().filter(|row| !right(row)).map(|row| row.confidence).reduce(f32::max);
            ahead.extend(surest.map(|confidence| (confidence, i)));
        } else if others().any(right) {
            behind.push((ours.confidence, i));
        }
    }
    let picture = |id: &str| {
        let shown = std::iter::once(subject).chain(matched.iter().map(|(side, _)| *side));
        shown.filter_map(|side| side.shown.get(id)).find_map(|exhibited| exhibited.picture.clone())
    };
    let verdict = |name: &str, row: &Row| Verdict {
        run: name.to_owned(),
        prediction: row.prediction,
        confidence: row.confidence.into(),
    };
    let describe = |(_, i): &(f32, usize)| {
        let ours = known[*i];
        let others = matched.iter().map(|(side, rows)| verdict(&side.name, rows[*i]));
        Some(Disagreement {
            row: ours.row,
            id: ours.id.clone(),
            truth: ours.label?,
            verdicts: std::iter::once(verdict(&subject.name, ours)).chain(others).collect(),
            picture: picture(&ours.id),
        })
    };
    let surest = |mut found: Vec<(f32, usize)>| {
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.iter().take(SHOWN).filter_map(describe).collect()
    };
    (surest(ahead), surest(behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: u64, label: usize, prediction: usize, confidence: f32) -> Row {
        Row {
            row,
            id: format!("image-{row}"),
            label: Some(label),
            prediction,
            confidence,
            truth: Some(0.1),
            rank: Some(usize::from(label != prediction)),
        }
    }

    fn compare(sides: &[(&str, &[Row])]) -> SameImages {
        let classes = ["a", "b", "c"].map(String::from);
        let shown = Shown::default();
        let side = |(name, rows): &(&str, &'_ [Row])| -> (String, Vec<Row>) { ((*name).to_owned(), rows.to_vec()) };
        let owned: Vec<(String, Vec<Row>)> = sides.iter().map(side).collect();
        let sides: Vec<Side<'_>> = owned
            .iter()
            .map(|(name, rows)| Side { name: name.clone(), classes: &classes, rows, shown: &shown })
            .collect();
        SameImages::of(&sides)
    }

    #[test]
    fn images_are_matched_by_their_ids() {
        let ours = [row(1, 0, 0, 0.9), row(2, 1, 0, 0.8), row(3, 2, 2, 0.7)];
        let mut theirs = [row(3, 2, 1, 0.6), row(1, 0, 0, 0.9), row(2, 1, 1, 0.5)];
        let found = compare(&[("a", &ours), ("b", &theirs)]);
        let test = &found.tests[0];
        assert_eq!(test.shared, Shared { both: 1, ahead: 1, behind: 1, neither: 0 });
        assert_eq!((test.difference.value, test.test.p), (0.0, Some(1.0)));
        assert_eq!((found.ahead[0].row, found.behind[0].row), (3, 2));
        assert_eq!(found.by_class.iter().map(|class| class.class).collect::<Vec<_>>(), [1, 2]);
        theirs[0].label = Some(1);
        assert_eq!(compare(&[("a", &ours), ("b", &theirs)]).refused[0].reason, "one image is of another class there");
        theirs[0].id = "x".to_owned();
        let refused = compare(&[("a", &ours), ("b", &theirs)]).refused;
        assert_eq!(refused[0].reason, "one image is not among its images");
        let refused = compare(&[("a", &ours), ("b", &theirs[..2])]).refused;
        assert_eq!(refused[0].reason, "it has 2 labelled images, this run has 3");
    }

    #[test]
    fn the_direction_is_that_of_the_other_run() {
        let ours: Vec<Row> = (1..=40).map(|i| row(i, 0, usize::from(i <= 30), 0.6)).collect();
        let theirs: Vec<Row> = (1..=40).map(|i| row(i, 0, 0, 0.9)).collect();
        let test = compare(&[("a", &ours), ("b", &theirs)]).tests.remove(0);
        assert!(test.is_better && test.difference.value == 0.75 && test.difference.low > 0.5);
        assert_eq!(test.in_words, "more often right, hardly by chance");
        assert_eq!(test.method(), "χ² = 28.0, corrected");
        let other = compare(&[("b", &theirs), ("a", &ours)]).tests.remove(0);
        assert_eq!((other.difference.low, other.difference.high), (-test.difference.high, -test.difference.low));
    }
}
