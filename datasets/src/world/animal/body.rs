//! The animal's body: from a distance along its path to the keypoints of its pose.
//!
//! The spine follows the path, so it bends in turns. Each paw stands still on the floor for
//! [`DUTY`] of a stride and then swings to the next foothold; the four legs follow one another a
//! quarter of a stride apart, in the lateral sequence of a walk (Hildebrand 1965). Knees and
//! elbows come from two-bone inverse kinematics, so all bones keep their lengths.

use rand_chacha::ChaCha8Rng;

use super::path::Path;
use super::space::{Flat, Point, along, dot, ease, left, length, raise, turn, unit, wave};
use crate::world::random::uniform;

/// How many keypoints the animal has.
pub(super) const KEYPOINTS: usize = 16;

pub(super) const NAMES: [&str; KEYPOINTS] = [
    "nose",
    "head",
    "left_ear",
    "right_ear",
    "withers",
    "spine",
    "tail_base",
    "tail_tip",
    "left_elbow",
    "left_front_paw",
    "right_elbow",
    "right_front_paw",
    "left_knee",
    "left_hind_paw",
    "right_knee",
    "right_hind_paw",
];

pub(super) const EDGES: [[usize; 2]; KEYPOINTS - 1] = [
    [0, 1],
    [1, 2],
    [1, 3],
    [1, 4],
    [4, 5],
    [5, 6],
    [6, 7],
    [4, 8],
    [8, 9],
    [4, 10],
    [10, 11],
    [6, 12],
    [12, 13],
    [6, 14],
    [14, 15],
];

/// Joint and paw of each leg, in the order of [`LEGS`].
pub(super) const LIMBS: [[usize; 2]; 4] = [[8, 9], [10, 11], [12, 13], [14, 15]];

/// How much of the path must lie before the animal: its own front and its next foothold.
pub(super) const LEAD: f64 = 2.0 * STRIDE + 150.0;

/// How much of the path must lie behind the animal at the start.
pub(super) const TRAIL: f64 = 2.0 * STRIDE + 150.0;

// Lengths in millimetres.
const STRIDE: f64 = 110.0;
const BACK: f64 = 55.0;
const NECK: f64 = 40.0;
const SNOUT: f64 = 30.0;
const EAR: f64 = 14.0;
const TAIL: f64 = 110.0;
const HEIGHT: f64 = 62.0;
const LEG_BONE: f64 = 43.0;
const HALF_TRACK: f64 = 22.0;
const LIFT: f64 = 14.0;

/// The part of a stride in which a paw stands on the floor.
const DUTY: f64 = 0.6;

struct Leg {
    front: bool,
    /// 1 on the left, -1 on the right.
    side: f64,
    /// Where in the stride the leg is when the left hind leg begins it.
    phase: f64,
}

const LEGS: [Leg; 4] = [
    Leg { front: true, side: 1.0, phase: 0.75 },
    Leg { front: true, side: -1.0, phase: 0.25 },
    Leg { front: false, side: 1.0, phase: 0.0 },
    Leg { front: false, side: -1.0, phase: 0.5 },
];

/// An animal on its path.
pub(super) struct Body<'a> {
    path: &'a Path,
    /// Where in its cycle each idle movement of head and tail starts.
    phases: [f64; 4],
}

/// The points of the back that the legs hang from.
struct Back {
    withers: Point,
    spine: Point,
    tail_base: Point,
    /// Where the front and the rear half of the back point to.
    front: Flat,
    rear: Flat,
}

impl<'a> Body<'a> {
    pub(super) fn new(path: &'a Path, rng: &mut ChaCha8Rng) -> Self {
        Self { path, phases: std::array::from_fn(|_| uniform(rng)) }
    }

    /// The keypoints when the spine is at a distance along the path, `seconds` after the start.
    pub(super) fn pose(&self, distance: f64, seconds: f64) -> [Point; KEYPOINTS] {
        let back = self.back(distance);
        let [nose, head, left_ear, right_ear] = self.head(distance, seconds, &back);
        let mut pose = [[0.0; 3]; KEYPOINTS];
        pose[..4].copy_from_slice(&[nose, head, left_ear, right_ear]);
        pose[4..7].copy_from_slice(&[back.withers, back.spine, back.tail_base]);
        pose[7] = self.tail_tip(distance, seconds, &back);
        for (leg, limb) in LEGS.iter().zip(LIMBS) {
            let [joint, paw] = self.leg(leg, distance, &back);
            pose[limb[0]] = joint;
            pose[limb[1]] = paw;
        }
        pose
    }

    fn back(&self, distance: f64) -> Back {
        let cycle = distance / STRIDE;
        let ([x, y], _) = self.path.at(distance);
        let spine = [x, y, HEIGHT + 2.0 * wave(2.0 * cycle)];
        let (_, front) = self.path.at(distance + BACK / 2.0);
        let (_, rear) = self.path.at(distance - BACK / 2.0);
        let rise = 0.03 * wave(2.0 * cycle + 0.25);
        Back {
            withers: along(spine, raise(front, rise), BACK),
            spine,
            tail_base: along(spine, raise(rear, rise - 0.02), -BACK),
            front,
            rear,
        }
    }

