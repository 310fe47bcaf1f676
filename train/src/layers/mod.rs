//! What several models share.

mod attention;
mod cross_entropy;
mod dropout;
mod linear;
mod norm;
mod patches;
mod positions;
mod stochastic_depth;

pub use attention::{Attention, KeysValues, Sight};
pub use cross_entropy::{SmoothedLoss, smoothed_cross_entropy};
pub use dropout::Dropout;
pub use linear::{Linear, TransposedLinear};
pub use norm::LayerNorm;
pub use patches::Patches;
pub use positions::{Positions, Sinusoids};
pub use stochastic_depth::{Branches, StochasticDepth};
