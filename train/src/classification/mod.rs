//! Training, validation and predictions of networks that classify images, whatever the network.
//!
//! | file | what is in it |
//! |---|---|
//! | `network.rs` | what the task asks of a network |
//! | `options.rs` | the keys of the model's table that are about images |
//! | `task.rs` | training, validation, weights to start from |
//! | `loss.rs` | cross-entropy with smoothed and with mixed targets |
//! | `predict.rs` | the log-probabilities of a split |
//! | `chosen.rs` | which rows a report shows |
//! | `explain.rs` | what the network shows about some of them and about itself |
//! | `export.rs` | a trained network as timm and Hugging Face open it |
//! | `thumbnail.rs` | images as a report shows them |

mod chosen;
mod explain;
mod export;
mod loss;
mod network;
mod options;
mod predict;
mod task;
mod thumbnail;

pub use loss::{Targets, cross_entropy};
pub use network::{Exhibit, Network};
pub use options::ImageOptions;
pub use task::{ClassificationTask, Wanted, rule};