    /// Nose, head and both ears. The head looks ahead on the path and about.
    fn head(&self, distance: f64, seconds: f64, back: &Back) -> [Point; 4] {
        let yaw = 0.3 * wave(0.21 * seconds + self.phases[0]) + 0.15 * wave(0.57 * seconds + self.phases[1]);
        let nod = 0.1 * wave(0.33 * seconds + self.phases[2]) + 0.04 * wave(2.0 * distance / STRIDE);
        let (_, ahead) = self.path.at(distance + BACK + NECK);
        let gaze = turn(ahead, yaw);
        let head = along(back.withers, raise(turn(ahead, 0.6 * yaw), 0.35 + nod), NECK);
        let nose = along(head, raise(gaze, nod - 0.3), SNOUT);
        let ear = |side: f64| {
            let [x, y] = along(gaze.map(|value| -0.4 * value), left(gaze), 0.7 * side);
            along(head, unit([x, y, 0.6]), EAR)
        };
        [nose, head, ear(1.0), ear(-1.0)]
    }

    fn tail_tip(&self, distance: f64, seconds: f64, back: &Back) -> Point {
        let wag = 0.25 * wave(0.4 * seconds + self.phases[3]) + 0.15 * wave(distance / STRIDE);
        let (_, behind) = self.path.at(distance - BACK - TAIL / 2.0);
        along(back.tail_base, raise(turn(behind, wag), 0.35), -TAIL)
    }

    /// Elbow or knee, and paw.
    fn leg(&self, leg: &Leg, distance: f64, back: &Back) -> [Point; 2] {
        let hip = if leg.front { back.withers } else { back.tail_base };
        // Elbows point backward, knees forward.
        let pole = if leg.front { back.front.map(|value| -value) } else { back.rear };
        let reach = along(self.paw(leg, distance), hip, -1.0);
        // The animal is built so that its paws are in reach; this keeps the bones whole anyhow.
        let far = length(reach).clamp(1.0, 2.0 * LEG_BONE);
        let down = unit(reach);
        let pole = [pole[0], pole[1], 0.0];
        let bend = unit(along(pole, down, -dot(pole, down)));
        let sideways = (LEG_BONE * LEG_BONE - far * far / 4.0).max(0.0).sqrt();
        let joint = along(along(hip, down, far / 2.0), bend, sideways);
        [joint, along(hip, down, far)]
    }

    /// Where a paw wants to be: on its foothold, or on its way to the next.
    fn paw(&self, leg: &Leg, distance: f64) -> Point {
        let cycle = distance / STRIDE + leg.phase;
        let number = cycle.floor();
        let done = cycle - number;
        let here = self.foothold(leg, number);
        if done < DUTY {
            return [here[0], here[1], 0.0];
        }
        let swing = (done - DUTY) / (1.0 - DUTY);
        let next = self.foothold(leg, number + 1.0);
        let [x, y] = along(here, along(next, here, -1.0), ease(swing));
        let height = 4.0 * swing * (1.0 - swing);
        [x, y, LIFT * height * height]
    }

    /// Where a paw stands in stride `number`: beside its hip as it is half way through the stance.
    fn foothold(&self, leg: &Leg, number: f64) -> Flat {
        let back = self.back((number + DUTY / 2.0 - leg.phase) * STRIDE);
        let (hip, heading) = if leg.front { (back.withers, back.front) } else { (back.tail_base, back.rear) };
        along([hip[0], hip[1]], left(heading), leg.side * HALF_TRACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::random::generator;

    #[test]
    fn paws_stand_still_and_in_reach() {
        for seed in 0..6 {
            let path = Path::draw(&mut generator(seed, 0), 6000.0);
            let body = Body::new(&path, &mut generator(seed, 1));
            for leg in &LEGS {
                for step in 0..5000 {
                    let distance = TRAIL + f64::from(step);
                    let wanted = body.paw(leg, distance);
                    let [_, paw] = body.leg(leg, distance, &body.back(distance));
                    assert!(length(along(paw, wanted, -1.0)) < 1e-6, "{seed} {distance}");
                    let cycle = distance / STRIDE + leg.phase;
                    if cycle - cycle.floor() < DUTY - 0.01 {
                        assert_eq!(wanted, body.paw(leg, distance + 0.5));
                        assert_eq!(wanted[2], 0.0);
                    }
                }
            }
        }
    }

    #[test]
    fn two_or_more_paws_always_carry_the_body() {
        let path = Path::draw(&mut generator(5, 0), 1500.0);
        let body = Body::new(&path, &mut generator(5, 1));
        for step in 0..1000 {
            let distance = TRAIL + f64::from(step);
            let standing = LEGS.iter().filter(|leg| body.paw(leg, distance)[2] == 0.0).count();
            assert!((2..=3).contains(&standing), "{distance}: {standing}");
        }
    }
}
