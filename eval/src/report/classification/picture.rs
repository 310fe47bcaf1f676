//! Thumbnails.

use serde::Serialize;
use tessera_datasets::image::{self, Format};

/// A thumbnail: its bytes go into the page, `report.json` only says that there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Such as `image/jpeg`.
    pub media_type: String,
    /// Its width in pixels, upright.
    pub width: u32,
    /// Its height in pixels, upright.
    pub height: u32,
    /// The encoded image.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl Picture {
    /// The picture in some bytes; none where a browser would not show it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let header = image::header(bytes).ok()?;
        let known = [Format::Jpeg, Format::Png, Format::WebP, Format::Gif, Format::Bmp];
        known.contains(&header.format).then(|| Self {
            media_type: format!("image/{}", header.format.name()),
            width: header.width,
            height: header.height,
            bytes: bytes.to_vec(),
        })
    }
}
