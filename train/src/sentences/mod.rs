//! Pairs of sentences as token ids, and the batches that a sequence-to-sequence model sees.
//!
//! | file | what is in it |
//! |---|---|
//! | `pairs.rs` | a split of a translation dataset, encoded |
//! | `batches.rs` | training batches by a budget of tokens, from sentences of like length |
//! | `padded.rs` | sentences as the tensors of one batch |

mod batches;
mod padded;
mod pairs;

pub use batches::{Budget, PairBatches};
pub use padded::{PaddedPairs, PaddedSource};
pub use pairs::{Pair, Pairs, Tokenizers};
pub(crate) use pairs::{Texts, check_languages, encode_whole};
