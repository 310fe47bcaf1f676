//! torchvision's `ColorJitter`.

use tessera_datasets::image::Rgb;

use super::enhance;
use crate::images::Draw;

/// Changes brightness, contrast, saturation and hue by random factors in a random order. A
/// strength `s` of the first three draws a factor from `max(0, 1 - s)` to `1 + s`, of the hue a
/// turn from `-s` to `s`; 0 leaves it alone.
pub fn color_jitter(image: &mut Rgb, strengths: [f64; 4], random: &mut Draw) {
    let mut order = [0, 1, 2, 3];
    for last in (1..order.len()).rev() {
        order.swap(last, random.integer(0..=last));
    }
    let factors = strengths.map(|strength| random.uniform((1.0 - strength).max(0.0), 1.0 + strength));
    let turn = random.uniform(-strengths[3], strengths[3]);
    for operation in order.into_iter().filter(|operation| strengths[*operation] > 0.0) {
        match operation {
            0 => enhance::brightness(image, factors[0]),
            1 => enhance::contrast(image, factors[1]),
            2 => enhance::saturation(image, factors[2]),
            _ => enhance::hue(image, turn),
        }
    }
}
