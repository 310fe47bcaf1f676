//! One image on its way into a batch.

use tessera_datasets::Result;
use tessera_datasets::image::{Region, Resizer, Rgb};

use super::augment::rand_augment::RandAugment;
use super::augment::{crop, erase, jitter};
use super::normalize::Normalize;
use super::{AugmentConfig, Crop, Draw, Interpolation};

/// What a network reads: squares of one size, normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preparation {
    /// The side of the square in pixels.
    pub image_size: usize,
    /// The mean of each channel, which becomes 0; of values from 0 to 1.
    pub mean: [f64; 3],
    /// The deviation of each channel, which becomes 1.
    pub deviation: [f64; 3],
    /// The share of the shorter side that is seen in evaluation: it is resized to
    /// `floor(image_size / crop)`, and the centre is taken (timm's `crop_pct`).
    pub crop: f64,
    /// How images are resized in evaluation.
    pub interpolation: Interpolation,
}

/// Makes the values of one image after the other, with its own scratch memory.
pub struct Preparer {
    preparation: Preparation,
    normalize: Normalize,
    resizer: Resizer,
    /// The square on its way.
    canvas: Rgb,
    /// Where an operation needs a second image.
    spare: Rgb,
}

impl Preparer {
    /// One for the use of one thread.
    pub fn new(preparation: Preparation) -> Self {
        let side = preparation.image_size as u32;
        let square = || Rgb::filled(side, side, [0; 3]);
        let normalize = Normalize::new(&preparation);
        Self { preparation, normalize, resizer: Resizer::new(), canvas: square(), spare: square() }
    }

    /// Values that one image has.
    pub fn values(&self) -> usize {
        self.preparation.image_size * self.preparation.image_size * 3
    }

    /// For evaluation, without chance: timm's `transforms_imagenet_eval` with `crop_mode`
    /// `center`. `out` gets the values `x_hwc`.
    ///
    /// # Errors
    /// When the image has no pixel.
    pub fn evaluation(&mut self, image: &Rgb, out: &mut [f32]) -> Result<()> {
        let Preparation { image_size, crop, interpolation, .. } = self.preparation;
        self.centre(image, (image_size as f64 / crop).floor() as u32, interpolation)?;
        self.normalize.apply(&self.canvas.pixels, out);
        Ok(())
    }

    /// For training, with the augmentations that concern a single image.
    ///
    /// # Errors
    /// When the image has no pixel.
    pub fn training(&mut self, image: &Rgb, augment: &AugmentConfig, random: &mut Draw, out: &mut [f32]) -> Result<()> {
        let size = self.preparation.image_size;
        let drawn = match augment.interpolation.fixed() {
            Some(interpolation) => interpolation,
            None if augment.crop != Crop::Resized => self.preparation.interpolation,
            None if random.chance(0.5) => Interpolation::Bilinear,
            None => Interpolation::Bicubic,
        };
        match augment.crop {
            Crop::None => self.centre(image, size as u32, drawn)?,
            Crop::Pad => {
                self.centre(image, size as u32, drawn)?;
                let (left, top) = (random.integer(0..=2 * augment.pad), random.integer(0..=2 * augment.pad));
                crop::shift(&self.canvas, left, top, augment.pad, &mut self.spare);
                std::mem::swap(&mut self.canvas, &mut self.spare);
            }
            Crop::Resized => {
                let region = crop::resized(image.width, image.height, augment.scale, augment.ratio, random);
                let side = size as u32;
                self.resizer.resize_into(image, region, side, side, drawn, &mut self.canvas.pixels)?;
            }
        }
        if augment.flip > 0.0 && random.chance(augment.flip) {
            crop::flip(&mut self.canvas);
        }
        if let Some(config) = &augment.rand_augment {
            let fill = self.preparation.mean.map(|mean| (255.0 * mean).round().clamp(0.0, 255.0) as u8);
            let rand_augment = RandAugment { config, interpolation: augment.interpolation, fill };
            rand_augment.apply(&mut self.canvas, &mut self.spare, random);
        }
        if let Some(strengths) = &augment.color_jitter {
            jitter::color_jitter(&mut self.canvas, strengths.strengths(), random);
        }
        self.normalize.apply(&self.canvas.pixels, out);
        if augment.erase > 0.0 && random.chance(augment.erase) {
            erase::erase(out, size, size, augment.erase_mode, augment.erase_count, random);
        }
        Ok(())
    }

    /// Resizes the shorter side and takes the centre.
    fn centre(&mut self, image: &Rgb, shorter: u32, interpolation: Interpolation) -> Result<()> {
        let side = self.preparation.image_size as u32;
        let seen = crop::not_too_long(image.width, image.height);
        let (width, height) = crop::resized_shorter(seen.width, seen.height, shorter);
        let centre =
            Region { left: crop::centre(width, side), top: crop::centre(height, side), width: side, height: side };
        let pixels = &mut self.canvas.pixels;
        if (width, height) == (image.width, image.height) {
            return self.resizer.resize_into(image, centre, side, side, interpolation, pixels);
        }
        if (width, height) == (side, side) {
            return self.resizer.resize_into(image, seen, side, side, interpolation, pixels);
        }
        let whole = self.resizer.resize(image, seen, width, height, interpolation)?;
        self.resizer.resize_into(&whole, centre, side, side, interpolation, pixels)
    }
}
