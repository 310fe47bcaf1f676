//! All that the network sees of one window.

use std::collections::BTreeMap;

use tessera_datasets::pose::geometry::Point;

use super::anatomy::Anatomy;
use super::canonical::{Canonical, Window};
use super::conditional::{Conditional, LEAST};
use super::config::{CANDIDATES, FEATURES};
use super::smoother::{STRENGTHS, Smoothers};

/// The number of the candidate that the others are seen beside.
const MIDDLE: usize = 2;
/// Up to how many frames away from a given one time says more than the other keypoints.
const NEAR: usize = 3;
/// Over how many frames outside of what is given an error fades.
const FADING: f64 = 10.0;
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
    let distances: Vec<(Vec<usize>, Vec<usize>)> = (0..keypoints).map(|k| to_given(window, k)).collect();
    let found = Found::new(window, anatomy, smoothers, &canonical, &distances);
    let noise = anatomy.relative_noise();
    let mut features = out.features.as_chunks_mut::<WIDTH>().0.iter_mut();
    let mut candidates = out.candidates.chunks_exact_mut(COUNT * 3);
    let mut reach = out.reach.iter_mut();
    for frame in 0..frames {
        for (keypoint, (before, after)) in distances.iter().enumerate() {
            let points = &found.candidates[keypoint][frame];
            let given = window.is_given(frame, keypoint);
            let near = |distance: usize| distance.min(FAR) as f64 / FAR as f64;
            let (before, after) = (near(before[frame]), near(after[frame]));
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
    /// What is given, by keypoint and frame.
    given: Vec<Vec<bool>>,
    /// Keypoints that are not given in the whole window.
    absent: Vec<bool>,
}

impl Found {
    fn new(
        window: &Window<'_>,
        anatomy: &Anatomy,
        smoothers: &Smoothers,
        canonical: &Canonical,
        distances: &[(Vec<usize>, Vec<usize>)],
    ) -> Self {
        let (frames, keypoints) = (window.frames(), window.keypoints);
        let mut found = Self { relative: Vec::new(), candidates: Vec::new(), given: Vec::new(), absent: Vec::new() };
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
            let given: Vec<bool> = (0..frames).map(|frame| window.is_given(frame, keypoint)).collect();
            let absent = !given.contains(&true);
            found.candidates.push(match absent {
                true => vec![[[0.0; 3]; COUNT]; frames],
                false => over_time(|frame| given[frame], &relative, smoothers),
            });
            found.given.push(given);
            found.relative.push(relative);
            found.absent.push(absent);
        }
        let is_near =
            |distances: &(Vec<usize>, Vec<usize>), frame: usize| distances.0[frame].min(distances.1[frame]) <= NEAR;
        let near: Vec<Vec<bool>> =
            (0..frames).map(|frame| distances.iter().map(|of| is_near(of, frame)).collect()).collect();
        if near.iter().flatten().any(|near| !near) {
            Hidden { anatomy, smooth: found.middles(), near }.fill(&mut found);
        }
        found
    }

    /// The middle candidates, by frame and keypoint.
    fn middles(&self) -> Vec<Vec<Point>> {
        let frames = self.candidates.first().map_or(0, Vec::len);
        (0..frames).map(|frame| self.candidates.iter().map(|of| of[frame][MIDDLE]).collect()).collect()
    }
}

/// Points about which time says little: of keypoints that are not given in the whole window, or
/// not near the frame.
struct Hidden<'a> {
    anatomy: &'a Anatomy,
    /// The middle candidates of all that is given somewhere in the window, by frame and keypoint.
    smooth: Vec<Vec<Point>>,
    /// Which keypoints are given near a frame, by frame and keypoint.
    near: Vec<Vec<bool>>,
}

impl Hidden<'_> {
    /// Replaces the candidates of hidden points by what the others say of them.
    fn fill(&self, found: &mut Found) {
        // frames with the same keypoints to go by share their systems of equations
        let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for frame in 0..self.smooth.len() {
            groups.entry(self.present(frame, &found.absent)).or_default().push(frame);
        }
        let mut hidden = vec![Vec::new(); found.absent.len()];
        for (present, frames) in groups {
            let poses: Vec<&[Point]> = frames.iter().map(|frame| self.smooth[*frame].as_slice()).collect();
            let conditional = Conditional::new(self.anatomy, present.clone());
            for keypoint in (0..found.absent.len()).filter(|k| !present.contains(k)) {
                for (frame, points) in frames.iter().zip(conditional.candidates(keypoint, &poses)) {
                    found.candidates[keypoint][*frame] = points;
                    hidden[keypoint].push(*frame);
                }
            }
        }
        for (keypoint, frames) in hidden.iter().enumerate() {
            if !found.absent[keypoint] {
                self.anchor(keypoint, frames, found);
            }
        }
    }

    /// The keypoints to go by in a frame: those given near it, or, where these are too few to say
    /// how the animal lies, all that are given somewhere in the window.
    fn present(&self, frame: usize, absent: &[bool]) -> Vec<usize> {
        let near: Vec<usize> = (0..absent.len()).filter(|k| self.near[frame][*k]).collect();
        match near.len() >= LEAST {
            true => near,
            false => (0..absent.len()).filter(|k| !absent[*k]).collect(),
        }
    }

    /// The last candidate of a keypoint that was given earlier or will be given later: what the
    /// others say, moved by as much as they are wrong where it is given, so that nothing jumps at
    /// the ends of a gap.
    fn anchor(&self, keypoint: usize, frames: &[usize], found: &mut Found) {
        let given: Vec<usize> = (0..self.smooth.len()).filter(|frame| found.given[keypoint][*frame]).collect();
        let mut errors: BTreeMap<usize, Point> = BTreeMap::new();
        for frame in frames {
            let after = given.partition_point(|g| g < frame);
            let ends = [after.checked_sub(1).map(|i| given[i]), given.get(after).copied()];
            let [last, next] =
                ends.map(|end| end.map(|end| (end, *errors.entry(end).or_insert_with(|| self.error(keypoint, end)))));
            let fading = |(end, error): (usize, Point)| {
                let left = (-(frame.abs_diff(end) as f64) / FADING).exp();
                error.map(|v| v * left)
            };
            let shift = match (last, next) {
                (Some((from, first)), Some((to, second))) => {
                    let share = (frame - from) as f64 / (to - from) as f64;
                    [0, 1, 2].map(|c| first[c] * (1.0 - share) + second[c] * share)
                }
                (Some(end), None) | (None, Some(end)) => fading(end),
                (None, None) => [0.0; 3],
            };
            let points = &mut found.candidates[keypoint][*frame];
            points[COUNT - 1] = [0, 1, 2].map(|c| points[MIDDLE][c] + shift[c]);
        }
    }

    /// How far the others are wrong about a keypoint in a frame in which it is given.
    fn error(&self, keypoint: usize, frame: usize) -> Point {
        let others = (0..self.near[frame].len()).filter(|k| *k != keypoint && self.near[frame][*k]).collect();
        let said = Conditional::new(self.anatomy, others).candidates(keypoint, &[self.smooth[frame].as_slice()]);
        let (true_one, said) = (self.smooth[frame][keypoint], said[0][MIDDLE]);
        [0, 1, 2].map(|c| true_one[c] - said[c])
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
