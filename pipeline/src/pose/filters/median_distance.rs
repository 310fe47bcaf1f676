//! Points that are far from most others of their frame.
//!
//! After BU-CVKit's `MedianDistanceFilter`, but the worst point goes first. That goes through the
//! keypoints in order: of two points that belong together and a third that is far away, it removes
//! the first two, because the median of one near and one far distance is large.

use tessera_datasets::pose::Track;

use super::bone_distances::median;
use super::{Log, distance, point};

/// Of a point that is too far from the others.
pub const FAR: &str = "too far from the others";

/// How many frames are looked at to learn the usual distances of a recording.
const ENOUGH: usize = 2000;
/// With fewer frames than this nothing is said of a keypoint.
const FEWEST: usize = 30;

/// What is usual of each keypoint in a recording: the median over frames of its median distance to
/// the others. Infinite where too little is known of it.
#[must_use]
pub fn learn(track: &Track) -> Vec<f64> {
    let step = track.frames().div_ceil(ENOUGH).max(1);
    let mut found = vec![Vec::new(); track.keypoints];
    let (mut frame, mut room) = (Frame::default(), Vec::new());
    for t in (0..track.frames()).step_by(step) {
        frame.read(track, t);
        for a in 0..frame.known.len() {
            if let Some(usual) = frame.median_from(a, &mut room) {
                found[frame.known[a].0].push(usual);
            }
        }
    }
    found.iter_mut().map(|found| if found.len() < FEWEST { f64::INFINITY } else { median(found) }).collect()
}

/// Removes points whose median distance to the others of the frame is more than `farthest_k` of
/// their keypoint: again and again the one that exceeds it most, until none does. `in_order` goes
/// through the keypoints once instead, as BU-CVKit does.
pub fn remove_far(track: &mut Track, farthest_k: &[f64], in_order: bool, log: &mut Log) {
    let (mut frame, mut room) = (Frame::default(), Vec::new());
    for t in 0..track.frames() {
        frame.read(track, t);
        if !(0..frame.known.len()).any(|a| frame.may_be_far(a, farthest_k)) {
            continue;
        }
        let mut next = 0;
        loop {
            let far = (next..frame.known.len()).filter_map(|a| {
                let excess = frame.median_from(a, &mut room)? / farthest_k[frame.known[a].0];
                (excess > 1.0).then_some((a, excess))
            });
            let found = match in_order {
                true => far.into_iter().next(),
                false => far.fold(None, |worst: Option<(usize, f64)>, far| match worst {
                    Some(worst) if worst.1 >= far.1 => Some(worst),
                    _ => Some(far),
                }),
            };
            let Some((a, _)) = found else {
                break;
            };
            let k = frame.known[a].0;
            track.set(t, k, None);
            log.count(FAR, k);
            frame.remove(a);
            next = if in_order { a } else { 0 };
        }
    }
}

/// The known points of a frame and how far they are apart.
#[derive(Default)]
struct Frame {
    known: Vec<(usize, [f64; 3])>,
    /// Row after row, of as many columns as there were points.
    distances: Vec<f64>,
    columns: usize,
    /// The row of each known point.
    rows: Vec<usize>,
}

impl Frame {
    fn read(&mut self, track: &Track, frame: usize) {
        self.known.clear();
        self.known.extend((0..track.keypoints).filter_map(|k| Some((k, point(track, frame, k)?))));
        self.columns = self.known.len();
        self.rows.clear();
        self.rows.extend(0..self.columns);
        self.distances.clear();
        self.distances.resize(self.columns * self.columns, 0.0);
        for (a, (_, one)) in self.known.iter().enumerate() {
            for (b, (_, other)) in self.known.iter().enumerate().skip(a + 1) {
                let apart = distance(*one, *other);
                self.distances[a * self.columns + b] = apart;
                self.distances[b * self.columns + a] = apart;
            }
        }
    }

    /// Points in the very same place say nothing, as in BU-CVKit.
    fn from(&self, a: usize) -> impl Iterator<Item = f64> {
        let row = &self.distances[self.rows[a] * self.columns..][..self.columns];
        self.rows.iter().map(|column| row[*column]).filter(|apart| *apart != 0.0)
    }

    /// False where more than half of the other points are near, for which no median is needed.
    fn may_be_far(&self, a: usize, farthest_k: &[f64]) -> bool {
        let farthest = farthest_k[self.known[a].0];
        let row = &self.distances[a * self.columns..][..self.columns];
        // one of those that are near is the point itself
        let near = row.iter().filter(|apart| **apart <= farthest).count();
        2 * near.saturating_sub(1) <= self.columns
    }

    fn median_from(&self, a: usize, room: &mut Vec<f64>) -> Option<f64> {
        room.clear();
        room.extend(self.from(a));
        (!room.is_empty()).then(|| median(room))
    }

    fn remove(&mut self, a: usize) {
        self.known.remove(a);
        self.rows.remove(a);
    }
}
