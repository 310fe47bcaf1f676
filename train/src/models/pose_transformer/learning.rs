//! Working an [`Anatomy`] out of the training frames.

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use tessera_datasets::pose::Track;
use tessera_datasets::pose::geometry::{Point, Similarity};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::anatomy::{Anatomy, Local};

/// Of more frames so many are taken, evenly spread.
const MOST_FRAMES: usize = 20_000;
/// With fewer there is no covariance to speak of.
const LEAST_FRAMES: usize = 30;
/// Rounds of aligning all frames onto their mean and taking the mean anew.
const ROUNDS: usize = 20;
const LOCAL_ROUNDS: usize = 5;
/// The share of the mean variance that is added to that of every keypoint, so that none counts for
/// everything.
const FLOOR: f64 = 0.02;
/// How fast a keypoint counts for less the more its distance varies.
const POWER: i32 = 3;

/// Learns from frames in which all keypoints are known; frames with gaps are left out.
///
/// # Errors
/// When too few are left, or the animal never moves.
pub(super) fn learn(track: &Track, noise: f64) -> Result<Anatomy> {
    let poses = whole_frames(track);
    if poses.len() < LEAST_FRAMES {
        let message = format!(
            "{} training frames have all their keypoints, {LEAST_FRAMES} are needed to learn the animal's shape",
            poses.len()
        );
        return Err(Error::input(message).hint("fill short gaps with an `interpolate-poses` stage before the windows"));
    }
    let aligned = align(&poses);
    let (mean, variances) = (mean_pose(&aligned), variances(&aligned));
    let (weights, spread) = weights(&variances);
    let scale = (spread / 3.0).sqrt();
    if !(scale.is_finite() && scale > 0.0) {
        return Err(
            Error::input("all training frames have the same pose").hint("a model of poses needs an animal that moves")
        );
    }
    // a recording without any noise would make all differences endlessly large
    let noise = noise.max(1e-3 * scale);
    let relative: Vec<Vec<Point>> =
        aligned.iter().map(|pose| pose.iter().map(|p| p.map(|v| v / scale)).collect()).collect();
    let centre: Vec<Point> = mean.iter().map(|p| p.map(|v| v / scale)).collect();
    let covariance = covariance(&relative, &centre);
    let deviations = distance_deviations(&relative);
    let local =
        (0..mean.len()).map(|keypoint| local(&relative, &centre, &deviations[keypoint], keypoint, noise / scale));
    Ok(Anatomy { local: local.collect(), mean, weights, scale, noise, covariance })
}

/// The largest error of a coordinate in the first training windows: twice the median error, which
/// a few that lie far off do not move.
///
/// # Errors
/// When the windows cannot be read.
pub(super) fn noise(dataset: &Dataset) -> Result<f64> {
    let columns = ["input", "given", "target", "known"];
    let Some(batch) = dataset.batches("train", &columns)?.next() else {
        return Err(Error::input("the training split has no windows").at(dataset.dir()));
    };
    let batch = batch?;
    let list = |name: &str| batch.column_by_name(name).and_then(|column| column.as_fixed_size_list_opt());
    let numbers = |name: &str| list(name).and_then(|l| l.values().as_primitive_opt::<Float32Type>());
    let marks = |name: &str| list(name).and_then(|l| l.values().as_boolean_opt());
    let (Some(input), Some(target), Some(given), Some(known)) =
        (numbers("input"), numbers("target"), marks("given"), marks("known"))
    else {
        return Err(Error::input("no windows of poses").at(dataset.dir()));
    };
    let both = given.values().iter().zip(known.values().iter()).enumerate().filter(|(_, (g, k))| *g && *k);
    let error = |at: usize| f64::from((input.value(at) - target.value(at)).abs());
    let mut errors: Vec<f64> = both.flat_map(|(point, _)| (0..3).map(move |c| point * 3 + c)).map(error).collect();
    if errors.is_empty() {
        return Ok(0.0);
    }
    let middle = errors.len() / 2;
    Ok(2.0 * *errors.select_nth_unstable_by(middle, f64::total_cmp).1)
}

fn whole_frames(track: &Track) -> Vec<Vec<Point>> {
    let k = track.keypoints;
    let whole: Vec<usize> = (0..track.frames())
        .filter(|frame| track.known_tk[frame * k..(frame + 1) * k].iter().all(|known| *known))
        .collect();
    let count = whole.len().min(MOST_FRAMES);
    let pose = |i: usize| {
        let frame = whole[i * whole.len() / count.max(1)];
        let points = &track.positions_tkc[frame * k * 3..(frame + 1) * k * 3];
        points.as_chunks::<3>().0.iter().map(|point| point.map(f64::from)).collect()
    };
    (0..count).map(pose).collect()
}

/// All poses shifted and turned about the vertical onto their mean (generalised Procrustes), with
/// keypoints that vary little counting most.
fn align(poses: &[Vec<Point>]) -> Vec<Vec<Point>> {
    let mut mean = poses[poses.len() / 2].clone();
    let mut weights = vec![1.0; mean.len()];
    shift(&mut mean, &[1.0].repeat(weights.len()));
    let mut aligned = Vec::new();
    for _ in 0..ROUNDS {
        aligned = poses.iter().map(|pose| turn_onto(pose, &mean, &weights)).collect();
        mean = mean_pose(&aligned);
        let moved = shift(&mut mean, &weights);
        aligned.iter_mut().flatten().for_each(|p| (0..3).for_each(|c| p[c] -= moved[c]));
        weights = self::weights(&variances(&aligned)).0;
    }
    aligned
}

