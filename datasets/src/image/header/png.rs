//! PNG: chunk by chunk up to `IEND`.

use super::reader::Bytes;
use super::tiff::exif_orientation;
use super::{Colour, Format, Header, Model, Refusal};

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let file = Bytes(bytes);
    if file.u32_be(8)? != 13 || file.slice(12, 4)? != b"IHDR" {
        return Err(Refusal::corrupt("a PNG that does not start with its header"));
    }
    let size = (file.u32_be(16)?, file.u32_be(20)?);
    let bits = file.u8(24)?;
    let (model, mut alpha) = match file.u8(25)? {
        0 => (Model::Grey, false),
        2 => (Model::Rgb, false),
        3 => (Model::Palette, false),
        4 => (Model::Grey, true),
        6 => (Model::Rgb, true),
        n => return Err(Refusal::corrupt(format!("colour type {n} in a PNG"))),
    };
    let mut orientation = 1;
    let mut has_pixels = false;
    let mut at = 8;
    loop {
        let length = file.u32_be(at)? as usize;
        let name = file.slice(at + 4, 4)?;
        // with its checksum
        let content = file.slice(at + 8, length.checked_add(4).ok_or(Refusal::Truncated)?)?;
        match name {
            b"IDAT" => has_pixels = true,
            b"tRNS" => alpha = true,
            b"eXIf" => orientation = exif_orientation(&content[..length]).unwrap_or(orientation),
            b"IEND" => break,
            _ => {}
        }
        at += 12 + length;
    }
    if !has_pixels {
        return Err(Refusal::corrupt("a PNG without pixels"));
    }
    Header::of(Format::Png, size, orientation, Colour { model, alpha, bits })
}
