//! Images as a report shows them.

use tessera_datasets::Error;
use tessera_datasets::Result;
use tessera_datasets::image::{Filter, Format, Limits, decode, encode_jpeg, header, resize};

/// The longest side of a thumbnail in pixels.
const SIDE: u32 = 96;
/// Of a thumbnail that is encoded anew.
const QUALITY: u8 = 90;

/// The bytes of an image where they are small and a browser knows the format; else a JPEG of it,
/// made smaller in proportion.
///
/// # Errors
/// When the bytes are no image.
pub(super) fn thumbnail(bytes: &[u8]) -> Result<Vec<u8>> {
    let refused = |refusal: tessera_datasets::image::Refusal| Error::input(refusal.to_string());
    let header = header(bytes).map_err(refused)?;
    let longest = header.width.max(header.height);
    if longest <= SIDE && header.format != Format::Tiff {
        return Ok(bytes.to_vec());
    }
    let image = decode(bytes, &Limits::default()).map_err(refused)?;
    let factor = f64::from(SIDE) / f64::from(longest.max(SIDE));
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    let small = resize(&image, scaled(image.width), scaled(image.height), Filter::Bicubic)?;
    encode_jpeg(&small, QUALITY)
}

#[cfg(test)]
mod tests {
    use tessera_datasets::image::{Rgb, encode_png};

    use super::*;

    #[test]
    fn what_is_small_stays_and_what_is_large_shrinks_in_proportion() {
        let small = encode_png(&Rgb::filled(96, 20, [9, 8, 7])).unwrap();
        assert_eq!(thumbnail(&small).unwrap(), small);
        let large = encode_png(&Rgb::filled(400, 100, [9, 8, 7])).unwrap();
        let found = header(&thumbnail(&large).unwrap()).unwrap();
        assert_eq!((found.format, found.width, found.height), (Format::Jpeg, 96, 24));
        let thin = encode_png(&Rgb::filled(400, 1, [9, 8, 7])).unwrap();
        assert_eq!(header(&thumbnail(&thin).unwrap()).unwrap().height, 1);
        assert!(thumbnail(b"no image").is_err());
    }
}
