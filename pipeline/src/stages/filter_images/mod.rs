//! `filter-images`: drops images that are of no use for training.
//!
//! Reasons, each counted; a row goes for the first that holds:
//!
//! - those of [`Refusal`](tessera_datasets::image::Refusal): `not an image`, `truncated image`,
//!   `too many pixels`, `unsupported image`, and with `decode` also `corrupt image`
//! - `too small`: a side of fewer pixels than asked for
//! - `too narrow`: one side is too many times longer than the other
//! - `leak`: the image is also in a split that is not filtered, such as a test set
//! - `two classes`: the very same file stands in two classes; none of them stays
//! - `duplicate`: the very same file was there before, in reading order; of captions with the same
//!   sentence
//!
//! Only the splits named in `only` are filtered, by default `train`: a test set is scored as it was
//! published, and never shrinks because of a filter.

mod looks;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;
use tessera_datasets::image::Limits;
use tessera_datasets::manifest::is_split_name;
use tessera_datasets::schema::Kind;

use super::Entry;
use super::repeated::{Claim, DropRepeated, FindRepeated, Hash, Identity, hash_of};
use crate::rows::{ImageColumn, TRAIN, needs_images};
use crate::stage::{Stage, StageContext};
use looks::FilterLooks;

pub(super) const ENTRY: Entry = Entry {
    name: "filter-images",
    summary: "drops images that are broken, too small, too large, repeated or in test sets, with counted reasons",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The splits to filter.
    only: Vec<String>,
    /// The fewest pixels in a row.
    minimum_width: u32,
    /// The fewest rows.
    minimum_height: u32,
    /// The most pixels.
    maximum_pixels: u64,
    /// How many times longer one side may be than the other; 0 for no limit.
    maximum_aspect: f64,
    /// Whether every image is decoded, and goes where that fails; else only its header is read.
    decode: bool,
    /// Whether files that were there before go, and all that stand in two classes.
    drop_duplicates: bool,
    /// Whether files that are also in a split that is not filtered go.
    drop_leaks: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            only: vec![TRAIN.to_owned()],
            minimum_width: 1,
            minimum_height: 1,
            maximum_pixels: Limits::default().pixels,
            maximum_aspect: 0.0,
            decode: false,
            drop_duplicates: true,
            drop_leaks: true,
        }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    if let Some(name) = config.only.iter().find(|name| !is_split_name(name)) {
        return Err(section.error("only", format!("`{name}` is no name for a split")));
    }
    let aspect = config.maximum_aspect;
    if aspect != 0.0 && !(aspect >= 1.0 && aspect.is_finite()) {
        let message = format!("`maximum_aspect` is `{aspect}`; it must be 1 or more, or 0 for no limit");
        return Err(section.error("maximum_aspect", message));
    }
    let looks = FilterLooks {
        only: config.only.clone(),
        minimum_width: config.minimum_width,
        minimum_height: config.minimum_height,
        limits: Limits { pixels: config.maximum_pixels },
        maximum_aspect: if aspect == 0.0 { f64::INFINITY } else { aspect },
        decode: config.decode,
    };
    let mut stages = vec![Stage::map(looks)];
    if config.drop_duplicates || config.drop_leaks {
        // a file of this stage alone, that is not published
        let file = format!(".{}.repeated", section.keys());
        let only = config.only;
        stages.push(Stage::fold(FindRepeated {
            identity: Files,
            file: file.clone(),
            only: only.clone(),
            duplicates: config.drop_duplicates,
            leaks: config.drop_leaks,
        }));
        stages.push(Stage::map(DropRepeated { identity: Files, file, only }));
    }
    Ok(Stage::Chain(stages))
}

/// Images are the same when their encoded bytes are, and their captions.
#[derive(Clone)]
struct Files;

impl Identity for Files {
    fn check(&self, kind: Kind) -> Result<()> {
        needs_images(kind).map(|_| ())
    }

    fn rows(&self, batch: &RecordBatch, each: &mut dyn FnMut(Hash, Option<Claim>)) -> Result<()> {
        let images = ImageColumn::of(batch)?;
        for row in 0..batch.num_rows() {
            let parts = [Some(images.encoded(row)), images.caption(row).map(str::as_bytes)];
            let class = images.label(row).and_then(|label| Claim::try_from(label).ok());
            each(hash_of(parts.into_iter().flatten()), class);
        }
        Ok(())
    }

    fn excerpt(&self, batch: &RecordBatch, row: usize) -> String {
        ImageColumn::of(batch).map(|images| images.name(row).to_owned()).unwrap_or_default()
    }

    fn contradiction(&self) -> &'static str {
        "two classes"
    }
}

#[cfg(test)]
mod tests;
