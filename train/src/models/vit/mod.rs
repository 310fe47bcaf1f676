//! ViT: an image is a sequence of patches (Dosovitskiy et al. 2021).
//!
//! Parameter names and defaults of timm (`vision_transformer.py`), so that weights go both ways.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `classifier.rs` | what the classification task asks of it |
//! | `names.rs` | other implementations' names for its weights |
//! | `positions.rs` | position embeddings for another grid |
//! | `network.rs` | the forward pass, with and without attention weights |

mod classifier;
mod config;
mod names;
mod network;
mod positions;

pub use config::{Pool, Start, VitConfig};
pub use network::Vit;
pub use positions::resample_positions;
