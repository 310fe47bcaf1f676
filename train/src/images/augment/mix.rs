//! mixup and CutMix of a batch with itself in reverse, as timm's `Mixup` in mode `batch`.

use crate::images::{AugmentConfig, Draw};

/// What is done to a batch: image `i` meets image `b - 1 - i`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mix {
    /// Nothing.
    None,
    /// So much of the image, the rest of its partner (mixup, Zhang et al. 2017).
    Blend {
        /// The share of the image.
        share: f32,
    },
    /// A rectangle of its partner (CutMix, Yun et al. 2019).
    Cut {
        /// Its first row and the one after its last.
        rows: (usize, usize),
        /// Its first column and the one after its last.
        columns: (usize, usize),
        /// The share of the image that is left, after the rectangle was cut off at the border.
        share: f32,
    },
}

impl Mix {
    /// Draws for a batch of images `size` pixels wide and high.
    pub fn draw(config: &AugmentConfig, size: usize, random: &mut Draw) -> Self {
        if !config.mixes() || !random.chance(config.mix_probability) {
            return Mix::None;
        }
        let cut = match (config.mixup > 0.0, config.cutmix > 0.0) {
            (true, true) => random.chance(config.cutmix_share),
            (_, cut) => cut,
        };
        match cut {
            true => Self::cut(random.beta(config.cutmix), size, random),
            false => Mix::Blend { share: random.beta(config.mixup) as f32 },
        }
    }

    /// A rectangle of the image's aspect ratio around a random middle (timm's `rand_bbox`).
    fn cut(share: f64, size: usize, random: &mut Draw) -> Self {
        let length = (size as f64 * (1.0 - share).sqrt()) as usize;
        let mut side = || {
            let middle = random.integer(0..=size - 1);
            (middle.saturating_sub(length / 2), (middle + length.div_ceil(2)).min(size))
        };
        let (rows, columns) = (side(), side());
        let area = (rows.1 - rows.0) * (columns.1 - columns.0);
        Mix::Cut { rows, columns, share: (1.0 - area as f64 / (size * size) as f64) as f32 }
    }

    /// The share of an image's own label in its target.
    pub fn share(&self) -> f32 {
        match self {
            Mix::None => 1.0,
            Mix::Blend { share } | Mix::Cut { share, .. } => *share,
        }
    }

    /// Mixes the images `x_bhwc` of a batch, each `size` pixels wide and high.
    pub fn apply(&self, images_bhwc: &mut [f32], size: usize) {
        if *self == Mix::None {
            return;
        }
        let values = size * size * 3;
        let mut images: Vec<&mut [f32]> = images_bhwc.chunks_exact_mut(values).collect();
        let half = images.len() / 2;
        let (front, back) = images.split_at_mut(half);
        for (one, other) in front.iter_mut().zip(back.iter_mut().rev()) {
            match *self {
                Mix::None => {}
                Mix::Blend { share } => {
                    for (a, b) in one.iter_mut().zip(other.iter_mut()) {
                        (*a, *b) = (*a * share + *b * (1.0 - share), *b * share + *a * (1.0 - share));
                    }
                }
                Mix::Cut { rows, columns, .. } => {
                    for y in rows.0..rows.1 {
                        let (from, to) = ((y * size + columns.0) * 3, (y * size + columns.1) * 3);
                        one[from..to].swap_with_slice(&mut other[from..to]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 8;

    fn config(mixup: f64, cutmix: f64) -> AugmentConfig {
        AugmentConfig { mixup, cutmix, ..AugmentConfig::default() }
    }

    /// A batch whose images hold their own number.
    fn batch(count: usize) -> Vec<f32> {
        (0..count).flat_map(|i| [i as f32; SIZE * SIZE * 3]).collect()
    }

    proptest! {
        #[test]
        fn an_image_holds_its_share_and_its_partner_the_rest(
            count in 1_usize..7, alpha in 0.1_f64..2.0, cut in any::<bool>(), seed in 0_u64..500,
        ) {
            let config = if cut { config(0.0, alpha) } else { config(alpha, 0.0) };
            let mix = Mix::draw(&config, SIZE, &mut Draw::new(seed, "mix", 0));
            let mut mixed = batch(count);
            mix.apply(&mut mixed, SIZE);
            let share = mix.share();
            prop_assert!((0.0..=1.0).contains(&share));
            for (i, image) in mixed.chunks_exact(SIZE * SIZE * 3).enumerate() {
                let mean = image.iter().sum::<f32>() / image.len() as f32;
                let expected = share * i as f32 + (1.0 - share) * (count - 1 - i) as f32;
                prop_assert!((mean - expected).abs() < 1e-4, "{mix:?}: image {i} has {mean}, not {expected}");
            }
        }
    }

    #[test]
    fn where_both_are_on_each_has_its_share() {
        let both = AugmentConfig { cutmix_share: 0.3, mix_probability: 0.8, ..config(0.8, 1.0) };
        let draws: Vec<Mix> = (0..4000).map(|step| Mix::draw(&both, 32, &mut Draw::new(1, "mix", step))).collect();
        let share = |is: fn(&Mix) -> bool| draws.iter().filter(|mix| is(mix)).count() as f64 / draws.len() as f64;
        assert!((share(|mix| matches!(mix, Mix::None)) - 0.2).abs() < 0.03);
        assert!((share(|mix| matches!(mix, Mix::Cut { .. })) - 0.24).abs() < 0.03);
    }

    #[test]
    fn nothing_is_mixed_where_nothing_is_asked() {
        let mix = Mix::draw(&config(0.0, 0.0), SIZE, &mut Draw::new(1, "mix", 0));
        let mut same = batch(4);
        mix.apply(&mut same, SIZE);
        assert_eq!((mix.share(), same), (1.0, batch(4)));
    }
}
