//! The rows of predictions, checked.

use arrow::buffer::BooleanBuffer;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::{Error, Result};

use super::Estimate;
use crate::rows::Rows;

/// What was added under the root of a distance by the implementation that the metrics follow.
const HAIR: f64 = 1e-9;

/// One window: what was given, what is true, and what was made of it.
#[derive(Clone, Debug)]
pub struct Window<'a> {
    /// Its id.
    pub id: &'a str,
    /// The recording that it is from.
    pub subject: &'a str,
    /// The number of its first frame there.
    pub frame: i64,
    /// Frames, without padding.
    pub frames: usize,
    /// Keypoints of each frame.
    pub keypoints: usize,
    /// What was done to the input.
    pub corruption: &'a str,
    /// What was given; 0 where nothing was.
    pub input_tkc: &'a [f32],
    /// The truth; 0 where it is not known.
    pub target_tkc: &'a [f32],
    given_tk: BooleanBuffer,
    known_tk: BooleanBuffer,
    estimates: [&'a [f32]; Estimate::ALL.len()],
}

/// The windows of some rows.
///
/// # Errors
/// When a column is absent, a length is not that of the skeleton, or a place is no finite number.
pub fn windows<'a>(rows: &Rows<'a>) -> Result<Vec<Window<'a>>> {
    let (ids, subjects) = (rows.strings("id")?, rows.strings("subject")?);
    let (firsts, frames) = (rows.i64s("frame")?, rows.u32s("frames")?);
    let corruptions = rows.strings("corruption")?;
    let (input, given) = (rows.fixed_f32_lists("input")?, rows.fixed_bool_lists("given")?);
    let (target, known) = (rows.fixed_f32_lists("target")?, rows.fixed_bool_lists("known")?);
    let [optimised, interpolated, kalman, template] = Estimate::ALL.map(|e| rows.fixed_f32_lists(e.column()));
    let estimates = [optimised?, interpolated?, kalman?, template?];
    let skeleton = Skeleton::of_details(rows.details()?.all())?;
    let keypoints = skeleton.keypoints.len();
    let mut windows = Vec::with_capacity(rows.len());
    for i in 0..rows.len() {
        let length = given[i].len();
        if length == 0 || length % keypoints != 0 {
            let message = format!("`given` has {length} values, which are not frames of {keypoints} keypoints");
            return Err(Error::input(message).hint("the skeleton in `details` is not that of the rows"));
        }
        let there = frames[i] as usize;
        if there * keypoints > length {
            return Err(rows.error(i, format!("`frames` is {there}, and there are {}", length / keypoints)));
        }
        let window = Window {
            id: ids.value(i),
            subject: subjects.value(i),
            frame: firsts[i],
            frames: there,
            keypoints,
            corruption: corruptions.value(i),
            input_tkc: input[i],
            target_tkc: target[i],
            given_tk: given[i].clone(),
            known_tk: known[i].clone(),
            estimates: [0, 1, 2, 3].map(|e| estimates[e][i]),
        };
        window.check(&skeleton).map_err(|message| rows.error(i, message))?;
        windows.push(window);
    }
    Ok(windows)
}

impl<'a> Window<'a> {
    /// Whether a keypoint was given to the model.
    pub fn given(&self, frame: usize, keypoint: usize) -> bool {
        self.given_tk.value(frame * self.keypoints + keypoint)
    }

    /// Whether its true place is known.
    pub fn known(&self, frame: usize, keypoint: usize) -> bool {
        self.known_tk.value(frame * self.keypoints + keypoint)
    }

