//! OptiPose's loss: how far keypoints are off, and how far distances between keypoints and
//! movements from frame to frame are.

use tch::{Kind, Tensor};

use super::config::Architecture;

/// Added below roots, as upstream does.
const EPSILON: f64 = 1e-9;

/// The three terms, scalars on the device.
#[derive(Debug)]
pub struct Terms {
    /// The distances of all keypoints of a frame from the truth, summed; the mean over frames. In
    /// the skeleton's unit.
    pub euclid: Tensor,
    /// The differences of the distances between keypoints; of `paper` squared.
    pub spatial: Tensor,
    /// The differences of the movements between frames; of `paper` squared.
    pub temporal: Tensor,
}

impl Terms {
    /// For optimised and true poses. What is not known has no say, but for padding, which the
    /// Euclidean term pulls to 0 unless `masked`.
    ///
    /// # Shapes
    /// `pred_btkc`, `target_btkc` and the bools `known_btk`, `frames_bt` to scalars.
    pub fn new(
        architecture: Architecture,
        pred_btkc: &Tensor,
        target_btkc: &Tensor,
        known_btk: &Tensor,
        frames_bt: &Tensor,
        masked: bool,
    ) -> Self {
        let power = |x: &Tensor| match architecture {
            Architecture::Paper => x.square(),
            Architecture::Later => x.abs(),
        };
        let known = known_btk.to_kind(Kind::Float);
        let says_bt = known_btk.any_dim(-1, false).to_kind(Kind::Float);
        let total_b = says_bt.sum_dim_intlist(1, false, Kind::Float).clamp_min(1.0);

        let off_btk = ((pred_btkc - target_btkc).square().sum_dim_intlist(-1, false, Kind::Float) + EPSILON).sqrt();
        let euclid = if masked {
            (off_btk * &known).sum(Kind::Float) / total_b.sum(Kind::Float)
        } else {
            let padding_btk = frames_bt.logical_not().unsqueeze(-1).to_kind(Kind::Float);
            let (windows, frames, _) = known.size3().expect("marks have three dimensions");
            (off_btk * (&known + padding_btk)).sum(Kind::Float) / (windows * frames) as f64
        };

        let keypoints = known.size()[2] as f64;
        let pairs_btkj = known.unsqueeze(-1) * known.unsqueeze(-2);
        let apart_btkj = power(&(distances(target_btkc) - distances(pred_btkc))) * pairs_btkj;
        let spatial_b = apart_btkj.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float) / keypoints / &total_b;

        let later = |x: &Tensor| x.narrow(1, 1, x.size()[1] - 1);
        let moved = |x: &Tensor| later(x) - x.narrow(1, 0, x.size()[1] - 1);
        let both_btk = later(&known) * known.narrow(1, 0, known.size()[1] - 1);
        let jumped_btkc = power(&(moved(target_btkc) - moved(pred_btkc))) * both_btk.unsqueeze(-1);
        let temporal_b = jumped_btkc.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float) / 3.0 / &total_b;

        Self { euclid, spatial: spatial_b.mean(Kind::Float), temporal: temporal_b.mean(Kind::Float) }
    }

    /// The loss.
    pub fn weighted(&self, spatial: f64, temporal: f64) -> Tensor {
        &self.euclid + &self.spatial * spatial + &self.temporal * temporal
    }
}

/// The distances between the keypoints of each frame. Coordinate by coordinate, which spares an
/// array of all differences.
///
/// # Shapes
/// `x_btkc` to `[b, t, k, k]`.
fn distances(x_btkc: &Tensor) -> Tensor {
    let squares = (0..3).map(|axis| {
        let x_btk = x_btkc.select(-1, axis);
        (x_btk.unsqueeze(-1) - x_btk.unsqueeze(-2)).square()
    });
    let sum = squares.reduce(|sum, square| sum + square).expect("three coordinates");
    (sum + EPSILON).sqrt()
}
