//! The windows of one recording that are made in one way.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use tessera_datasets::Result;
use tessera_datasets::pose::{Skeleton, Track};

use super::config::Config;
use super::corruption::{Corruption, Corruptions, Stratum};
use super::draw::Draw;
use super::grid::Grid;
use super::motion::Motions;
use super::noise::{Noise, add_even};
use super::protocol::Kind;
use crate::rows::{Origin, Origins, Recording, WindowPoints, WindowRows};

/// What all windows of a dataset have in common.
pub(super) struct Making {
    pub(super) config: Config,
    pub(super) skeleton: Skeleton,
    pub(super) seed: u64,
    pub(super) motions: Motions,
    pub(super) noise: Noise,
    pub(super) corruptions: Corruptions,
    pub(super) strata: Vec<(Stratum, usize)>,
}

/// A recording with what is corrupted beside what it should be.
pub(super) struct Frames {
    pub(super) recording: Recording,
    /// What training windows and most strata corrupt, where it is not the recording's track.
    pub(super) input: Option<Track>,
    /// What is right, where it is not the recording's track.
    pub(super) truth: Option<Track>,
}

impl Frames {
    fn input(&self) -> &Track {
        self.input.as_ref().unwrap_or(&self.recording.track)
    }

    pub(super) fn target(&self) -> &Track {
        self.truth.as_ref().unwrap_or(&self.recording.track)
    }
}

/// Windows of one recording, each of which can be made without the others.
pub(super) struct Set {
    pub(super) frames: Arc<Frames>,
    pub(super) split: String,
    pub(super) way: Way,
    /// How many there are.
    pub(super) count: usize,
    /// How many were made.
    pub(super) done: usize,
}

/// How windows are made.
pub(super) enum Way {
    /// Drawn from these runs of frames and moved about.
    Training {
        runs: Vec<Range<usize>>,
        /// How many first frames there are in each run and those before.
        starts: Vec<usize>,
    },
    /// Each of these, in all strata.
    HeldOut(Vec<Range<usize>>),
    /// Each of these as it is.
    AsItIs(Vec<Range<usize>>),
}

/// What a window is, beside its points.
struct Label {
    frames: Range<usize>,
    corruption: String,
    what: String,
}

