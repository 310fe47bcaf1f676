//! ConvNeXt: what a convolutional network can still do (Liu et al. 2022).
//!
//! Parameter names and defaults of timm (`convnext.py`), so that weights go both ways.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `classifier.rs` | what the classification task asks of it |
//! | `names.rs` | other implementations' names for its weights |
//! | `network.rs` | the forward pass |

mod classifier;
mod config;
mod names;
mod network;

pub use config::ConvNextConfig;
pub use network::ConvNext;
