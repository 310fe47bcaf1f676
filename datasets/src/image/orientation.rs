//! Turning an image upright by the orientation of EXIF.

use super::Rgb;

/// Turns `image` as orientation 1 to 8 of EXIF says; any other number leaves it as it is.
pub(super) fn upright(image: Rgb, orientation: u8) -> Rgb {
    let (width, height) = (image.width as usize, image.height as usize);
    // where the pixel at (x, y) of the upright image is in the stored one
    let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
        2 => |x, y, w, _| (w - 1 - x, y),
        3 => |x, y, w, h| (w - 1 - x, h - 1 - y),
        4 => |x, y, _, h| (x, h - 1 - y),
        5 => |x, y, _, _| (y, x),
        6 => |x, y, _, h| (y, h - 1 - x),
        7 => |x, y, w, h| (w - 1 - y, h - 1 - x),
        8 => |x, y, w, _| (w - 1 - y, x),
        _ => return image,
    };
    let (new_width, new_height) = if swaps_sides(orientation) { (height, width) } else { (width, height) };
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (x, y) = from(x, y, width, height);
            let at = (y * width + x) * 3;
            pixels.extend_from_slice(&image.pixels[at..at + 3]);
        }
    }
    let (width, height) =
        if swaps_sides(orientation) { (image.height, image.width) } else { (image.width, image.height) };
    Rgb { width, height, pixels }
}

/// Whether width and height change places.
pub(super) fn swaps_sides(orientation: u8) -> bool {
    matches!(orientation, 5..=8)
}
