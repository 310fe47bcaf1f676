//! Bytes that are no image, or no longer one.

use proptest::prelude::*;

use super::super::*;
use super::{names, stored};

const SMALL: Limits = Limits { pixels: 1 << 16 };

#[test]
fn no_beginning_of_a_file_is_taken_for_an_image() {
    for name in names() {
        let whole = stored(&name);
        for length in 0..whole.len() {
            let refusal = decode(&whole[..length], &SMALL).expect_err(&format!("{length} bytes of {name}"));
            match length < 18 && refusal == Refusal::NotAnImage {
                true => {}
                false => assert_eq!(refusal, Refusal::Truncated, "{length} of {} bytes of {name}", whole.len()),
            }
        }
    }
}

#[test]
fn what_follows_the_end_of_an_image_does_no_harm() {
    for name in names() {
        let mut bytes = stored(&name);
        let image = decode(&bytes, &SMALL).unwrap();
        bytes.extend_from_slice(b"\0\0\xff\xd8 more");
        assert_eq!(decode(&bytes, &SMALL).unwrap(), image, "{name}");
    }
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut bytes = stored("grey.png");
    bytes[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let refusal = decode(&bytes, &Limits::default()).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyPixels { width: 30_000, height: 30_000 });
    assert_eq!(refusal.to_string(), "too many pixels: 30000 × 30000");
    let header = header(&bytes).unwrap();
    assert_eq!((header.width, header.height), (30_000, 30_000));
}

#[test]
fn text_and_nothing_are_no_images() {
    for bytes in [&b""[..], b"BM is how this text starts, and it goes on", b"hello, I am called cat.png", b"\xff\xd8"] {
        assert_eq!(header(bytes), Err(Refusal::NotAnImage));
        assert_eq!(decode(bytes, &SMALL), Err(Refusal::NotAnImage));
    }
}

#[test]
fn the_smallest_image_is_an_image() {
    let image = Rgb::filled(1, 1, [1, 2, 3]);
    assert_eq!(decode(&encode_png(&image).unwrap(), &SMALL).unwrap(), image);
    let jpeg = decode(&encode_jpeg(&image, 95).unwrap(), &SMALL).unwrap();
    assert_eq!((jpeg.width, jpeg.height), (1, 1));
    assert_eq!(resize(&image, 3, 2, Filter::Bicubic).unwrap(), Rgb::filled(3, 2, [1, 2, 3]));
}

#[test]
fn images_without_pixels_are_refused() {
    let mut png = stored("rgb.png");
    png[16..20].fill(0);
    assert_eq!(header(&png).unwrap_err().reason(), "corrupt image");
    let image = Rgb::filled(4, 4, [0; 3]);
    assert!(resize(&image, 0, 2, Filter::Bilinear).is_err());
    let outside = Region { left: 3, top: 0, width: 2, height: 1 };
    assert!(Resizer::new().resize(&image, outside, 1, 1, Filter::Nearest).is_err());
    assert!(encode_png(&Rgb::default()).is_err());
    assert!(encode_jpeg(&Rgb { width: 2, height: 2, pixels: vec![0; 3] }, 90).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_an_image_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), start in 0..7_usize) {
        let signatures: [&[u8]; 7] =
            [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"GIF89a", b"BM", b"RIFF\x40\0\0\0WEBPVP8", b"II*\0\x08\0\0\0"];
        let bytes = [signatures[start], &bytes].concat();
        let _ = decode(&bytes, &SMALL);
    }

    #[test]
    fn a_damaged_image_is_an_image_or_refused(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let names = names();
        let mut bytes = stored(&names[which.index(names.len())]);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(image) = decode(&bytes, &SMALL) {
            prop_assert_eq!(image.pixels.len() as u64, u64::from(image.width) * u64::from(image.height) * 3);
        }
    }

    #[test]
    fn png_keeps_every_pixel(width in 1..9_u32, height in 1..9_u32, seed in any::<u8>()) {
        let values = (0..width * height * 3).map(|i| (i as u8).wrapping_mul(37).wrapping_add(seed));
        let image = Rgb { width, height, pixels: values.collect() };
        prop_assert_eq!(decode(&encode_png(&image).unwrap(), &SMALL).unwrap(), image);
    }
}
