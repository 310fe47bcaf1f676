//! Dropout (Srivastava et al. 2014).

use tch::{Device, Kind, Tensor};

/// The smallest step of a share: a place is dropped by 16 random bits.
const STEPS: f64 = 65_536.0;

/// Sets a share of the values to zero and scales the others, so that the mean stays. The random
/// numbers follow from libtorch's seed.
///
/// On a CPU the places are drawn here, four from each 64 bits: libtorch draws each of them with a
/// step of its own through the Mersenne Twister, which is a tenth of a training step.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    share: f64,
}

impl Dropout {
    /// Drops this share during training; 0 for none.
    pub fn new(share: f64) -> Self {
        Self { share }
    }

    /// Keeps the shape.
    pub fn forward(self, x: Tensor, train: bool) -> Tensor {
        if !train || self.share == 0.0 {
            return x;
        }
        if x.device() != Device::Cpu {
            return x.dropout(self.share, true);
        }
        let seed = Tensor::randint(i64::MAX, [1], (Kind::Int64, Device::Cpu)).int64_value(&[0]);
        let mask = Tensor::from_slice(&mask(x.numel(), self.share, seed.cast_unsigned()));
        x.multiply(&mask.view(x.size().as_slice()).to_kind(x.kind()))
    }
}

/// 0 where a value is dropped, and what to scale by where not.
fn mask(count: usize, share: f64, seed: u64) -> Vec<f32> {
    let dropped = (share * STEPS).round();
    let (threshold, scale) = (dropped as u64, (STEPS / (STEPS - dropped)) as f32);
    let mut out = vec![0.0; count];
    let mut state = seed;
    for places in out.chunks_mut(4) {
        let mut bits = split_mix(&mut state);
        for place in places {
            *place = if bits & 0xFFFF < threshold { 0.0 } else { scale };
            bits >>= 16;
        }
    }
    out
}

/// The next 64 random bits of SplitMix64 (Steele et al. 2014).
pub(super) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_its_share_and_keeps_the_mean() {
        for share in [0.1, 0.3, 0.5] {
            let mask = mask(400_003, share, 7);
            let dropped = mask.iter().filter(|m| **m == 0.0).count() as f64 / mask.len() as f64;
            // five standard deviations of the share
            assert!((dropped - share).abs() < 5.0 * (share * (1.0 - share) / 400_000.0_f64).sqrt(), "{dropped}");
            let mean = mask.iter().map(|m| f64::from(*m)).sum::<f64>() / mask.len() as f64;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
        }
    }

    #[test]
    fn neighbours_do_not_go_together() {
        let mask = mask(400_000, 0.5, 3);
        for distance in [1, 2, 3, 4, 8, 192] {
            let pairs = mask.iter().zip(&mask[distance..]);
            let both = pairs.filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f64 / mask.len() as f64;
            assert!((both - 0.25).abs() < 0.005, "at {distance}: {both}");
        }
    }

    #[test]
    fn follows_libtorchs_seed_and_is_off_outside_training() {
        let ones = || Tensor::ones([64, 64], (Kind::Float, Device::Cpu));
        let drawn = |seed| {
            tch::manual_seed(seed);
            Dropout::new(0.3).forward(ones(), true)
        };
        assert_eq!(Dropout::new(0.3).forward(ones(), false), ones());
        assert_eq!(Dropout::new(0.0).forward(ones(), true), ones());
        assert_ne!(drawn(1), drawn(2));
    }
}
