//! Where a square is taken from an image, and mirroring.

use tessera_datasets::image::{Region, Rgb};

use crate::images::Draw;

/// The size of an image whose shorter side becomes `shorter` (torchvision's `Resize`).
pub fn resized_shorter(width: u32, height: u32, shorter: u32) -> (u32, u32) {
    let longer = |short: u32, long: u32| {
        let longer = u64::from(shorter) * u64::from(long) / u64::from(short.max(1));
        u32::try_from(longer).unwrap_or(u32::MAX)
    };
    match width <= height {
        true => (shorter, longer(width, height)),
        false => (longer(height, width), shorter),
    }
}

/// The middle of an image that is more than eight times as long as wide, and else all of it: only
/// the centre is taken later, and a strip of one pixel's width would be blown up as a whole.
pub fn not_too_long(width: u32, height: u32) -> Region {
    let longest = width.min(height).saturating_mul(8);
    Region::centre((width, height), (longest, longest))
}

/// Where the middle `inner` of `outer` pixels begin (torchvision's `CenterCrop`, which rounds a
/// half to the even number).
pub fn centre(outer: u32, inner: u32) -> u32 {
    (f64::from(outer.saturating_sub(inner)) / 2.0).round_ties_even() as u32
}

/// A box of random area and aspect ratio: torchvision's `RandomResizedCrop.get_params`. `scale`
/// is the share of the area, `ratio` width over height.
pub fn resized(width: u32, height: u32, scale: [f64; 2], ratio: [f64; 2], random: &mut Draw) -> Region {
    let (w, h) = (f64::from(width), f64::from(height));
    for _ in 0..10 {
        let area = random.uniform(scale[0], scale[1]) * w * h;
        let aspect = random.uniform(ratio[0].ln(), ratio[1].ln()).exp();
        let (across, down) = ((area * aspect).sqrt().round_ties_even(), (area / aspect).sqrt().round_ties_even());
        if (1.0..=w).contains(&across) && (1.0..=h).contains(&down) {
            let (across, down) = (across as u32, down as u32);
            let top = random.integer(0..=(height - down) as usize) as u32;
            let left = random.integer(0..=(width - across) as usize) as u32;
            return Region { left, top, width: across, height: down };
        }
    }
    // the image is too long for every ratio, or too small for a pixel: as much of its middle as fits
    let (across, down) = match w / h {
        narrow if narrow < ratio[0] => (w, (w / ratio[0]).round_ties_even()),
        wide if wide > ratio[1] => ((h * ratio[1]).round_ties_even(), h),
        _ => (w, h),
    };
    let (across, down) = ((across as u32).clamp(1, width), (down as u32).clamp(1, height));
    Region { left: (width - across) / 2, top: (height - down) / 2, width: across, height: down }
}

/// The window of the image's own size at (`left`, `top`) of the image with `pad` black pixels on
/// every side: torchvision's `RandomCrop(size, padding=pad)`.
pub fn shift(image: &Rgb, left: usize, top: usize, pad: usize, out: &mut Rgb) {
    let (width, height) = (image.width as usize, image.height as usize);
    (out.width, out.height) = (image.width, image.height);
    out.pixels.clear();
    out.pixels.resize(image.pixels.len(), 0);
    // the columns of the window that are in the image
    let first = pad.saturating_sub(left).min(width);
    let last = (width + pad).saturating_sub(left).min(width);
    for y in 0..height {
        let Some(source) = (y + top).checked_sub(pad).filter(|source| *source < height) else {
            continue;
        };
        if first < last {
            let (to, from) = ((y * width + first) * 3, (source * width + first + left - pad) * 3);
            let length = (last - first) * 3;
            out.pixels[to..to + length].copy_from_slice(&image.pixels[from..from + length]);
        }
    }
}

