//! A Kalman filter or smoother along each keypoint.
//!
//! The filter is BU-CVKit's `KalmanFilter`, in which every gap starts it anew. What that has no
//! answer for, gaps that are gone through and the way back through time, is Rauch, Tung and
//! Striebel's.

use tessera_datasets::pose::Track;
use tessera_datasets::pose::kalman::{Motion, Point, State, smooth_points};

use super::{Log, elapsed, point};

/// Of known points, which were moved.
pub const SMOOTHED: &str = "smoothed";
/// Of a point in a gap.
pub const PREDICTED: &str = "predicted";

/// How keypoints are filtered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// Noise and motion.
    pub motion: Motion,
    /// The longest gap that is gone through and filled, in frames. After a longer one the filter
    /// starts anew.
    pub longest: u64,
    /// Whether frames that come later count too.
    pub smooth: bool,
    /// The variances of position, velocity and acceleration at the start, where they are not left
    /// to the filter.
    pub start: Option<[f64; 3]>,
}

impl Filter {
    /// Filters all keypoints.
    pub fn run(&self, track: &mut Track, frames: &[i64], log: &mut Log) {
        let mut stretch = Stretch::default();
        for k in 0..track.keypoints {
            for t in 0..track.frames() {
                let Some(here) = point(track, t, k) else {
                    continue;
                };
                match self.steps(frames, &stretch, t) {
                    Some(steps) => stretch.go_on(t, steps, here),
                    None => {
                        self.finish(&mut stretch, track, frames, k, log);
                        stretch.begin(t, here);
                    }
                }
            }
            self.finish(&mut stretch, track, frames, k, log);
        }
    }

    /// How many frames row `t` is after the end of the stretch that it goes on with.
    fn steps(&self, frames: &[i64], stretch: &Stretch, t: usize) -> Option<u64> {
        if stretch.seen.is_empty() {
            return None;
        }
        elapsed(frames, stretch.last, t).filter(|steps| steps - 1 <= self.longest)
    }

    fn finish(&self, stretch: &mut Stretch, track: &mut Track, frames: &[i64], k: usize, log: &mut Log) {
        if stretch.seen.len() > 1 {
            match self.smooth {
                true => smooth_points(&mut stretch.seen, &self.motion, &mut stretch.states),
                false => self.filter_points(&mut stretch.seen),
            }
            for t in stretch.first..=stretch.last {
                let at = elapsed(frames, stretch.first, t).unwrap_or(0) as usize;
                let Some(found) = stretch.seen.get(at).filter(|_| t == stretch.first || at > 0) else {
                    continue;
                };
                match track.known_tk[t * track.keypoints + k] {
                    true => log.count_whole(SMOOTHED),
                    false => log.count(PREDICTED, k),
                }
                track.set(t, k, found.map(|point| point.map(|value| value as f32)));
            }
        }
        stretch.seen.clear();
    }

    /// Forward only. The first point stays as it is.
    fn filter_points(&self, seen: &mut [Option<Point>]) {
        let Some((Some(first), rest)) = seen.split_first_mut() else {
            return;
        };
        let mut state = match self.start {
            Some([position, velocity, acceleration]) => State::start(*first, position, velocity, acceleration),
            None => State::unmoved(*first, &self.motion),
        };
        for point in rest {
            state.predict(&self.motion);
            if let Some(measured) = point {
                state.update(*measured, &self.motion);
            }
            *point = Some(state.position());
        }
    }
}

/// Some frames of a keypoint that are filtered in one go; frames without a row are among them.
#[derive(Default)]
struct Stretch {
    /// The rows of the first and the last known point.
    first: usize,
    last: usize,
    seen: Vec<Option<Point>>,
    states: Vec<State>,
}

impl Stretch {
    fn begin(&mut self, t: usize, here: Point) {
        (self.first, self.last) = (t, t);
        self.seen.push(Some(here));
    }

    fn go_on(&mut self, t: usize, steps: u64, here: Point) {
        self.seen.extend((1..steps).map(|_| None));
        self.seen.push(Some(here));
        self.last = t;
    }
}
