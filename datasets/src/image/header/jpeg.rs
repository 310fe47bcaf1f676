//! JPEG: the markers up to the first scan, and the one that ends the image.

use super::reader::Bytes;
use super::tiff::exif_orientation;
use super::{Colour, Format, Header, Model, Refusal};

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;
const APPLICATION_1: u8 = 0xe1;

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let file = Bytes(bytes);
    let mut at = 2;
    let mut frame = None;
    let mut orientation = 1;
    loop {
        if file.u8(at)? != 0xff {
            return Err(Refusal::corrupt("no JPEG marker where one must be"));
        }
        let marker = file.u8(at + 1)?;
        match marker {
            // filling before a marker
            0xff => {
                at += 1;
                continue;
            }
            // markers without content
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            END_OF_IMAGE => return Err(Refusal::corrupt("a JPEG without a scan")),
            _ => {}
        }
        let length = usize::from(file.u16_be(at + 2)?);
        if length < 2 {
            return Err(Refusal::corrupt("a JPEG segment shorter than its length"));
        }
        let content = file.slice(at + 4, length - 2)?;
        match marker {
            // frames; c4, c8 and cc among them are tables and reserved
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && frame.is_none() => {
                frame = Some(frame_of(marker, content)?);
            }
            APPLICATION_1 => {
                if let Some(tiff) = content.strip_prefix(b"Exif\0\0") {
                    orientation = exif_orientation(tiff).unwrap_or(orientation);
                }
            }
            START_OF_SCAN => break,
            _ => {}
        }
        at += 2 + length;
    }
    let Some((size, colour)) = frame else {
        return Err(Refusal::corrupt("a JPEG scan without a frame"));
    };
    if !has_end(&bytes[at..]) {
        return Err(Refusal::Truncated);
    }
    Header::of(Format::Jpeg, size, orientation, colour)
}

fn frame_of(marker: u8, content: &[u8]) -> Result<((u32, u32), Colour), Refusal> {
    let short = |_| Refusal::corrupt("a JPEG frame without a size");
    let content = Bytes(content);
    let bits = content.u8(0).map_err(short)?;
    let height = content.u16_be(1).map_err(short)?;
    let width = content.u16_be(3).map_err(short)?;
    let model = match content.u8(5).map_err(short)? {
        1 => Model::Grey,
        3 => Model::Rgb,
        4 => Model::Cmyk,
        n => return Err(Refusal::unsupported(format!("a JPEG of {n} components"))),
    };
    if !matches!(marker, 0xc0..=0xc2) {
        return Err(Refusal::unsupported("a lossless, hierarchical or arithmetically coded JPEG"));
    }
    if bits != 8 {
        return Err(Refusal::unsupported(format!("a JPEG of {bits} bits")));
    }
    if height == 0 {
        return Err(Refusal::unsupported("a JPEG whose height stands at its end"));
    }
    Ok(((width.into(), height.into()), Colour { model, alpha: false, bits }))
}

/// Whether the image ends in the bytes from its first scan on. In a scan `ff` is always followed by
/// `00` or a marker, so that the end cannot be mistaken; it is looked for from behind, because that
/// is where it is.
fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).rev().any(|pair| pair == [0xff, END_OF_IMAGE])
}
