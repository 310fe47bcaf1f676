//! Operations that look at one value at a time, as PIL's `ImageOps`.

use tessera_datasets::image::Rgb;

/// Every value of every channel through a table.
fn map(image: &mut Rgb, table: &[u8; 256]) {
    image.pixels.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
}

/// Every value through the table of its channel.
fn map_each(image: &mut Rgb, tables: &[[u8; 256]; 3]) {
    for pixel in image.pixels.as_chunks_mut::<3>().0 {
        for (value, table) in pixel.iter_mut().zip(tables) {
            *value = table[usize::from(*value)];
        }
    }
}

fn table(of: impl Fn(usize) -> u8) -> [u8; 256] {
    std::array::from_fn(of)
}

/// How often each value occurs, by channel.
fn histograms(image: &Rgb) -> [[u32; 256]; 3] {
    let mut out = [[0; 256]; 3];
    for pixel in image.pixels.as_chunks::<3>().0 {
        for (value, counts) in pixel.iter().zip(&mut out) {
            counts[usize::from(*value)] += 1;
        }
    }
    out
}

/// `255 - value`.
pub fn invert(image: &mut Rgb) {
    image.pixels.iter_mut().for_each(|value| *value = 255 - *value);
}

/// Keeps so many of the highest bits.
pub fn posterize(image: &mut Rgb, bits: u32) {
    let mask = 255_u32.checked_shl(8_u32.saturating_sub(bits)).unwrap_or(0) as u8;
    image.pixels.iter_mut().for_each(|value| *value &= mask);
}

/// Inverts values from `threshold` (0 to 256) on.
pub fn solarize(image: &mut Rgb, threshold: usize) {
    map(image, &table(|value| if value < threshold { value as u8 } else { 255 - value as u8 }));
}

/// Adds to values below 128 (timm's `solarize_add`).
pub fn solarize_add(image: &mut Rgb, add: usize) {
    map(image, &table(|value| if value < 128 { (value + add).min(255) as u8 } else { value as u8 }));
}

/// Stretches each channel so that its darkest value is 0 and its lightest 255.
pub fn auto_contrast(image: &mut Rgb) {
    let tables = histograms(image).map(|counts| {
        let darkest = counts.iter().position(|count| *count > 0).unwrap_or(0);
        let lightest = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        if lightest <= darkest {
            return table(|value| value as u8);
        }
        let scale = 255.0 / (lightest - darkest) as f64;
        let offset = -(darkest as f64) * scale;
        table(|value| (value as f64 * scale + offset) as u8)
    });
    map_each(image, &tables);
}

/// Makes all values of a channel about equally frequent.
pub fn equalize(image: &mut Rgb) {
    let tables = histograms(image).map(|counts| {
        let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let step = counts[..last].iter().sum::<u32>() / 255;
        if step == 0 {
            return table(|value| value as u8);
        }
        let mut sum = step / 2;
        let mut out = [0; 256];
        for (value, count) in out.iter_mut().zip(counts) {
            *value = (sum / step).min(255) as u8;
            sum += count;
        }
        out
    });
    map_each(image, &tables);
}
