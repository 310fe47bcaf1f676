//! Training, validation and predictions of networks that optimise poses, whatever the network.
//!
//! | file | what is in it |
//! |---|---|
//! | `network.rs` | what the task asks of a network |
//! | `data.rs` | a split of windows in memory |
//! | `batches.rs` | training batches |

mod batches;
mod data;
mod network;

pub use batches::PoseBatches;
pub use data::{PoseData, Shape, WindowTensors, describe};
pub use network::{Exhibit, Network, Poses, Wanted};
