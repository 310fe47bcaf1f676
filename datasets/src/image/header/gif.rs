//! GIF: block by block up to the trailer.

use super::reader::Bytes;
use super::{Colour, Format, Header, Model, Refusal};

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let file = Bytes(bytes);
    let size = (file.u16_le(6)?.into(), file.u16_le(8)?.into());
    let mut at = 13 + table(file.u8(10)?);
    let mut frames = 0;
    let mut alpha = false;
    loop {
        match file.u8(at)? {
            IMAGE => {
                frames += 1;
                // place and size, flags; then a table of colours, and the size of a code
                at += 10 + table(file.u8(at + 9)?) + 1;
            }
            EXTENSION => {
                if file.u8(at + 1)? == GRAPHIC_CONTROL && frames == 0 {
                    alpha = file.u8(at + 3)? & 1 == 1;
                }
                at += 2;
            }
            TRAILER => break,
            other => return Err(Refusal::corrupt(format!("a GIF block of kind {other:#04x}"))),
        }
        loop {
            let length = usize::from(file.u8(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
    if frames == 0 {
        return Err(Refusal::corrupt("a GIF without a frame"));
    }
    Header::of(Format::Gif, size, 1, Colour { model: Model::Palette, alpha, bits: 8 })
}

/// The bytes of the table of colours that flags announce.
fn table(flags: u8) -> usize {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}
