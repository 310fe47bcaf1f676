//! From 8 bits to what a network reads.

use super::Preparation;

/// Values that are converted together: a multiple of three channels and of the lanes of a vector.
const TOGETHER: usize = 24;

/// `(value / 255 - mean) / deviation` for each channel.
#[derive(Clone, Debug)]
pub(super) struct Normalize {
    scale: [f32; TOGETHER],
    shift: [f32; TOGETHER],
}

impl Normalize {
    pub(super) fn new(preparation: &Preparation) -> Self {
        let Preparation { mean, deviation, .. } = preparation;
        Self {
            scale: std::array::from_fn(|i| (1.0 / (255.0 * deviation[i % 3])) as f32),
            shift: std::array::from_fn(|i| (-mean[i % 3] / deviation[i % 3]) as f32),
        }
    }

    /// Both hold pixels of three values.
    pub(super) fn apply(&self, pixels: &[u8], out: &mut [f32]) {
        let (many, rest) = pixels.as_chunks::<TOGETHER>();
        let (many_out, rest_out) = out.as_chunks_mut::<TOGETHER>();
        for (from, to) in many.iter().zip(many_out) {
            for i in 0..TOGETHER {
                to[i] = f32::from(from[i]) * self.scale[i] + self.shift[i];
            }
        }
        for (i, (from, to)) in rest.iter().zip(rest_out).enumerate() {
            *to = f32::from(*from) * self.scale[i] + self.shift[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Interpolation;

    #[test]
    fn every_channel_has_its_mean_and_deviation() {
        let preparation = Preparation {
            image_size: 5,
            mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225],
            crop: 1.0,
            interpolation: Interpolation::Bicubic,
        };
        let pixels: Vec<u8> = (0..75).map(|i| (i * 37 % 256) as u8).collect();
        let mut out = vec![0.0; 75];
        Normalize::new(&preparation).apply(&pixels, &mut out);
        for (i, (pixel, value)) in pixels.iter().zip(out).enumerate() {
            let expected = (f64::from(*pixel) / 255.0 - preparation.mean[i % 3]) / preparation.deviation[i % 3];
            assert!((f64::from(value) - expected).abs() < 1e-6, "{i}: {value}, not {expected}");
        }
    }
}
