//! Which part of an image is taken, and how large it becomes.

use serde::Deserialize;
use tessera_datasets::image::Region;

/// What has the size that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// The shorter side, as torchvision's `Resize` of one number; nothing is cut off.
    #[default]
    ShorterSide,
    /// The image fills the size; what is too much is cut off on both sides, as PIL's
    /// `ImageOps.fit`.
    Crop,
    /// The image fits into the size, as PIL's `ImageOps.contain`.
    Fit,
    /// Both sides, whatever becomes of their ratio.
    Exact,
}

/// The size that images are to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) mode: Mode,
    /// Whether an image is made larger where that is needed; else it stays as it is, and `Crop`
    /// only cuts.
    pub(super) enlarge: bool,
}

impl Geometry {
    /// The region that is taken of an image of `width` by `height` pixels, and the size it gets.
    pub(super) fn of(&self, width: u32, height: u32) -> (Region, (u32, u32)) {
        let whole = Region { left: 0, top: 0, width, height };
        let (by_width, by_height) =
            (f64::from(self.width) / f64::from(width), f64::from(self.height) / f64::from(height));
        let limit = if self.enlarge { f64::INFINITY } else { 1.0 };
        let scaled = |by: f64| {
            let side = |side: u32| ((f64::from(side) * by).round() as u32).max(1);
            (side(width), side(height))
        };
        match self.mode {
            Mode::Exact if self.enlarge => (whole, (self.width, self.height)),
            Mode::Exact => (whole, (self.width.min(width), self.height.min(height))),
            Mode::Fit => (whole, scaled(by_width.min(by_height).min(limit))),
            Mode::ShorterSide => (whole, scaled(by_width.max(by_height).min(limit))),
            Mode::Crop => {
                let by = by_width.max(by_height).min(limit);
                // the part of the image that becomes the size, in its own pixels
                let part = |side: u32, of: u32| ((f64::from(side) / by).round() as u32).clamp(1, of);
                let inner = (part(self.width, width), part(self.height, height));
                let size = (self.width.min(scaled(by).0), self.height.min(scaled(by).1));
                (Region::centre((width, height), inner), size)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn geometry(mode: Mode, enlarge: bool) -> Geometry {
        Geometry { width: 100, height: 80, mode, enlarge }
    }

    #[test]
    fn sizes_are_those_of_torchvision_and_pil() {
        let of = |mode, width, height| {
            let (region, size) = geometry(mode, true).of(width, height);
            ([region.left, region.top, region.width, region.height], size)
        };
        assert_eq!(of(Mode::Exact, 7, 9), ([0, 0, 7, 9], (100, 80)));
        assert_eq!(of(Mode::Fit, 200, 80), ([0, 0, 200, 80], (100, 40)));
        assert_eq!(of(Mode::ShorterSide, 200, 80), ([0, 0, 200, 80], (200, 80)));
        assert_eq!(of(Mode::Crop, 200, 80), ([50, 0, 100, 80], (100, 80)));
        assert_eq!(of(Mode::Crop, 50, 80), ([0, 20, 50, 40], (100, 80)));
        assert_eq!(of(Mode::Fit, 10_000, 1), ([0, 0, 10_000, 1], (100, 1)));
    }

    #[test]
    fn small_images_stay_small_where_asked() {
        let of = |mode, width, height| geometry(mode, false).of(width, height).1;
        for mode in [Mode::Exact, Mode::Fit, Mode::ShorterSide, Mode::Crop] {
            assert_eq!(of(mode, 20, 10), (20, 10), "{mode:?}");
        }
        assert_eq!(of(Mode::Crop, 200, 40), (100, 40));
        assert_eq!(of(Mode::Exact, 200, 40), (100, 40));
    }

    proptest! {
        #[test]
        fn the_region_is_within_and_the_size_as_promised(
            width in 1..3000_u32,
            height in 1..3000_u32,
            mode in prop::sample::select(vec![Mode::Exact, Mode::Fit, Mode::ShorterSide, Mode::Crop]),
            enlarge in any::<bool>(),
        ) {
            let (region, size) = geometry(mode, enlarge).of(width, height);
            prop_assert!(region.is_within(width, height), "{region:?}");
            prop_assert!(size.0 > 0 && size.1 > 0);
            match mode {
                Mode::Exact | Mode::Crop if enlarge => prop_assert_eq!(size, (100, 80)),
                Mode::ShorterSide => prop_assert!(!enlarge || (size.0 >= 100 && size.1 >= 80 && (size.0 == 100 || size.1 == 80))),
                _ => prop_assert!(size.0 <= 100 && size.1 <= 80),
            }
        }
    }
}
