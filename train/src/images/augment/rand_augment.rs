//! RandAugment (Cubuk et al. 2019) as timm's `rand_augment_transform`.

use tessera_datasets::image::Rgb;

use super::affine::{self, Matrix, Sampling};
use super::{enhance, tone};
use crate::images::{Draw, RandAugmentConfig, TrainInterpolation};

/// The largest magnitude.
const MOST: f64 = 10.0;

/// RandAugment with all that it depends on.
pub struct RandAugment<'a> {
    /// How many operations and how strong.
    pub config: &'a RandAugmentConfig,
    /// How turned and sheared images are interpolated.
    pub interpolation: TrainInterpolation,
    /// What appears from outside the image.
    pub fill: [u8; 3],
}

/// The operations that one of is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    AutoContrast,
    Equalize,
    Invert,
    Rotate,
    Posterize,
    Solarize,
    SolarizeAdd,
    Color,
    Contrast,
    Brightness,
    Sharpness,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
}

impl Operation {
    const ALL: [Operation; 15] = [
        Operation::AutoContrast,
        Operation::Equalize,
        Operation::Invert,
        Operation::Rotate,
        Operation::Posterize,
        Operation::Solarize,
        Operation::SolarizeAdd,
        Operation::Color,
        Operation::Contrast,
        Operation::Brightness,
        Operation::Sharpness,
        Operation::ShearX,
        Operation::ShearY,
        Operation::TranslateX,
        Operation::TranslateY,
    ];
}

/// An operation with its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    AutoContrast,
    Equalize,
    Invert,
    Posterize(u32),
    Solarize(usize),
    SolarizeAdd(usize),
    Color(f64),
    Contrast(f64),
    Brightness(f64),
    Sharpness(f64),
    Affine(Matrix),
}

impl RandAugment<'_> {
    /// Does so many operations, drawn with replacement. `spare` is scratch memory.
    pub fn apply(&self, image: &mut Rgb, spare: &mut Rgb, random: &mut Draw) {
        for _ in 0..self.config.operations {
            let operation = Operation::ALL[random.integer(0..=Operation::ALL.len() - 1)];
            if !random.chance(self.config.probability) {
                continue;
            }
            let magnitude = self.config.magnitude + self.config.deviation * random.normal();
            let negative = random.chance(0.5);
            let level = magnitude.clamp(0.0, MOST) / MOST;
            let action = action(operation, level, negative, self.config.increasing, image.width, image.height);
            self.act(action, image, spare, random);
        }
    }

    fn act(&self, action: Action, image: &mut Rgb, spare: &mut Rgb, random: &mut Draw) {
        match action {
            Action::AutoContrast => tone::auto_contrast(image),
            Action::Equalize => tone::equalize(image),
            Action::Invert => tone::invert(image),
            Action::Posterize(bits) => tone::posterize(image, bits),
            Action::Solarize(threshold) => tone::solarize(image, threshold),
            Action::SolarizeAdd(add) => tone::solarize_add(image, add),
            Action::Color(factor) => enhance::saturation(image, factor),
            Action::Contrast(factor) => enhance::contrast(image, factor),
            Action::Brightness(factor) => enhance::brightness(image, factor),
            Action::Sharpness(factor) => enhance::sharpness(image, factor, spare),
            Action::Affine(matrix) => {
                let sampling = match self.interpolation {
                    TrainInterpolation::Random if random.chance(0.5) => Sampling::Bilinear,
                    TrainInterpolation::Bilinear => Sampling::Bilinear,
                    TrainInterpolation::Nearest => Sampling::Nearest,
                    _ => Sampling::Bicubic,
                };
                affine::transform(image, &matrix, sampling, self.fill, spare);
                std::mem::swap(image, spare);
            }
        }
    }
}

