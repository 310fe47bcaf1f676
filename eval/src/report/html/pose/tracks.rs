//! A hidden keypoint over the time of a window.

use super::class;
use crate::metrics::pose::Estimate;
use crate::report::chart::{Panel, Size, TrackChart, TrackLine, in_both};
use crate::report::html::charts::caption;
use crate::report::pose::{Film, Poses};

pub(super) fn draw(poses: &Poses, film: &Film, index: usize) -> String {
    let (count, k) = (poses.skeleton.keypoints.len(), film.tracked);
    let time = |t: usize| film.frame as f64 + t as f64;
    let series = |values: &[f32], marks: &[u8], c: usize| -> Vec<(f64, f64)> {
        let there = (0..film.frames).filter(|t| marks.is_empty() || marks[t * count + k] == 1);
        there.map(|t| (time(t), f64::from(values[(t * count + k) * 3 + c]))).collect()
    };
    let panel = |(c, name): (usize, &str)| {
        let made = |by: Estimate| TrackLine {
            label: by.label().to_owned(),
            class: class(by).to_owned(),
            points: series(film.estimate(by), &[], c),
        };
        let truth = TrackLine {
            label: "truth".to_owned(),
            class: "truth".to_owned(),
            points: series(&film.target, &film.known, c),
        };
        Panel {
            label: name.to_owned(),
            lines: vec![truth, made(film.baseline), made(Estimate::Optimised)],
            dots: series(&film.input, &film.given, c),
        }
    };
    let panels: Vec<Panel> = ["x", "y", "z"].into_iter().enumerate().map(panel).collect();
    let name = &poses.skeleton.keypoints[k];
    let hidden = (0..film.frames).filter(|t| film.given[t * count + k] == 0).count();
    let description = format!("{name} is hidden in {hidden} of {} frames.", film.frames);
    in_both(&format!("tracks-{index}"), Size::Wide, |size, id| {
        let chart = TrackChart {
            caption: caption(&id, &format!("{name} over time"), description.clone()),
            size,
            x_label: "frame".to_owned(),
            x: (time(0) - 0.5, time(film.frames.saturating_sub(1)) + 0.5),
            gaps: gaps(film, count, k),
            panels: panels.clone(),
        };
        chart.draw()
    })
}

/// Stretches in which the keypoint is not given.
fn gaps(film: &Film, count: usize, k: usize) -> Vec<(f64, f64)> {
    let mut gaps: Vec<(f64, f64)> = Vec::new();
    for t in (0..film.frames).filter(|t| film.given[t * count + k] == 0) {
        let (from, to) = (film.frame as f64 + t as f64 - 0.5, film.frame as f64 + t as f64 + 0.5);
        match gaps.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => gaps.push((from, to)),
        }
    }
    gaps
}
