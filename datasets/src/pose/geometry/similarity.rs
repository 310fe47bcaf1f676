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
        assert_eq!(from.len(), to.len(), "points are moved onto points");
        let (from_middle, to_middle) = (middle(from)?, middle(to)?);
        let mut covariance = [[0.0; 3]; 3];
        let mut spread = 0.0;
        for (a, b) in from.iter().zip(to) {
            let a = [0, 1, 2].map(|c| a[c] - from_middle[c]);
            let b = [0, 1, 2].map(|c| b[c] - to_middle[c]);
            (0..3).for_each(|i| (0..3).for_each(|j| covariance[i][j] += b[i] * a[j]));
            spread += dot(&a, &a);
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

    /// Where a point goes.
    #[must_use]
    pub fn apply(&self, point: Point) -> Point {
        let turned = times(&self.rotation, &point);
        [0, 1, 2].map(|c| self.scale * turned[c] + self.translation[c])
    }
}

fn middle(points: &[Point]) -> Option<Point> {
    let sum = points.iter().fold([0.0; 3], |sum, point| [0, 1, 2].map(|c| sum[c] + point[c]));
    (!points.is_empty()).then(|| sum.map(|v| v / points.len() as f64))
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
        fn no_small_turn_makes_it_better(from in points(6), to in points(6), q in turn()) {
            let best = Similarity::fit(&from, &to, false).unwrap();
            prop_assert!((determinant(&best.rotation) - 1.0).abs() < 1e-10);
            let small = rotation([30.0, q[1], q[2], q[3]]);
            let [a, b] = [&best.rotation, &small];
            let rotation = [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| b[i][k] * a[k][j]).sum()));
            let centre = |p: &[Point]| middle(p).unwrap();
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
