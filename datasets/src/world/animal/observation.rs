//! What goes wrong when an animal is observed.

use std::ops::RangeInclusive;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::body::{KEYPOINTS, LIMBS};
use crate::world::random::{between, normal, uniform};

/// How often and how badly an observation fails. A rate is the chance that the fault begins in a
/// given frame; 0 switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Standard deviation of the noise of every coordinate, in millimetres.
    pub noise_mm: f64,
    /// A keypoint is mistaken for something else, 30 to 150 mm off, for 1 to 4 frames.
    pub jump_rate: f64,
    /// A keypoint is hidden for 2 to 12 frames.
    pub point_gap_rate: f64,
    /// Joint and paw of a leg are hidden for 20 to 90 frames.
    pub limb_gap_rate: f64,
    /// The whole body is hidden for 5 to 30 frames.
    pub body_gap_rate: f64,
}

impl Default for Faults {
    /// Faults as those of a fair multi-camera system: about one point in seven is missing.
    fn default() -> Self {
        Self { noise_mm: 1.5, jump_rate: 0.002, point_gap_rate: 0.006, limb_gap_rate: 0.002, body_gap_rate: 0.002 }
    }
}

impl Faults {
    /// No faults: observed is truth.
    pub const NONE: Self =
        Self { noise_mm: 0.0, jump_rate: 0.0, point_gap_rate: 0.0, limb_gap_rate: 0.0, body_gap_rate: 0.0 };

    /// Which keypoints are visible, by frame and keypoint.
    pub(super) fn visible(&self, rng: &mut ChaCha8Rng, frames: usize) -> Vec<bool> {
        let mut points = [Spell::default(); KEYPOINTS];
        let mut limbs = [Spell::default(); LIMBS.len()];
        let mut body = Spell::default();
        let mut visible_tk = Vec::with_capacity(frames * KEYPOINTS);
        for _ in 0..frames {
            let mut visible = [true; KEYPOINTS];
            for (visible, spell) in visible.iter_mut().zip(&mut points) {
                *visible = !spell.goes_on(rng, self.point_gap_rate, 2..=12);
            }
            for (limb, spell) in LIMBS.iter().zip(&mut limbs) {
                if spell.goes_on(rng, self.limb_gap_rate, 20..=90) {
                    limb.iter().for_each(|&keypoint| visible[keypoint] = false);
                }
            }
            if body.goes_on(rng, self.body_gap_rate, 5..=30) {
                visible.fill(false);
            }
            visible_tk.extend(visible);
        }
        visible_tk
    }

    /// Which keypoints are mistaken, by frame and keypoint.
    pub(super) fn jumps(&self, rng: &mut ChaCha8Rng, frames: usize) -> Vec<bool> {
        let mut points = [Spell::default(); KEYPOINTS];
        let mut jumped_tk = Vec::with_capacity(frames * KEYPOINTS);
        for _ in 0..frames {
            jumped_tk.extend(points.each_mut().map(|spell| spell.goes_on(rng, self.jump_rate, 1..=4)));
        }
        jumped_tk
    }

    /// The truth with noise and jumps, NaN where it is not visible.
    pub(super) fn observe(
        &self,
        rng: &mut ChaCha8Rng,
        truth_tkc: &[f32],
        visible_tk: &[bool],
        jumped_tk: &[bool],
    ) -> Vec<f32> {
        let mut observed_tkc = Vec::with_capacity(truth_tkc.len());
        let points = truth_tkc.as_chunks::<3>().0.iter();
        for ((point, &visible), &jumped) in points.zip(visible_tk).zip(jumped_tk) {
            let noise: [f64; 3] = std::array::from_fn(|_| self.noise_mm * normal(rng));
            let jump = if jumped { any_jump(rng) } else { [0.0; 3] };
            for (c, &truth) in point.iter().enumerate() {
                let observed = f64::from(truth) + noise[c] + jump[c];
                observed_tkc.push(if visible { observed as f32 } else { f32::NAN });
            }
        }
        observed_tkc
    }
}

/// A fault that, once begun, goes on for some frames.
#[derive(Clone, Copy, Default)]
struct Spell {
    left: u32,
}

impl Spell {
    /// Whether the fault is on in the next frame.
    fn goes_on(&mut self, rng: &mut ChaCha8Rng, rate: f64, frames: RangeInclusive<u32>) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return true;
        }
        let begins = uniform(rng) < rate;
        if begins {
            self.left = rng.random_range(frames) - 1;
        }
        begins
    }
}

/// An offset of 30 to 150 mm in any direction.
fn any_jump(rng: &mut ChaCha8Rng) -> [f64; 3] {
    loop {
        let candidate: [f64; 3] = std::array::from_fn(|_| between(rng, -1.0, 1.0));
        let length = candidate.iter().map(|value| value * value).sum::<f64>().sqrt();
        if (0.1..=1.0).contains(&length) {
            let distance = between(rng, 30.0, 150.0);
            return candidate.map(|value| value / length * distance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::random::generator;

    #[test]
    fn spells_have_the_length_they_were_given() {
        let mut rng = generator(1, 0);
        let mut spell = Spell::default();
        let mut runs = Vec::new();
        let mut run = 0;
        for _ in 0..20_000 {
            if spell.goes_on(&mut rng, 0.01, 2..=12) {
                run += 1;
            } else if run > 0 {
                runs.push(run);
                run = 0;
            }
        }
        assert!(runs.len() > 100);
        assert_eq!(runs.iter().min(), Some(&2));
        // Now and then one begins right after another.
        let long = runs.iter().filter(|&&run| run > 12).count();
        assert!(long * 20 < runs.len(), "{long} of {}", runs.len());
    }

    #[test]
    fn strange_rates_do_not_panic() {
        for rate in [f64::NAN, -1.0, 0.0, 2.0, f64::INFINITY] {
            let faults = Faults { limb_gap_rate: rate, noise_mm: rate, ..Faults::NONE };
            let visible = faults.visible(&mut generator(1, 0), 50);
            assert_eq!(visible.len(), 50 * KEYPOINTS);
            assert_eq!(visible.contains(&false), rate > 0.0);
        }
    }
}
