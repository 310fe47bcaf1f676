//! One keypoint over time: penalised least squares, as splines and Whittaker's (1923) smoother.

use tessera_datasets::pose::geometry::Point;

/// How many neighbours on one side a frame is tied to.
const BAND: usize = 3;

/// What the third differences weigh, from hardly smoothed to nearly a parabola.
pub(super) const STRENGTHS: [f64; 4] = [0.1, 3.0, 100.0, 3000.0];

/// A symmetric matrix as its diagonal and the entries right of it: `rows[i][d]` is at (i, i + d).
type Banded = Vec<[f64; BAND + 1]>;

/// Smoothers of one length.
pub(super) struct Smoothers {
    penalties: [Banded; STRENGTHS.len()],
    /// Taken apart for a keypoint that is given in every frame, as most are.
    whole: [Factor; STRENGTHS.len()],
}

impl Smoothers {
    /// For windows of so many frames.
    pub(super) fn new(frames: usize) -> Self {
        let penalties = STRENGTHS.map(|strength| penalty(frames, strength));
        let whole = penalties.each_ref().map(|penalty| Factor::new(penalty, |_| true));
        Self { penalties, whole }
    }

    /// The curve that minimises the sum of squared distances to the given points plus the penalty.
    /// Points that are not given do not matter.
    pub(super) fn smooth(&self, number: usize, given: impl Fn(usize) -> bool, points: &[Point], out: &mut [Point]) {
        let frames = points.len();
        for (frame, (out, point)) in out.iter_mut().zip(points).enumerate() {
            *out = if given(frame) { *point } else { [0.0; 3] };
        }
        match (0..frames).all(&given) {
            true => self.whole[number].solve(out),
            false => Factor::new(&self.penalties[number], given).solve(out),
        }
    }
}

/// The penalty on third differences, a little on first ones, so that long gaps are bridged
/// straight, and next to nothing on the values, so that there is always one solution.
fn penalty(frames: usize, strength: f64) -> Banded {
    let mut rows = vec![[1e-5, 0.0, 0.0, 0.0]; frames];
    let mut add = |weight: f64, coefficients: &[f64]| {
        for first in 0..(frames + 1).saturating_sub(coefficients.len()) {
            for (i, a) in coefficients.iter().enumerate() {
                for (d, b) in coefficients[i..].iter().enumerate() {
                    rows[first + i][d] += weight * a * b;
                }
            }
        }
    };
    add(strength, &[-1.0, 3.0, -3.0, 1.0]);
    add(0.003 * strength.powf(0.33), &[-1.0, 1.0]);
    rows
}

/// `L · D · Lᵀ` of a banded matrix.
struct Factor {
    /// `lower[i][d − 1]` is at (i, i − d).
    lower: Vec<[f64; BAND]>,
    inverse: Vec<f64>,
}

impl Factor {
    /// Takes a penalty apart to which 1 is added on the diagonal where a frame is given.
    fn new(penalty: &Banded, given: impl Fn(usize) -> bool) -> Self {
        let frames = penalty.len();
        let mut lower = vec![[0.0; BAND]; frames];
        let (mut diagonal, mut inverse) = (vec![0.0; frames], vec![0.0; frames]);
        for i in 0..frames {
            let mut pivot = penalty[i][0] + f64::from(u8::from(given(i)));
            for d in (1..=BAND.min(i)).rev() {
                let j = i - d;
                let mut entry = penalty[j][d];
                for e in d + 1..=BAND.min(i) {
                    // (i, i − e) meets (j, i − e), which is e − d left of j
                    entry -= lower[i][e - 1] * diagonal[i - e] * lower[j][e - d - 1];
                }
                lower[i][d - 1] = entry * inverse[j];
                pivot -= lower[i][d - 1] * entry;
            }
            diagonal[i] = pivot;
            inverse[i] = 1.0 / pivot;
        }
        Self { lower, inverse }
    }

    fn solve(&self, side: &mut [Point]) {
        let frames = side.len();
        for i in 0..frames {
            for d in 1..=BAND.min(i) {
                side[i] = less(side[i], self.lower[i][d - 1], side[i - d]);
            }
        }
        for i in (0..frames).rev() {
            side[i] = side[i].map(|v| v * self.inverse[i]);
            for d in 1..=BAND.min(frames - 1 - i) {
                side[i] = less(side[i], self.lower[i + d][d - 1], side[i + d]);
            }
        }
    }
}

/// `a − factor · b`.
fn less(a: Point, factor: f64, b: Point) -> Point {
    [0, 1, 2].map(|c| a[c] - factor * b[c])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_equations_hold(
            marks in prop::collection::vec(any::<bool>(), 1..20), number in 0..4_usize, seed in -3.0..3.0_f64,
        ) {
            let frames = marks.len();
            let points: Vec<Point> = (0..frames).map(|t| [1.0, 2.0, 3.0].map(|c| (seed * c * t as f64).sin())).collect();
            let mut out = vec![[0.0; 3]; frames];
            Smoothers::new(frames).smooth(number, |t| marks[t], &points, &mut out);
            let rows = penalty(frames, STRENGTHS[number]);
            let entry = |i: usize, j: usize| rows[i.min(j)].get(i.abs_diff(j)).copied().unwrap_or(0.0);
            for i in 0..frames {
                let m = f64::from(u8::from(marks[i]));
                for c in 0..3 {
                    let left: f64 = (0..frames).map(|j| entry(i, j) * out[j][c]).sum::<f64>() + m * out[i][c];
                    prop_assert!((left - m * points[i][c]).abs() < 1e-6, "{left} for {}", m * points[i][c]);
                }
            }
        }
    }

    #[test]
    fn a_line_stays_nearly_what_it_is_also_across_a_gap() {
        let line: Vec<Point> = (0..30).map(|t| [f64::from(t), 0.0, 1.0]).collect();
        let mut out = vec![[0.0; 3]; 30];
        Smoothers::new(30).smooth(0, |t| !(8..14).contains(&t), &line, &mut out);
        for (found, expected) in out.iter().zip(&line) {
            assert!((found[0] - expected[0]).abs() < 0.05 && (found[2] - expected[2]).abs() < 0.01, "{found:?}");
        }
    }
}
