//! Systems of linear equations with a positive definite matrix.

/// A matrix as `L · Lᵀ`.
pub(super) struct Cholesky {
    size: usize,
    /// `L` in row-major order; above the diagonal it means nothing.
    lower: Vec<f64>,
}

impl Cholesky {
    /// Takes a symmetric positive definite matrix apart, of which only what is on and below the
    /// diagonal is read. A pivot that rounding has made too small counts as `least`.
    pub(super) fn new(size: usize, mut matrix: Vec<f64>, least: f64) -> Self {
        for row in 0..size {
            let (above, rest) = matrix.split_at_mut(row * size);
            let own = &mut rest[..size];
            for column in 0..row {
                let other = &above[column * size..column * size + column + 1];
                let sum: f64 = own[..column].iter().zip(other).map(|(a, b)| a * b).sum();
                own[column] = (own[column] - sum) / other[column];
            }
            let sum: f64 = own[..row].iter().map(|a| a * a).sum();
            own[row] = (own[row] - sum).max(least).sqrt();
        }
        Self { size, lower: matrix }
    }

    /// Solves for one right side, in its place.
    pub(super) fn solve(&self, side: &mut [f64]) {
        let row = |i: usize| &self.lower[i * self.size..i * self.size + i + 1];
        for i in 0..self.size {
            let sum: f64 = row(i)[..i].iter().zip(&side[..i]).map(|(a, b)| a * b).sum();
            side[i] = (side[i] - sum) / row(i)[i];
        }
        for i in (0..self.size).rev() {
            side[i] /= row(i)[i];
            let (value, coefficients) = (side[i], &row(i)[..i]);
            side[..i].iter_mut().zip(coefficients).for_each(|(s, c)| *s -= c * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_multiplied_is_found_again(
            factors in prop::collection::vec(-1.0..1.0_f64, 36), x in prop::collection::vec(-5.0..5.0_f64, 6),
        ) {
            // A = F Fᵀ + I
            let entry = |i: usize, j: usize| {
                (0..6).map(|k| factors[i * 6 + k] * factors[j * 6 + k]).sum::<f64>() + f64::from(u8::from(i == j))
            };
            let matrix: Vec<f64> = (0..36).map(|at| entry(at / 6, at % 6)).collect();
            let mut side: Vec<f64> = (0..6).map(|i| (0..6).map(|j| entry(i, j) * x[j]).sum()).collect();
            Cholesky::new(6, matrix, 1e-12).solve(&mut side);
            for (found, expected) in side.iter().zip(&x) {
                prop_assert!((found - expected).abs() < 1e-9);
            }
        }
    }
}
