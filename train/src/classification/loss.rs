//! Cross-entropy over classes, with targets that are smoothed and mixed.

use tch::{Kind, Reduction, Tensor};

/// What the network should have said about the images of a batch.
#[derive(Debug)]
pub enum Targets<'a> {
    /// One class for each, int64; rows of -1 have no say.
    Labels(&'a Tensor),
    /// Two classes for each, as mixup and CutMix make them: `share` (float32) is that of the
    /// first.
    Mixed {
        /// The first class, int64.
        labels_b: &'a Tensor,
        /// The second.
        others_b: &'a Tensor,
        /// How much the first weighs.
        share_b: &'a Tensor,
    },
}

impl<'a> Targets<'a> {
    /// From the tensors of a batch after the images.
    pub fn new(tensors: &'a [Tensor]) -> Option<Self> {
        match tensors {
            [labels] => Some(Targets::Labels(labels)),
            [labels_b, others_b, share_b] => Some(Targets::Mixed { labels_b, others_b, share_b }),
            _ => None,
        }
    }
}

/// The mean over a batch, in nats and single precision. `smoothing` spreads that share of each
/// target over all classes, the right one included, as `torch.nn.CrossEntropyLoss` and timm's
/// `LabelSmoothingCrossEntropy` do; mixed targets are those of timm's `Mixup` under its
/// `SoftTargetCrossEntropy`.
///
/// # Shapes
/// `logits_bn` of any kind to a scalar.
pub fn cross_entropy(logits_bn: &Tensor, targets: &Targets<'_>, smoothing: f64) -> Tensor {
    match targets {
        Targets::Labels(labels_b) => {
            let logits_bn = logits_bn.to_kind(Kind::Float);
            logits_bn.cross_entropy_loss(labels_b, None::<&Tensor>, Reduction::Mean, -1, smoothing)
        }
        Targets::Mixed { labels_b, others_b, share_b } => {
            let log_bn = logits_bn.log_softmax(-1, Kind::Float);
            let log_of = |labels_b: &Tensor| log_bn.gather(1, &labels_b.unsqueeze(1), false).squeeze_dim(1);
            let (log_b, log_others_b) = (log_of(labels_b), log_of(others_b));
            let mixed_b = &log_others_b + *share_b * (log_b - &log_others_b);
            let loss = mixed_b.mean(Kind::Float) * (smoothing - 1.0);
            match smoothing > 0.0 {
                true => loss - log_bn.mean(Kind::Float) * smoothing,
                false => loss,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits() -> Tensor {
        Tensor::from_slice(&[0.5_f32, -1.0, 2.0, 0.25, 1.5, -0.75, 0.0, 3.0, -2.0]).view([3, 3])
    }

    #[test]
    fn smoothed_labels_are_timms() {
        // timm 1.0.31, LabelSmoothingCrossEntropy(0.1)(logits, [2, 0, 1])
        let labels = Tensor::from_slice(&[2_i64, 0, 1]);
        let loss = cross_entropy(&logits(), &Targets::Labels(&labels), 0.1);
        assert!((loss.double_value(&[]) - 0.761767).abs() < 1e-6, "{loss:?}");
    }

    #[test]
    fn mixed_targets_are_timms() {
        // timm 1.0.31, SoftTargetCrossEntropy()(logits, mixup_target([2, 0, 1], 3, 0.3, smoothing))
        // whose second labels are the first in reverse
        let (labels, others) = (Tensor::from_slice(&[2_i64, 0, 1]), Tensor::from_slice(&[1_i64, 0, 2]));
        let share = Tensor::from_slice(&[0.3_f32, 0.3, 0.3]);
        for (smoothing, expected) in [(0.0, 2.492323), (0.1, 2.441767)] {
            let targets = Targets::Mixed { labels_b: &labels, others_b: &others, share_b: &share };
            let loss = cross_entropy(&logits(), &targets, smoothing);
            assert!((loss.double_value(&[]) - expected).abs() < 1e-6, "{loss:?}");
        }
    }
}
