//! All keypoints of a recording.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Deserialize;
use tessera_datasets::pose::Track;
use tessera_datasets::pose::formats::View;

use super::linear::{Sighting, triangulate};
use super::{Arena, Camera};

/// How many frames are worked on at a time.
const FRAMES: usize = 1024;

/// Which of the views of a keypoint are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Those with a likelihood at or above the threshold if there are two of them, else all: the
    /// `auto_subset` of OptiPose's pipeline.
    #[default]
    AutoSubset,
    /// Those with a likelihood at or above the threshold, however few: `auto_subset` of later
    /// versions of BU-CVKit.
    Confident,
    /// All in which the keypoint has a place.
    All,
}

/// What is asked of a reconstruction.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which views are used.
    pub choice: Choice,
    /// The likelihood at which a view is trusted.
    pub threshold: f32,
    /// Whether a keypoint with fewer than two views is unknown; else it is an error.
    pub leave_out: bool,
    /// Where points are put.
    pub arena: Arena,
}

/// A keypoint that cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewViews {
    /// The number of the frame.
    pub frame: i64,
    /// The number of the keypoint.
    pub keypoint: usize,
    /// How many views can be used.
    pub views: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// The keypoints in space.
    pub track: Track,
    /// The least likelihood of the views that were used; 0 of a keypoint that is not known.
    pub likelihood_tk: Vec<f32>,
    /// The numbers of the frames: those that two views or more have.
    pub frames: Vec<i64>,
    /// The numbers of the frames that one view alone has.
    pub lonely: Vec<i64>,
    /// Keypoints that are not known, by reason.
    pub counts: Counts,
}

/// Keypoints that are not known, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fewer than two views could be used.
    pub too_few_views: u64,
    /// The views meet nowhere.
    pub at_infinity: u64,
}

/// Puts the views of a recording together, frame by frame and keypoint by keypoint.
///
/// # Errors
/// The first keypoint that fewer than two views show, unless such keypoints are left out.
///
/// # Panics
/// When the views have other numbers of keypoints than one another.
pub fn reconstruct(views: &[(&Camera, &View)], settings: &Settings) -> Result<Reconstruction, TooFewViews> {
    let keypoints = views.first().map_or(0, |(_, view)| view.keypoints);
    assert!(views.iter().all(|(_, view)| view.keypoints == keypoints), "views of several skeletons");
    // the rows of each frame, one for each view that has it
    let mut rows: BTreeMap<i64, Vec<Option<usize>>> = BTreeMap::new();
    for (number, (_, view)) in views.iter().enumerate() {
        for (row, frame) in view.frames.iter().enumerate() {
            rows.entry(*frame).or_insert_with(|| vec![None; views.len()])[number] = Some(row);
        }
    }
    let (shared, lonely): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, rows)| rows.iter().flatten().count() >= 2);
    let pieces: Vec<Result<Piece, TooFewViews>> =
        shared.par_chunks(FRAMES).map(|frames| place(views, frames, keypoints, settings)).collect();
    let mut out = Reconstruction {
        track: Track { keypoints, ..Track::default() },
        likelihood_tk: Vec::new(),
        frames: shared.iter().map(|(frame, _)| *frame).collect(),
        lonely: lonely.into_iter().map(|(frame, _)| frame).collect(),
        counts: Counts::default(),
    };
    for piece in pieces {
        let piece = piece?;
        out.track.positions_tkc.extend(piece.track.positions_tkc);
        out.track.known_tk.extend(piece.track.known_tk);
        out.likelihood_tk.extend(piece.likelihood_tk);
        out.counts.too_few_views += piece.counts.too_few_views;
        out.counts.at_infinity += piece.counts.at_infinity;
    }
    Ok(out)
}

/// Some frames of a reconstruction.
struct Piece {
    track: Track,
    likelihood_tk: Vec<f32>,
    counts: Counts,
}

fn place(
    views: &[(&Camera, &View)],
    frames: &[(i64, Vec<Option<usize>>)],
    keypoints: usize,
    settings: &Settings,
) -> Result<Piece, TooFewViews> {
    let mut track = Track::unknown(frames.len(), keypoints);
    let mut likelihood_tk = vec![0.0; frames.len() * keypoints];
    let mut counts = Counts::default();
    let (mut seen, mut memory): (Vec<(Sighting<'_>, f32)>, _) = (Vec::with_capacity(views.len()), Vec::new());
    for (t, (frame, rows)) in frames.iter().enumerate() {
        for keypoint in 0..keypoints {
            seen.clear();
            for ((camera, view), row) in views.iter().zip(rows) {
                let Some(at) = row.map(|row| row * keypoints + keypoint).filter(|at| view.known_tk[*at]) else {
                    continue;
                };
                let pixel = [view.points_tkc[at * 2], view.points_tkc[at * 2 + 1]].map(f64::from);
                if let Some(place) = camera.straighten(pixel) {
                    seen.push((Sighting { projection: &camera.projection, place }, view.likelihood_tk[at]));
                }
            }
            choose(&mut seen, settings);
            if seen.len() < 2 {
                counts.too_few_views += 1;
                match settings.leave_out {
                    true => continue,
                    false => return Err(TooFewViews { frame: *frame, keypoint, views: seen.len() }),
                }
            }
            let point = triangulate(seen.iter().map(|(sighting, _)| *sighting), &mut memory);
            let point = point.map(|point| settings.arena.apply(point).map(|value| value as f32));
            match point.filter(|point| point.iter().all(|value| value.is_finite())) {
                None => counts.at_infinity += 1,
                point => {
                    track.set(t, keypoint, point);
                    let least = seen.iter().map(|(_, likelihood)| *likelihood).fold(f32::INFINITY, f32::min);
                    likelihood_tk[t * keypoints + keypoint] = least;
                }
            }
        }
    }
    Ok(Piece { track, likelihood_tk, counts })
}

fn choose(seen: &mut Vec<(Sighting<'_>, f32)>, settings: &Settings) {
    let trusted = |(_, likelihood): &(Sighting<'_>, f32)| *likelihood >= settings.threshold;
    let enough = || seen.iter().filter(|view| trusted(view)).count() >= 2;
    let narrow = match settings.choice {
        Choice::All => false,
        Choice::Confident => true,
        Choice::AutoSubset => enough(),
    };
    if narrow {
        seen.retain(trusted);
    }
}
