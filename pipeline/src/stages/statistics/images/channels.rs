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
        // 4,096 squares fit into a sum of 32 bits
        for piece in image.pixels.chunks(3 * 4096) {
            let (mut sum, mut square) = ([0_u32; 3], [0_u32; 3]);
            for pixel in piece.chunks_exact(3) {
                for ((sum, square), value) in sum.iter_mut().zip(&mut square).zip(pixel) {
                    let value = u32::from(*value);
                    *sum += value;
                    *square += value * value;
                }
            }
            sums.iter_mut().zip(sum).for_each(|(sums, sum)| *sums += u64::from(sum));
            squares.iter_mut().zip(square).for_each(|(squares, square)| *squares += u64::from(square));
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
        self.means.iter_mut().zip(more.means).for_each(|(sum, more)| *sum += more);
        self.squares.iter_mut().zip(more.squares).for_each(|(sum, more)| *sum += more);
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
