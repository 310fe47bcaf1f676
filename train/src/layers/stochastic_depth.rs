//! Stochastic depth (Huang et al. 2016), image by image as in timm's `DropPath`.

use tch::{Device, Kind, Tensor};

use super::dropout::split_mix;

/// Leaves whole branches of residual blocks out, each with its own probability. The random numbers
/// follow from libtorch's seed, so that a step draws the same ones whenever it is taken.
#[derive(Clone, Debug)]
pub struct StochasticDepth {
    shares: Vec<f64>,
}

impl StochasticDepth {
    /// One probability of being left out per branch.
    pub fn new(shares: Vec<f64>) -> Self {
        Self { shares }
    }

    /// Probabilities that grow linearly from 0 at the first block to `last` at the last one, each
    /// for `branches` branches of its block.
    pub fn growing(last: f64, blocks: usize, branches: usize) -> Self {
        let share = |block: usize| if blocks > 1 { last * block as f64 / (blocks - 1) as f64 } else { 0.0 };
        Self::new((0..blocks).flat_map(|block| std::iter::repeat_n(share(block), branches)).collect())
    }

    /// Draws for a batch of `rows` which branches are kept.
    pub fn draw(&self, rows: i64, device: Device, training: bool) -> Branches {
        if !training || self.shares.iter().all(|share| *share == 0.0) {
            return Branches { scales_nb: None };
        }
        let seed = Tensor::randint(i64::MAX, [1], (Kind::Int64, Device::Cpu)).int64_value(&[0]);
        let scales = scales(&self.shares, rows as usize, seed.cast_unsigned());
        let scales = Tensor::from_slice(&scales).view([self.shares.len() as i64, rows]);
        Branches { scales_nb: Some(scales.to_device(device)) }
    }
}

/// Which branches of a batch are kept.
#[derive(Debug)]
pub struct Branches {
    scales_nb: Option<Tensor>,
}

impl Branches {
    /// A block's input with the output of its branch number `index`.
    ///
    /// # Shapes
    /// Two of `[b, …]` to one.
    pub fn add(&self, x: &Tensor, branch: Tensor, index: usize) -> Tensor {
        let Some(scales) = &self.scales_nb else {
            return x + branch;
        };
        let mut shape = vec![1; x.dim()];
        shape[0] = -1;
        x.addcmul(&branch, &scales.get(index as i64).view(shape.as_slice()).to_kind(branch.kind()))
    }
}

/// Branch by branch and row by row: 0 where it is left out, and what to scale by where not.
fn scales(shares: &[f64], rows: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut out = Vec::with_capacity(shares.len() * rows);
    for share in shares {
        let scale = (1.0 / (1.0 - share)) as f32;
        for _ in 0..rows {
            // the upper 53 bits as a number from 0 to 1
            let uniform = (split_mix(&mut state) >> 11) as f64 / (1_u64 << 53) as f64;
            out.push(if uniform < *share { 0.0 } else { scale });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_as_timms_linspace() {
        let depth = StochasticDepth::growing(0.3, 4, 2);
        let expected = [0.0, 0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3];
        assert!(depth.shares.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-12), "{depth:?}");
        assert_eq!(StochasticDepth::growing(0.3, 1, 1).shares, [0.0]);
    }

    #[test]
    fn leaves_out_its_share_and_keeps_the_mean() {
        let drawn = scales(&[0.0, 0.25], 40_000, 3);
        assert!(drawn[..40_000].iter().all(|s| *s == 1.0));
        let dropped = drawn[40_000..].iter().filter(|s| **s == 0.0).count() as f64 / 40_000.0;
        // five standard deviations
        assert!((dropped - 0.25).abs() < 0.011, "{dropped}");
        let mean = drawn[40_000..].iter().map(|s| f64::from(*s)).sum::<f64>() / 40_000.0;
        assert!((mean - 1.0).abs() < 0.015, "{mean}");
    }

    #[test]
    fn adds_the_branch_of_the_rows_that_keep_it() {
        let ones = || Tensor::ones([64, 2, 3], (Kind::Float, Device::Cpu));
        let depth = StochasticDepth::new(vec![0.5, 0.5]);
        tch::manual_seed(1);
        let branches = depth.draw(64, Device::Cpu, true);
        let out = branches.add(&ones(), ones(), 1);
        let rows = Vec::<f32>::try_from(out.mean_dim([1, 2].as_slice(), false, Kind::Float)).unwrap();
        assert!(rows.iter().all(|row| *row == 1.0 || *row == 3.0), "{rows:?}");
        assert!(rows.contains(&1.0) && rows.contains(&3.0));
        assert_ne!(out, branches.add(&ones(), ones(), 0), "each branch has its own");
        assert_eq!(depth.draw(64, Device::Cpu, false).add(&ones(), ones(), 0), ones() + ones());
        tch::manual_seed(1);
        assert_eq!(depth.draw(64, Device::Cpu, true).add(&ones(), ones(), 1), out, "the same seed, the same rows");
    }
}
