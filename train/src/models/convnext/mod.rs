//! ConvNeXt: what a convolutional network can still do (Liu et al. 2022).
//!
//! Parameter names and defaults of timm (`convnext.py`), so that weights go both ways.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, presets, declared parameters |
//! | `classifier.rs` | what the classification task asks of it |
//! | `explain.rs` | what it looked at |
//! | `names.rs` | other implementations' names for its weights |
//! | `network.rs` | the forward pass |

mod classifier;
mod config;
mod explain;
mod names;
mod network;

pub use config::ConvNextConfig;
pub use network::ConvNext;

use tessera_datasets::Result;

use self::config::ConvNextOptions;
use crate::classification::{ClassificationTask, ImageOptions, Network, Wanted};
use crate::parameters::Parameters;
use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "convnext",
    summary: "ConvNeXt, a convolutional network (Liu et al. 2022), timm's names",
    check: |section| {
        let (images, rest) = ImageOptions::split(section)?;
        ConvNextOptions::parse(&rest)?.resolve(&rest, images.image_size, 1).map(|_| ())
    },
    create: |context| Ok(Box::new(ClassificationTask::new(ENTRY.name, context, make)?)),
};

fn make(wanted: &Wanted) -> Result<(Parameters, Box<dyn Network>)> {
    let table = &wanted.table;
    let config = ConvNextOptions::parse(table)?.resolve(table, wanted.image_size, wanted.classes)?;
    let parameters = Parameters::create(&config.declare(), wanted.device, wanted.seed)?;
    let network = ConvNext::new(config, &parameters)?;
    Ok((parameters, Box::new(network)))
}
