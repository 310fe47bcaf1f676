//! The windows by what was done to the input: the model beside simpler methods.

use serde::Serialize;

use super::duel::{Duel, Outcome, grouped, replicates};
use super::gather::{Gathered, Sums, THRESHOLDS};
use super::row::{Errors, METHODS, Row};
use crate::bootstrap::{Bootstrap, percentile_interval};
use crate::metrics::pose::Estimate;
use crate::number::{percent, significant};

/// The names that windows are known to have, in the order in which they are shown, and what was
/// done to them.
const KNOWN: [(&str, &str); 10] = [
    ("absent", "one keypoint hidden in the whole window"),
    ("absent-several", "several keypoints hidden in the whole window"),
    ("random", "keypoints hidden at random in half of the frames"),
    ("observed", "as it was filmed and filtered"),
    ("intact", "nothing hidden"),
    ("alternate-frames", "every other frame hidden"),
    ("ends", "frames at an end hidden"),
    ("keypoint-block", "some keypoints hidden for long"),
    ("keypoints", "some keypoints hidden in many frames"),
    ("frame-block", "frames in a row hidden, keypoints at random elsewhere"),
];

/// The windows to which the same was done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stratum {
    /// What was done, by its name.
    pub corruption: String,
    /// The same in words; empty of a name that is not known here.
    pub description: &'static str,
    /// Windows.
    pub windows: u64,
    /// Different stretches of time that they are from.
    pub stretches: u64,
    /// Keypoints that were hidden.
    pub masked: u64,
    /// Whether [`MethodResult::error`] is that of hidden keypoints; else of all, for lack of hidden
    /// ones.
    pub of_masked: bool,
    /// How far the given places are from the truth.
    pub given_error: Option<f64>,
    /// The model and what it is compared with, in the order of [`Estimate::ALL`].
    pub methods: Vec<MethodResult>,
    /// The model beside each simpler method.
    pub duels: Vec<Duel>,
    /// The best of the simpler methods.
    pub best_baseline: Estimate,
    /// What that means.
    pub in_words: String,
}

/// How near one method comes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodResult {
    /// The method.
    pub estimate: Estimate,
    /// What it is called.
    pub label: &'static str,
    /// Mean error of the hidden keypoints, in the unit of the skeleton.
    pub error: Measured,
    /// MPJPE over all keypoints, as BU-CVKit takes it.
    pub mpjpe: Option<f64>,
    /// Mean error of the keypoints that were given.
    pub visible: Option<f64>,
    /// PA-MPJPE: MPJPE after a rigid alignment with scale.
    pub aligned: Option<f64>,
    /// The share of hidden keypoints that are within 5 % of the pose's extent.
    pub pck_5: Option<f64>,
    /// The same within 10 %.
    pub pck_10: Option<f64>,
    /// Error of the acceleration.
    pub acceleration: Option<f64>,
    /// Deviation of the lengths of bones.
    pub bones: Option<f64>,
}

/// A value with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// The lower end of its interval, where it could be resampled.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

impl Stratum {
    /// A method.
    pub fn method(&self, by: Estimate) -> &MethodResult {
        &self.methods[by as usize]
    }

    /// The model beside the best of the simpler methods.
    pub fn hardest(&self) -> &Duel {
        let hardest = self.duels.iter().find(|duel| duel.baseline == self.best_baseline);
        hardest.unwrap_or(&self.duels[0])
    }
}

/// The strata in which something is known, those with a name that is known here first.
pub(super) fn of(gathered: &Gathered<'_>, bootstrap: &Bootstrap, unit: &str) -> Vec<Stratum> {
    let known = |name: &str| KNOWN.iter().position(|(known, _)| *known == name).unwrap_or(KNOWN.len());
    let mut strata: Vec<Stratum> = gathered
        .strata
        .iter()
        .filter_map(|(name, sums)| {
            let rows: Vec<&Row> = gathered.rows.iter().filter(|row| row.corruption == *name).collect();
            stratum(name, sums, &rows, bootstrap, unit)
        })
        .collect();
    strata.sort_by_key(|stratum| (known(&stratum.corruption), stratum.corruption.clone()));
    strata
}

