//! ViT: an image is a sequence of patches (Dosovitskiy et al. 2021).
//!
//! Parameter names and defaults of timm (`vision_transformer.py`), so that weights go both ways.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `classifier.rs` | what the classification task asks of it |
//! | `explain.rs` | what it looked at |
//! | `names.rs` | other implementations' names for its weights |
//! | `positions.rs` | position embeddings for another grid |
//! | `network.rs` | the forward pass, with and without attention weights |

mod classifier;
mod config;
mod explain;
mod names;
mod network;
mod positions;

pub use config::{Pool, Start, VitConfig};
pub use network::Vit;
pub use positions::resample_positions;

use tessera_datasets::Result;

use self::config::VitOptions;
use crate::classification::{ClassificationTask, ImageOptions, Network, Wanted};
use crate::parameters::Parameters;
use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "vit",
    summary: "Vision Transformer (Dosovitskiy et al. 2021), timm's names",
    check: |section| {
        let (images, rest) = ImageOptions::split(section)?;
        VitOptions::parse(&rest)?.resolve(&rest, images.image_size, 1).map(|_| ())
    },
    create: |context| Ok(Box::new(ClassificationTask::new(ENTRY.name, context, make)?)),
};

fn make(wanted: &Wanted) -> Result<(Parameters, Box<dyn Network>)> {
    let table = &wanted.table;
    let config = VitOptions::parse(table)?.resolve(table, wanted.image_size, wanted.classes)?;
    let parameters = Parameters::create(&config.declare(), wanted.device, wanted.seed)?;
    let network = Vit::new(config, &parameters)?;
    Ok((parameters, Box::new(network)))
}
