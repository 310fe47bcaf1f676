//! Pixels to the bytes of a file.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::Rgb;
use crate::{Error, Result};

/// A JPEG; `quality` from 1 to 100 as in libjpeg.
///
/// # Errors
/// When a side has no pixel or more than 65,535.
pub fn encode_jpeg(image: &Rgb, quality: u8) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut out, quality.clamp(1, 100));
    write(image, encoder)?;
    Ok(out)
}

/// A PNG.
///
/// # Errors
/// When there is no pixel.
pub fn encode_png(image: &Rgb) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive);
    write(image, encoder)?;
    Ok(out)
}

fn write(image: &Rgb, encoder: impl ImageEncoder) -> Result<()> {
    let Rgb { width, height, pixels } = image;
    if pixels.is_empty() || pixels.len() as u64 != u64::from(*width) * u64::from(*height) * 3 {
        return Err(Error::internal(format!("{} values as an image of {width} × {height}", pixels.len())));
    }
    let written = encoder.write_image(pixels, *width, *height, ExtendedColorType::Rgb8);
    written.map_err(|e| Error::input(format!("an image of {width} × {height} cannot be encoded: {e}")))
}
