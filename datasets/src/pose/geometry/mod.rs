//! Points in space: singular values of small matrices, and moving one set of points onto another.
//!
//! All of it is in double precision and by Jacobi's rotations, which are exact to the last bits
//! for matrices as small as these, whether they have full rank or not.

mod similarity;
mod singular;

pub use similarity::Similarity;
pub use singular::{Svd, singular, svd};

/// x, y, z.
pub type Point = [f64; 3];

/// Three rows of three numbers.
pub type Matrix = [[f64; 3]; 3];

/// The scalar product.
#[must_use]
pub fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The vector that is perpendicular to both.
#[must_use]
pub fn cross(a: &Point, b: &Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// A matrix times a column.
#[must_use]
pub fn times(matrix: &Matrix, point: &Point) -> Point {
    [0, 1, 2].map(|row| dot(&matrix[row], point))
}

/// The determinant.
#[must_use]
pub fn determinant(matrix: &Matrix) -> f64 {
    dot(&matrix[0], &cross(&matrix[1], &matrix[2]))
}
