//! A split of a token dataset as one long sequence, and the windows a language model sees of it.

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{DataType, UInt16Type, UInt32Type};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;
use tch::Tensor;
use tessera_datasets::hash::derive_seed;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use crate::loader::{Batch, BatchSource};

/// The ids of a split, in reading order, in the width of the shards.
#[derive(Debug)]
pub struct TokenStream {
    ids: Ids,
}

#[derive(Debug)]
enum Ids {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl TokenStream {
    /// Reads a split. The ids stay in memory, 2 or 4 bytes each.
    ///
    /// # Errors
    /// When the split is absent, or an id is not in the vocabulary.
    pub fn read(dataset: &Dataset, split: &str, vocabulary: usize) -> Result<Self> {
        let mut narrow = Vec::new();
        let mut wide = Vec::new();
        for batch in dataset.batches(split, &["input_ids"])? {
            let batch = batch?;
            let rows: &ListArray = batch.column(0).as_list();
            // only what the offsets cover belongs to the rows
            let offsets = rows.value_offsets();
            let (start, end) = (offsets[0] as usize, offsets[rows.len()] as usize);
            let values = rows.values().slice(start, end - start);
            match values.data_type() {
                DataType::UInt16 => narrow.extend_from_slice(values.as_primitive::<UInt16Type>().values()),
                DataType::UInt32 => wide.extend_from_slice(values.as_primitive::<UInt32Type>().values()),
                other => {
                    let message = format!("`input_ids` are {other}, not uint16 or uint32");
                    return Err(Error::input(message).at(dataset.dir()));
                }
            }
        }
        let ids = if wide.is_empty() { Ids::Narrow(narrow) } else { Ids::Wide(wide) };
        let stream = Self { ids };
        match (0..stream.len()).map(|i| stream.id(i)).find(|id| *id as usize >= vocabulary) {
            None => Ok(stream),
            Some(id) => Err(Error::input(format!("id {id} is outside the vocabulary of {vocabulary}"))
                .at(dataset.dir())
                .hint("the shards and the tokenizer do not belong together: make the dataset again")),
        }
    }

