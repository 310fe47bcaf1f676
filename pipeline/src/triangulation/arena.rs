//! From the coordinates of the cameras to those of the place where the animal is.

use tessera_datasets::pose::geometry::{Matrix, Point, determinant, svd};

/// A turn, a scale and a shift: `scale · (p · rotation) + translation`, with the point as a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arena {
    /// The turn. Points are rows and stand on its left.
    pub rotation: Matrix,
    /// By how much coordinates are multiplied.
    pub scale: f64,
    /// What is added in the end.
    pub translation: Point,
}

impl Arena {
    /// No turn and no shift.
    #[must_use]
    pub fn scaled(scale: f64) -> Self {
        Self { rotation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], scale, translation: [0.0; 3] }
    }

    /// The arena with its origin at one marker and its axes as near as possible to two others, as
    /// BU-CVKit's `update_alignment_matrices` finds it (`Rotation.align_vectors` of scipy). Where
    /// the distances of the two to the origin are given in the unit of the result, the scale is the
    /// mean of what they say; else it is `scale`.
    ///
    /// `None` where the markers are on one line.
    #[must_use]
    pub fn of_markers([origin, x, y]: [Point; 3], scale: f64, lengths: Option<[f64; 2]>) -> Option<Self> {
        let from_origin = |p: Point| [p[0] - origin[0], p[1] - origin[1], p[2] - origin[2]];
        let (x, y) = (from_origin(x), from_origin(y));
        // the turn C for which C · axis is nearest to the marker; a row p is turned by p · C
        let axes = svd(&[[x[0], y[0], 0.0], [x[1], y[1], 0.0], [x[2], y[2], 0.0]]);
        if axes.s[1].is_nan() || axes.s[1] <= 1e-9 * axes.s[0] {
            return None;
        }
        let sign = if determinant(&axes.u) * determinant(&axes.v) < 0.0 { -1.0 } else { 1.0 };
        let mut rotation = [[0.0; 3]; 3];
        for (i, row) in rotation.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                let last = sign * axes.u[i][2] * axes.v[j][2];
                *value = axes.u[i][0] * axes.v[j][0] + axes.u[i][1] * axes.v[j][1] + last;
            }
        }
        let length = |p: Point| p.iter().map(|a| a * a).sum::<f64>().sqrt();
        let scale = lengths.map_or(scale, |[wanted_x, wanted_y]| (wanted_x / length(x) + wanted_y / length(y)) / 2.0);
        let turned = Self { rotation, scale, translation: [0.0; 3] }.apply(origin);
        Some(Self { rotation, scale, translation: turned.map(|value| -value) })
    }

    /// Where a point is in the arena.
    #[must_use]
    pub fn apply(&self, p: Point) -> Point {
        let column = |j: usize| (0..3).map(|i| p[i] * self.rotation[i][j]).sum::<f64>();
        [0, 1, 2].map(|j| column(j) * self.scale + self.translation[j])
    }
}
