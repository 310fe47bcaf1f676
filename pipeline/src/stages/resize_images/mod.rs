//! `resize-images`: decodes images, resizes them and encodes them again.
//!
//! What cannot be decoded is a counted reject, with the reasons of
//! [`Refusal`](tessera_datasets::image::Refusal). An image that is as wanted already, upright and
//! without alpha, keeps its bytes: a JPEG is not encoded a second time for nothing. Images of a
//! batch are worked on by all threads.

mod geometry;

use arrow::array::{BinaryArray, RecordBatch, StringArray};
use rayon::prelude::*;
use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::image::{
    Filter, Format, Header, Limits, Model, Resizer, decode, encode_jpeg, encode_png, header,
};
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use super::Entry;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{ImageColumn, Origins, content_hash, needs_images, only_kept, with_images};
use crate::stage::{Map, Mapper, PreparedMap, Stage, StageContext};
use geometry::{Geometry, Mode};

pub(super) const ENTRY: Entry = Entry {
    name: "resize-images",
    summary: "decodes images, resizes and crops them, and encodes them as JPEG or PNG",
    example: "size = 256",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Pixels of a side, or width and height.
    size: Size,
    /// What has that size.
    #[serde(default)]
    mode: Mode,
    /// Whether images that are smaller are made larger.
    #[serde(default = "yes")]
    enlarge: bool,
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    format: Encoding,
    /// Of JPEG, 1 to 100.
    #[serde(default = "quality")]
    quality: u8,
    /// The most pixels that are decoded.
    #[serde(default = "maximum_pixels")]
    maximum_pixels: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Sides([u32; 2]),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Encoding {
    #[default]
    Jpeg,
    Png,
}

fn yes() -> bool {
    true
}

fn quality() -> u8 {
    95
}

fn maximum_pixels() -> u64 {
    Limits::default().pixels
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    let (width, height) = match config.size {
        Size::Side(side) => (side, side),
        Size::Sides([width, height]) => (width, height),
    };
    if !(1..=65_535).contains(&width) || !(1..=65_535).contains(&height) {
        return Err(section.error("size", format!("`size` is {width} × {height} pixels; each must be 1 to 65535")));
    }
    if !(1..=100).contains(&config.quality) {
        return Err(section.error("quality", format!("`quality` is `{}`; it must be 1 to 100", config.quality)));
    }
    Ok(Stage::map(ResizeImages {
        geometry: Geometry { width, height, mode: config.mode, enlarge: config.enlarge },
        filter: config.filter,
        encoding: config.format,
        quality: config.quality,
        limits: Limits { pixels: config.maximum_pixels },
    }))
}

#[derive(Clone)]
struct ResizeImages {
    geometry: Geometry,
    filter: Filter,
    encoding: Encoding,
    quality: u8,
    limits: Limits,
}

impl Map for ResizeImages {
    fn output(&self, input: Kind) -> Result<Kind> {
        needs_images(input)
    }

    fn prepare(&self, input: &RecordSchema, _: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        Ok(Box::new(Prepared { resize: self.clone(), schema: input.clone() }))
    }
}

struct Prepared {
    resize: ResizeImages,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(ImageResizer(&self.resize))
    }
}

struct ImageResizer<'a>(&'a ResizeImages);

impl Mapper for ImageResizer<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        let images = ImageColumn::of(&batch)?;
        let work = |resizer: &mut Resizer, row: usize| self.0.again(images.encoded(row), resizer);
        let made: Vec<Made> =
            (0..batch.num_rows()).into_par_iter().map_init(Resizer::new, work).collect::<Result<_>>()?;
        let origins = Origins::of(&batch)?;
        for (row, made) in made.iter().enumerate() {
            if let Made::Refused(reason, excerpt) = made {
                let origin = origins.get(row);
                rejects.add(reason, origin.src, origin.loc, excerpt);
            }
        }
        let rows = || made.iter().enumerate();
        let bytes = BinaryArray::from_iter_values(rows().map(|(row, made)| match made {
            Made::Again(bytes) => bytes.as_slice(),
            Made::Same | Made::Refused(..) => images.encoded(row),
        }));
        let names = StringArray::from_iter_values(rows().map(|(row, made)| match made {
            Made::Again(_) => self.0.name(images.name(row)),
            Made::Same | Made::Refused(..) => images.name(row).to_owned(),
        }));
        let hashes = StringArray::from_iter_values(rows().map(|(row, made)| match made {
            Made::Again(bytes) => content_hash(bytes),
            Made::Same | Made::Refused(..) => origins.get(row).content_hash.to_owned(),
        }));
        let kept: Vec<bool> = made.iter().map(|made| !matches!(made, Made::Refused(..))).collect();
        only_kept(with_images(&batch, bytes, names, hashes)?, &kept.into())
    }
}

/// What became of an image.
enum Made {
    Same,
    Again(Vec<u8>),
    Refused(&'static str, String),
}

impl ResizeImages {
    fn again(&self, bytes: &[u8], resizer: &mut Resizer) -> Result<Made> {
        let image = match header(bytes) {
            Ok(header) if self.is_as_wanted(&header) => return Ok(Made::Same),
            Ok(_) => decode(bytes, &self.limits),
            Err(refusal) => Err(refusal),
        };
        let image = match image {
            Ok(image) => image,
            Err(refusal) => return Ok(Made::Refused(refusal.reason(), refusal.excerpt())),
        };
        let (region, (width, height)) = self.geometry.of(image.width, image.height);
        let resized = resizer.resize(&image, region, width, height, self.filter)?;
        let encoded = match self.encoding {
            Encoding::Jpeg if width > 65_535 || height > 65_535 => {
                return Ok(Made::Refused("too large for JPEG", format!("{width} × {height}")));
            }
            Encoding::Jpeg => encode_jpeg(&resized, self.quality),
            Encoding::Png => encode_png(&resized),
        };
        encoded.map(Made::Again).map_err(|e| Error::internal(e.to_string()))
    }

    /// Whether an image has the format, the colours and the size already.
    fn is_as_wanted(&self, header: &Header) -> bool {
        let (region, size) = self.geometry.of(header.width, header.height);
        let format = match self.encoding {
            Encoding::Jpeg => Format::Jpeg,
            Encoding::Png => Format::Png,
        };
        header.format == format
            && header.orientation == 1
            && header.colour.model == Model::Rgb
            && !header.colour.alpha
            && header.colour.bits == 8
            && (region.width, region.height) == (header.width, header.height)
            && size == (header.width, header.height)
    }

    /// A file's name with the ending of the new format.
    fn name(&self, name: &str) -> String {
        let (folder, file) =
            name.rsplit_once('/').map_or(("", name), |(_, file)| name.split_at(name.len() - file.len()));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let ending = match self.encoding {
            Encoding::Jpeg => "jpg",
            Encoding::Png => "png",
        };
        format!("{folder}{stem}.{ending}")
    }
}

#[cfg(test)]
mod tests;
