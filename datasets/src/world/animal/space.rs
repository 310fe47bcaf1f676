//! Small vectors and turns, from operations that IEEE 754 defines to the last bit.

/// A point or direction in the plane of the floor.
pub(super) type Flat = [f64; 2];

/// A point or direction in space.
pub(super) type Point = [f64; 3];

/// `a + b * factor`.
pub(super) fn along<const N: usize>(a: [f64; N], b: [f64; N], factor: f64) -> [f64; N] {
    std::array::from_fn(|i| a[i] + b[i] * factor)
}

pub(super) fn dot<const N: usize>(a: [f64; N], b: [f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn length<const N: usize>(a: [f64; N]) -> f64 {
    dot(a, a).sqrt()
}

/// `a` at length 1. A vector of length 0 stays as it is.
pub(super) fn unit<const N: usize>(a: [f64; N]) -> [f64; N] {
    let length = length(a);
    if length > 0.0 { a.map(|value| value / length) } else { a }
}

/// The direction a quarter turn to the left.
pub(super) fn left([x, y]: Flat) -> Flat {
    [-y, x]
}

/// Turns a direction to the left by `angle` radians, for angles well below one.
///
/// The turn is exactly a rotation, by `2 * atan(angle / 2)`, which needs no sine or cosine.
pub(super) fn turn([x, y]: Flat, angle: f64) -> Flat {
    let tangent = angle / 2.0;
    let norm = 1.0 + tangent * tangent;
    let (cosine, sine) = ((1.0 - tangent * tangent) / norm, 2.0 * tangent / norm);
    [x * cosine - y * sine, x * sine + y * cosine]
}

/// A direction in space over a direction in the plane; `rise` is its z, between -1 and 1.
pub(super) fn raise([x, y]: Flat, rise: f64) -> Point {
    let level = (1.0 - rise * rise).max(0.0).sqrt();
    [x * level, y * level, rise]
}

/// A sine of `turns` full turns, to within 0.001 (parabolas, sharpened once).
pub(super) fn wave(turns: f64) -> f64 {
    let phase = 2.0 * (turns - turns.floor()) - 1.0;
    let rough = 4.0 * phase * (phase.abs() - 1.0);
    rough + 0.225 * (rough * rough.abs() - rough)
}

/// From 0 to 1 as `x` does, at rest and without acceleration at both ends.
pub(super) fn ease(x: f64) -> f64 {
    x * x * x * (x * (6.0 * x - 15.0) + 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wave_is_a_sine() {
        for i in -200..200 {
            let turns = f64::from(i) / 97.0;
            let sine = (turns * std::f64::consts::TAU).sin();
            assert!((wave(turns) - sine).abs() < 0.0015, "{turns}");
        }
    }

    #[test]
    fn turning_is_a_rotation_to_the_left() {
        let turned = turn([1.0, 0.0], 0.1);
        assert!((length(turned) - 1.0).abs() < 1e-12);
        assert!((turned[1].atan2(turned[0]) - 0.1).abs() < 1e-4);
        assert_eq!(left([1.0, 0.0]), [0.0, 1.0]);
    }

    #[test]
    fn units_and_raises_have_length_one() {
        assert!((length(unit([3.0, 4.0, 12.0])) - 1.0).abs() < 1e-12);
        assert_eq!(unit([0.0, 0.0]), [0.0, 0.0]);
        assert!((length(raise([0.6, 0.8], -0.3)) - 1.0).abs() < 1e-12);
        assert_eq!((ease(0.0), ease(0.5), ease(1.0)), (0.0, 0.5, 1.0));
    }
}
