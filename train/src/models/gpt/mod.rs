//! GPT: a decoder-only Transformer that predicts the next token.
//!
//! Architecture of GPT-2 (Radford et al. 2019) with the parameter names of Hugging Face
//! `transformers` (`GPT2LMHeadModel`), so that weights go both ways; training as in nanoGPT.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `network.rs` | the forward pass, with and without a key–value cache |
//! | `task.rs` | training, validation |
//! | `predict.rs` | scoring a split window by window, explanations |
//! | `generate.rs` | continuing a prompt |

mod config;
mod generate;
mod network;
mod predict;
mod task;

pub use config::GptConfig;
pub use network::{Cache, Gpt, loss};
pub use task::GptTask;

use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "gpt",
    summary: "decoder-only Transformer language model (GPT-2), Hugging Face names",
    check: |section| config::GptOptions::parse(section).map(|_| ()),
    create: |context| Ok(Box::new(GptTask::new(context)?)),
};
