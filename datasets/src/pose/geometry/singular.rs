//! Singular values by one-sided Jacobi rotations (Hestenes 1958).

use super::{Matrix, Point, cross, dot};

/// Rotations over all pairs of columns; small matrices need less than ten.
const SWEEPS: usize = 60;

/// A matrix as `u · diag(s) · vᵀ`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Svd {
    /// The left singular vectors, each a column: orthogonal, also where the matrix has not full
    /// rank.
    pub u: Matrix,
    /// The singular values, falling.
    pub s: [f64; 3],
    /// The right singular vectors, each a column: orthogonal.
    pub v: Matrix,
}

/// The singular value decomposition of a 3 × 3 matrix.
#[must_use]
pub fn svd(matrix: &Matrix) -> Svd {
    let (columns, s, v) = rotate(transposed(matrix));
    let mut left = [[0.0; 3]; 3];
    for (column, (vector, s)) in columns.iter().zip(s).enumerate() {
        // what is left of a column that has no length is rounding, not a direction
        let known = s > length(&columns[0]) * 8.0 * f64::EPSILON;
        left[column] = match (known, column) {
            (true, _) => [0, 1, 2].map(|row| vector[row] / s),
            (false, 0) => [1.0, 0.0, 0.0],
            (false, 1) => perpendicular(&left[0]),
            (false, _) => cross(&left[0], &left[1]),
        };
    }
    Svd { u: transposed(&left), s, v: transposed(&v) }
}

/// The singular values of a matrix of any number of rows, falling, and its right singular vectors
/// in the same order, each as a row: the last is what the matrix takes nearest to nothing.
#[must_use]
pub fn singular<const N: usize>(rows: &[[f64; N]]) -> ([f64; N], [[f64; N]; N]) {
    let column = |column| rows.iter().map(|row| row[column]).collect::<Vec<f64>>();
    let (_, s, v) = rotate(std::array::from_fn(column));
    (s, v)
}

/// The columns of a matrix turned until they are perpendicular to one another; their lengths,
/// falling; and the turns, a row for each column.
fn rotate<C, const N: usize>(mut columns: [C; N]) -> ([C; N], [f64; N], [[f64; N]; N])
where
    C: AsRef<[f64]> + AsMut<[f64]> + Default,
{
    let mut turns: [[f64; N]; N] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS {
        let mut turned = false;
        for first in 0..N {
            for second in first + 1..N {
                let [alpha, beta, gamma] = products(columns[first].as_ref(), columns[second].as_ref());
                if gamma.abs() <= f64::EPSILON * (alpha * beta).sqrt() || gamma == 0.0 {
                    continue;
                }
                turned = true;
                let zeta = (beta - alpha) / (2.0 * gamma);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let turn = [cosine, cosine * tangent];
                let (left, right) = columns.split_at_mut(second);
                turn_pair(left[first].as_mut(), right[0].as_mut(), turn);
                let (left, right) = turns.split_at_mut(second);
                turn_pair(&mut left[first], &mut right[0], turn);
            }
        }
        if !turned {
            break;
        }
    }
    let lengths: [f64; N] = std::array::from_fn(|i| length(columns[i].as_ref()));
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]));
    (order.map(|i| std::mem::take(&mut columns[i])), order.map(|i| lengths[i]), order.map(|i| turns[i]))
}

fn products(a: &[f64], b: &[f64]) -> [f64; 3] {
    a.iter().zip(b).fold([0.0; 3], |[aa, bb, ab], (a, b)| [aa + a * a, bb + b * b, ab + a * b])
}

fn turn_pair(first: &mut [f64], second: &mut [f64], [cosine, sine]: [f64; 2]) {
    for (a, b) in first.iter_mut().zip(second) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// A unit vector perpendicular to a unit vector.
fn perpendicular(a: &Point) -> Point {
    let least = [0, 1, 2].into_iter().min_by(|i, j| a[*i].abs().total_cmp(&a[*j].abs())).unwrap_or(0);
    let mut axis = [0.0; 3];
    axis[least] = 1.0;
    let out = cross(a, &axis);
    let length = dot(&out, &out).sqrt();
    out.map(|v| v / length)
}

fn transposed(matrix: &Matrix) -> Matrix {
    [0, 1, 2].map(|row| [0, 1, 2].map(|column| matrix[column][row]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(svd: &Svd) -> Matrix {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| svd.u[i][k] * svd.s[k] * svd.v[j][k]).sum()))
    }

    fn is_orthogonal(matrix: &Matrix) -> bool {
        (0..3).all(|i| (0..3).all(|j| (dot(&matrix[i], &matrix[j]) - f64::from(u8::from(i == j))).abs() < 1e-12))
    }

    fn any_matrix() -> impl Strategy<Value = Matrix> {
        let full = prop::array::uniform3(prop::array::uniform3(-1e3..1e3));
        let numbers = prop::array::uniform3(-5i8..5);
        let rank_one = (numbers.clone(), numbers).prop_map(|(a, b)| a.map(|a| b.map(|b| f64::from(a) * f64::from(b))));
        prop_oneof![full, rank_one]
    }

    proptest! {
        #[test]
        fn the_factors_make_the_matrix(matrix in any_matrix()) {
            let parts = svd(&matrix);
            let scale = parts.s[0].max(1.0);
            for (made, given) in product(&parts).as_flattened().iter().zip(matrix.as_flattened()) {
                prop_assert!((made - given).abs() <= 1e-12 * scale, "{made} {given}");
            }
            prop_assert!(is_orthogonal(&parts.u) && is_orthogonal(&parts.v), "{parts:?}");
            prop_assert!(parts.s[0] >= parts.s[1] && parts.s[1] >= parts.s[2] && parts.s[2] >= 0.0);
        }
    }

    #[test]
    fn numpy_finds_the_same_values() {
        // numpy.linalg.svd, numpy 2.4.6
        let parts = svd(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]]);
        for (found, expected) in parts.s.iter().zip([17.412505166808593, 0.8751613501104364, 0.19686652111743]) {
            assert!((found - expected).abs() < 1e-13, "{:?}", parts.s);
        }
    }

    #[test]
    fn the_last_vector_is_what_the_rows_take_to_nothing() {
        let null: [f64; 4] = [0.5, -0.5, 0.1, 0.7];
        let rows: Vec<[f64; 4]> =
            [[1.0, 2.0, 3.0, 0.0], [-4.0, 1.0, 2.0, 0.0], [0.3, 0.9, -7.0, 0.0], [2.0, 2.0, 1.0, 0.0]]
                .map(|[a, b, c, _]| [a, b, c, -(a * null[0] + b * null[1] + c * null[2]) / null[3]])
                .to_vec();
        let (s, v) = singular(&rows);
        assert!(s[3] < 1e-14 && s[2] > 0.1, "{s:?}");
        for (found, expected) in v[3].iter().zip(null) {
            assert!((found / v[3][3] - expected / null[3]).abs() < 1e-13, "{:?}", v[3]);
        }
        assert_eq!(singular::<2>(&[]).0, [0.0, 0.0]);
    }
}
