//! Random erasing (Zhong et al. 2017) as timm's `RandomErasing`.

use crate::images::{Draw, EraseMode};

/// The share of the image that a rectangle covers, and height over width.
const AREA: [f64; 2] = [0.02, 1.0 / 3.0];
const ASPECT: [f64; 2] = [0.3, 1.0 / 0.3];

/// Erases one to `most` rectangles of a normalised image `x_hwc` of `height` by `width` pixels;
/// where there are several, each is smaller accordingly.
pub fn erase(image: &mut [f32], height: usize, width: usize, mode: EraseMode, most: usize, random: &mut Draw) {
    let count = random.integer(1..=most.max(1));
    for _ in 0..count {
        for _ in 0..10 {
            let area = random.uniform(AREA[0], AREA[1]) * (height * width) as f64 / count as f64;
            let aspect = random.uniform(ASPECT[0].ln(), ASPECT[1].ln()).exp();
            let down = (area * aspect).sqrt().round_ties_even() as usize;
            let across = (area / aspect).sqrt().round_ties_even() as usize;
            if down < height && across < width {
                let top = random.integer(0..=height - down);
                let left = random.integer(0..=width - across);
                fill(image, width, [top, left, down, across], mode, random);
                break;
            }
        }
    }
}

fn fill(image: &mut [f32], width: usize, [top, left, down, across]: [usize; 4], mode: EraseMode, random: &mut Draw) {
    let mut color = [0.0; 3];
    if mode == EraseMode::Color {
        random.fill_normal(&mut color);
    }
    for y in top..top + down {
        let row = &mut image[(y * width + left) * 3..(y * width + left + across) * 3];
        match mode {
            EraseMode::Pixel => random.fill_normal(row),
            EraseMode::Color | EraseMode::Constant => row.as_chunks_mut::<3>().0.fill(color),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 40;

    /// The rows and columns that were erased, of an image that was nowhere what is written there.
    fn erased(seed: u64, mode: EraseMode, most: usize) -> (Vec<f32>, Vec<(usize, usize)>) {
        let mut image = vec![9.0; SIDE * SIDE * 3];
        erase(&mut image, SIDE, SIDE, mode, most, &mut Draw::new(seed, "erase", 0));
        let changed = |i: &usize| image[i * 3..i * 3 + 3].iter().any(|value| *value != 9.0);
        let places = (0..SIDE * SIDE).filter(changed).map(|i| (i / SIDE, i % SIDE)).collect();
        (image, places)
    }

    #[test]
    fn a_rectangle_of_the_asked_area_is_erased() {
        for seed in 0..200 {
            let (image, places) = erased(seed, EraseMode::Constant, 1);
            let rows = places.iter().map(|p| p.0).max().unwrap() - places.iter().map(|p| p.0).min().unwrap() + 1;
            let columns = places.iter().map(|p| p.1).max().unwrap() - places.iter().map(|p| p.1).min().unwrap() + 1;
            assert_eq!(places.len(), rows * columns, "it is a rectangle");
            let share = places.len() as f64 / (SIDE * SIDE) as f64;
            // both sides are rounded to whole pixels
            assert!((0.015..0.36).contains(&share), "{share}");
            let (y, x) = places[0];
            assert_eq!(image[(y * SIDE + x) * 3..][..3], [0.0; 3]);
        }
    }

    #[test]
    fn what_stands_there_is_what_was_asked_for() {
        let (image, places) = erased(1, EraseMode::Color, 1);
        let colors: Vec<[f32; 3]> = places.iter().map(|(y, x)| image.as_chunks::<3>().0[y * SIDE + x]).collect();
        assert!(colors.iter().all(|color| *color == colors[0]) && colors[0][0] != colors[0][1]);
        let values: Vec<f32> = (0..100)
            .flat_map(|seed| {
                let (image, places) = erased(seed, EraseMode::Pixel, 1);
                places.into_iter().flat_map(move |(y, x)| image.as_chunks::<3>().0[y * SIDE + x])
            })
            .collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn several_rectangles_are_smaller() {
        let mean = |most| (0..300).map(|seed| erased(seed, EraseMode::Constant, most).1.len()).sum::<usize>() / 300;
        assert!(mean(4) <= mean(1) + 15, "{} and {}", mean(4), mean(1));
        assert_ne!(erased(7, EraseMode::Constant, 4).1, erased(7, EraseMode::Constant, 1).1);
    }
}
