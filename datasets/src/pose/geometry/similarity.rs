//! Moving one set of points onto another.

use super::{Matrix, Point, determinant, dot, svd, times};

/// A turn, a scale and a shift: `scale · rotation · p + translation`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// A rotation; never a reflection.
    pub rotation: Matrix,
    /// How much larger things become.
    pub scale: f64,
    /// The shift, after the rest.
    pub translation: Point,
}

impl Similarity {
    /// The one that moves points nearest to those they are beside, in the sum of squared distances
    /// (Kabsch 1976; with `scale` as by Umeyama 1991, without it the scale is 1).
    ///
    /// Where the points leave a turn open, as two points or points on a line do, it is one of the
    /// best. `None` where there are no points.
    ///
    /// # Panics
    /// When there is not the same number of both.
    #[must_use]
    pub fn fit(from: &[Point], to: &[Point], scale: bool) -> Option<Self> {
        Self::fit_with(from, to, |_| 1.0, scale)
    }

    /// As [`Similarity::fit`] without scale, with a weight for the squared distance of each pair.
    ///
    /// `None` where the weights do not add up to more than nothing.
    ///
    /// # Panics
    /// When there is not the same number of all three.
    #[must_use]
    pub fn fit_weighted(from: &[Point], to: &[Point], weights: &[f64]) -> Option<Self> {
        assert_eq!(from.len(), weights.len(), "each pair has a weight");
        Self::fit_with(from, to, |i| weights[i], false)
    }

    fn fit_with(from: &[Point], to: &[Point], weight: impl Fn(usize) -> f64, scale: bool) -> Option<Self> {
        assert_eq!(from.len(), to.len(), "points are moved onto points");
        let (from_middle, to_middle) = (middle(from, &weight)?, middle(to, &weight)?);
        let mut covariance = [[0.0; 3]; 3];
        let mut spread = 0.0;
        for (at, (a, b)) in from.iter().zip(to).enumerate() {
            let weight = weight(at);
            let a = [0, 1, 2].map(|c| a[c] - from_middle[c]);
            let b = [0, 1, 2].map(|c| b[c] - to_middle[c]);
            (0..3).for_each(|i| (0..3).for_each(|j| covariance[i][j] += weight * b[i] * a[j]));
            spread += weight * dot(&a, &a);
        }
        let parts = svd(&covariance);
        // the last axis turns round where the nearest orthogonal matrix is a reflection
        let last = (determinant(&parts.u) * determinant(&parts.v)).signum();
        let signs = [1.0, 1.0, last];
        let rotation =
            [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| signs[k] * parts.u[i][k] * parts.v[j][k]).sum()));
        let scale = match scale && spread > 0.0 {
            true => dot(&parts.s, &signs) / spread,
            false => 1.0,
        };
        let moved = times(&rotation, &from_middle);
        let translation = [0, 1, 2].map(|c| to_middle[c] - scale * moved[c]);
        Some(Self { rotation, scale, translation })
    }

    /// Where a point came from.
    #[must_use]
    pub fn invert(&self, point: Point) -> Point {
        let moved = [0, 1, 2].map(|c| (point[c] - self.translation[c]) / self.scale);
        [0, 1, 2].map(|c| (0..3).map(|r| self.rotation[r][c] * moved[r]).sum())
    }

    /// Where a point goes.
    #[must_use]
    pub fn apply(&self, point: Point) -> Point {
        let turned = times(&self.rotation, &point);
        [0, 1, 2].map(|c| self.scale * turned[c] + self.translation[c])
    }
}

