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
pub struct Resizer {
    inner: fast_image_resize::Resizer,
    /// Rows that are as wide as wanted, but still as many as there were.
    between: Vec<u8>,
}

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
        let source = (image.pixels.as_slice(), image.width, image.height);
        if filter == Filter::Nearest || region.width == width || region.height == height {
            return pass(&mut self.inner, source, region, (out, width, height), filter).map_err(|e| failed(&e));
        }
        // PIL makes rows narrower first and rounds to 8 bits before it makes them fewer; the order
        // shows, because filters with negative parts overshoot and are cut off in between
        self.between.resize(width as usize * region.height as usize * 3, 0);
        let between = (self.between.as_mut_slice(), width, region.height);
        pass(&mut self.inner, source, region, between, filter).map_err(|e| failed(&e))?;
        let between = (self.between.as_slice(), width, region.height);
        let whole = Region { left: 0, top: 0, width, height: region.height };
        pass(&mut self.inner, between, whole, (out, width, height), filter).map_err(|e| failed(&e))
    }
}

/// Resizes a region of pixels, each with width and height, into others.
fn pass(
    resizer: &mut fast_image_resize::Resizer,
    (pixels, width, height): (&[u8], u32, u32),
    region: Region,
    (out, new_width, new_height): (&mut [u8], u32, u32),
    filter: Filter,
) -> std::result::Result<(), String> {
    let source = ImageRef::new(width, height, pixels, PixelType::U8x3).map_err(|e| e.to_string())?;
    let source = CroppedImage::new(&source, region.left, region.top, region.width, region.height);
    let source = source.map_err(|e| e.to_string())?;
    let mut target = Image::from_slice_u8(new_width, new_height, out, PixelType::U8x3).map_err(|e| e.to_string())?;
    let options = ResizeOptions::new().resize_alg(filter.algorithm());
    resizer.resize(&source, &mut target, &options).map_err(|e| e.to_string())
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
