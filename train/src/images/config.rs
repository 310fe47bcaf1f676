//! `[train.augment]`: what is done to a training image before the model sees it.

use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::{Error, Result};

use super::Interpolation;

/// `[train.augment]`. Nothing is done unless it is asked for; where timm or torchvision have a
/// default for the details, it is theirs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// How a square is taken from the image.
    pub crop: Crop,
    /// Black pixels on every side of which `crop = "pad"` takes a window.
    pub pad: usize,
    /// `crop = "resized"`: the share of the image's area, from and to.
    pub scale: [f64; 2],
    /// `crop = "resized"`: width over height, from and to, drawn evenly in its logarithm.
    pub ratio: [f64; 2],
    /// How `crop = "resized"` and RandAugment's geometric operations interpolate.
    pub interpolation: TrainInterpolation,
    /// The share of images that are mirrored left to right.
    pub flip: f64,
    /// By how much brightness, contrast, saturation and hue change.
    pub color_jitter: Option<ColorJitter>,
    /// RandAugment (Cubuk et al. 2019).
    pub rand_augment: Option<RandAugmentConfig>,
    /// The share of images of which a rectangle is erased (Zhong et al. 2017).
    pub erase: f64,
    /// What stands in the rectangle afterwards.
    pub erase_mode: EraseMode,
    /// At most so many rectangles, each smaller accordingly.
    pub erase_count: usize,
    /// α of mixup's Beta(α, α) (Zhang et al. 2017); 0 for none.
    pub mixup: f64,
    /// α of CutMix's Beta(α, α) (Yun et al. 2019); 0 for none.
    pub cutmix: f64,
    /// The share of batches that are mixed at all.
    pub mix_probability: f64,
    /// The share of mixed batches that are cut where both are on.
    pub cutmix_share: f64,
    /// How many times an image comes in succession, augmented differently each time (Hoffer et
    /// al. 2019).
    pub repeats: usize,
}

/// How a square of the model's size is taken from an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// The shorter side is resized to the model's size, and the centre taken.
    #[default]
    None,
    /// As `None`; then a window of the same size from the image with a black margin
    /// (torchvision's `RandomCrop` with `padding`).
    Pad,
    /// A box of random area and aspect ratio, resized (torchvision's `RandomResizedCrop`).
    Resized,
}

/// Interpolation of training images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainInterpolation {
    /// Bilinear or bicubic, drawn for each image, as timm's `random`.
    #[default]
    Random,
    /// The nearest pixel.
    Nearest,
    /// Bilinear.
    Bilinear,
    /// Bicubic.
    Bicubic,
    /// Lanczos with three lobes; bicubic where an image is turned or sheared.
    Lanczos,
}

/// Strengths of the colour jitter: one for brightness, contrast and saturation, or one for each,
/// with hue as the fourth where it is given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a list of 3 or 4 numbers")]
pub enum ColorJitter {
    /// Brightness, contrast and saturation alike.
    Same(f64),
    /// Brightness, contrast, saturation and, at most 0.5, hue.
    Each(Vec<f64>),
}

/// RandAugment as timm has it: `rand-m{magnitude}-n{operations}-mstd{deviation}-inc1`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandAugmentConfig {
    /// Operations that are drawn for each image.
    pub operations: usize,
    /// Their strength, 0 to 10.
    pub magnitude: f64,
    /// The standard deviation of the strength.
    pub deviation: f64,
    /// How often an operation that was drawn is done.
    pub probability: f64,
    /// Whether all operations become stronger with the magnitude (`inc1`).
    pub increasing: bool,
}

/// What an erased rectangle holds; the values are of the normalised image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EraseMode {
    /// Normal noise for every value.
    #[default]
    Pixel,
    /// One normal colour.
    Color,
    /// Zero, the mean colour.
    Constant,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            crop: Crop::None,
            pad: 4,
            scale: [0.08, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
            interpolation: TrainInterpolation::Random,
            flip: 0.0,
            color_jitter: None,
            rand_augment: None,
            erase: 0.0,
            erase_mode: EraseMode::Pixel,
            erase_count: 1,
            mixup: 0.0,
            cutmix: 0.0,
            mix_probability: 1.0,
            cutmix_share: 0.5,
            repeats: 1,
        }
    }
}

impl Default for RandAugmentConfig {
    fn default() -> Self {
        Self { operations: 2, magnitude: 9.0, deviation: 0.5, probability: 0.5, increasing: true }
    }
}

impl TrainInterpolation {
    /// The interpolation, where it is not drawn for each image.
    pub fn fixed(self) -> Option<Interpolation> {
        match self {
            TrainInterpolation::Random => None,
            TrainInterpolation::Nearest => Some(Interpolation::Nearest),
            TrainInterpolation::Bilinear => Some(Interpolation::Bilinear),
            TrainInterpolation::Bicubic => Some(Interpolation::Bicubic),
            TrainInterpolation::Lanczos => Some(Interpolation::Lanczos3),
        }
    }
}

impl ColorJitter {
    /// Brightness, contrast, saturation, hue; 0 where one is not changed.
    pub fn strengths(&self) -> [f64; 4] {
        match self {
            ColorJitter::Same(strength) => [*strength, *strength, *strength, 0.0],
            ColorJitter::Each(each) => {
                let mut out = [0.0; 4];
                out.iter_mut().zip(each).for_each(|(strength, given)| *strength = *given);
                out
            }
        }
    }
}

impl AugmentConfig {
    /// Whether batches carry two labels for each image.
    pub fn mixes(&self) -> bool {
        (self.mixup > 0.0 || self.cutmix > 0.0) && self.mix_probability > 0.0
    }

