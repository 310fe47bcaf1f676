//! The encoder–decoder Transformer of "Attention Is All You Need" (Vaswani et al. 2017) for
//! translation.
//!
//! Parameter names and the start of the weights are fairseq's (`transformer_wmt_en_de`), so that
//! its checkpoints can be read; positions are the paper's unless the config says otherwise.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `network.rs` | the forward pass |
//! | `cached.rs` | the decoder one token at a time, with keys and values kept |
//! | `task.rs` | training, validation |
//! | `translate.rs` | sentences in, hypotheses out |
//! | `predict.rs` | translating and scoring a split |
//! | `explain.rs` | attention weights of chosen sentences |

mod cached;
mod config;
mod explain;
mod network;
mod predict;
mod task;
mod translate;

pub use cached::CachedDecoder;
pub use config::{NormPlace, TransformerConfig};
pub use network::Transformer;
pub use task::TransformerTask;

use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "transformer",
    summary: "encoder–decoder Transformer for translation (Vaswani et al. 2017), fairseq's names",
    check: |section| config::TransformerOptions::parse(section).map(|_| ()),
    create: |context| Ok(Box::new(TransformerTask::new(context)?)),
};
