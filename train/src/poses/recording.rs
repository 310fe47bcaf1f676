//! Whole recordings, window by window.

use std::ops::Range;

use tch::{Device, Tensor};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::pose::{Track, interpolate};
use tessera_datasets::{Error, Result};

use super::data::Shape;
use super::network::{Network, Poses};
use crate::shim::filled;
use crate::task::Optimise;

/// Windows that the network sees at once.
const ROWS: usize = 64;

/// From so many windows on people want to see how far it is.
const LONG: u64 = 500;

/// A position for every keypoint of every frame, `y_tkc`: windows that overlap, blended with
/// weights that rise from the first to the middle frame of a window and fall to the last. A
/// recording shorter than a window is padded.
///
/// With `request.occupancy`, windows of which many keypoints are known come first, and what was
/// found is known in the later passes (after OptiPose's occupancy passes, which go by frames and
/// overwrite instead of blending); windows that come in none of them come last.
///
/// A window in which nothing is known has no answer. Frames that are in no other are interpolated
/// between those that are; of a recording in which nothing is known, every position is 0.
///
/// The frames are taken to follow each other: of a recording with a jump in time, the parts before
/// and after it are recordings of their own.
///
/// # Errors
/// When the track has other keypoints than the network, the overlap is as long as a window, or the
/// network's answer is not a number.
pub fn optimise_recording(
    network: &dyn Network,
    shape: Shape,
    device: Device,
    track: &Track,
    request: &Optimise,
) -> Result<Vec<f32>> {
    if track.keypoints != shape.keypoints {
        let message = format!("a track of {} keypoints for a model of {}", track.keypoints, shape.keypoints);
        return Err(Error::input(message));
    }
    let overlap = request.overlap.unwrap_or(shape.frames / 2);
    if overlap >= shape.frames {
        let message = format!("an overlap of {overlap} frames between windows of {}", shape.frames);
        return Err(Error::input(message).hint("it must be shorter than a window"));
    }
    let mut track = track.clone();
    let mut pending = starts(track.frames(), shape.frames, overlap);
    let mut blend = Blend::new(&track);
    let windows = pending.len() as u64;
    let progress = (windows >= LONG).then(|| Progress::new("optimise", windows, Unit::Count("windows")));
    // all of which anything is known comes last
    let anything = f64::MIN_POSITIVE;
    for least in request.occupancy.iter().map(|least| least.max(anything)).chain([anything]) {
        let (now, later): (Vec<usize>, Vec<usize>) =
            pending.into_iter().partition(|start| share(&track, window(&track, *start, shape)) >= least);
        for starts in now.chunks(ROWS) {
            let y_btkc = answers(network, shape, device, &track, starts)?;
            for (start, y_tkc) in starts.iter().zip(y_btkc.chunks_exact(shape.points() * 3)) {
                blend.add(window(&track, *start, shape), y_tkc);
            }
            if let Some(progress) = &progress {
                progress.advance(starts.len() as u64, String::new);
            }
        }
        if !later.is_empty() {
            blend.tell(&mut track);
        }
        pending = later;
    }
    if let Some(progress) = progress {
        progress.finish("");
    }
    let found = blend.means();
    match found.iter().all(|value| value.is_finite()) {
        true => Ok(found),
        false => Err(Error::internal("the network's answer is not a number")),
    }
}

/// Where the windows start; the last ends with the recording.
fn starts(frames: usize, window: usize, overlap: usize) -> Vec<usize> {
    if frames == 0 {
        return Vec::new();
    }
    let last = frames.saturating_sub(window);
    (0..last).step_by(window - overlap).chain([last]).collect()
}

fn window(track: &Track, start: usize, shape: Shape) -> Range<usize> {
    start..(start + shape.frames).min(track.frames())
}

/// The share of the keypoints of some frames that are known.
fn share(track: &Track, frames: Range<usize>) -> f64 {
    let known = &track.known_tk[frames.start * track.keypoints..frames.end * track.keypoints];
    known.iter().filter(|known| **known).count() as f64 / known.len().max(1) as f64
}

