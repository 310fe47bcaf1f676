//! Algorithms on tracks of keypoints, without I/O.
//!
//! - [`filters`]: what is not believed is removed, short gaps are filled, noise is smoothed

pub mod filters;