fn stratum(name: &str, sums: &Sums, rows: &[&Row], bootstrap: &Bootstrap, unit: &str) -> Option<Stratum> {
    let of_masked = rows.iter().any(|row| row.masked.count > 0);
    let errors = |row: &'_ &Row| if of_masked { row.masked } else { row.all };
    let kept: Vec<(u64, Errors)> = rows.iter().map(|row| (row.group, errors(row))).collect();
    let groups = grouped(kept.iter().map(|(group, errors)| (*group, errors)));
    let mut total = Errors::default();
    groups.iter().for_each(|group| total.add(group));
    let values = [0, 1, 2, 3].map(|m| total.mean(m));
    let values: [f64; METHODS] = [values[0]?, values[1]?, values[2]?, values[3]?];
    let of_method = |m: usize| {
        let interval = percentile_interval(&replicates(bootstrap, &groups, |errors| errors.mean(m)));
        let share =
            |threshold: usize| (sums.judged > 0).then(|| sums.correct[threshold][m] as f64 / sums.judged as f64);
        MethodResult {
            estimate: Estimate::ALL[m],
            label: Estimate::ALL[m].label(),
            error: Measured { value: values[m], low: interval.map(|i| i.low), high: interval.map(|i| i.high) },
            mpjpe: sums.mpjpe.of(m),
            visible: sums.visible.of(m),
            aligned: sums.aligned.of(m),
            pck_5: share(0),
            pck_10: share(THRESHOLDS.len() - 1),
            acceleration: sums.acceleration.of(m),
            bones: sums.bones.of(m),
        }
    };
    let duel = |by: Estimate| {
        let m = by as usize;
        let apart = |errors: &Errors| Some(errors.mean(0)? - errors.mean(m)?);
        Duel::of(by, values[0], values[m], &replicates(bootstrap, &groups, apart))
    };
    let better = |a: &Estimate, b: &Estimate| values[*a as usize].total_cmp(&values[*b as usize]);
    let best_baseline = Estimate::BASELINES.into_iter().min_by(better)?;
    let mut made = Stratum {
        corruption: name.to_owned(),
        description: KNOWN.iter().find(|(known, _)| *known == name).map_or("", |(_, words)| words),
        windows: rows.len() as u64,
        stretches: groups.len() as u64,
        masked: rows.iter().map(|row| u64::from(row.masked.count)).sum(),
        of_masked,
        given_error: (sums.input.1 > 0).then(|| sums.input.0 / sums.input.1 as f64),
        methods: (0..METHODS).map(of_method).collect(),
        duels: Estimate::BASELINES.map(duel).to_vec(),
        best_baseline,
        in_words: String::new(),
    };
    made.in_words = in_words(&made, unit);
    Some(made)
}

/// The model beside the best of the simpler methods.
fn in_words(stratum: &Stratum, unit: &str) -> String {
    let (model, best) = (stratum.method(Estimate::Optimised), stratum.method(stratum.best_baseline));
    let off = |method: &MethodResult| format!("{} {unit}", significant(method.error.value, 3));
    let duel = stratum.hardest();
    let times = model.error.value / best.error.value;
    let more = if times > 2.0 { format!("{times:.1} times as much") } else { format!("{} more", percent(duel.share)) };
    match duel.outcome {
        Outcome::Better => format!(
            "the model is {} off, {} less than the best simpler method, {} ({})",
            off(model),
            percent(duel.share.abs()),
            best.estimate.within(),
            off(best)
        ),
        Outcome::Worse => {
            let by = best.estimate.within();
            format!("the model loses to {by}: it is {} off instead of {}, {more}", off(model), off(best))
        }
        Outcome::Unclear => format!(
            "the model ({}) and {} ({}) cannot be told apart on {} stretches of time",
            off(model),
            best.estimate.within(),
            off(best),
            stratum.stretches
        ),
    }
}

/// Where the model beats all simpler methods and where one of them beats it.
pub(super) fn verdict(strata: &[Stratum], unit: &str) -> Vec<String> {
    let with = |outcome: Outcome| strata.iter().filter(move |stratum| stratum.hardest().outcome == outcome);
    let names = |outcome: Outcome| with(outcome).map(|s| format!("“{}”", s.corruption)).collect::<Vec<_>>().join(", ");
    let (better, worse) = (with(Outcome::Better).count(), with(Outcome::Worse).count());
    let mut sentences = Vec::new();
    sentences.push(match (better, worse) {
        (b, _) if b == strata.len() && b == 1 => "The model beats every simpler method.".to_owned(),
        (b, _) if b == strata.len() => format!("The model beats every simpler method in all {b} kinds of windows."),
        (0, w) if w == strata.len() => "A simpler method beats the model everywhere.".to_owned(),
        (0, 0) => "Nowhere does the model differ from the best simpler method by more than chance.".to_owned(),
        (b, 0) => format!(
            "The model beats every simpler method in {b} of {} kinds of windows ({}).",
            strata.len(),
            names(Outcome::Better)
        ),
        (0, _) => {
            format!("The model nowhere beats every simpler method, and loses to one in {}.", names(Outcome::Worse))
        }
        _ => format!(
            "The model beats every simpler method in {} and loses to one in {}.",
            names(Outcome::Better),
            names(Outcome::Worse)
        ),
    });
    let stratum = |stratum: &Stratum| {
        let words = if stratum.description.is_empty() { String::new() } else { format!(" ({})", stratum.description) };
        format!("In “{}”{words} {}.", stratum.corruption, stratum.in_words)
    };
    sentences.extend(strata.iter().take(3).map(stratum));
    let moved = |stratum: &&Stratum| {
        let (visible, given) = (stratum.method(Estimate::Optimised).visible, stratum.given_error);
        visible.zip(given).is_some_and(|(visible, given)| visible > 1.5 * given)
    };
    if let Some(stratum) = strata.iter().find(moved) {
        let (visible, given) = (stratum.method(Estimate::Optimised).visible, stratum.given_error);
        if let (Some(visible), Some(given)) = (visible, given) {
            sentences.push(format!(
                "It moves keypoints that it was given away from the truth: in “{}” they are {} {unit} off, and what was given is {} {unit} off.",
                stratum.corruption,
                significant(visible, 3),
                significant(given, 3)
            ));
        }
    }
    sentences
}