/// What the network makes of the windows from these frames on, `y_btkc`.
fn answers(network: &dyn Network, shape: Shape, device: Device, track: &Track, starts: &[usize]) -> Result<Vec<f32>> {
    let (b, t, k) = (starts.len() as i64, shape.frames as i64, shape.keypoints as i64);
    let mut given = vec![false; starts.len() * shape.points()];
    let mut there = vec![false; starts.len() * shape.frames];
    let input_btkc = filled(&[b, t, k, 3], |input| {
        let places = input
            .chunks_exact_mut(shape.points() * 3)
            .zip(given.chunks_exact_mut(shape.points()))
            .zip(there.chunks_exact_mut(shape.frames));
        for (start, ((input, given), there)) in starts.iter().zip(places) {
            let frames = window(track, *start, shape);
            let points = frames.start * shape.keypoints..frames.end * shape.keypoints;
            there[..frames.len()].fill(true);
            given[..points.len()].copy_from_slice(&track.known_tk[points.clone()]);
            input[..points.len() * 3].copy_from_slice(&track.positions_tkc[points.start * 3..points.end * 3]);
        }
        Ok(())
    })?;
    let place = |tensor: Tensor| tensor.to_device(device);
    let input_btkc = place(input_btkc);
    let given_btk = place(Tensor::from_slice(&given).view([b, t, k]));
    let frames_bt = place(Tensor::from_slice(&there).view([b, t]));
    let poses = Poses { input_btkc: &input_btkc, given_btk: &given_btk, frames_bt: &frames_bt };
    let y_btkc = tch::no_grad(|| network.optimise(&poses, false)).to_device(Device::Cpu);
    Vec::try_from(y_btkc.reshape([-1])).map_err(|e: tch::TchError| Error::internal(e.to_string()))
}

/// Weighted sums over the windows that a frame is in.
struct Blend {
    /// Numbers of a frame.
    width: usize,
    sums_tkc: Vec<f32>,
    weights_t: Vec<f32>,
}

impl Blend {
    fn new(track: &Track) -> Self {
        let (frames, width) = (track.frames(), track.keypoints * 3);
        Self { width, sums_tkc: vec![0.0; frames * width], weights_t: vec![0.0; frames] }
    }

    fn add(&mut self, frames: Range<usize>, y_tkc: &[f32]) {
        let count = frames.len();
        for (place, frame) in frames.enumerate() {
            let weight = (place + 1).min(count - place) as f32;
            self.weights_t[frame] += weight;
            let sums = &mut self.sums_tkc[frame * self.width..(frame + 1) * self.width];
            for (sum, y) in sums.iter_mut().zip(&y_tkc[place * self.width..]) {
                *sum += weight * y;
            }
        }
    }

