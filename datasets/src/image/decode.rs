//! Bytes to pixels.

use std::io::{Cursor, ErrorKind};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::header::without_palette;
use super::orientation::upright;
use super::{Format, Header, Model, Refusal, Rgb, header};

/// What an image may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels that are decoded.
    pub pixels: u64,
}

impl Default for Limits {
    /// As many as PIL decodes without a warning (`Image.MAX_IMAGE_PIXELS`).
    fn default() -> Self {
        Self { pixels: 89_478_485 }
    }
}

impl Limits {
    /// Whether an image of that size has too many pixels.
    pub fn exceeded_by(&self, width: u32, height: u32) -> bool {
        u64::from(width) * u64::from(height) > self.pixels
    }
}

/// The pixels of an encoded image: upright, alpha laid over white, of 16 bits the higher 8, of a
/// GIF or an animation the first frame.
///
/// # Errors
/// When the bytes are no whole image of a format that is known, or it has more pixels than
/// `limits` allow, which the header says before any is decoded.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Rgb, Refusal> {
    let header = header(bytes)?;
    let (width, height) = (header.width, header.height);
    if limits.exceeded_by(width, height) {
        return Err(Refusal::TooManyPixels { width, height });
    }
    let stored = match header.format {
        Format::Jpeg => jpeg(bytes)?,
        Format::Tiff if header.colour.model == Model::Palette => tiff_palette(bytes, &header)?,
        _ => other(bytes, &header)?,
    };
    let image = upright(stored, header.orientation);
    match (image.width, image.height) == (width, height) {
        true => Ok(image),
        false => Err(Refusal::corrupt("the pixels are not as many as the header says")),
    }
}

fn jpeg(bytes: &[u8]) -> Result<Rgb, Refusal> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(Refusal::corrupt)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| Refusal::corrupt("no size"))?;
    let side = |side: usize| u32::try_from(side).map_err(Refusal::corrupt);
    Ok(Rgb { width: side(width)?, height: side(height)?, pixels })
}

fn other(bytes: &[u8], header: &Header) -> Result<Rgb, Refusal> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), header.format.codec());
    reader.no_limits();
    let decoder = reader.into_decoder().map_err(refusal)?;
    if decoder.dimensions() != header.stored_size() {
        return Err(Refusal::corrupt("two sizes"));
    }
    let image = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    let (width, height) = (image.width(), image.height());
    let pixels = match image {
        DynamicImage::ImageLuma8(image) => image.iter().flat_map(|v| [*v; 3]).collect(),
        DynamicImage::ImageLumaA8(image) => image.pixels().flat_map(|p| [over_white(p.0[0], p.0[1]); 3]).collect(),
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageRgba8(image) => {
            image.pixels().flat_map(|p| [0, 1, 2].map(|c| over_white(p.0[c], p.0[3]))).collect()
        }
        DynamicImage::ImageLuma16(image) => image.iter().flat_map(|v| [high(*v); 3]).collect(),
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().flat_map(|p| [over_white(high(p.0[0]), high(p.0[1])); 3]).collect()
        }
        DynamicImage::ImageRgb16(image) => image.iter().map(|v| high(*v)).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().flat_map(|p| [0, 1, 2].map(|c| over_white(high(p.0[c]), high(p.0[3])))).collect()
        }
        _ => return Err(Refusal::unsupported("floating-point pixels")),
    };
    Ok(Rgb { width, height, pixels })
}

/// A TIFF with a palette, which the decoder does not know: its numbers as grey, then as colours.
fn tiff_palette(bytes: &[u8], header: &Header) -> Result<Rgb, Refusal> {
    let (grey, colours) = without_palette(bytes)?;
    let mut image = other(&grey, header)?;
    for pixel in image.pixels.chunks_exact_mut(3) {
        pixel.copy_from_slice(&colours[usize::from(pixel[0])]);
    }
    Ok(image)
}

fn refusal(error: ImageError) -> Refusal {
    match error {
        ImageError::Unsupported(what) => Refusal::unsupported(what),
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => Refusal::Truncated,
        error => Refusal::corrupt(error),
    }
}

fn high(value: u16) -> u8 {
    (value >> 8) as u8
}

/// A value laid over white, rounded as PIL rounds when it pastes with a mask.
fn over_white(value: u8, alpha: u8) -> u8 {
    let sum = u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 128;
    (((sum >> 8) + sum) >> 8) as u8
}