    /// Where everything is by someone's word, x y z of each keypoint of each frame.
    pub fn estimate(&self, by: Estimate) -> &'a [f32] {
        self.estimates[by as usize]
    }

    /// A place in one of the lists.
    pub fn place(&self, values: &[f32], frame: usize, keypoint: usize) -> [f64; 3] {
        let at = (frame * self.keypoints + keypoint) * 3;
        [0, 1, 2].map(|c| f64::from(values[at + c]))
    }

    /// How far someone is from the truth.
    pub fn error(&self, by: Estimate, frame: usize, keypoint: usize) -> f64 {
        let (found, truth) = (self.estimate(by), self.target_tkc);
        distance(self.place(found, frame, keypoint), self.place(truth, frame, keypoint))
    }

    /// How far what was given is from the truth.
    pub fn input_error(&self, frame: usize, keypoint: usize) -> f64 {
        distance(self.place(self.input_tkc, frame, keypoint), self.place(self.target_tkc, frame, keypoint))
    }

    /// The largest distance between two known keypoints of a frame; none where fewer than two are.
    pub fn extent(&self, frame: usize) -> Option<f64> {
        let places: Vec<[f64; 3]> = (0..self.keypoints)
            .filter(|k| self.known(frame, *k))
            .map(|k| self.place(self.target_tkc, frame, k))
            .collect();
        let pairs = places.iter().enumerate().flat_map(|(i, a)| places[..i].iter().map(move |b| squared(*a, *b)));
        pairs.reduce(f64::max).map(f64::sqrt)
    }

    /// What windows of the same frames of one recording share.
    pub fn group(&self) -> u64 {
        group(self.subject, self.frame)
    }

    /// What was asked and what is true, as a number: other windows have another one.
    pub fn digest(&self) -> u64 {
        let bits = |marks: &BooleanBuffer| {
            (0..self.frames * self.keypoints).fold(0_u64, |sum, i| mix(sum, u64::from(marks.value(i))))
        };
        let truth = &self.target_tkc[..self.frames * self.keypoints * 3];
        let places = truth.iter().fold(0_u64, |sum, value| mix(sum, u64::from(value.to_bits())));
        [bits(&self.given_tk), bits(&self.known_tk), places].into_iter().fold(group(self.id, self.frame), mix)
    }

    fn check(&self, skeleton: &Skeleton) -> Result<(), String> {
        let there = self.frames * self.keypoints;
        let wrong = |what: &str, values: &[f32], at: usize| {
            let (frame, name) = (at / self.keypoints + 1, &skeleton.keypoints[at % self.keypoints]);
            let place = &values[at * 3..at * 3 + 3];
            format!(
                "`{what}` is {}, {}, {} for keypoint `{name}` in frame {frame} of the window",
                place[0], place[1], place[2]
            )
        };
        let finite = |values: &[f32], at: usize| values[at * 3..at * 3 + 3].iter().all(|v| v.is_finite());
        let length = self.given_tk.len();
        let lists = [("input", self.input_tkc), ("target", self.target_tkc)];
        let made = Estimate::ALL.map(|by| (by.column(), self.estimate(by)));
        for (what, values) in lists.into_iter().chain(made) {
            if values.len() != 3 * length {
                return Err(format!("`{what}` has {} values, and `given` {length}", values.len()));
            }
            if let Some(at) = (0..there).find(|at| !finite(values, *at)) {
                return Err(wrong(what, values, at));
            }
        }
        match self.known_tk.len() == length {
            true => Ok(()),
            false => Err(format!("`known` has {} values, and `given` {length}", self.known_tk.len())),
        }
    }
}

/// The number of the frames that windows from the same place of a recording share.
pub(super) fn group(subject: &str, frame: i64) -> u64 {
    let start = subject.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, u64::from(byte)));
    mix(start, frame as u64)
}

/// A step of a 64-bit hash (the multiplication of Fowler, Noll and Vo, with the high bits folded
/// down); its values never change.
fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_mul(0x0100_0000_01b3);
    mixed ^ (mixed >> 32)
}

/// A distance as cvkit's metrics take it.
fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (HAIR + squared(a, b)).sqrt()
}

pub(super) fn squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|c| (a[c] - b[c]).powi(2)).sum()
}
