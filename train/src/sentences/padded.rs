//! Sentences as the tensors of one batch.

use tch::{Device, Kind, Tensor};

use super::Pair;

/// Sources side by side, each with its end.
#[derive(Debug)]
pub struct PaddedSource {
    /// Token ids, int64.
    pub ids_bs: Tensor,
    /// `[b, 1, 1, s]` with 0 where there is a token and −∞ where there is padding; `None` where
    /// all are of one length.
    pub mask: Option<Tensor>,
}

/// Pairs side by side.
#[derive(Debug)]
pub struct PaddedPairs {
    /// The sources.
    pub source: PaddedSource,
    /// What the decoder reads: the end token, then the target. Int64.
    pub inputs_bt: Tensor,
    /// The places in `inputs_bt`, row after row, where a token is to be predicted: all that are no
    /// padding. Int64.
    pub places_n: Tensor,
    /// The tokens to be predicted there: the target, then the end token. Int64.
    pub targets_n: Tensor,
}

impl PaddedSource {
    /// Makes the tensors on the CPU. Padding has the id of the end token and is masked.
    pub fn new<'a>(sources: impl ExactSizeIterator<Item = &'a [u32]> + Clone, end: u32) -> Self {
        let rows = sources.len();
        let longest = sources.clone().map(<[u32]>::len).max().unwrap_or(0) + 1;
        let mut ids = vec![i64::from(end); rows * longest];
        let mut mask = vec![0_f32; rows * longest];
        let mut padded = false;
        for (row, source) in sources.enumerate() {
            let start = row * longest;
            for (place, id) in source.iter().enumerate() {
                ids[start + place] = i64::from(*id);
            }
            let used = source.len() + 1;
            padded |= used < longest;
            mask[start + used..start + longest].fill(f32::NEG_INFINITY);
        }
        let shape = [rows as i64, longest as i64];
        let mask = padded.then(|| Tensor::from_slice(&mask).view([shape[0], 1, 1, shape[1]]));
        Self { ids_bs: Tensor::from_slice(&ids).view(shape), mask }
    }

    /// The same on another device.
    #[must_use]
    pub fn to_device(&self, device: Device) -> Self {
        Self { ids_bs: to(&self.ids_bs, device), mask: self.mask.as_ref().map(|mask| to(mask, device)) }
    }
}

impl PaddedPairs {
    /// Makes the tensors on the CPU.
    pub fn new(pairs: &[Pair<'_>], end: u32) -> Self {
        let longest = pairs.iter().map(|pair| pair.target.len()).max().unwrap_or(0) + 1;
        let mut inputs = vec![i64::from(end); pairs.len() * longest];
        let (mut places, mut targets) = (Vec::new(), Vec::new());
        for (row, pair) in pairs.iter().enumerate() {
            let start = row * longest;
            for (place, id) in pair.target.iter().enumerate() {
                inputs[start + place + 1] = i64::from(*id);
                targets.push(i64::from(*id));
            }
            targets.push(i64::from(end));
            places.extend((start..=start + pair.target.len()).map(|place| place as i64));
        }
        Self {
            source: PaddedSource::new(pairs.iter().map(|pair| pair.source), end),
            inputs_bt: Tensor::from_slice(&inputs).view([pairs.len() as i64, longest as i64]),
            places_n: Tensor::from_slice(&places),
            targets_n: Tensor::from_slice(&targets),
        }
    }

    /// Tokens to be predicted.
    pub fn tokens(&self) -> i64 {
        self.targets_n.size()[0]
    }

    /// The tensors in order, as a batch carries them.
    pub fn into_tensors(self) -> Vec<Tensor> {
        let mask = self.source.mask.unwrap_or_else(|| Tensor::zeros([0], (Kind::Float, Device::Cpu)));
        vec![self.source.ids_bs, mask, self.inputs_bt, self.places_n, self.targets_n]
    }

    /// How many tensors a batch carries for it.
    pub const TENSORS: usize = 5;

    /// Takes the tensors of a batch onto a device.
    pub fn from_tensors(tensors: &[Tensor], device: Device) -> Self {
        let mask = (tensors[1].numel() > 0).then(|| to(&tensors[1], device));
        Self {
            source: PaddedSource { ids_bs: to(&tensors[0], device), mask },
            inputs_bt: to(&tensors[2], device),
            places_n: to(&tensors[3], device),
            targets_n: to(&tensors[4], device),
        }
    }
}

fn to(tensor: &Tensor, device: Device) -> Tensor {
    tensor.to_device_(device, tensor.kind(), true, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_masked_and_never_predicted() {
        let pairs = [Pair { source: &[5, 6], target: &[7] }, Pair { source: &[8], target: &[9, 10] }];
        let padded = PaddedPairs::new(&pairs, 1);
        assert_eq!(Vec::<Vec<i64>>::try_from(&padded.source.ids_bs).unwrap(), [[5, 6, 1], [8, 1, 1]]);
        let mask = padded.source.mask.as_ref().unwrap();
        assert_eq!(mask.size(), [2, 1, 1, 3]);
        let none = f32::NEG_INFINITY;
        assert_eq!(Vec::<f32>::try_from(mask.view([-1])).unwrap(), [0.0, 0.0, 0.0, 0.0, 0.0, none]);
        assert_eq!(Vec::<Vec<i64>>::try_from(&padded.inputs_bt).unwrap(), [[1, 7, 1], [1, 9, 10]]);
        assert_eq!(Vec::<i64>::try_from(&padded.places_n).unwrap(), [0, 1, 3, 4, 5]);
        assert_eq!(Vec::<i64>::try_from(&padded.targets_n).unwrap(), [7, 1, 9, 10, 1]);
        assert_eq!(padded.tokens(), 5);
    }

    #[test]
    fn sources_of_one_length_need_no_mask() {
        let pairs = [Pair { source: &[5], target: &[7] }, Pair { source: &[8], target: &[] }];
        assert!(PaddedPairs::new(&pairs, 0).source.mask.is_none());
    }
}
