//! OptiPose: masked keypoints are filled in by context models side by side and a regression model
//! (Patel et al. 2022, "Animal Pose Tracking: 3D Multimodal Dataset and Token-based Pose
//! Optimization").
//!
//! Parameter names and shapes of the Keras implementation, and its numbers (`tests/pose_parity.rs`).
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, declared parameters |
//! | `network.rs` | the forward pass, what the task asks of it |
//! | `sub_models.rs` | one level of all context models |
//! | `loss.rs` | the Euclidean, spatial and temporal terms |
//! | `names.rs` | Keras' names for its weights |

mod config;
mod loss;
mod names;
mod network;
mod sub_models;

pub use config::{Architecture, OptiposeConfig, OptiposeOptions};
pub use loss::Terms;
pub use network::Optipose;

use tessera_datasets::Result;

use crate::parameters::Parameters;
use crate::poses::{Network, PoseTask, Wanted};
use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "optipose",
    summary: "OptiPose (Patel et al. 2022), both architectures, Keras' names",
    check: |section| OptiposeOptions::parse(section).map(|_| ()),
    create: |context| Ok(Box::new(PoseTask::new(ENTRY.name, context, make)?)),
};

fn make(wanted: &Wanted<'_>) -> Result<(Parameters, Box<dyn Network>)> {
    let config = OptiposeOptions::parse(&wanted.table)?.resolve(wanted.window(), wanted.keypoints());
    let parameters = Parameters::create(&config.declare(), wanted.device, wanted.seed)?;
    let network = Optipose::new(config, &parameters)?;
    Ok((parameters, Box::new(network)))
}