    /// Checks what a type cannot say; `section` is `[train.augment]`.
    ///
    /// # Errors
    /// At the first value that makes no sense.
    pub fn check(&self, section: &Section) -> Result<()> {
        let shares = [
            ("flip", self.flip),
            ("erase", self.erase),
            ("mix_probability", self.mix_probability),
            ("cutmix_share", self.cutmix_share),
        ];
        for (key, value) in shares {
            share(section, key, value)?;
        }
        for (key, value) in [("mixup", self.mixup), ("cutmix", self.cutmix)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(section.error(key, format!("`{key}` {value} is not at least 0")));
            }
        }
        for (key, value) in [("erase_count", self.erase_count), ("repeats", self.repeats)] {
            if value == 0 {
                return Err(section.error(key, format!("`{key}` must be at least 1")));
            }
        }
        let ordered = |[from, to]: [f64; 2]| from > 0.0 && from <= to && to.is_finite();
        if !ordered(self.scale) || self.scale[1] > 1.0 {
            return Err(section.error("scale", "`scale` must be two shares above 0, the smaller first"));
        }
        if !ordered(self.ratio) {
            return Err(section.error("ratio", "`ratio` must be two numbers above 0, the smaller first"));
        }
        self.check_jitter(section)?;
        match &self.rand_augment {
            Some(rand_augment) => rand_augment.check(&section.child("rand_augment")?),
            None => Ok(()),
        }
    }

    fn check_jitter(&self, section: &Section) -> Result<()> {
        let Some(jitter) = &self.color_jitter else {
            return Ok(());
        };
        let wrong = |message: &str| -> Result<()> { Err(section.error("color_jitter", message)) };
        if let ColorJitter::Each(each) = jitter
            && !matches!(each.len(), 3 | 4)
        {
            return wrong("`color_jitter` takes one number, or brightness, contrast, saturation and perhaps hue");
        }
        let strengths = jitter.strengths();
        match strengths.iter().all(|s| s.is_finite() && *s >= 0.0) && strengths[3] <= 0.5 {
            true => Ok(()),
            false => wrong("`color_jitter` must be at least 0, and its hue at most 0.5"),
        }
    }
}

impl RandAugmentConfig {
    fn check(&self, section: &Section) -> Result<()> {
        share(section, "probability", self.probability)?;
        if self.operations == 0 {
            return Err(section.error("operations", "`operations` must be at least 1"));
        }
        if !(0.0..=10.0).contains(&self.magnitude) {
            return Err(section.error("magnitude", format!("`magnitude` {} is not between 0 and 10", self.magnitude)));
        }
        match self.deviation.is_finite() && self.deviation >= 0.0 {
            true => Ok(()),
            false => Err(section.error("deviation", "`deviation` must be at least 0")),
        }
    }
}

fn share(section: &Section, key: &str, value: f64) -> Result<(), Error> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(section.error(key, format!("`{key}` {value} is not between 0 and 1"))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tessera_datasets::config::RunConfig;

    use super::*;

    fn parsed(text: &str) -> Result<AugmentConfig> {
        let text = format!("version = 1\nname = 'a'\ndata.card = 'world'\n[train.augment]\n{text}");
        let config = RunConfig::parse(Path::new("run.toml"), &text, &[])?;
        let section = config.section("train")?.child("augment")?;
        let augment: AugmentConfig = section.parse()?;
        augment.check(&section).map(|()| augment)
    }

    #[test]
    fn nothing_is_done_unless_it_is_asked_for() {
        let none = parsed("").unwrap();
        assert_eq!(none, AugmentConfig::default());
        assert!(none.crop == Crop::None && none.flip == 0.0 && none.rand_augment.is_none() && !none.mixes());
        let some = parsed("crop = 'pad'\nflip = 0.5\nrand_augment = { magnitude = 7 }\ncolor_jitter = 0.4").unwrap();
        assert_eq!(some.rand_augment.unwrap(), RandAugmentConfig { magnitude: 7.0, ..RandAugmentConfig::default() });
        assert_eq!(some.color_jitter.unwrap().strengths(), [0.4, 0.4, 0.4, 0.0]);
        let hue = parsed("color_jitter = [0.1, 0.2, 0.3, 0.05]").unwrap();
        assert_eq!(hue.color_jitter.unwrap().strengths(), [0.1, 0.2, 0.3, 0.05]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        let wrong = [
            ("flipp = 0.5", "unknown key `flipp`"),
            ("flip = 1.5", "`flip` 1.5 is not between 0 and 1"),
            ("crop = 'center'", "unknown variant `center`"),
            ("scale = [0.5, 0.2]", "`scale` must be two shares"),
            ("ratio = [0, 1]", "`ratio` must be two numbers"),
            ("color_jitter = [0.1, 0.2]", "`color_jitter` takes one number"),
            ("color_jitter = [0.1, 0.2, 0.3, 0.6]", "its hue at most 0.5"),
            ("color_jitter = 'much'", "expected a number, or a list of 3 or 4 numbers"),
            ("mixup = -1", "`mixup` -1 is not at least 0"),
            ("repeats = 0", "`repeats` must be at least 1"),
            ("rand_augment = { magnitude = 11 }", "`magnitude` 11 is not between 0 and 10"),
            ("rand_augment = { layers = 2 }", "unknown key `layers`"),
        ];
        for (text, message) in wrong {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(error.starts_with("`run.toml`, row 5"), "{error}");
        }
    }
}
