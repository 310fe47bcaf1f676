//! Brightness, contrast, saturation, sharpness and hue, as PIL's `ImageEnhance` and torchvision's
//! `adjust_hue`. A factor of 1 changes nothing, 0 gives the degenerate image.

use tessera_datasets::image::Rgb;

/// `degenerate + factor * (value - degenerate)`, cut to 8 bits as PIL's `blend` does.
fn blend(degenerate: u8, value: u8, factor: f32) -> u8 {
    let difference = f32::from(value) - f32::from(degenerate);
    // a float becomes a byte by cutting off its fraction, and stops at 0 and 255
    (f32::from(degenerate) + factor * difference) as u8
}

/// PIL's `convert("L")` of one pixel (ITU-R 601-2).
fn grey(pixel: [u8; 3]) -> u8 {
    let [r, g, b] = pixel.map(u32::from);
    ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
}

fn towards(image: &mut Rgb, degenerate: u8, factor: f64) {
    let table: [u8; 256] = std::array::from_fn(|value| blend(degenerate, value as u8, factor as f32));
    image.pixels.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
}

/// From black.
pub fn brightness(image: &mut Rgb, factor: f64) {
    towards(image, 0, factor);
}

/// From the mean grey.
pub fn contrast(image: &mut Rgb, factor: f64) {
    let (pixels, _) = image.pixels.as_chunks::<3>();
    let sum: u64 = pixels.iter().map(|pixel| u64::from(grey(*pixel))).sum();
    let mean = (sum as f64 / pixels.len().max(1) as f64 + 0.5) as u8;
    towards(image, mean, factor);
}

/// Saturation, from the grey image (PIL's `Color`).
pub fn saturation(image: &mut Rgb, factor: f64) {
    for pixel in image.pixels.as_chunks_mut::<3>().0 {
        let degenerate = grey(*pixel);
        *pixel = pixel.map(|value| blend(degenerate, value, factor as f32));
    }
}

/// From the smoothed image. `spare` is scratch memory.
pub fn sharpness(image: &mut Rgb, factor: f64, spare: &mut Rgb) {
    spare.clone_from(image);
    let (width, height) = (image.width as usize, image.height as usize);
    let row = width * 3;
    for y in 1..height.saturating_sub(1) {
        // the border has no neighbours and stays as it is
        for i in y * row + 3..((y + 1) * row).saturating_sub(3) {
            let from = &spare.pixels;
            let line = |at: usize| u32::from(from[at - 3]) + u32::from(from[at]) + u32::from(from[at + 3]);
            // a kernel of ones with 5 in the middle, over 13
            let sum = line(i - row) + line(i) + line(i + row) + 4 * u32::from(from[i]);
            let smooth = ((2 * sum + 13) / 26) as u8;
            image.pixels[i] = blend(smooth, from[i], factor as f32);
        }
    }
}

/// Turns the hue by a share of the circle.
pub fn hue(image: &mut Rgb, turn: f64) {
    let turn = ((turn * 255.0) as i32).rem_euclid(256) as u8;
    for pixel in image.pixels.as_chunks_mut::<3>().0 {
        let [h, s, v] = to_hsv(*pixel);
        *pixel = from_hsv([h.wrapping_add(turn), s, v]);
    }
}

/// PIL's `convert("HSV")` of one pixel.
fn to_hsv([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most == least {
        return [0, 0, most];
    }
    // single precision is PIL's, and where it has it
    let range = f32::from(most - least);
    let [rc, gc, bc] = [r, g, b].map(|value| f32::from(most - value) / range);
    let h = match most {
        _ if r == most => bc - gc,
        _ if g == most => (2.0 + f64::from(rc) - f64::from(bc)) as f32,
        _ => (4.0 + f64::from(gc) - f64::from(rc)) as f32,
    };
    let h = ((f64::from(h) / 6.0 + 1.0) % 1.0) as f32;
    let s = range / f32::from(most);
    [(f64::from(h) * 255.0) as u8, (f64::from(s) * 255.0) as u8, most]
}

/// PIL's `convert("RGB")` of one pixel in hue, saturation and value.
fn from_hsv([h, s, v]: [u8; 3]) -> [u8; 3] {
    if s == 0 {
        return [v; 3];
    }
    let (h, s) = ((f64::from(h) * 6.0 / 255.0) as f32, (f64::from(s) / 255.0) as f32);
    let sector = h.floor();
    let (value, s, rest) = (f64::from(v), f64::from(s), f64::from(h - sector));
    let p = (value * (1.0 - s)).round() as u8;
    let q = (value * (1.0 - s * rest)).round() as u8;
    let t = (value * (1.0 - s * (1.0 - rest))).round() as u8;
    match sector as u8 % 6 {
        0 => [v, t, p],
        1 => [q, v, p],
        2 => [p, v, t],
        3 => [p, q, v],
        4 => [t, p, v],
        _ => [v, p, q],
    }
}
