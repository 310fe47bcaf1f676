//! Resizing with antialiasing, as PIL does it.

use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions};
use serde::{Deserialize, Serialize};

use super::{Region, Rgb};
use crate::{Error, Result};

/// How a pixel is made of those around it. All but `Nearest` widen when an image is made smaller
/// (antialiasing), as PIL's filters and torchvision's with `antialias=True` do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// A triangle over two pixels.
    Bilinear,
    /// Cubic with a = -0.5 over four pixels.
    #[default]
    Bicubic,
    /// A windowed sinc over six pixels.
    #[serde(rename = "lanczos")]
    Lanczos3,
}

impl Filter {
    /// The name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
            Self::Lanczos3 => "lanczos",
        }
    }

    fn algorithm(self) -> ResizeAlg {
        match self {
            Self::Nearest => ResizeAlg::Nearest,
            Self::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            Self::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
            Self::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
        }
    }
}

/// Resizes one image after the other with the same scratch memory.
#[derive(Debug, Default)]
pub struct Resizer(fast_image_resize::Resizer);

impl Resizer {
    /// One for the use of one thread.
    pub fn new() -> Self {
        Self::default()
    }

    /// The part of `image` in `region`, `width` by `height` pixels large.
    ///
    /// The region is cut out first: no pixel outside it has a say, as in torchvision's
    /// `resized_crop`. A region that has the wanted size already is only copied.
    ///
    /// # Errors
    /// When the region is not within the image, or a side is to have no pixel.
    pub fn resize(&mut self, image: &Rgb, region: Region, width: u32, height: u32, filter: Filter) -> Result<Rgb> {
        let mut out = Rgb { width, height, pixels: Vec::new() };
        out.pixels.resize(width as usize * height as usize * 3, 0);
        self.resize_into(image, region, width, height, filter, &mut out.pixels)?;
        Ok(out)
    }

    /// As [`Resizer::resize`], into `width * height * 3` values that are there.
    ///
    /// # Errors
    /// As there, and when `out` has another length.
    pub fn resize_into(
        &mut self,
        image: &Rgb,
        region: Region,
        width: u32,
        height: u32,
        filter: Filter,
        out: &mut [u8],
    ) -> Result<()> {
        let failed = |what: &dyn std::fmt::Display| {
            Error::internal(format!("{region:?} of {} × {} to {width} × {height}: {what}", image.width, image.height))
        };
        if !region.is_within(image.width, image.height) || width == 0 || height == 0 {
            return Err(failed(&"no such pixels"));
        }
        if (region.width, region.height) == (width, height) {
            return copy(image, region, out).ok_or_else(|| failed(&"lengths differ"));
        }
        let source = ImageRef::new(image.width, image.height, &image.pixels, PixelType::U8x3);
        let source = source.map_err(|e| failed(&e))?;
        let source = CroppedImage::new(&source, region.left, region.top, region.width, region.height);
        let source = source.map_err(|e| failed(&e))?;
        let mut target = Image::from_slice_u8(width, height, out, PixelType::U8x3).map_err(|e| failed(&e))?;
        let options = ResizeOptions::new().resize_alg(filter.algorithm());
        self.0.resize(&source, &mut target, &options).map_err(|e| failed(&e))
    }
}

fn copy(image: &Rgb, region: Region, out: &mut [u8]) -> Option<()> {
    let width = region.width as usize * 3;
    if out.len() != width * region.height as usize {
        return None;
    }
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        let at = ((region.top as usize + y) * image.width as usize + region.left as usize) * 3;
        row.copy_from_slice(image.pixels.get(at..at + width)?);
    }
    Some(())
}

/// A whole image in another size; for many of them a [`Resizer`] is quicker.
///
/// # Errors
/// When the image or a side has no pixel.
pub fn resize(image: &Rgb, width: u32, height: u32, filter: Filter) -> Result<Rgb> {
    Resizer::new().resize(image, image.region(), width, height, filter)
}