    /// Some ids, as they are.
    pub fn of(ids: Vec<u32>) -> Self {
        Self { ids: Ids::Wide(ids) }
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        match &self.ids {
            Ids::Narrow(ids) => ids.len(),
            Ids::Wide(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One id.
    pub fn id(&self, index: usize) -> u32 {
        match &self.ids {
            Ids::Narrow(ids) => u32::from(ids[index]),
            Ids::Wide(ids) => ids[index],
        }
    }

    /// Ids from `start`, for a tensor.
    pub fn slice(&self, start: usize, length: usize) -> Vec<i64> {
        match &self.ids {
            Ids::Narrow(ids) => ids[start..start + length].iter().map(|id| i64::from(*id)).collect(),
            Ids::Wide(ids) => ids[start..start + length].iter().map(|id| i64::from(*id)).collect(),
        }
    }

    /// Inputs and next tokens of windows of one length.
    ///
    /// # Shapes
    /// Two int64 tensors `[windows, length]`; the targets are the inputs one token later.
    pub fn windows(&self, starts: &[usize], length: usize) -> (Tensor, Tensor) {
        let shape = [starts.len() as i64, length as i64];
        let gather = |shift: usize| {
            let ids: Vec<i64> = starts.iter().flat_map(|start| self.slice(start + shift, length)).collect();
            Tensor::from_slice(&ids).view(shape)
        };
        (gather(0), gather(1))
    }
}

/// The windows in which a whole split is scored, each token once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoredWindow {
    /// The first input.
    pub start: usize,
    /// How many inputs, and as many targets, which are one token later.
    pub length: usize,
    /// The first target, counted from the window's first, that no window before has scored.
    pub fresh: usize,
}

/// Cuts `tokens` ids into windows of at most `context` whose starts lie `stride` apart. The first
/// token of a text has nothing before it and is not scored, all others are, exactly once.
pub fn scored_windows(tokens: usize, context: usize, stride: usize) -> Vec<ScoredWindow> {
    let mut out = Vec::new();
    let (mut start, mut scored) = (0, 0);
    while scored + 1 < tokens {
        let length = context.min(tokens - 1 - start);
        out.push(ScoredWindow { start, length, fresh: scored - start });
        scored = start + length;
        start += stride;
    }
    out
}

/// Training windows by step.
pub struct TrainWindows {
    stream: TokenStream,
    context: usize,
    batch: usize,
    seed: u64,
    epochs: Option<Mutex<Epoch>>,
}

/// The order of one epoch, kept because its neighbours need the same.
#[derive(Default)]
struct Epoch {
    number: Option<u64>,
    order: Vec<u32>,
}

impl TrainWindows {
    /// Windows that start anywhere, with replacement, as in nanoGPT.
    ///
    /// # Errors
    /// When the split is shorter than a window.
    pub fn random(stream: TokenStream, context: usize, batch: usize, seed: u64) -> Result<Self> {
        Self::new(stream, context, batch, seed, None)
    }

    /// Windows side by side, each once per epoch, in an order drawn anew for each.
    ///
    /// # Errors
    /// When the split is shorter than a window.
    pub fn by_epoch(stream: TokenStream, context: usize, batch: usize, seed: u64) -> Result<Self> {
        Self::new(stream, context, batch, seed, Some(Mutex::default()))
    }

    fn new(stream: TokenStream, context: usize, batch: usize, seed: u64, epochs: Option<Mutex<Epoch>>) -> Result<Self> {
        if stream.len() <= context {
            let message = format!("the training split has {} tokens, a window needs {}", stream.len(), context + 1);
            return Err(Error::input(message).hint("use more text or a smaller `train.model.context`"));
        }
        Ok(Self { stream, context, batch, seed, epochs })
    }

    fn starts(&self, step: u64) -> Vec<usize> {
        match &self.epochs {
            None => {
                let mut random = ChaCha8Rng::seed_from_u64(derive_seed(self.seed, "windows", step));
                let last = self.stream.len() - self.context;
                (0..self.batch).map(|_| random.random_range(0..last)).collect()
            }
            Some(epochs) => {
                let windows = ((self.stream.len() - 1) / self.context) as u64;
                let first = step * self.batch as u64;
                let mut epoch = epochs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                (first..first + self.batch as u64)
                    .map(|i| epoch.window(self.seed, i / windows, windows, i % windows) * self.context)
                    .collect()
            }
        }
    }
}

impl Epoch {
    fn window(&mut self, seed: u64, number: u64, windows: u64, place: u64) -> usize {
        if self.number != Some(number) {
            self.order = (0..u32::try_from(windows).unwrap_or(u32::MAX)).collect();
            self.order.shuffle(&mut ChaCha8Rng::seed_from_u64(derive_seed(seed, "epoch", number)));
            self.number = Some(number);
        }
        self.order[place as usize] as usize
    }
}

impl BatchSource for TrainWindows {
    fn batch(&self, step: u64) -> Result<Batch> {
        let (inputs, targets) = self.stream.windows(&self.starts(step), self.context);
        Ok(Batch { items: (self.batch * self.context) as u64, tensors: vec![inputs, targets] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(n: u32) -> TokenStream {
        TokenStream::of((0..n).collect())
    }

    proptest! {
        #[test]
        fn every_token_but_the_first_is_scored_once(tokens in 0_usize..200, context in 1_usize..20, part in 1_usize..20) {
            let stride = part.min(context);
            let mut scored = vec![0; tokens];
            for window in scored_windows(tokens, context, stride) {
                prop_assert!(window.length <= context);
                for target in window.fresh..window.length {
                    scored[window.start + target + 1] += 1;
                }
            }
            for (index, count) in scored.iter().enumerate() {
                prop_assert_eq!(*count, usize::from(index > 0));
            }
        }
    }

    #[test]
    fn targets_are_the_inputs_one_token_later() {
        let (inputs, targets) = stream(10).windows(&[2, 5], 3);
        assert_eq!(Vec::<Vec<i64>>::try_from(inputs).unwrap(), [[2, 3, 4], [5, 6, 7]]);
        assert_eq!(Vec::<Vec<i64>>::try_from(targets).unwrap(), [[3, 4, 5], [6, 7, 8]]);
    }

    #[test]
    fn a_step_gives_the_same_batch_in_any_order() {
        let epochs = TrainWindows::by_epoch(stream(101), 10, 4, 1).unwrap();
        let random = TrainWindows::random(stream(101), 10, 4, 1).unwrap();
        for source in [&epochs, &random] {
            let forward: Vec<_> = (0..9).map(|step| source.starts(step)).collect();
            for step in [8, 0, 3, 5, 3] {
                assert_eq!(source.starts(step), forward[step as usize]);
            }
        }
    }

    #[test]
    fn an_epoch_sees_every_window_once() {
        let source = TrainWindows::by_epoch(stream(101), 10, 5, 1).unwrap();
        let mut seen: Vec<usize> = (0..2).flat_map(|step| source.starts(step)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..10).map(|w| w * 10).collect::<Vec<_>>());
    }

    #[test]
    fn a_split_shorter_than_a_window_is_an_error() {
        assert!(TrainWindows::random(stream(10), 10, 1, 0).is_err());
        assert!(TrainWindows::random(stream(11), 10, 1, 0).is_ok());
    }
}
