//! A window as numbers for the page's script, which lets one turn and play it.

use std::fmt::Write;

use super::film::View;
use super::side_class;
use crate::report::chart::escape;
use crate::report::pose::{Film, Poses};

/// The number that stands for the reach of a pose from its centre.
const REACH: f64 = 500.0;

/// An empty element with everything in its attributes: without a script nothing is missing.
pub(super) fn draw(poses: &Poses, film: &Film) -> String {
    let view = View { poses, film };
    let count = poses.skeleton.keypoints.len();
    let centres: Vec<[f64; 3]> = (0..film.frames).map(|t| view.centre(t)).collect();
    let far = |t: usize| {
        let places = view.anchor(t).into_iter();
        places.map(|place| (0..3).map(|c| (place[c] - centres[t][c]).powi(2)).sum::<f64>().sqrt()).fold(0.0, f64::max)
    };
    let reach = (0..film.frames).map(far).fold(f64::MIN_POSITIVE, f64::max);
    let places = |values: &[f32]| {
        let at = |(i, value): (usize, &f32)| {
            let centre = centres[i / (3 * count)][i % 3];
            // what flies away need not fly further than out of the picture
            ((f64::from(*value) - centre) / reach * REACH).clamp(-9.0 * REACH, 9.0 * REACH).round().to_string()
        };
        values.iter().enumerate().map(at).collect::<Vec<_>>().join(" ")
    };
    let marks = |marks: &[u8]| marks.iter().map(|mark| if *mark == 1 { '1' } else { '0' }).collect::<String>();
    let bones = view.bones().into_iter().map(|bone| format!("{},{},{}", bone.ends[0], bone.ends[1], bone.class));
    let classes = poses.sides.iter().map(|side| side_class(*side));
    let [x, y] = view.direction();
    let attributes = [
        ("keypoints", count.to_string()),
        ("frames", film.frames.to_string()),
        ("first", film.frame.to_string()),
        ("rate", poses.skeleton.frames_per_second.unwrap_or(25.0).to_string()),
        ("angle", format!("{:.3}", y.atan2(x))),
        ("bones", bones.collect::<Vec<_>>().join(" ")),
        ("classes", classes.collect::<Vec<_>>().join(" ")),
        ("label", film.baseline.label().to_owned()),
        ("given", marks(&film.given)),
        ("known", marks(&film.known)),
        ("input", places(&film.input)),
        ("truth", places(&film.target)),
        ("simpler", places(film.estimate(film.baseline))),
        ("model", places(&film.optimised)),
    ];
    let mut out = "<div class=\"stage screen\"".to_owned();
    for (name, value) in attributes {
        let _ = write!(out, " data-{name}=\"{}\"", escape(&value));
    }
    out + "></div>"
}
