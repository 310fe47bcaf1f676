//! Which windows a recording gives.

use std::ops::Range;
use std::sync::Arc;

use tessera_datasets::Result;
use tessera_datasets::pose::Track;

use super::TEMPLATE;
use super::config::Input;
use super::runs::{runs, side_by_side};
use super::set::{Frames, Making, Set, Way};
use crate::rows::{Recording, TRAIN};

/// The windows of one recording.
pub(super) struct Plan {
    pub(super) frames: Arc<Frames>,
    pub(super) sets: Vec<Set>,
    /// Frames that are in no window.
    pub(super) left_over: usize,
    /// The most frames that follow one another.
    pub(super) longest: usize,
}

impl Plan {
    pub(super) fn of(making: &Making, mut recording: Recording) -> Result<Self> {
        let split = recording.split()?.to_owned();
        let truth = recording.truth_tkc.take().map(|truth| whole(truth, recording.track.keypoints));
        let input = truth.clone().filter(|_| making.config.input == Input::Truth);
        let frames = Arc::new(Frames { recording, input, truth });
        let all = runs(&frames.recording.frames, |_| true);
        let longest = all.iter().map(Range::len).max().unwrap_or(0);
        let (ways, left_over) = match split == TRAIN {
            true => training(making, &frames, &all),
            false => held_out(making, &split, &all),
        };
        let ways = ways.into_iter().filter(|(.., count)| *count > 0);
        let set = |(split, way, count)| Set { frames: frames.clone(), split, way, count, done: 0 };
        let sets = ways.map(set).collect();
        Ok(Self { frames, sets, left_over, longest })
    }
}

impl Making {
    /// Whether there should be windows of a split, if its recordings are long enough.
    pub(super) fn wants_windows(&self, split: &str) -> bool {
        match split == TRAIN {
            true => self.config.repeats > 0.0,
            false => !self.strata.is_empty(),
        }
    }
}

/// Split, way and number of some windows.
type Ways = Vec<(String, Way, usize)>;

/// The frames as they are, and windows that are drawn from where enough of them can be used; with
/// how many cannot.
fn training(making: &Making, frames: &Frames, all: &[Range<usize>]) -> (Ways, usize) {
    let config = &making.config;
    let Track { keypoints, known_tk, .. } = &frames.recording.track;
    let (as_they_are, _) = side_by_side(all, config.window, config.window, 1);
    let is_usable = |frame: usize| config.gaps || known_tk[frame * keypoints..][..*keypoints].iter().all(|k| *k);
    let mut usable = runs(&frames.recording.frames, is_usable);
    usable.retain(|run| run.len() >= config.minimum());
    let starts = usable.iter().scan(0, |sum, run| {
        *sum += run.len() + 1 - config.minimum();
        Some(*sum)
    });
    let starts = starts.collect();
    let in_runs: usize = usable.iter().map(Range::len).sum();
    let (once, drawn) = (as_they_are.len(), (in_runs as f64 * config.repeats).round() as usize);
    let ways = vec![
        (TEMPLATE.to_owned(), Way::AsItIs(as_they_are), once),
        (TRAIN.to_owned(), Way::Training { runs: usable, starts }, drawn),
    ];
    (ways, frames.recording.frames.len() - in_runs)
}

/// Windows side by side, each in all strata.
fn held_out(making: &Making, split: &str, all: &[Range<usize>]) -> (Ways, usize) {
    let config = &making.config;
    let (windows, left_over) = side_by_side(all, config.window, config.stride(), config.minimum());
    let copies: usize = making.strata.iter().map(|(_, copies)| copies).sum();
    let count = windows.len() * copies;
    (vec![(split.to_owned(), Way::HeldOut(windows), count)], left_over)
}

/// A track of which everything is known.
fn whole(positions_tkc: Vec<f32>, keypoints: usize) -> Track {
    let known_tk = vec![true; positions_tkc.len() / 3];
    Track { keypoints, positions_tkc, known_tk }
}
