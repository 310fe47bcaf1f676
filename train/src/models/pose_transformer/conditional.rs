//! A keypoint that is not given, from those that are.

use tessera_datasets::pose::geometry::{Point, Similarity};

use super::anatomy::Anatomy;
use super::cholesky::Cholesky;
use super::config::CANDIDATES;

/// How much error is taken to be in the given poses, in units of the noise; the first of the whole
/// pose, the others of the pose aligned for one keypoint.
const ERROR: f64 = 1.5;
const LOCAL_ERRORS: [f64; 3] = [0.7, 2.0, 5.0];
/// So few given keypoints leave open how a pose is turned.
pub(super) const LEAST: usize = 4;

/// Conditional means under Gaussians over aligned poses, given the keypoints `present`.
pub(super) struct Conditional<'a> {
    anatomy: &'a Anatomy,
    present: Vec<usize>,
    whole: Cholesky,
}

impl<'a> Conditional<'a> {
    pub(super) fn new(anatomy: &'a Anatomy, present: Vec<usize>) -> Self {
        let error = (ERROR * anatomy.relative_noise()).powi(2);
        let whole = system(&anatomy.covariance, anatomy.keypoints(), &present, error);
        Self { anatomy, present, whole }
    }

    /// Candidates for a keypoint in every frame, relative to the mean pose. `smooth` is where the
    /// given keypoints are, `smooth[frame][keypoint]` relative to the mean pose.
    pub(super) fn candidates(&self, keypoint: usize, smooth: &[&[Point]]) -> Vec<[Point; CANDIDATES as usize]> {
        let whole = self.solve(&self.whole, &self.anatomy.covariance, keypoint);
        let from_whole: Vec<Point> = smooth.iter().map(|pose| product(&whole, &self.present, |k| pose[k])).collect();
        if self.present.len() < LEAST {
            return from_whole.into_iter().map(|point| [point; CANDIDATES as usize]).collect();
        }
        let local = self.local(keypoint, smooth);
        let frames = from_whole.into_iter().zip(local);
        frames.map(|(whole, [near, middle, far])| [near, whole, middle, far, middle]).collect()
    }

    /// In every frame, the given keypoints are moved onto the local mean, and the conditional mean
    /// of what is left is moved back.
    fn local(&self, keypoint: usize, smooth: &[&[Point]]) -> Vec<[Point; 3]> {
        let anatomy = self.anatomy;
        let (scale, local) = (anatomy.scale, &anatomy.local[keypoint]);
        let solutions = LOCAL_ERRORS.map(|error| {
            let error = (error * anatomy.relative_noise()).powi(2);
            let system = system(&local.covariance, anatomy.keypoints(), &self.present, error);
            self.solve(&system, &local.covariance, keypoint)
        });
        let onto: Vec<Point> = self.present.iter().map(|k| local.mean[*k]).collect();
        let weights: Vec<f64> = self.present.iter().map(|k| local.weights[*k]).collect();
        let mean = |k: usize| anatomy.mean[k].map(|v| v / scale);
        let own = mean(keypoint);
        let frame = |pose: &&[Point]| {
            let absolute = |k: &usize| {
                let (p, m) = (pose[*k], mean(*k));
                [0, 1, 2].map(|c| p[c] + m[c])
            };
            let from: Vec<Point> = self.present.iter().map(absolute).collect();
            let Some(way) = Similarity::fit_weighted(&from, &onto, &weights) else {
                return [[0.0; 3]; 3];
            };
            let left: Vec<Point> = from
                .iter()
                .zip(&onto)
                .map(|(point, onto)| {
                    let moved = way.apply(*point);
                    [0, 1, 2].map(|c| moved[c] - onto[c])
                })
                .collect();
            solutions.each_ref().map(|solution| {
                let shift = product_of(solution, &left);
                let there = [0, 1, 2].map(|c| local.mean[keypoint][c] + shift[c]);
                let back = way.invert(there);
                [0, 1, 2].map(|c| back[c] - own[c])
            })
        };
        smooth.iter().map(frame).collect()
    }

    /// The three columns of the solution for a keypoint, one after the other.
    fn solve(&self, system: &Cholesky, covariance: &[f64], keypoint: usize) -> [Vec<f64>; 3] {
        let size = self.anatomy.keypoints() * 3;
        [0, 1, 2].map(|c| {
            let row = |coordinate: usize| covariance[coordinate * size + keypoint * 3 + c];
            let mut column: Vec<f64> = self.present.iter().flat_map(|k| [0, 1, 2].map(|d| row(k * 3 + d))).collect();
            system.solve(&mut column);
            column
        })
    }
}

/// The covariance of the given coordinates with the error of each on the diagonal.
fn system(covariance: &[f64], keypoints: usize, present: &[usize], error: f64) -> Cholesky {
    let size = keypoints * 3;
    let rows: Vec<usize> = present.iter().flat_map(|k| [k * 3, k * 3 + 1, k * 3 + 2]).collect();
    let mut matrix = Vec::with_capacity(rows.len() * rows.len());
    for (i, row) in rows.iter().enumerate() {
        matrix.extend(rows.iter().map(|column| covariance[row * size + column]));
        matrix[i * rows.len() + i] += error;
    }
    Cholesky::new(rows.len(), matrix, 1e-12)
}

fn product(solution: &[Vec<f64>; 3], present: &[usize], point: impl Fn(usize) -> Point) -> Point {
    solution.each_ref().map(|column| {
        let terms = present.iter().zip(column.as_chunks::<3>().0);
        terms
            .map(|(k, factors)| {
                let point = point(*k);
                (0..3).map(|c| factors[c] * point[c]).sum::<f64>()
            })
            .sum()
    })
}

fn product_of(solution: &[Vec<f64>; 3], points: &[Point]) -> Point {
    solution.each_ref().map(|column| column.iter().zip(points.as_flattened()).map(|(a, b)| a * b).sum())
}
