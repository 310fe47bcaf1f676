//! Images: what a file's header says, pixels from its bytes, and back.
//!
//! JPEG, PNG, WebP, GIF (its first frame), BMP and TIFF become one thing: upright rows of red,
//! green and blue, 8 bits each. Orientation is applied, alpha is laid over white, palettes and grey
//! are expanded, of 16 bits the higher 8 stay. What comes out equals what PIL makes of the same
//! bytes, but for alpha, which it drops, and grey of 16 bits, which it clips; JPEG within the
//! rounding of another inverse cosine transform.
//!
//! - [`header()`]: format, size and orientation without decoding, and whether the file is whole
//! - [`decode()`]: pixels, with a limit that is checked before any is decoded
//! - [`Resizer`]: antialiased resizing of a region, as PIL and torchvision do it
//! - [`encode_jpeg`], [`encode_png`]: bytes again
//!
//! Bytes that are no image are a [`Refusal`], never a panic.

mod decode;
mod encode;
mod header;
mod orientation;
mod pixels;
mod refusal;
mod resize;

pub use decode::{Limits, decode};
pub use encode::{encode_jpeg, encode_png};
pub use header::{Colour, Format, Header, Model, header};
pub use pixels::{Region, Rgb};
pub use refusal::Refusal;
pub use resize::{Filter, Resizer, resize};

#[cfg(test)]
mod tests;
