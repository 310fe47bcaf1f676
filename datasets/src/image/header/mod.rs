//! What the header of an image says, without decoding it.
//!
//! Also whether the file is whole: each format has an end that can be found by its marks, without
//! looking at the pixels.

mod bmp;
mod gif;
mod jpeg;
mod png;
mod reader;
mod tiff;
mod webp;

use std::fmt;

use super::Refusal;
use super::orientation::swaps_sides;
pub(super) use tiff::without_palette;

/// How an image is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, with or without loss.
    WebP,
    /// GIF.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF.
    Tiff,
}

impl Format {
    /// The name in lower case, as in media types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }

    pub(super) fn codec(self) -> image::ImageFormat {
        match self {
            Self::Jpeg => image::ImageFormat::Jpeg,
            Self::Png => image::ImageFormat::Png,
            Self::WebP => image::ImageFormat::WebP,
            Self::Gif => image::ImageFormat::Gif,
            Self::Bmp => image::ImageFormat::Bmp,
            Self::Tiff => image::ImageFormat::Tiff,
        }
    }

    /// The format whose signature the bytes start with, whatever the file is called.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Self::Tiff),
            // two letters are little: what follows must be the length of a known header
            [b'B', b'M', ..]
                if bytes.get(15..18) == Some(&[0; 3]) && matches!(bytes[14], 12 | 40 | 52 | 56 | 64 | 108 | 124) =>
            {
                Some(Self::Bmp)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the stored numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Light.
    Grey,
    /// Red, green and blue, perhaps by way of luma and chroma.
    Rgb,
    /// Numbers of colours in a table.
    Palette,
    /// Inks.
    Cmyk,
}

/// How the stored pixels say their colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    /// What the numbers are.
    pub model: Model,
    /// Whether pixels may be transparent.
    pub alpha: bool,
    /// Bits of each number.
    pub bits: u8,
}

/// What an image's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How it is encoded.
    pub format: Format,
    /// Pixels in a row of the upright image.
    pub width: u32,
    /// Rows of the upright image.
    pub height: u32,
    /// How the stored image is turned upright: 1 (not at all) to 8, as EXIF counts.
    pub orientation: u8,
    /// How the stored pixels say their colour.
    pub colour: Colour,
}

impl Header {
    /// From the size of the stored image.
    fn of(format: Format, stored: (u32, u32), orientation: u8, colour: Colour) -> Result<Self, Refusal> {
        if stored.0 == 0 || stored.1 == 0 {
            return Err(Refusal::corrupt(format!("{} × {} pixels", stored.0, stored.1)));
        }
        let (width, height) = if swaps_sides(orientation) { (stored.1, stored.0) } else { stored };
        Ok(Self { format, width, height, orientation, colour })
    }

    /// Width and height before the image is turned upright.
    pub(super) fn stored_size(&self) -> (u32, u32) {
        match swaps_sides(self.orientation) {
            true => (self.height, self.width),
            false => (self.width, self.height),
        }
    }
}

/// What the header says; nothing is decoded.
///
/// The format follows from the content, whatever the file is called.
///
/// # Errors
/// When the bytes are of no known format, contradict it, or end too early.
pub fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    match Format::of(bytes).ok_or(Refusal::NotAnImage)? {
        Format::Jpeg => jpeg::header(bytes),
        Format::Png => png::header(bytes),
        Format::WebP => webp::header(bytes),
        Format::Gif => gif::header(bytes),
        Format::Bmp => bmp::header(bytes),
        Format::Tiff => tiff::header(bytes),
    }
}
