//! `pose-transformer`: a small Transformer over time and keypoints that mixes what linear algebra
//! has worked out.
//!
//! A few minutes of one animal do not suffice for a network to learn how to smooth and how limbs
//! hang together, but they suffice to work it out: penalised smoothing of each keypoint over time,
//! and the conditional mean of a keypoint given the others under a Gaussian over aligned poses.
//! Several such candidates stand at every point; the network, which sees all of them in the
//! animal's own frame of reference, mixes them and adds a residual that starts at 0. So before its
//! first step it already is a good smoother, and it never has to learn that a pose may be turned or
//! moved.
//!
//! | file | what is in it |
//! |---|---|
//! | `config.rs` | the table in the config, declared parameters |
//! | `anatomy.rs` | what is worked out of the training frames: the mean pose and how keypoints hang together |
//! | `learning.rs` | how that is worked out |
//! | `canonical.rs` | a window in the animal's frame of reference, and back |
//! | `smoother.rs` | one keypoint over time |
//! | `conditional.rs` | a keypoint that is not given in the whole window, from the others |
//! | `cholesky.rs` | systems of linear equations |
//! | `candidates.rs` | all of it for one window: candidates and features |
//! | `network.rs` | the Transformer, and what the task asks of it |

mod anatomy;
mod candidates;
mod canonical;
mod cholesky;
mod conditional;
mod config;
mod learning;
mod network;
mod smoother;

pub use anatomy::Anatomy;
pub use config::{PoseTransformerConfig, PoseTransformerOptions};
pub use network::PoseTransformer;

use tessera_datasets::Result;

use crate::parameters::Parameters;
use crate::poses::{Network, PoseTask, Wanted};
use crate::task::ModelEntry;

/// The registry entry.
pub const ENTRY: ModelEntry = ModelEntry {
    name: "pose-transformer",
    summary: "3D poses: attention over time and keypoints, on top of smoothing and aligned poses",
    check: |section| PoseTransformerOptions::parse(section).map(|_| ()),
    create: |context| Ok(Box::new(PoseTask::new(ENTRY.name, context, make)?)),
};

fn make(wanted: &Wanted<'_>) -> Result<(Parameters, Box<dyn Network>)> {
    let options = PoseTransformerOptions::parse(&wanted.table)?;
    let config = options.resolve(wanted.window(), wanted.keypoints());
    let parameters = Parameters::create(&config.declare(), wanted.device, wanted.seed)?;
    parameters.freeze(&["anatomy.*".to_owned()])?;
    let noise = match config.noise {
        Some(noise) => noise,
        None => learning::noise(wanted.dataset)?,
    };
    let frames = wanted.training_frames()?;
    let anatomy = learning::learn(&frames, noise).map_err(|error| error.at(wanted.dataset.dir()))?;
    anatomy.store(&parameters)?;
    let network = PoseTransformer::new(config, wanted.skeleton.keypoints.clone(), &parameters)?;
    Ok((parameters, Box::new(network)))
}

#[cfg(test)]
mod parity;
