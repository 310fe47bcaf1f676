//! Training, validation and predictions of networks that classify images, whatever the network.
//!
//! | file | what is in it |
//! |---|---|
//! | `network.rs` | what the task asks of a network |

mod network;

pub use network::{Exhibit, Network};
