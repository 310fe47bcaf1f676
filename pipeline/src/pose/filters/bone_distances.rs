//! Statistics of the distances between keypoints, and points that do not fit them.
//!
//! After BU-CVKit's `DistanceStatisticsFilter`: a point goes if more than a share of its distances
//! to the other points of the frame, its own counted as unfit, is more than some deviations from
//! the mean of that pair.

use tessera_datasets::pose::Track;

use super::{Log, distance, point};

/// Of a point that does not fit the others.
pub const UNFIT: &str = "distances unlike the animal's";

/// How many frames are looked at to learn the distances of a recording.
const ENOUGH: usize = 4000;
/// With fewer frames than this nothing is said of a pair.
const FEWEST: usize = 30;
/// The median of absolute deviations, as a share of a normal distribution's standard deviation.
const MEDIAN_DEVIATION: f64 = 0.674_489_750_196_081_7;
/// A deviation is not less than this share of the mean: bones that never change in a short
/// recording are no reason to remove all that are measured a little differently.
const LEAST_DEVIATION: f64 = 0.01;

/// Mean and deviation of the distance of each pair of keypoints, K × K each, in the unit of the
/// track. A pair whose deviation is not finite is not judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Distances {
    /// How many keypoints there are.
    pub keypoints: usize,
    /// What distances usually are.
    pub mean_kk: Vec<f64>,
    /// By how much they differ.
    pub deviation_kk: Vec<f64>,
}

impl Distances {
    /// Learned from a recording: the median of each distance, and the median of absolute
    /// deviations on the scale of a standard deviation, which some mistaken points do not change.
    /// Of long recordings 4,000 frames are looked at, evenly spread.
    #[must_use]
    pub fn learn(track: &Track) -> Self {
        let keypoints = track.keypoints;
        let mut mean_kk = vec![0.0; keypoints * keypoints];
        let mut deviation_kk = vec![f64::INFINITY; keypoints * keypoints];
        let step = track.frames().div_ceil(ENOUGH).max(1);
        let mut found = Vec::with_capacity(ENOUGH);
        for i in 0..keypoints {
            for j in i + 1..keypoints {
                found.clear();
                let frames = (0..track.frames()).step_by(step);
                found.extend(frames.filter_map(|t| Some(distance(point(track, t, i)?, point(track, t, j)?))));
                if found.len() < FEWEST {
                    continue;
                }
                let mean = median(&mut found);
                found.iter_mut().for_each(|value| *value = (*value - mean).abs());
                let deviation = (median(&mut found) / MEDIAN_DEVIATION).max(LEAST_DEVIATION * mean);
                for at in [i * keypoints + j, j * keypoints + i] {
                    mean_kk[at] = mean;
                    deviation_kk[at] = deviation;
                }
            }
        }
        Self { keypoints, mean_kk, deviation_kk }
    }
}

/// Removes points of which more than `threshold` of the distances differ from their mean by
/// `factor` deviations or more. The points of a frame are judged by all of them as they came.
pub fn remove_unfit(track: &mut Track, distances: &Distances, threshold: f64, factor: f64, log: &mut Log) {
    let keypoints = track.keypoints;
    let bounds: Vec<[f64; 2]> =
        distances.mean_kk.iter().zip(&distances.deviation_kk).map(|(mean, sd)| [*mean, factor * sd]).collect();
    let mut known: Vec<(usize, [f64; 3])> = Vec::with_capacity(keypoints);
    // how many distances of each known point were judged, and how many of them fit
    let mut judged: Vec<[u32; 2]> = Vec::with_capacity(keypoints);
    for t in 0..track.frames() {
        known.clear();
        known.extend((0..keypoints).filter_map(|k| Some((k, point(track, t, k)?))));
        judged.clear();
        judged.resize(known.len(), [0, 0]);
        for (a, &(i, one)) in known.iter().enumerate() {
            let [.., bound] = bounds[i * keypoints + i];
            judged[a][1] += u32::from(bound.is_finite() && bounds[i * keypoints + i][0].abs() < bound);
            for (b, &(j, other)) in known.iter().enumerate().skip(a + 1) {
                let [mean, bound] = bounds[i * keypoints + j];
                let finite = u32::from(bound.is_finite());
                let fits = finite & u32::from((distance(one, other) - mean).abs() < bound);
                judged[a][0] += finite;
                judged[a][1] += fits;
                judged[b][0] += finite;
                judged[b][1] += fits;
            }
        }
        for (&(k, _), &[others, fit]) in known.iter().zip(&judged) {
            let all = f64::from(others + 1);
            if others > 0 && (all - f64::from(fit)) / all > threshold {
                track.set(t, k, None);
                log.count(UNFIT, k);
            }
        }
    }
}

/// The median as numpy has it: of an even number of values the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, middle, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    match even {
        true => below.iter().copied().fold(f64::NEG_INFINITY, f64::max).midpoint(*middle),
        false => *middle,
    }
}
