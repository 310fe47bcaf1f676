//! From the views of several cameras to points in space. No I/O.
//!
//! - [`Camera`]: where a camera stands and how its lens bends what it sees; read from a file
//! - [`Choice`]: which of the views of a keypoint are used
//! - [`reconstruct`]: the keypoints of a recording by the direct linear transformation
//! - [`Arena`]: into the coordinates of the place where the animal is

mod arena;
mod camera;
mod lens;
mod linear;
mod recording;
#[cfg(test)]
mod tests;

pub use arena::Arena;
pub use camera::{Camera, parse_cameras};
pub use lens::Lens;
pub use linear::{Sighting, triangulate};
pub use recording::{Choice, Counts, Reconstruction, Settings, TooFewViews, reconstruct};

/// What takes points in space, with a 1 as fourth coordinate, to the image: three rows of four.
pub type Projection = [[f64; 4]; 3];
