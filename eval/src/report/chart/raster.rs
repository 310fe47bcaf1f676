//! Small pictures of pixels, as addresses that hold them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// The colour of what is high, in light and dark alike: it is laid over the page with its strength.
const HOT: [u8; 3] = [213, 94, 0];
/// The colour of what is below 0.
const COLD: [u8; 3] = [11, 95, 165];
/// What a veil is made of where a value is lowest and where it is highest: dark and thick, and a thin
/// glow, so that it is seen on dark and on bright pictures.
const SHADE: [f64; 4] = [6.0, 10.0, 34.0, 214.0];
const GLOW: [f64; 4] = [255.0, 150.0, 24.0, 92.0];

/// Pixels with red, green, blue and opacity.
#[derive(Clone, Debug)]
pub struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Raster {
    /// A picture through which the page is seen.
    pub fn clear(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![0; 4 * width * height] }
    }

    /// Width and height.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Sets a pixel.
    pub fn set(&mut self, x: usize, y: usize, colour: [u8; 4]) {
        let at = 4 * (y * self.width + x);
        self.pixels[at..at + 4].copy_from_slice(&colour);
    }

    /// A veil that darkens a picture where a value is low (as in Figure 6 of Dosovitskiy et al. 2021)
    /// and glows where it is high. Values are 0 to 1.
    pub fn veil(width: usize, height: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let mut raster = Self::clear(width, height);
        raster.fill(|x, y| {
            let high = value(x, y).clamp(0.0, 1.0);
            [0, 1, 2, 3].map(|part| (SHADE[part] + (GLOW[part] - SHADE[part]) * high).round() as u8)
        });
        raster
    }

    /// Colours every pixel.
    pub fn fill(&mut self, colour: impl Fn(usize, usize) -> [u8; 4]) {
        for y in 0..self.height {
            for x in 0..self.width {
                self.set(x, y, colour(x, y));
            }
        }
    }

    /// The picture as a `data:` address of a PNG; empty where it has no pixels.
    pub fn address(&self) -> String {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter);
        let (width, height) = (self.width as u32, self.height as u32);
        match encoder.write_image(&self.pixels, width, height, ExtendedColorType::Rgba8) {
            Ok(()) => address("image/png", &bytes),
            Err(_) => String::new(),
        }
    }
}

/// Bytes as a `data:` address.
pub fn address(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// The colour of a value from -1 to 1: cold below 0, hot above, the page at 0.
pub fn diverging(value: f64) -> [u8; 4] {
    let [r, g, b] = if value < 0.0 { COLD } else { HOT };
    [r, g, b, (255.0 * value.abs().clamp(0.0, 1.0)).round() as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back_from_its_address() {
        let raster = Raster::veil(3, 2, |x, y| (x + 3 * y) as f64 / 5.0);
        let address = raster.address();
        let bytes = STANDARD.decode(address.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let back = image::load_from_memory(&bytes).unwrap().to_rgba8();
        assert_eq!((back.width(), back.height()), (3, 2));
        assert_eq!(back.into_raw(), raster.pixels);
        assert_eq!((raster.pixels[3], raster.pixels[23]), (214, 92));
        assert_eq!(Raster::clear(0, 0).address(), "");
    }

    #[test]
    fn colours_have_a_sign() {
        assert_eq!(diverging(1.0), [213, 94, 0, 255]);
        assert_eq!(diverging(-0.5), [11, 95, 165, 128]);
        assert_eq!(diverging(0.0)[3], 0);
    }
}
