//! The same pixels as PIL.

use serde_json::Value;

use super::super::*;
use super::{expected, hex, stored};

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

/// The largest difference of two images, and how many values differ.
fn difference(ours: &[u8], theirs: &[u8]) -> (u8, usize) {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
    (differences.clone().max().unwrap(), differences.filter(|d| *d > 0).count())
}

#[test]
fn pixels_of_all_formats_are_those_of_pil() {
    let mut wrong = Vec::new();
    for (name, image) in expected()["images"].as_object().unwrap() {
        let bytes = stored(name);
        let header = header(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let size = (number(&image["width"]), number(&image["height"]));
        assert_eq!((header.width, header.height), size, "{name}");
        assert_eq!(u64::from(header.orientation), image["orientation"].as_u64().unwrap(), "{name}");
        match decode(&bytes, &Limits::default()) {
            Err(refusal) => wrong.push(format!("{name}: {refusal}")),
            Ok(ours) => {
                assert_eq!((ours.width, ours.height), size, "{name}");
                let (largest, count) = difference(&ours.pixels, &hex(&image["pixels"]));
                if u64::from(largest) > image["tolerance"].as_u64().unwrap() {
                    wrong.push(format!("{name}: {count} of {} values differ by up to {largest}", ours.pixels.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn headers_say_what_is_stored() {
    let of = |name: &str| {
        let header = header(&stored(name)).unwrap();
        (header.format, header.colour.model, header.colour.alpha, header.colour.bits)
    };
    assert_eq!(of("q75_420.jpg"), (Format::Jpeg, Model::Rgb, false, 8));
    assert_eq!(of("grey.jpg"), (Format::Jpeg, Model::Grey, false, 8));
    assert_eq!(of("cmyk.jpg"), (Format::Jpeg, Model::Cmyk, false, 8));
    assert_eq!(of("rgba16.png"), (Format::Png, Model::Rgb, true, 16));
    assert_eq!(of("bilevel.png"), (Format::Png, Model::Grey, false, 1));
    assert_eq!(of("palette_transparent.png"), (Format::Png, Model::Palette, true, 4));
    assert_eq!(of("moving.gif"), (Format::Gif, Model::Palette, true, 8));
    assert_eq!(of("rgb.bmp"), (Format::Bmp, Model::Rgb, false, 8));
    assert_eq!(of("rgba.tif"), (Format::Tiff, Model::Rgb, true, 8));
    assert_eq!(of("lossless_alpha.webp"), (Format::WebP, Model::Rgb, true, 8));
    assert_eq!(of("lossy_alpha.webp"), (Format::WebP, Model::Rgb, true, 8));
    assert_eq!(of("lossy.webp"), (Format::WebP, Model::Rgb, false, 8));
}

#[test]
fn resized_images_are_those_of_pil_and_torchvision() {
    let expected = expected();
    let source = Rgb { width: 20, height: 12, pixels: hex(&expected["source"]) };
    let mut resizer = Resizer::new();
    let mut wrong = Vec::new();
    for case in expected["resized"].as_array().unwrap() {
        let filter: Filter = serde_json::from_value(case["filter"].clone()).unwrap();
        let [left, top, width, height] = [0, 1, 2, 3].map(|i| number(&case["region"][i]));
        let region = Region { left, top, width, height };
        let ours = resizer.resize(&source, region, number(&case["width"]), number(&case["height"]), filter).unwrap();
        let (largest, count) = difference(&ours.pixels, &hex(&case["pixels"]));
        // the weights of a filter are rounded, so that one value on the edge may fall to the other side
        if largest > 1 || count > 1 {
            wrong.push(format!("{filter:?} {region:?} to {} × {}: {count} by {largest}", ours.width, ours.height));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