    /// Puts what has been found into the track, where it knows nothing.
    fn tell(&self, track: &mut Track) {
        for (frame, weight) in self.weights_t.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for keypoint in 0..track.keypoints {
                if track.point(frame, keypoint).is_none() {
                    let at = frame * self.width + keypoint * 3;
                    track.set(frame, keypoint, Some([0, 1, 2].map(|axis| self.sums_tkc[at + axis] / weight)));
                }
            }
        }
    }

    fn means(self) -> Vec<f32> {
        let Self { width, mut sums_tkc, weights_t } = self;
        if width == 0 {
            return sums_tkc;
        }
        for (sums, weight) in sums_tkc.chunks_exact_mut(width).zip(&weights_t).filter(|(_, weight)| **weight > 0.0) {
            sums.iter_mut().for_each(|sum| *sum /= weight);
        }
        if weights_t.iter().all(|weight| *weight > 0.0) {
            return sums_tkc;
        }
        let keypoints = width / 3;
        let known_tk = weights_t.iter().flat_map(|weight| std::iter::repeat_n(*weight > 0.0, keypoints)).collect();
        interpolate::fill(&Track { keypoints, positions_tkc: sums_tkc, known_tk })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::task::Measures;

    /// Gives given points back, and moves all others to a place of its own.
    struct Echo {
        filled_with: f64,
        /// How many points were given, window by window.
        seen: RefCell<Vec<i64>>,
    }

    impl Network for Echo {
        fn optimise(&self, poses: &Poses<'_>, _training: bool) -> Tensor {
            for window in 0..poses.input_btkc.size()[0] {
                let given = poses.given_btk.get(window).sum(tch::Kind::Int64);
                self.seen.borrow_mut().push(given.int64_value(&[]));
            }
            let elsewhere = Tensor::full_like(poses.input_btkc, self.filled_with);
            poses.input_btkc.where_self(&poses.given_btk.unsqueeze(-1), &elsewhere)
        }

        fn loss(&self, _: &Poses<'_>, _: &Tensor, _: &Tensor, _: bool) -> Result<(Tensor, Measures)> {
            Err(Error::internal("not trained"))
        }

        fn reference_config(&self) -> Value {
            Value::Null
        }
    }

    fn echo(filled_with: f64) -> Echo {
        Echo { filled_with, seen: RefCell::default() }
    }

    fn walking(frames: usize, keypoints: usize, known: impl Fn(usize, usize) -> bool) -> Track {
        let mut track = Track::unknown(frames, keypoints);
        for frame in 0..frames {
            for keypoint in (0..keypoints).filter(|keypoint| known(frame, *keypoint)) {
                track.set(frame, keypoint, Some([frame as f32, keypoint as f32, 1.0]));
            }
        }
        track
    }

    fn request(overlap: Option<usize>, occupancy: &[f64]) -> Optimise {
        Optimise { overlap, occupancy: occupancy.to_vec() }
    }

    proptest! {
        #[test]
        fn what_a_network_leaves_alone_comes_back_whatever_the_windows(
            frames in 0_usize..60,
            window in 1_usize..12,
            overlap in 0_usize..12,
        ) {
            prop_assume!(overlap < window);
            let track = walking(frames, 2, |_, _| true);
            let shape = Shape { frames: window, keypoints: 2 };
            let found = optimise_recording(&echo(0.0), shape, Device::Cpu, &track, &request(Some(overlap), &[])).unwrap();
            prop_assert_eq!(found.len(), track.positions_tkc.len());
            for (found, expected) in found.iter().zip(&track.positions_tkc) {
                prop_assert!((found - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn windows_of_which_much_is_known_come_first_and_are_known_to_the_others() {
        // the second half of the recording has one known keypoint of four
        let track = walking(12, 4, |frame, keypoint| frame < 6 || keypoint == 0);
        let shape = Shape { frames: 4, keypoints: 4 };
        let network = echo(-5.0);
        let found = optimise_recording(&network, shape, Device::Cpu, &track, &request(Some(2), &[0.6])).unwrap();
        // starts 0, 2 with all known and 4 with two frames whole; then 6 and 8, of which the first
        // two frames are known from the window at 4
        assert_eq!(network.seen.into_inner(), [16, 16, 10, 10, 4]);
        assert_eq!(found[..3], [0.0, 0.0, 1.0]);
        assert_eq!(found[11 * 12 + 3..11 * 12 + 6], [-5.0; 3]);
    }

    #[test]
    fn windows_of_which_nothing_is_known_are_bridged() {
        let shape = Shape { frames: 4, keypoints: 2 };
        let track = walking(20, 2, |frame, _| !(4..12).contains(&frame));
        let network = echo(0.0);
        let found = optimise_recording(&network, shape, Device::Cpu, &track, &request(Some(0), &[])).unwrap();
        assert_eq!(network.seen.into_inner(), [8, 8, 8], "the windows at 4 and 8 are not asked for");
        for (frame, points) in found.chunks_exact(6).enumerate() {
            for (found, expected) in points.iter().zip([frame as f32, 0.0, 1.0, frame as f32, 1.0, 1.0]) {
                assert!((found - expected).abs() < 1e-4, "frame {frame}: {points:?}");
            }
        }
        let network = echo(7.0);
        let nothing = Track::unknown(9, 2);
        let found = optimise_recording(&network, shape, Device::Cpu, &nothing, &request(None, &[0.0])).unwrap();
        assert_eq!(found, vec![0.0; 9 * 6]);
        assert!(network.seen.into_inner().is_empty());
    }

    #[test]
    fn a_window_counts_most_in_its_middle() {
        let mut blend = Blend::new(&Track::unknown(6, 1));
        blend.add(0..4, &[0.0; 12]);
        blend.add(2..6, &[3.0; 12]);
        assert_eq!(blend.weights_t, [1.0, 2.0, 3.0, 3.0, 2.0, 1.0]);
        let x: Vec<f32> = blend.means().chunks(3).map(|point| point[0]).collect();
        assert_eq!(x, [0.0, 0.0, 1.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let track = walking(9, 3, |_, _| true);
        for (shape, overlap) in [(Shape { frames: 4, keypoints: 2 }, 1), (Shape { frames: 4, keypoints: 3 }, 4)] {
            assert!(optimise_recording(&echo(0.0), shape, Device::Cpu, &track, &request(Some(overlap), &[])).is_err());
        }
        let shape = Shape { frames: 4, keypoints: 3 };
        let hidden = walking(9, 3, |_, keypoint| keypoint > 0);
        assert!(optimise_recording(&echo(f64::NAN), shape, Device::Cpu, &hidden, &request(None, &[])).is_err());
    }
}
