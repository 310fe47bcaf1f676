//! What several models share.

mod attention;
mod cross_entropy;
mod dropout;
mod linear;
mod norm;
mod positions;

pub use attention::{Attention, KeysValues, Sight};
pub use cross_entropy::{SmoothedLoss, smoothed_cross_entropy};
pub use dropout::Dropout;
pub use linear::{Linear, TransposedLinear};
pub use norm::LayerNorm;
pub use positions::{Positions, Sinusoids};
