//! Pixels in memory.

/// An image in memory: rows from the top, in each pixels from the left, of each red, green and blue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rgb {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `height * width * 3` values (`x_hwc`).
    pub pixels: Vec<u8>,
}

impl Rgb {
    /// An image of one colour.
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        let pixels = width as usize * height as usize;
        Self { width, height, pixels: colour.repeat(pixels) }
    }

    /// The whole image as a region.
    pub fn region(&self) -> Region {
        Region { left: 0, top: 0, width: self.width, height: self.height }
    }

    /// The colour of one pixel.
    ///
    /// # Panics
    /// Outside the image.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        assert!(x < self.width && y < self.height, "({x}, {y}) of {} × {}", self.width, self.height);
        let at = (y as usize * self.width as usize + x as usize) * 3;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// Puts another image into this one, with its upper left corner at (`left`, `top`); what does
    /// not fit is cut off.
    pub fn paste(&mut self, image: &Self, left: u32, top: u32) {
        let width = image.width.min(self.width.saturating_sub(left)) as usize * 3;
        if width == 0 {
            return;
        }
        for y in 0..image.height.min(self.height.saturating_sub(top)) as usize {
            let from = y * image.width as usize * 3;
            let to = ((top as usize + y) * self.width as usize + left as usize) * 3;
            self.pixels[to..to + width].copy_from_slice(&image.pixels[from..from + width]);
        }
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Pixels to the left of it.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Region {
    /// The middle of an image of `outer` (width, height), at most `inner` large; where the rest is
    /// odd, the larger half is to the right and below, as in PIL's `ImageOps.fit`.
    pub fn centre(outer: (u32, u32), inner: (u32, u32)) -> Self {
        let (width, height) = (inner.0.min(outer.0), inner.1.min(outer.1));
        Self { left: (outer.0 - width) / 2, top: (outer.1 - height) / 2, width, height }
    }

    /// Whether it has pixels, all of them in an image of that size.
    pub fn is_within(&self, width: u32, height: u32) -> bool {
        let fits =
            |start: u32, length: u32, of: u32| length > 0 && start.checked_add(length).is_some_and(|end| end <= of);
        fits(self.left, self.width, width) && fits(self.top, self.height, height)
    }
}
