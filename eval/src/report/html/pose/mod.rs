//! The charts and pictures of optimised poses.

mod attention;
mod curve;
mod film;
mod gaps;
mod keypoints;
mod stage;
mod tracks;

use minijinja::value::Value;
use tessera_datasets::console::thousands;

use crate::metrics::pose::Estimate;
use crate::number::significant;
use crate::report::Report;
use crate::report::pose::{BodySide, Duel, FilmReason, Measured, Poses, Stratum};

pub(super) use curve::hidden;

/// The class of a method's colour.
pub(super) fn class(by: Estimate) -> &'static str {
    match by {
        Estimate::Optimised => "s0",
        Estimate::Interpolated => "s1 dash-1",
        Estimate::Kalman => "s3 dash-2",
        Estimate::Template => "s2 dash-3",
    }
}

/// The class of the colour of a side of the body.
fn side_class(side: BodySide) -> &'static str {
    match side {
        BodySide::Left => "on-left",
        BodySide::Right => "on-right",
        BodySide::Middle => "on-middle",
    }
}

/// The charts by the names that templates use.
pub(super) fn charts(poses: &Poses) -> Vec<(&'static str, String)> {
    let mut charts = Vec::new();
    charts.extend(gaps::by_gap(poses).map(|chart| ("gaps", chart)));
    charts.extend(gaps::by_distance(poses).map(|chart| ("distances", chart)));
    charts
}

/// What else the templates show.
pub(super) fn context(report: &Report) -> Value {
    let Some(poses) = &report.poses else {
        return Value::UNDEFINED;
    };
    let safe = Value::from_safe_string;
    let films = poses.films.iter().enumerate().map(|(i, film)| {
        minijinja::context! {
            strips => safe(film::draw(poses, film, i)),
            tracks => safe(tracks::draw(poses, film, i)),
            stage => safe(stage::draw(poses, film)),
            why => why(film.reason),
        }
    });
    minijinja::context! {
        films => films.collect::<Vec<_>>(),
        keypoints => poses.by_keypoint.iter().enumerate().map(|(i, stratum)| safe(keypoints::draw(poses, stratum, i))).collect::<Vec<_>>(),
        attention => attention::pictures(poses),
        strata => poses.strata.iter().map(of_stratum).collect::<Vec<_>>(),
        two_sided => poses.sides.iter().any(|side| *side != BodySide::Middle),
        changes => poses.filters.iter().any(|stage| !stage.changes.is_empty()),
    }
}

fn why(reason: FilmReason) -> &'static str {
    match reason {
        FilmReason::Typical => "typical",
        FilmReason::Ahead => "furthest ahead of the best simpler method",
        FilmReason::Behind => "furthest behind the best simpler method",
    }
}

/// Values that agree in their digits with their interval.
fn of_stratum(stratum: &Stratum) -> Value {
    let errors = stratum.methods.iter().map(|method| measured(&method.error));
    let duels =
        stratum.duels.iter().map(|duel| minijinja::context! { word => duel.outcome.word(), sign => sign(duel) });
    minijinja::context! {
        errors => errors.collect::<Vec<_>>(),
        duels => duels.collect::<Vec<_>>(),
        masked => thousands(stratum.masked),
    }
}

fn measured(measured: &Measured) -> String {
    match measured.low.zip(measured.high) {
        Some((low, high)) => format!("{} – {}", significant(low, 3), significant(high, 3)),
        None => "–".to_owned(),
    }
}

fn sign(duel: &Duel) -> &'static str {
    if duel.difference.value > 0.0 { "+" } else { "" }
}
