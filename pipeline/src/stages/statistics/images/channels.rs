//! Mean and deviation of red, green and blue.

use tessera_datasets::image::Rgb;

/// Sums over images of the mean of each channel, and of the mean of its squares, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Channels {
    images: u64,
    means: [f64; 3],
    squares: [f64; 3],
}

impl Channels {
    /// Of one image.
    pub(super) fn of(image: &Rgb) -> Self {
        let mut sums = [0_u64; 3];
        let mut squares = [0_u64; 3];
        // rows are short enough for sums of 32 bits, which the compiler puts into vectors
        for piece in image.pixels.chunks(3 * 4096) {
            let (mut sum, mut square) = ([0_u32; 3], [0_u32; 3]);
            for pixel in piece.chunks_exact(3) {
                for c in 0..3 {
                    let value = u32::from(pixel[c]);
                    sum[c] += value;
                    square[c] += value * value;
                }
            }
            for c in 0..3 {
                sums[c] += u64::from(sum[c]);
                squares[c] += u64::from(square[c]);
            }
        }
        let pixels = (image.pixels.len() / 3) as f64;
        Self {
            images: 1,
            means: sums.map(|sum| sum as f64 / pixels / 255.0),
            squares: squares.map(|sum| sum as f64 / pixels / (255.0 * 255.0)),
        }
    }

    /// Adds other images.
    pub(super) fn add(&mut self, more: &Self) {
        self.images += more.images;
        for c in 0..3 {
            self.means[c] += more.means[c];
            self.squares[c] += more.squares[c];
        }
    }

    pub(super) fn images(&self) -> u64 {
        self.images
    }

    /// The mean of each channel.
    pub(super) fn mean(&self) -> [f64; 3] {
        self.means.map(|sum| sum / self.images.max(1) as f64)
    }

    /// The standard deviation of each channel around that mean.
    pub(super) fn deviation(&self) -> [f64; 3] {
        let mean = self.mean();
        [0, 1, 2].map(|c| (self.squares[c] / self.images.max(1) as f64 - mean[c] * mean[c]).max(0.0).sqrt())
    }
}