fn middle(points: &[Point], weight: impl Fn(usize) -> f64) -> Option<Point> {
    let (mut sum, mut total) = ([0.0; 3], 0.0);
    for (at, point) in points.iter().enumerate() {
        let weight = weight(at);
        total += weight;
        (0..3).for_each(|c| sum[c] += weight * point[c]);
    }
    (total > 0.0).then(|| sum.map(|v| v / total))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rotation of a unit quaternion.
    fn rotation(q: [f64; 4]) -> Matrix {
        let [w, x, y, z] = q.map(|v| v / dot(&q, &q).sqrt());
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    }

    fn error(similarity: &Similarity, from: &[Point], to: &[Point]) -> f64 {
        let distance = |(a, b): (&Point, &Point)| {
            let a = similarity.apply(*a);
            (0..3).map(|c| (a[c] - b[c]).powi(2)).sum::<f64>()
        };
        from.iter().zip(to).map(distance).sum()
    }

    fn points(count: usize) -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec(prop::array::uniform3(-100.0..100.0), count)
    }

    fn turn() -> impl Strategy<Value = [f64; 4]> {
        prop::array::uniform4(-1.0..1.0).prop_filter("a direction", |q: &[f64; 4]| dot(q, q) > 0.01)
    }

    proptest! {
        #[test]
        fn a_turn_and_a_shift_are_found_again(
            from in points(5), q in turn(), translation in prop::array::uniform3(-1e3..1e3), scale in 0.1..10.0,
        ) {
            let true_one = Similarity { rotation: rotation(q), scale, translation };
            let to: Vec<Point> = from.iter().map(|p| true_one.apply(*p)).collect();
            let found = Similarity::fit(&from, &to, true).unwrap();
            prop_assert!(error(&found, &from, &to) < 1e-15 * 1e6, "{found:?} {true_one:?}");
        }

        #[test]
        fn points_come_back_and_those_without_weight_do_not_count(
            from in points(5), q in turn(), translation in prop::array::uniform3(-1e3..1e3), stray in points(2),
        ) {
            let true_one = Similarity { rotation: rotation(q), scale: 1.0, translation };
            let mut to: Vec<Point> = from.iter().map(|p| true_one.apply(*p)).collect();
            for (p, moved) in from.iter().zip(&to) {
                let back = true_one.invert(*moved);
                prop_assert!((0..3).all(|c| (back[c] - p[c]).abs() < 1e-9), "{back:?} for {p:?}");
            }
            to.extend(&stray);
            let from = [&from[..], &stray[..]].concat();
            let found = Similarity::fit_weighted(&from, &to, &[1.0, 0.5, 2.0, 1.0, 0.1, 0.0, 0.0]).unwrap();
            prop_assert!(error(&found, &from[..5], &to[..5]) < 1e-9, "{found:?} {true_one:?}");
            prop_assert_eq!(Similarity::fit_weighted(&from, &to, &[0.0; 7]), None);
        }

        #[test]
        fn no_small_turn_makes_it_better(from in points(6), to in points(6), q in turn()) {
            let best = Similarity::fit(&from, &to, false).unwrap();
            prop_assert!((determinant(&best.rotation) - 1.0).abs() < 1e-10);
            let small = rotation([30.0, q[1], q[2], q[3]]);
            let [a, b] = [&best.rotation, &small];
            let rotation = [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| b[i][k] * a[k][j]).sum()));
            let centre = |p: &[Point]| middle(p, |_| 1.0).unwrap();
            let moved = times(&rotation, &centre(&from));
            let translation = [0, 1, 2].map(|c| centre(&to)[c] - moved[c]);
            let other = Similarity { rotation, scale: 1.0, translation };
            prop_assert!(error(&best, &from, &to) <= error(&other, &from, &to) * (1.0 + 1e-9));
        }
    }

    #[test]
    fn a_mirror_image_is_turned_and_never_mirrored() {
        let from = [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]];
        let to = from.map(|[x, y, z]| [-x, y, z]);
        let found = Similarity::fit(&from, &to, false).unwrap();
        assert!((determinant(&found.rotation) - 1.0).abs() < 1e-12);
        assert!(error(&found, &from, &to) > 0.1);
    }

    #[test]
    fn few_points_are_moved_as_well_as_they_can_be() {
        assert_eq!(Similarity::fit(&[], &[], true), None);
        for count in 1..3 {
            let from = &[[1.0, 2.0, 3.0], [4.0, 6.0, 3.0]][..count];
            let to = &[[9.0, 9.0, 9.0], [9.0, 9.0, 14.0]][..count];
            for scale in [false, true] {
                let found = Similarity::fit(from, to, scale).unwrap();
                assert!(error(&found, from, to) < 1e-20, "{found:?}");
            }
        }
    }
}
