//! Where the animal goes and how fast.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::FRAMES_PER_SECOND;
use super::space::{Flat, along, dot, left, length, turn, unit};
use crate::world::random::{between, uniform};

/// The fastest walk in millimetres per second.
const TOP_SPEED: f64 = 300.0;

/// Frames before the first, in which the animal comes to its speed.
const WARM_UP: usize = 120;

/// How far the animal has walked in each frame, in millimetres.
///
/// It makes up its mind anew every 0.7 to 3 seconds, one time in five to stand still, and takes
/// about half a second to reach its new speed. It is already under way in the first frame.
pub(super) fn distances(rng: &mut ChaCha8Rng, frames: usize) -> Vec<f64> {
    let blend = 4.0 / FRAMES_PER_SECOND;
    let (mut wanted, mut leaning, mut speed, mut distance) = (0.0, 0.0, 0.0, 0.0);
    let mut until_change = 0;
    let mut distances = Vec::with_capacity(frames);
    for frame in 0..WARM_UP + frames {
        if until_change == 0 {
            until_change = rng.random_range(40..180u32);
            wanted = if uniform(rng) < 0.2 { 0.0 } else { between(rng, 60.0, TOP_SPEED) };
        }
        until_change -= 1;
        // Two low-pass filters in a row, so that the acceleration has no steps either.
        leaning += blend * (wanted - leaning);
        speed += blend * (leaning - speed);
        if frame >= WARM_UP {
            distance += speed / FRAMES_PER_SECOND;
            distances.push(distance);
        }
    }
    distances
}

/// A smooth curve over the field, known at equal steps.
pub(super) struct Path {
    points: Vec<Flat>,
    headings: Vec<Flat>,
}

/// The distance between two known points in millimetres.
const STEP: f64 = 2.0;

/// The tightest turn has this radius in millimetres.
const TURN_RADIUS: f64 = 120.0;

/// From here on the animal begins to turn back to the centre, and here it does nothing else.
const TURN_BACK: [f64; 2] = [200.0, 330.0];

impl Path {
    /// A path of at least `length` millimetres.
    pub(super) fn draw(rng: &mut ChaCha8Rng, length: f64) -> Self {
        let count = (length / STEP).ceil() as usize + 2;
        let mut at = [between(rng, -150.0, 150.0), between(rng, -150.0, 150.0)];
        let mut heading = any_direction(rng);
        let (mut wanted, mut curvature) = (0.0, 0.0);
        let mut until_change = 0;
        let (mut points, mut headings) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            points.push(at);
            headings.push(heading);
            if until_change == 0 {
                until_change = rng.random_range(30..150u32);
                wanted = between(rng, -1.0, 1.0);
            }
            until_change -= 1;
            let bend = turned_back(at, heading, wanted) / TURN_RADIUS;
            curvature += 0.08 * (bend - curvature);
            let middle = turn(heading, curvature * STEP / 2.0);
            at = along(at, middle, STEP);
            heading = unit(turn(heading, curvature * STEP));
        }
        Self { points, headings }
    }

    /// The point at a distance from the start, and the direction of the path there.
    pub(super) fn at(&self, distance: f64) -> (Flat, Flat) {
        let last = self.points.len() - 2;
        let steps = (distance / STEP).clamp(0.0, last as f64);
        let i = (steps as usize).min(last);
        let rest = steps - i as f64;
        let mix = |values: &[Flat]| along(values[i].map(|v| v * (1.0 - rest)), values[i + 1], rest);
        (mix(&self.points), unit(mix(&self.headings)))
    }
}

/// How sharply to turn (-1 to 1, left is positive): as `wanted` in the middle of the field, and to
/// the centre near its wall.
fn turned_back(at: Flat, heading: Flat, wanted: f64) -> f64 {
    let [begin, end] = TURN_BACK;
    let near = ((length(at) - begin) / (end - begin)).clamp(0.0, 1.0);
    let home = unit(at.map(|value| -value));
    let side = dot(left(heading), home);
    let back = if dot(heading, home) > 0.0 { side } else { 1.0_f64.copysign(side) };
    wanted * (1.0 - near) + back * near
}

/// A direction that is uniform over the circle.
fn any_direction(rng: &mut ChaCha8Rng) -> Flat {
    loop {
        let candidate = [between(rng, -1.0, 1.0), between(rng, -1.0, 1.0)];
        if (0.01..=1.0).contains(&dot(candidate, candidate)) {
            return unit(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::random::generator;

    #[test]
    fn paths_stay_in_the_field_and_turn_gently() {
        for seed in 0..60 {
            let path = Path::draw(&mut generator(seed, 0), 20_000.0);
            for pair in path.headings.windows(2) {
                let turned = dot(left(pair[0]), pair[1]).abs();
                assert!(turned <= STEP / TURN_RADIUS * 1.001, "{seed}: {turned}");
            }
            let furthest = path.points.iter().map(|&point| length(point)).fold(0.0, f64::max);
            assert!(furthest < 480.0, "{seed}: {furthest}");
            assert!(furthest > 150.0, "{seed}: {furthest}");
        }
    }

    #[test]
    fn points_between_the_steps_are_interpolated() {
        let path = Path::draw(&mut generator(1, 0), 100.0);
        let (half_way, _) = path.at(STEP * 4.5);
        let middle = along(path.points[4].map(|v| v / 2.0), path.points[5], 0.5);
        assert!(length(along(half_way, middle, -1.0)) < 1e-9);
        assert_eq!(path.at(-5.0).0, path.points[0]);
        assert!(path.at(1e9).0.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn speed_changes_smoothly_and_the_animal_rests_at_times() {
        let along = distances(&mut generator(3, 0), 6000);
        let speeds: Vec<f64> = along.windows(2).map(|pair| (pair[1] - pair[0]) * FRAMES_PER_SECOND).collect();
        assert!(speeds.iter().all(|&speed| (0.0..=TOP_SPEED).contains(&speed)));
        assert!(speeds.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 12.0));
        assert!(speeds.iter().any(|&speed| speed < 5.0));
        assert!(speeds.iter().any(|&speed| speed > 200.0));
    }
}
