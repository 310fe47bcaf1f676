//! Training, validation and predictions of networks that optimise poses, whatever the network.
//!
//! | file | what is in it |
//! |---|---|
//! | `network.rs` | what the task asks of a network |
//! | `data.rs` | a split of windows in memory |
//! | `batches.rs` | training batches |
//! | `task.rs` | training |
//! | `validation.rs` | scores during training |
//! | `predict.rs` | the optimised poses of a split |
//! | `baselines.rs` | what simpler methods make of the same windows |
//! | `explain.rs` | what the network shows about some of them |
//! | `recording.rs` | whole recordings, window by window |

mod baselines;
mod batches;
mod data;
mod explain;
mod network;
mod predict;
mod recording;
mod task;
mod validation;

pub use baselines::{Baselines, Filled};
pub use batches::PoseBatches;
pub use data::{PoseData, Shape, WindowTensors, describe, training_frames};
pub use network::{Exhibit, Network, Poses, Wanted};
pub use recording::optimise_recording;
pub use task::PoseTask;
