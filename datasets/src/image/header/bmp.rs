//! BMP: the size of the rows says where the file must end.

use super::reader::Bytes;
use super::{Colour, Format, Header, Model, Refusal};

/// The first header of OS/2, with sizes of 16 bits.
const CORE: u32 = 12;

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let file = Bytes(bytes);
    let start = u64::from(file.u32_le(10)?);
    let (width, height, bits, compression, stated) = match file.u32_le(14)? {
        CORE => (i32::from(file.u16_le(18)?), i32::from(file.u16_le(20)?), file.u16_le(24)?, 0, 0),
        _ => (file.i32_le(18)?, file.i32_le(22)?, file.u16_le(28)?, file.u32_le(30)?, file.u32_le(34)?),
    };
    // a negative height says that the rows start at the top
    let (Ok(width), height) = (u32::try_from(width), height.unsigned_abs()) else {
        return Err(Refusal::corrupt(format!("a BMP of width {width}")));
    };
    let (model, alpha, each) = match bits {
        1 | 2 | 4 | 8 => (Model::Palette, false, 8),
        16 => (Model::Rgb, false, 5),
        24 => (Model::Rgb, false, 8),
        32 => (Model::Rgb, true, 8),
        n => return Err(Refusal::corrupt(format!("a BMP of {n} bits"))),
    };
    let length = match compression {
        // rows of whole 32 bits
        0 | 3 | 6 => (u64::from(width) * u64::from(bits)).div_ceil(32) * 4 * u64::from(height),
        _ => u64::from(stated),
    };
    if start.checked_add(length).is_none_or(|end| end > bytes.len() as u64) {
        return Err(Refusal::Truncated);
    }
    Header::of(Format::Bmp, (width, height), 1, Colour { model, alpha, bits: each })
}
