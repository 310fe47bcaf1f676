//! WebP: the first chunk of a RIFF file says what it is.

use super::reader::Bytes;
use super::tiff::exif_orientation;
use super::{Colour, Format, Header, Model, Refusal};

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let file = Bytes(bytes);
    let end = 8 + file.u32_le(4)? as usize;
    if end > bytes.len() {
        return Err(Refusal::Truncated);
    }
    let mut orientation = 1;
    let (size, alpha) = match file.slice(12, 4)? {
        b"VP8 " => {
            if file.u24_le(23)? != 0x002a_019d {
                return Err(Refusal::corrupt("a WebP that does not start with a key frame"));
            }
            let side = |at| file.u16_le(at).map(|n| u32::from(n & 0x3fff));
            ((side(26)?, side(28)?), false)
        }
        b"VP8L" => {
            if file.u8(20)? != 0x2f {
                return Err(Refusal::corrupt("a lossless WebP without its signature"));
            }
            let packed = file.u32_le(21)?;
            (((packed & 0x3fff) + 1, (packed >> 14 & 0x3fff) + 1), packed >> 28 & 1 == 1)
        }
        b"VP8X" => {
            let flags = file.u8(20)?;
            if flags & 0x08 != 0 {
                orientation = exif(file, end)?.unwrap_or(1);
            }
            ((file.u24_le(24)? + 1, file.u24_le(27)? + 1), flags & 0x10 != 0)
        }
        other => return Err(Refusal::unsupported(format!("a WebP of kind `{}`", other.escape_ascii()))),
    };
    Header::of(Format::WebP, size, orientation, Colour { model: Model::Rgb, alpha, bits: 8 })
}

/// The orientation in the chunk `EXIF`.
fn exif(file: Bytes<'_>, end: usize) -> Result<Option<u8>, Refusal> {
    let mut at = 12;
    while at + 8 <= end {
        let length = file.u32_le(at + 4)? as usize;
        if file.slice(at, 4)? == b"EXIF" {
            let content = file.slice(at + 8, length)?;
            return Ok(exif_orientation(content.strip_prefix(b"Exif\0\0").unwrap_or(content)));
        }
        // chunks have an even length
        at = at.saturating_add(8).saturating_add(length).saturating_add(length % 2);
    }
    Ok(None)
}