/// Mirrors left to right.
pub fn flip(image: &mut Rgb) {
    for row in image.pixels.chunks_exact_mut(image.width as usize * 3) {
        let (pixels, _) = row.as_chunks_mut::<3>();
        pixels.reverse();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbered(width: u32, height: u32) -> Rgb {
        let pixels = (0..width * height).flat_map(|i| [i as u8 + 1, 100, 200]).collect();
        Rgb { width, height, pixels }
    }

    proptest! {
        #[test]
        fn a_resized_crop_is_within_and_has_the_asked_area(
            width in 1_u32..300, height in 1_u32..300, seed in 0_u64..1000,
        ) {
            let (scale, ratio) = ([0.2, 0.9], [0.75, 4.0 / 3.0]);
            let region = resized(width, height, scale, ratio, &mut Draw::new(seed, "crop", 0));
            prop_assert!(region.is_within(width, height));
            let share = f64::from(region.width * region.height) / f64::from(width * height);
            // rounding of both sides, and the middle where the image is too long
            let usual = width > 20 && height > 20 && (width * 3 <= height * 4) && (height * 3 <= width * 4);
            prop_assert!(!usual || (0.15..0.98).contains(&share), "{share}");
        }

        #[test]
        fn a_shifted_window_holds_what_lies_there(left in 0_usize..9, top in 0_usize..9) {
            let (image, mut out) = (numbered(6, 5), Rgb::default());
            shift(&image, left, top, 4, &mut out);
            for y in 0..5_usize {
                for x in 0..6_usize {
                    let inside = (4..10).contains(&(x + left)) && (4..9).contains(&(y + top));
                    let expected = match inside {
                        true => image.at((x + left - 4) as u32, (y + top - 4) as u32),
                        false => [0; 3],
                    };
                    prop_assert_eq!(out.at(x as u32, y as u32), expected);
                }
            }
        }
    }

    #[test]
    fn areas_are_spread_evenly_between_the_bounds() {
        let mut random = Draw::new(3, "crop", 0);
        let shares: Vec<f64> = (0..4000)
            .map(|_| resized(1000, 1000, [0.08, 1.0], [0.75, 4.0 / 3.0], &mut random))
            .map(|region| f64::from(region.width * region.height) / 1e6)
            .collect();
        assert!(shares.iter().all(|share| (0.079..=1.0).contains(share)));
        // those that do not fit are drawn again, so that large ones are a little rarer
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        assert!((0.44..0.54).contains(&mean), "{mean}");
        let small = shares.iter().filter(|share| **share < 0.31).count() as f64 / shares.len() as f64;
        assert!((0.22..0.32).contains(&small), "{small}");
    }

    #[test]
    fn an_image_that_is_too_long_gives_its_middle() {
        let region = resized(1000, 10, [0.5, 1.0], [0.75, 4.0 / 3.0], &mut Draw::new(0, "crop", 0));
        assert_eq!(region, Region { left: 493, top: 0, width: 13, height: 10 });
    }

    #[test]
    fn sizes_and_centres_are_torchvisions() {
        // torchvision 0.26: Resize(224) and CenterCrop(224)
        assert_eq!(resized_shorter(500, 375, 224), (298, 224));
        assert_eq!(resized_shorter(375, 500, 256), (256, 341));
        assert_eq!([centre(298, 224), centre(341, 224), centre(225, 224), centre(227, 224)], [37, 58, 0, 2]);
    }

    #[test]
    fn of_a_long_strip_only_the_middle_is_resized() {
        assert_eq!(not_too_long(500, 375), Region { left: 0, top: 0, width: 500, height: 375 });
        assert_eq!(not_too_long(2, 60_000), Region { left: 0, top: 29_992, width: 2, height: 16 });
    }

    #[test]
    fn mirroring_twice_changes_nothing() {
        let (image, mut mirrored) = (numbered(5, 3), numbered(5, 3));
        flip(&mut mirrored);
        assert_eq!(mirrored.at(0, 1), image.at(4, 1));
        flip(&mut mirrored);
        assert_eq!(mirrored, image);
    }
}
