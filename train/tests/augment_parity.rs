//! Operations on images beside PIL, torchvision and timm, on pictures stored by
//! `fixtures/make_augment_pil.py` (Pillow 13.0.0, torchvision 0.26.0, timm 1.0.31).

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use tessera_datasets::image::Rgb;
use tessera_train::images::augment::affine::{self, Sampling};
use tessera_train::images::augment::{enhance, tone};
use tessera_train::images::{Interpolation, Preparation, Preparer};

const FILL: [u8; 3] = [124, 116, 104];

/// The stored pictures by name.
fn stored() -> BTreeMap<String, Rgb> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/augment_pil.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors
        .iter()
        .map(|(name, tensor)| {
            let [height, width] = [tensor.shape()[0] as u32, tensor.shape()[1] as u32];
            (name.to_owned(), Rgb { width, height, pixels: tensor.data().to_vec() })
        })
        .collect()
}

/// Does an operation of the fixture's name; none where it is of another sort.
fn done(name: &str, argument: f64, source: &Rgb) -> Option<Rgb> {
    let (mut image, mut spare) = (source.clone(), Rgb::default());
    match name {
        "brightness" => enhance::brightness(&mut image, argument),
        "contrast" => enhance::contrast(&mut image, argument),
        "color" => enhance::saturation(&mut image, argument),
        "sharpness" => enhance::sharpness(&mut image, argument, &mut spare),
        "hue" => enhance::hue(&mut image, argument),
        "auto_contrast" => tone::auto_contrast(&mut image),
        "equalize" => tone::equalize(&mut image),
        "invert" => tone::invert(&mut image),
        "posterize" => tone::posterize(&mut image, argument as u32),
        "solarize" => tone::solarize(&mut image, argument as usize),
        "solarize_add" => tone::solarize_add(&mut image, argument as usize),
        _ => {
            let (name, sampling) = name.rsplit_once('_')?;
            let sampling = match sampling {
                "nearest" => Sampling::Nearest,
                "bilinear" => Sampling::Bilinear,
                _ => Sampling::Bicubic,
            };
            let matrix = match name {
                "shear_x" => affine::shear_x(argument),
                "shear_y" => affine::shear_y(argument),
                "translate_x" => affine::translate(argument * f64::from(image.width), 0.0),
                "translate_y" => affine::translate(0.0, argument * f64::from(image.height)),
                "rotate" => affine::rotate(argument, image.width, image.height),
                _ => return None,
            };
            affine::transform(&image, &matrix, sampling, FILL, &mut spare);
            return Some(spare);
        }
    }
    Some(image)
}

/// How far any value is from the stored one, and the share of values that are not the same.
fn distance(found: &[u8], expected: &[u8]) -> (u8, f64) {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
    let other = differences.clone().filter(|difference| *difference > 0).count();
    (differences.max().unwrap_or(0), other as f64 / found.len() as f64)
}

#[test]
fn operations_do_what_pil_does() {
    let pictures = stored();
    let (mut compared, mut wrong) = (0, Vec::new());
    for (key, expected) in &pictures {
        let (source, operation) = key.split_once('/').unwrap();
        let Some((name, argument)) = operation.split_once(' ') else {
            continue;
        };
        let Ok(argument) = argument.parse() else {
            continue;
        };
        let Some(found) = done(name, argument, &pictures[&format!("{source}/source")]) else {
            continue;
        };
        compared += 1;
        let (most, share) = distance(&found.pixels, &expected.pixels);
        // a place on the edge of two pixels is in either: PIL finds the nearest in fixed point
        let equal = if name.ends_with("nearest") { share < 0.005 } else { most == 0 };
        if !equal {
            wrong.push(format!("{key}: up to {most}, {:.1} % of the values", 100.0 * share));
        }
    }
    assert_eq!(compared, 2 * (20 + 4 + 3 + 4 + 3 + 3 + 3 * 11));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn evaluation_sees_what_timm_shows() {
    let pictures = stored();
    let mut compared = 0;
    for (key, expected) in &pictures {
        let (source, operation) = key.split_once('/').unwrap();
        let Some(rest) = operation.strip_prefix("evaluation_") else {
            continue;
        };
        let words: Vec<&str> = rest.split(' ').collect();
        let interpolation = match words[0] {
            "nearest" => Interpolation::Nearest,
            "bilinear" => Interpolation::Bilinear,
            "bicubic" => Interpolation::Bicubic,
            _ => Interpolation::Lanczos3,
        };
        let preparation = Preparation {
            image_size: words[2].parse().unwrap(),
            // 0 to 255 again
            mean: [0.0; 3],
            deviation: [1.0 / 255.0; 3],
            crop: words[1].parse().unwrap(),
            interpolation,
        };
        let mut preparer = Preparer::new(preparation);
        let mut out = vec![0.0; preparer.values()];
        preparer.evaluation(&pictures[&format!("{source}/source")], &mut out).unwrap();
        let found: Vec<u8> = out.iter().map(|value| value.round() as u8).collect();
        let (most, _) = distance(&found, &expected.pixels);
        // a wide filter's weights are rounded a little differently
        assert!(most <= if interpolation == Interpolation::Lanczos3 { 2 } else { 1 }, "{key}: up to {most}");
        compared += 1;
    }
    assert_eq!(compared, 2 * 24);
}
