//! Two or more runs on the same windows.

use std::collections::HashMap;

use serde::Serialize;

use super::Poses;
use super::duel::{Apart, Outcome, grouped, replicates};
use super::row::{Errors, Row};
use crate::bootstrap::Bootstrap;
use crate::report::translation::Refused;

/// Runs compared window by window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SameWindows {
    /// The run that the others are compared with: the one that the report is about.
    pub subject: String,
    /// Runs that optimised other windows, with what differs first; they are not tested.
    pub refused: Vec<Refused>,
    /// A test for each other run and each kind of windows.
    pub tests: Vec<WindowsTest>,
}

/// Whether another run is nearer to the truth than the subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowsTest {
    /// The other run.
    pub run: String,
    /// What was done to the input of the windows.
    pub corruption: String,
    /// The mean error of the subject where a keypoint was hidden.
    pub subject: f64,
    /// The mean error of the other run there.
    pub other: f64,
    /// The other's less the subject's: below 0 the other is nearer.
    pub difference: Apart,
    /// What that says about the other run.
    pub outcome: Outcome,
}

/// A run as the comparison sees it.
pub(in crate::report) struct Side<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) poses: &'a Poses,
}

impl SameWindows {
    /// Compares the first of some runs with the others; windows are matched by their ids.
    pub(in crate::report) fn of(sides: &[Side<'_>], bootstrap: &Bootstrap) -> Self {
        let subject = &sides[0];
        let mut made = Self { subject: subject.name.clone(), refused: Vec::new(), tests: Vec::new() };
        for side in &sides[1..] {
            match matching(subject.poses, side.poses) {
                Ok(rows) => made.tests.extend(tests(subject.poses, side, &rows, bootstrap)),
                Err(reason) => made.refused.push(Refused { run: side.name.clone(), reason }),
            }
        }
        made
    }
}

/// The rows of another run for the windows of the subject, or why there are none.
fn matching<'a>(subject: &Poses, other: &'a Poses) -> Result<Vec<&'a Row>, String> {
    if subject.skeleton.keypoints != other.skeleton.keypoints {
        return Err("its skeleton has other keypoints".to_owned());
    }
    if subject.rows.len() != other.rows.len() {
        return Err(format!("it has {} windows, this run has {}", other.rows.len(), subject.rows.len()));
    }
    let by_id: HashMap<&str, &Row> = other.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let matched: Vec<&Row> = subject.rows.iter().filter_map(|row| by_id.get(row.id.as_str()).copied()).collect();
    let windows_are = |n: usize| if n == 1 { "one window is".to_owned() } else { format!("{n} windows are") };
    match (subject.rows.len() - matched.len(), &subject.rows) {
        (0, rows) => match rows.iter().zip(&matched).filter(|(a, b)| a.digest != b.digest).count() {
            0 => Ok(matched),
            n => Err(format!("{} hidden otherwise or true otherwise there", windows_are(n))),
        },
        (absent, _) => Err(format!("{} not among its windows", windows_are(absent))),
    }
}

fn tests(subject: &Poses, side: &Side<'_>, rows: &[&Row], bootstrap: &Bootstrap) -> Vec<WindowsTest> {
    let test = |stratum: &super::Stratum| {
        let pairs = subject.rows.iter().zip(rows).filter(|(row, _)| row.corruption == stratum.corruption);
        // the subject in the first place, the other run in the second
        let both = |(ours, theirs): (&Row, &&Row)| {
            let of = |row: &Row| if stratum.of_masked { row.masked } else { row.all };
            let (ours, theirs) = (of(ours), of(theirs));
            Errors { sums: [ours.sums[0], theirs.sums[0], 0.0, 0.0], count: ours.count }
        };
        let kept: Vec<(u64, Errors)> = pairs.map(|pair| (pair.0.group, both(pair))).collect();
        let groups = grouped(kept.iter().map(|(group, errors)| (*group, errors)));
        let mut total = Errors::default();
        groups.iter().for_each(|group| total.add(group));
        let apart = |errors: &Errors| Some(errors.mean(1)? - errors.mean(0)?);
        let difference = Apart::of(apart(&total)?, &replicates(bootstrap, &groups, apart));
        Some(WindowsTest {
            run: side.name.clone(),
            corruption: stratum.corruption.clone(),
            subject: total.mean(0)?,
            other: total.mean(1)?,
            difference,
            outcome: difference.outcome(),
        })
    };
    subject.strata.iter().filter_map(test).collect()
}
