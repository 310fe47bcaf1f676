//! All that the network sees of one window.

use tessera_datasets::pose::geometry::Point;

use super::anatomy::Anatomy;
use super::canonical::{Canonical, Window};
use super::conditional::Conditional;
use super::config::{CANDIDATES, FEATURES};
use super::smoother::{STRENGTHS, Smoothers};

/// The number of the candidate that the others are seen beside.
const MIDDLE: usize = 2;
/// A given frame that is further away than this is only far away.
const FAR: usize = 15;
/// How far the network may go from its candidates, in units of the noise, beside a given frame.
const REACH: f64 = 3.0;

const COUNT: usize = CANDIDATES as usize;
const WIDTH: usize = FEATURES as usize;

/// Where the values of one window go, in the order frame, keypoint.
pub(super) struct Places<'a> {
    /// `[t, k, 22]`.
    pub(super) features: &'a mut [f32],
    /// Relative to the mean pose in units of the scale, `[t, k, 5, 3]`.
    pub(super) candidates: &'a mut [f32],
    /// How far the network may go from them, `[t, k]`.
    pub(super) reach: &'a mut [f32],
}

/// Works out candidates and features of a window; returns the way to its frame of reference.
pub(super) fn prepare(window: &Window<'_>, anatomy: &Anatomy, smoothers: &Smoothers, out: Places<'_>) -> Canonical {
    let (frames, keypoints) = (window.frames(), window.keypoints);
    let canonical = Canonical::fit(window, anatomy);
    let found = Found::new(window, anatomy, smoothers, &canonical);
    let noise = anatomy.relative_noise();
    let mut features = out.features.as_chunks_mut::<WIDTH>().0.iter_mut();
    let mut candidates = out.candidates.chunks_exact_mut(COUNT * 3);
    let mut reach = out.reach.iter_mut();
    let distances: Vec<(Vec<usize>, Vec<usize>)> = (0..keypoints).map(|k| to_given(window, k)).collect();
    for frame in 0..frames {
        for keypoint in 0..keypoints {
            let points = &found.candidates[keypoint][frame];
            let given = window.is_given(frame, keypoint);
            let near = |distance: usize| distance.min(FAR) as f64 / FAR as f64;
            let (before, after) = (near(distances[keypoint].0[frame]), near(distances[keypoint].1[frame]));
            let middle = points[MIDDLE];
            let beside = |point: Point| [0, 1, 2].map(|c| ((point[c] - middle[c]) / noise).asinh());
            let own = if given { beside(found.relative[keypoint][frame]) } else { [0.0; 3] };
            let others = (0..COUNT).filter(|i| *i != MIDDLE).flat_map(|i| beside(points[i]));
            let flags = [f64::from(u8::from(given)), before, after, f64::from(u8::from(found.absent[keypoint]))];
            let all = middle.into_iter().chain(own).chain(others).chain(flags);
            if let Some(place) = features.next() {
                place.iter_mut().zip(all).for_each(|(place, value)| *place = value as f32);
            }
            if let Some(place) = candidates.next() {
                place.iter_mut().zip(points.as_flattened()).for_each(|(place, value)| *place = *value as f32);
            }
            if let Some(place) = reach.next() {
                *place = (REACH * noise + before.min(after)) as f32;
            }
        }
    }
    canonical
}

struct Found {
    /// What is given, relative to the mean pose in units of the scale, by keypoint and frame.
    relative: Vec<Vec<Point>>,
    /// By keypoint and frame.
    candidates: Vec<Vec<[Point; COUNT]>>,
    /// Keypoints that are not given in the whole window.
    absent: Vec<bool>,
}

impl Found {
    fn new(window: &Window<'_>, anatomy: &Anatomy, smoothers: &Smoothers, canonical: &Canonical) -> Self {
        let (frames, keypoints) = (window.frames(), window.keypoints);
        let mut found = Self { relative: Vec::new(), candidates: Vec::new(), absent: Vec::new() };
        for keypoint in 0..keypoints {
            let relative: Vec<Point> = (0..frames)
                .map(|frame| match window.is_given(frame, keypoint) {
                    false => [0.0; 3],
                    true => {
                        let point = canonical.apply(frame, window.point(frame, keypoint));
                        [0, 1, 2].map(|c| (point[c] - anatomy.mean[keypoint][c]) / anatomy.scale)
                    }
                })
                .collect();
            let absent = !(0..frames).any(|frame| window.is_given(frame, keypoint));
            found.candidates.push(match absent {
                true => vec![[[0.0; 3]; COUNT]; frames],
                false => over_time(|frame| window.is_given(frame, keypoint), &relative, smoothers),
            });
            found.relative.push(relative);
            found.absent.push(absent);
        }
        if found.absent.contains(&true) {
            found.add_absent(anatomy);
        }
        found
    }

    fn add_absent(&mut self, anatomy: &Anatomy) {
        let keypoints = self.absent.len();
        let present: Vec<usize> = (0..keypoints).filter(|k| !self.absent[*k]).collect();
        let frames = self.candidates.first().map_or(0, Vec::len);
        let smooth: Vec<Vec<Point>> =
            (0..frames).map(|frame| self.candidates.iter().map(|of| of[frame][MIDDLE]).collect()).collect();
        let conditional = Conditional::new(anatomy, present);
        for keypoint in (0..keypoints).filter(|k| self.absent[*k]) {
            self.candidates[keypoint] = conditional.candidates(keypoint, &smooth);
        }
    }
}

/// The smoothers' curves, and straight lines between what is given, whose ends are held.
fn over_time(given: impl Fn(usize) -> bool, points: &[Point], smoothers: &Smoothers) -> Vec<[Point; COUNT]> {
    let mut out = vec![[[0.0; 3]; COUNT]; points.len()];
    let mut curve = vec![[0.0; 3]; points.len()];
    for number in 0..STRENGTHS.len() {
        smoothers.smooth(number, &given, points, &mut curve);
        out.iter_mut().zip(&curve).for_each(|(out, point)| out[number] = *point);
    }
    let known: Vec<usize> = (0..points.len()).filter(|frame| given(*frame)).collect();
    for (frame, out) in out.iter_mut().enumerate() {
        let after = known.partition_point(|k| *k < frame);
        let (next, last) = (known.get(after), after.checked_sub(1).map(|i| known[i]));
        out[STRENGTHS.len()] = match (last, next) {
            (_, Some(next)) if *next == frame => points[frame],
            (Some(last), Some(next)) => {
                let share = (frame - last) as f64 / (next - last) as f64;
                [0, 1, 2].map(|c| points[last][c] * (1.0 - share) + points[*next][c] * share)
            }
            (Some(one), None) => points[one],
            (None, Some(one)) => points[*one],
            (None, None) => [0.0; 3],
        };
    }
    out
}

/// Frames since a keypoint was given, and until it is given again; the window's length where it is
/// not.
fn to_given(window: &Window<'_>, keypoint: usize) -> (Vec<usize>, Vec<usize>) {
    let frames = window.frames();
    let count = |order: &mut dyn Iterator<Item = usize>| {
        let mut out = vec![frames; frames];
        let mut since = None;
        for frame in order {
            since = if window.is_given(frame, keypoint) { Some(0) } else { since.map(|n: usize| n + 1) };
            out[frame] = since.unwrap_or(frames);
        }
        out
    };
    (count(&mut (0..frames)), count(&mut (0..frames).rev()))
}
