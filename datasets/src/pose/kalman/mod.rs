//! A Kalman filter and smoother for points that move with nearly constant acceleration.
//!
//! The model is that of BU-CVKit and filterpy: position, velocity and acceleration of a point, of
//! which the position is measured, and whose acceleration changes by a random amount from one
//! frame to the next (`Q_discrete_white_noise`, order 3). The three axes do not depend on one
//! another and share their variances, so that a filter of 9 states is three of 3 states with one
//! matrix of variances.
//!
//! Time is counted in frames. Velocity and acceleration are per frame, which changes no position:
//! a filter in seconds gives the same ones.

mod learn;
mod state;

use super::{Track, interpolate};
pub use state::{Motion, Point, State};

/// How much is measured wrong, and how restlessly a point moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Frames per second.
    pub frames_per_second: f64,
    /// The standard deviation of the error of each measured coordinate, in the skeleton's unit.
    pub measurement: f64,
    /// The standard deviation of the change of each coordinate's acceleration from one frame to
    /// the next, in the skeleton's unit per second squared.
    pub process: f64,
}

impl Options {
    /// The same in frames.
    #[must_use]
    pub fn motion(&self) -> Motion {
        let process = self.process / self.frames_per_second.powi(2);
        Motion { measurement: self.measurement.powi(2), process: process.powi(2) }
    }
}

/// A position for every keypoint of every frame, in the order of the track's: what all known
/// frames, those before and those after, say of it (Rauch, Tung and Striebel 1965).
///
/// Before the first and after the last frame in which a keypoint is known it stands still where
/// the smoother has it there: constant acceleration would take it away with the square of time. One
/// that is never known is where [`interpolate::fill`] puts it.
#[must_use]
pub fn smooth(track: &Track, options: &Options) -> Vec<f32> {
    let mut smooth_tkc = interpolate::fill(track);
    let motion = options.motion();
    let (mut seen, mut states) = (Vec::new(), Vec::new());
    for k in 0..track.keypoints {
        seen.clear();
        seen.extend((0..track.frames()).map(|t| track.point(t, k).map(|point| point.map(f64::from))));
        let Some(first) = seen.iter().position(Option::is_some) else {
            continue;
        };
        let end = seen.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        smooth_points(&mut seen[first..end], &motion, &mut states);
        let (start, stop) = (seen[first], seen[end - 1]);
        seen[..first].fill(start);
        seen[end..].fill(stop);
        for (t, point) in seen.iter().enumerate() {
            let at = (t * track.keypoints + k) * 3;
            if let Some(point) = point {
                smooth_tkc[at..at + 3].copy_from_slice(&point.map(|value| value as f32));
            }
        }
    }
    smooth_tkc
}

/// Smooths one point over time. The first frame must be known; frames that are not known get a
/// position as all others. `states` is room to work in.
pub fn smooth_points(seen: &mut [Option<Point>], motion: &Motion, states: &mut Vec<State>) {
    states.clear();
    let Some(first) = seen.first().copied().flatten() else {
        return;
    };
    let mut state = State::unmoved(first, motion);
    states.push(state);
    for point in &seen[1..] {
        state.predict(motion);
        if let Some(point) = point {
            state.update(*point, motion);
        }
        states.push(state);
    }
    for t in (0..seen.len()).rev() {
        if let [before, after, ..] = &mut states[t..] {
            before.smooth(after, motion);
        }
        seen[t] = Some(states[t].position());
    }
}

#[cfg(test)]
mod tests;
