//! What several models share.

mod linear;
mod norm;

pub use linear::TransposedLinear;
pub use norm::LayerNorm;