impl Set {
    /// The next windows, so many that a batch is full.
    ///
    /// # Errors
    /// When the rows are no poses, which is a fault of the stage before.
    pub(super) fn next(&mut self, making: &Making, most: usize) -> Result<arrow::array::RecordBatch> {
        let (first, windows) = (self.done, most.min(self.count - self.done));
        self.done += windows;
        let keypoints = self.frames.recording.track.keypoints;
        let mut rows = WindowRows::new(windows, making.config.window, keypoints);
        let subject = self.frames.recording.subject()?.to_owned();
        let purpose = format!("mask-keypoints {} {subject}", self.split);
        let make = |(i, points): (usize, WindowPoints<'_>)| self.make(making, &purpose, first + i, points);
        let labels: Vec<Label> = rows.windows().into_par_iter().enumerate().map(make).collect();
        let origins = Origins::of(&self.frames.recording.rows)?;
        for Label { frames, corruption, what } in labels {
            let origin = origins.get(frames.start);
            let id = format!("{}/{corruption}/{what}", origin.id);
            let origin = Origin { split: &self.split, id: &id, content_hash: "", ..origin };
            let number = self.frames.recording.frames[frames.start];
            rows.push(frames.len() as u32, &corruption, &subject, number, &origin);
        }
        rows.finish()
    }

    fn make(&self, making: &Making, purpose: &str, number: usize, points: WindowPoints<'_>) -> Label {
        let draw = &mut Draw::new(making.seed, purpose, number as u64);
        match &self.way {
            Way::Training { runs, starts } => {
                let frames = draw_frames(runs, starts, making, draw);
                let corruption = making.corruptions.draw(draw);
                self.train(making, frames.clone(), corruption, points, draw);
                Label { frames, corruption: corruption.name().to_owned(), what: format!("{number:07}") }
            }
            Way::HeldOut(windows) => {
                let copies = self.count / windows.len();
                self.hold_out(making, windows[number / copies].clone(), number % copies, points, draw)
            }
            Way::AsItIs(windows) => {
                let frames = windows[number].clone();
                place(self.frames.target(), &frames, points.target, points.known);
                place(self.frames.target(), &frames, points.input, points.given);
                Label { frames, corruption: Kind::Intact.name().to_owned(), what: "as-it-is".to_owned() }
            }
        }
    }

    /// A training window: moved about, corrupted, noisy.
    fn train(
        &self,
        making: &Making,
        frames: Range<usize>,
        corruption: &Corruption,
        points: WindowPoints<'_>,
        draw: &mut Draw,
    ) {
        let WindowPoints { input, given, target, known } = points;
        let part = |track: &Track| track.slice(frames.start, frames.len());
        let right = part(self.frames.target());
        let motion = making.motions.draw(&right, draw);
        motion.copy(&right, target, known);
        match self.frames.input.is_none() && self.frames.truth.is_none() {
            true => {
                input.copy_from_slice(target);
                given.copy_from_slice(known);
            }
            false => motion.copy(&part(self.frames.input()), input, given),
        }
        let there = frames.len() * right.keypoints;
        corrupt(corruption, right.keypoints, &mut input[..there * 3], &mut given[..there], draw);
        making.noise.add(corruption.is_intact(), input, given, right.keypoints, draw);
    }

    /// A window that is held out, in one of the strata.
    fn hold_out(
        &self,
        making: &Making,
        frames: Range<usize>,
        copy: usize,
        points: WindowPoints<'_>,
        draw: &mut Draw,
    ) -> Label {
        let WindowPoints { input, given, target, known } = points;
        let right = self.frames.target();
        place(right, &frames, target, known);
        let (stratum, copy) = stratum_of(&making.strata, copy);
        if *stratum == Stratum::Observed {
            place(&self.frames.recording.track, &frames, input, given);
            return Label { frames, corruption: "observed".to_owned(), what: "as-it-is".to_owned() };
        }
        place(self.frames.input(), &frames, input, given);
        let there = frames.len() * right.keypoints;
        let (input, given) = (&mut input[..there * 3], &mut given[..there]);
        let numbered = || format!("{copy:03}");
        let (corruption, what) = match stratum {
            Stratum::Absent | Stratum::Observed => {
                given.iter_mut().skip(copy).step_by(right.keypoints).for_each(|given| *given = false);
                clear(input, given);
                ("absent".to_owned(), making.skeleton.keypoints[copy].clone())
            }
            Stratum::Block => {
                let corruption = making.corruptions.draw(draw);
                corrupt(corruption, right.keypoints, input, given, draw);
                (corruption.name().to_owned(), numbered())
            }
            Stratum::One(corruption) => {
                corrupt(corruption, right.keypoints, input, given, draw);
                (corruption.name().to_owned(), numbered())
            }
        };
        add_even(making.config.noise as f32, input, given, draw);
        Label { frames, corruption, what }
    }
}

/// Which stratum copy number `copy` of a window belongs to, and which of its copies it is.
fn stratum_of(strata: &[(Stratum, usize)], mut copy: usize) -> (&Stratum, usize) {
    for (stratum, copies) in &strata[..strata.len() - 1] {
        if copy < *copies {
            return (stratum, copy);
        }
        copy -= copies;
    }
    (&strata[strata.len() - 1].0, copy)
}

/// Where a training window lies: as OptiPose draws it, from a start that leaves room for the fewest
/// frames, to an end behind them, cut to the length of a window.
fn draw_frames(runs: &[Range<usize>], starts: &[usize], making: &Making, draw: &mut Draw) -> Range<usize> {
    let place = draw.whole(0, starts[starts.len() - 1] - 1);
    let run = starts.partition_point(|end| *end <= place);
    let before = if run == 0 { 0 } else { starts[run - 1] };
    let first = runs[run].start + (place - before);
    let left = runs[run].end - first;
    let length = draw.whole(making.config.minimum(), left).min(making.config.window);
    first..first + length
}

/// Hides what a corruption hides.
fn corrupt(corruption: &Corruption, keypoints: usize, input_tkc: &mut [f32], given_tk: &mut [bool], draw: &mut Draw) {
    // the grid says what is hidden, the row what is given
    let mut hidden = vec![false; given_tk.len()];
    corruption.hide(&mut Grid::new(&mut hidden, keypoints), draw);
    given_tk.iter_mut().zip(hidden).for_each(|(given, hidden)| *given &= !hidden);
    clear(input_tkc, given_tk);
}

/// Points that are not given are 0.
fn clear(input_tkc: &mut [f32], given_tk: &[bool]) {
    let points = input_tkc.as_chunks_mut::<3>().0.iter_mut().zip(given_tk);
    points.filter(|(_, given)| !**given).for_each(|(point, _)| *point = [0.0; 3]);
}

/// Copies frames to the start of a window.
fn place(track: &Track, frames: &Range<usize>, points_tkc: &mut [f32], known_tk: &mut [bool]) {
    let (from, to) = (frames.start * track.keypoints, frames.end * track.keypoints);
    points_tkc[..(to - from) * 3].copy_from_slice(&track.positions_tkc[from * 3..to * 3]);
    known_tk[..to - from].copy_from_slice(&track.known_tk[from..to]);
}