/// Moves a pose so that its weighted middle is the origin; returns where that was.
fn shift(pose: &mut [Point], weights: &[f64]) -> Point {
    let middle = middle(pose, weights);
    pose.iter_mut().for_each(|p| (0..3).for_each(|c| p[c] -= middle[c]));
    middle
}

fn middle(pose: &[Point], weights: &[f64]) -> Point {
    let total: f64 = weights.iter().sum();
    [0, 1, 2].map(|c| pose.iter().zip(weights).map(|(p, w)| w * p[c]).sum::<f64>() / total)
}

/// A pose shifted and turned about the vertical onto another.
fn turn_onto(pose: &[Point], onto: &[Point], weights: &[f64]) -> Vec<Point> {
    let (from, to) = (middle(pose, weights), middle(onto, weights));
    let (mut along, mut across) = (0.0, 0.0);
    for ((p, q), w) in pose.iter().zip(onto).zip(weights) {
        let (x, y, mx, my) = (p[0] - from[0], p[1] - from[1], q[0] - to[0], q[1] - to[1]);
        along += w * (x * mx + y * my);
        across += w * (x * my - y * mx);
    }
    let length = along.hypot(across).max(1e-12);
    let (cosine, sine) = (along / length, across / length);
    let turned = |p: &Point| {
        let [x, y, z] = [0, 1, 2].map(|c| p[c] - from[c]);
        [cosine * x - sine * y + to[0], sine * x + cosine * y + to[1], z + to[2]]
    };
    pose.iter().map(turned).collect()
}

fn mean_pose(poses: &[Vec<Point>]) -> Vec<Point> {
    let mut mean = vec![[0.0; 3]; poses[0].len()];
    poses.iter().for_each(|pose| mean.iter_mut().zip(pose).for_each(|(m, p)| (0..3).for_each(|c| m[c] += p[c])));
    mean.iter().map(|m| m.map(|v| v / poses.len() as f64)).collect()
}

/// The mean squared distance of each keypoint to its mean.
fn variances(poses: &[Vec<Point>]) -> Vec<f64> {
    let mean = mean_pose(poses);
    let mut sums = vec![0.0; mean.len()];
    for pose in poses {
        for ((sum, p), m) in sums.iter_mut().zip(pose).zip(&mean) {
            *sum += (0..3).map(|c| (p[c] - m[c]).powi(2)).sum::<f64>();
        }
    }
    sums.iter().map(|sum| sum / poses.len() as f64).collect()
}

/// What each keypoint counts, and the mean variance.
fn weights(variances: &[f64]) -> (Vec<f64>, f64) {
    let spread = variances.iter().sum::<f64>() / variances.len() as f64;
    let raw: Vec<f64> = variances.iter().map(|v| 1.0 / (v + FLOOR * spread).max(f64::MIN_POSITIVE)).collect();
    let mean = raw.iter().sum::<f64>() / raw.len() as f64;
    (raw.iter().map(|w| w / mean).collect(), spread)
}

/// The mean outer product of all coordinates about a pose, `[3K, 3K]`.
fn covariance(poses: &[Vec<Point>], about: &[Point]) -> Vec<f64> {
    let size = about.len() * 3;
    let mut sums = vec![0.0; size * size];
    let mut difference = vec![0.0; size];
    for pose in poses {
        let parts = pose.as_flattened().iter().zip(about.as_flattened());
        difference.iter_mut().zip(parts).for_each(|(d, (p, a))| *d = p - a);
        for (row, a) in difference.iter().enumerate() {
            let sums = &mut sums[row * size..row * size + row + 1];
            sums.iter_mut().zip(&difference).for_each(|(sum, b)| *sum += a * b);
        }
    }
    for row in 0..size {
        for column in 0..=row {
            let value = sums[row * size + column] / poses.len() as f64;
            sums[row * size + column] = value;
            sums[column * size + row] = value;
        }
    }
    sums
}

/// The variance of the distance of every two keypoints.
fn distance_deviations(poses: &[Vec<Point>]) -> Vec<Vec<f64>> {
    let keypoints = poses[0].len();
    let distance =
        |pose: &[Point], i: usize, j: usize| (0..3).map(|c| (pose[i][c] - pose[j][c]).powi(2)).sum::<f64>().sqrt();
    let variance = |i: usize, j: usize| {
        let mean = poses.iter().map(|pose| distance(pose, i, j)).sum::<f64>() / poses.len() as f64;
        poses.iter().map(|pose| (distance(pose, i, j) - mean).powi(2)).sum::<f64>() / (poses.len() as f64 - 1.0)
    };
    let row = |i: usize| (0..keypoints).map(|j| if i == j { 0.0 } else { variance(i.min(j), i.max(j)) }).collect();
    (0..keypoints).map(row).collect()
}

/// The poses aligned in space for one keypoint.
fn local(poses: &[Vec<Point>], mean: &[Point], variances: &[f64], keypoint: usize, noise: f64) -> Local {
    let raw = |(other, variance): (usize, &f64)| match other == keypoint {
        true => 0.0,
        false => 1.0 / (variance + noise * noise).powi(POWER),
    };
    let mut weights: Vec<f64> = variances.iter().enumerate().map(raw).collect();
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total.max(f64::MIN_POSITIVE));
    let mut mean = mean.to_vec();
    let mut aligned = Vec::new();
    for _ in 0..LOCAL_ROUNDS {
        let onto = |pose: &Vec<Point>| match Similarity::fit_weighted(pose, &mean, &weights) {
            Some(way) => pose.iter().map(|p| way.apply(*p)).collect(),
            None => pose.clone(),
        };
        aligned = poses.iter().map(onto).collect();
        mean = mean_pose(&aligned);
    }
    Local { covariance: covariance(&aligned, &mean), weights, mean }
}