/// timm's `LEVEL_TO_ARG`; `level` is the magnitude from 0 to 1. With `increasing`, posterize,
/// solarize and the enhancements become stronger with the level as the others do.
fn action(operation: Operation, level: f64, negative: bool, increasing: bool, width: u32, height: u32) -> Action {
    let signed = |value: f64| if negative { -value } else { value };
    let factor = || match increasing {
        true => (1.0 + signed(level * 0.9)).max(0.1),
        false => level * 1.8 + 0.1,
    };
    match operation {
        Operation::AutoContrast => Action::AutoContrast,
        Operation::Equalize => Action::Equalize,
        Operation::Invert => Action::Invert,
        Operation::Rotate => Action::Affine(affine::rotate(signed(level * 30.0), width, height)),
        Operation::Posterize => {
            let bits = (level * 4.0) as u32;
            Action::Posterize(if increasing { 4 - bits } else { bits })
        }
        Operation::Solarize => {
            let threshold = ((level * 256.0) as usize).min(256);
            Action::Solarize(if increasing { 256 - threshold } else { threshold })
        }
        Operation::SolarizeAdd => Action::SolarizeAdd(((level * 110.0) as usize).min(128)),
        Operation::Color => Action::Color(factor()),
        Operation::Contrast => Action::Contrast(factor()),
        Operation::Brightness => Action::Brightness(factor()),
        Operation::Sharpness => Action::Sharpness(factor()),
        Operation::ShearX => Action::Affine(affine::shear_x(signed(level * 0.3))),
        Operation::ShearY => Action::Affine(affine::shear_y(signed(level * 0.3))),
        Operation::TranslateX => Action::Affine(affine::translate(signed(level * 0.45) * f64::from(width), 0.0)),
        Operation::TranslateY => Action::Affine(affine::translate(0.0, signed(level * 0.45) * f64::from(height))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The action at magnitudes 0, 2.5, 5, 9 and 10.
    fn actions(operation: Operation, increasing: bool) -> Vec<Action> {
        [0.0, 0.25, 0.5, 0.9, 1.0].map(|level| action(operation, level, false, increasing, 200, 100)).to_vec()
    }

    /// Their one argument.
    fn arguments(operation: Operation, increasing: bool) -> Vec<f64> {
        let argument = |action: &Action| match *action {
            Action::Posterize(bits) => f64::from(bits),
            Action::Solarize(value) | Action::SolarizeAdd(value) => value as f64,
            Action::Color(f) | Action::Contrast(f) | Action::Brightness(f) | Action::Sharpness(f) => f,
            Action::Affine(matrix) => matrix[1] + matrix[2] + matrix[3] + matrix[5],
            Action::AutoContrast | Action::Equalize | Action::Invert => 0.0,
        };
        actions(operation, increasing).iter().map(argument).collect()
    }

    #[test]
    fn levels_become_the_arguments_that_timm_gives() {
        // timm 1.0.31, `LEVEL_TO_ARG` with the sign that is drawn as plus
        let expected: [(Operation, bool, [f64; 5]); 11] = [
            (Operation::Posterize, false, [0.0, 1.0, 2.0, 3.0, 4.0]),
            (Operation::Posterize, true, [4.0, 3.0, 2.0, 1.0, 0.0]),
            (Operation::Solarize, false, [0.0, 64.0, 128.0, 230.0, 256.0]),
            (Operation::Solarize, true, [256.0, 192.0, 128.0, 26.0, 0.0]),
            (Operation::SolarizeAdd, true, [0.0, 27.0, 55.0, 99.0, 110.0]),
            (Operation::Color, false, [0.1, 0.55, 1.0, 1.72, 1.9]),
            (Operation::Sharpness, true, [1.0, 1.225, 1.45, 1.81, 1.9]),
            (Operation::ShearX, true, [0.0, 0.075, 0.15, 0.27, 0.3]),
            (Operation::ShearY, true, [0.0, 0.075, 0.15, 0.27, 0.3]),
            (Operation::TranslateX, true, [0.0, 22.5, 45.0, 81.0, 90.0]),
            (Operation::TranslateY, true, [0.0, 11.25, 22.5, 40.5, 45.0]),
        ];
        for (operation, increasing, expected) in expected {
            let found = arguments(operation, increasing);
            let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(close, "{operation:?}, increasing {increasing}: {found:?}");
        }
        let turns = actions(Operation::Rotate, true);
        assert_eq!(turns[3], Action::Affine(affine::rotate(27.0, 200, 100)));
        // the other sign: down to a tenth, and the other way round
        let other = |operation, level| action(operation, level, true, true, 200, 100);
        assert_eq!(other(Operation::Color, 1.0), Action::Color(0.1));
        assert_eq!(other(Operation::ShearX, 0.5), Action::Affine(affine::shear_x(-0.15)));
    }

    #[test]
    fn half_of_the_drawn_operations_are_done_and_the_result_follows_from_the_seed() {
        let config = RandAugmentConfig { operations: 1, ..RandAugmentConfig::default() };
        let rand_augment = RandAugment { config: &config, interpolation: TrainInterpolation::Random, fill: [9; 3] };
        let source = Rgb { width: 8, height: 8, pixels: (0..192).map(|i| (i * 5 % 251) as u8).collect() };
        let done = |seed| {
            let (mut image, mut spare) = (source.clone(), Rgb::default());
            rand_augment.apply(&mut image, &mut spare, &mut Draw::new(seed, "augment", 0));
            assert_eq!((image.width, image.height, image.pixels.len()), (8, 8, 192));
            image
        };
        let changed = (0..3000).filter(|seed| done(*seed) != source).count() as f64 / 3000.0;
        // some of the operations may leave an image as it is
        assert!((0.42..0.52).contains(&changed), "{changed}");
        assert_eq!(done(5), done(5));
    }
}
