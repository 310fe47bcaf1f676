//! Sinusoidal positions (Vaswani et al. 2017, section 3.5).

use std::sync::Mutex;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

/// How sines and cosines lie in the width of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sinusoids {
    /// Sine at even and cosine at odd places, as in the paper.
    #[default]
    Interleaved,
    /// All sines, then all cosines, with `half − 1` in the divisor, as in tensor2tensor and fairseq.
    Concatenated,
}

impl Sinusoids {
    /// The name in configs and `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Sinusoids::Interleaved => "interleaved",
            Sinusoids::Concatenated => "concatenated",
        }
    }

    /// The first `length` positions, counted from 0.
    ///
    /// # Shapes
    /// `[length, width]`; `width` is even.
    pub fn table(self, length: i64, width: i64) -> Tensor {
        let half = width / 2;
        // in double precision: single precision is off by 1e-4 at position 1000
        let options = (Kind::Double, Device::Cpu);
        let places = Tensor::arange(half, options);
        let longest = 10_000_f64.ln();
        let rates = match self {
            Sinusoids::Interleaved => (places * (-2.0 * longest / width as f64)).exp(),
            Sinusoids::Concatenated => (places * (-longest / (half as f64 - 1.0))).exp(),
        };
        let angles = Tensor::arange(length, options).unsqueeze(1) * rates.unsqueeze(0);
        let (sines, cosines) = (angles.sin(), angles.cos());
        match self {
            Sinusoids::Interleaved => Tensor::stack(&[sines, cosines], 2).view([length, width]),
            Sinusoids::Concatenated => Tensor::cat(&[sines, cosines], 1),
        }
        .to_kind(Kind::Float)
    }
}

/// Positions that are made once and grow when a longer sequence comes.
#[derive(Debug)]
pub struct Positions {
    layout: Sinusoids,
    width: i64,
    table: Mutex<Tensor>,
}

impl Positions {
    /// Positions for hidden states of a width, on a device.
    pub fn new(layout: Sinusoids, width: i64, device: Device) -> Self {
        Self { layout, width, table: Mutex::new(layout.table(256, width).to_device(device)) }
    }

    /// Positions `start..start + length`.
    ///
    /// # Shapes
    /// `[length, width]`.
    pub fn get(&self, start: i64, length: i64) -> Tensor {
        let mut table = self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if start + length > table.size()[0] {
            let device = table.device();
            let longer = (start + length).max(2 * table.size()[0]);
            *table = self.layout.table(longer, self.width).to_device(device);
        }
        table.narrow(0, start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_positions_are_those_of_the_paper() {
        let table = Vec::<Vec<f32>>::try_from(Sinusoids::Interleaved.table(3, 4)).unwrap();
        assert_eq!(table[0], [0.0, 1.0, 0.0, 1.0]);
        let expected = [2_f64.sin(), 2_f64.cos(), 0.02_f64.sin(), 0.02_f64.cos()];
        for (found, expected) in table[2].iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn concatenated_positions_are_those_of_fairseq() {
        let table = Vec::<Vec<f32>>::try_from(Sinusoids::Concatenated.table(2, 6)).unwrap();
        let expected = [1_f64.sin(), 0.01_f64.sin(), 1e-4_f64.sin(), 1_f64.cos(), 0.01_f64.cos(), 1e-4_f64.cos()];
        for (found, expected) in table[1].iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn the_table_grows_and_stays_the_same() {
        let positions = Positions::new(Sinusoids::Interleaved, 8, Device::Cpu);
        let before = positions.get(250, 6);
        let after = positions.get(250, 1000).narrow(0, 0, 6);
        assert_eq!(before, after);
    }
}
