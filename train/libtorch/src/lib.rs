//! Nothing at run time: the build script is what this crate is for.
