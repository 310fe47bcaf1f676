//! TIFF, and the TIFF inside EXIF: a directory of tags.

use super::reader::Bytes;
use super::{Colour, Format, Header, Model, Refusal};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const STRIP_LENGTHS: u16 = 279;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const COLOUR_MAP: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;

/// The photometric interpretation of palettes.
const PALETTE: u32 = 3;

pub(super) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let directory = Directory::first(bytes)?;
    let side = |tag, name| directory.number(tag)?.ok_or_else(|| Refusal::corrupt(format!("a TIFF without {name}")));
    let size = (side(WIDTH, "a width")?, side(HEIGHT, "a height")?);
    let bits = directory.number(BITS)?.unwrap_or(1);
    let samples = directory.number(SAMPLES)?.unwrap_or(1);
    let (model, colours) = match directory.number(PHOTOMETRIC)?.unwrap_or(1) {
        0 | 1 => (Model::Grey, 1),
        2 | 6 => (Model::Rgb, 3),
        PALETTE => (Model::Palette, 1),
        5 => (Model::Cmyk, 4),
        n => return Err(Refusal::unsupported(format!("a TIFF of photometric interpretation {n}"))),
    };
    let alpha = samples > colours && directory.entry(EXTRA_SAMPLES)?.is_some();
    for (offsets, lengths) in [(STRIP_OFFSETS, STRIP_LENGTHS), (TILE_OFFSETS, TILE_LENGTHS)] {
        directory.check_pieces(offsets, lengths)?;
    }
    directory.check_end()?;
    let orientation = directory.orientation()?.unwrap_or(1);
    let bits = u8::try_from(bits).map_err(|_| Refusal::corrupt(format!("a TIFF of {bits} bits")))?;
    Header::of(Format::Tiff, size, orientation, Colour { model, alpha, bits })
}

/// The orientation that EXIF data say, 1 to 8. What cannot be read says nothing.
pub(super) fn exif_orientation(tiff: &[u8]) -> Option<u8> {
    Directory::first(tiff).ok()?.orientation().ok()?
}

/// The same file with the numbers of its palette taken for grey, and the colours of these numbers.
///
/// # Errors
/// When the numbers are not of 8 bits.
pub(in crate::image) fn without_palette(bytes: &[u8]) -> Result<(Vec<u8>, Vec<[u8; 3]>), Refusal> {
    let directory = Directory::first(bytes)?;
    let map = directory.entry(COLOUR_MAP)?.filter(|map| map.count == 3 * 256);
    let photometric = directory.entry(PHOTOMETRIC)?.filter(|entry| entry.size == 2);
    let (Some(map), Some(photometric)) = (map, photometric) else {
        return Err(Refusal::unsupported("a TIFF with a palette of other than 256 colours"));
    };
    // all reds, all greens, all blues, of 16 bits
    let value = |i| directory.value(map, i).map(|value| (value >> 8) as u8);
    let colour = |i| Ok([value(i)?, value(256 + i)?, value(512 + i)?]);
    let colours = (0..256).map(colour).collect::<Result<_, Refusal>>()?;
    let mut grey = bytes.to_vec();
    let one: u16 = 1;
    let one = if directory.big_endian { one.to_be_bytes() } else { one.to_le_bytes() };
    grey[photometric.at..photometric.at + 2].copy_from_slice(&one);
    Ok((grey, colours))
}

/// The first directory of a file.
struct Directory<'a> {
    file: Bytes<'a>,
    big_endian: bool,
    at: usize,
    entries: u16,
}

/// The values of a tag.
#[derive(Clone, Copy)]
struct Entry {
    /// The size of one in bytes.
    size: usize,
    count: usize,
    /// Where they are.
    at: usize,
}

impl<'a> Directory<'a> {
    fn first(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let file = Bytes(bytes);
        let big_endian = match file.slice(0, 4)? {
            [b'I', b'I', 42, 0] => false,
            [b'M', b'M', 0, 42] => true,
            _ => return Err(Refusal::NotAnImage),
        };
        let mut directory = Self { file, big_endian, at: 0, entries: 0 };
        directory.at = directory.u32(4)? as usize;
        directory.entries = directory.u16(directory.at)?;
        Ok(directory)
    }

    fn u16(&self, at: usize) -> Result<u16, Refusal> {
        if self.big_endian { self.file.u16_be(at) } else { self.file.u16_le(at) }
    }

    fn u32(&self, at: usize) -> Result<u32, Refusal> {
        if self.big_endian { self.file.u32_be(at) } else { self.file.u32_le(at) }
    }

    fn entry(&self, tag: u16) -> Result<Option<Entry>, Refusal> {
        for i in 0..usize::from(self.entries) {
            let at = self.at + 2 + 12 * i;
            if self.u16(at)? != tag {
                continue;
            }
            let size = match self.u16(at + 2)? {
                1 => 1,
                3 => 2,
                4 => 4,
                n => return Err(Refusal::corrupt(format!("tag {tag} of type {n} in a TIFF"))),
            };
            let count = self.u32(at + 4)? as usize;
            // what fits into the entry stands there
            let inside = count.checked_mul(size).is_some_and(|length| length <= 4);
            let at = if inside { at + 8 } else { self.u32(at + 8)? as usize };
            return Ok(Some(Entry { size, count, at }));
        }
        Ok(None)
    }

    fn value(&self, entry: Entry, i: usize) -> Result<u32, Refusal> {
        let at = i.checked_mul(entry.size).and_then(|by| entry.at.checked_add(by)).ok_or(Refusal::Truncated)?;
        match entry.size {
            1 => self.file.u8(at).map(u32::from),
            2 => self.u16(at).map(u32::from),
            _ => self.u32(at),
        }
    }

    /// The first value of a tag.
    fn number(&self, tag: u16) -> Result<Option<u32>, Refusal> {
        match self.entry(tag)? {
            Some(entry) if entry.count > 0 => self.value(entry, 0).map(Some),
            _ => Ok(None),
        }
    }

    fn orientation(&self) -> Result<Option<u8>, Refusal> {
        let number = self.number(ORIENTATION)?;
        Ok(number.and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=8).contains(n)))
    }

    /// Whether the directory ends within the file, with the place of the next one.
    fn check_end(&self) -> Result<(), Refusal> {
        self.u32(self.at + 2 + 12 * usize::from(self.entries)).map(|_| ())
    }

    /// Whether all strips or tiles lie within the file.
    fn check_pieces(&self, offsets: u16, lengths: u16) -> Result<(), Refusal> {
        let (Some(offsets), Some(lengths)) = (self.entry(offsets)?, self.entry(lengths)?) else {
            return Ok(());
        };
        for i in 0..offsets.count.min(lengths.count) {
            let end = u64::from(self.value(offsets, i)?) + u64::from(self.value(lengths, i)?);
            if end > self.file.0.len() as u64 {
                return Err(Refusal::Truncated);
            }
        }
        Ok(())
    }
}
