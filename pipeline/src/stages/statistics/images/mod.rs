//! What is in images: sizes, formats, colours, classes, and a sheet of examples.
//!
//! Sizes and formats come from headers, of all images. Of the training split also the channels:
//! the mean of an image's mean (each image counts as much as any other, as it does in training)
//! and the deviation that goes with it, on a scale from 0 to 1. For these the images are decoded,
//! all of them or a share that is chosen by a hash of their ids.

mod channels;
mod sheet;
mod text;
mod thumbnails;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tessera_datasets::Result;
use tessera_datasets::image::{Colour, Header, Limits, Model, Refusal, Rgb, decode, header};
use tessera_datasets::schema::RecordSchema;

use super::lengths::Lengths;
use crate::rows::{ImageColumn, SPLIT, TRAIN, classes_of, strings};
use channels::Channels;
use thumbnails::{Candidate, Thumbnails};

/// How much is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// The share of the training images that is decoded for mean and deviation.
    pub(super) sample: f64,
    /// How many images of each class the sheet shows.
    pub(super) examples: usize,
}

/// What is known of some rows.
pub(super) struct Images {
    effort: Effort,
    classes: Vec<String>,
    splits: BTreeMap<String, Split>,
    channels: Channels,
    thumbnails: Thumbnails,
}

#[derive(Debug, Default, PartialEq)]
struct Split {
    rows: u64,
    bytes: u64,
    /// How many rows have each width, height, and length in bytes.
    widths: BTreeMap<u64, u64>,
    heights: BTreeMap<u64, u64>,
    formats: BTreeMap<&'static str, u64>,
    colours: BTreeMap<String, u64>,
    /// By the number of the class.
    classes: Vec<u64>,
    unlabelled: u64,
    /// By reason: those whose header, or whose pixels where they were looked at, cannot be read.
    unreadable: BTreeMap<&'static str, u64>,
}

/// What one row adds.
struct Row {
    header: std::result::Result<Header, Refusal>,
    /// Where it was decoded.
    image: Option<std::result::Result<Decoded, Refusal>>,
}

struct Decoded {
    /// Where the row counts for mean and deviation.
    channels: Option<Channels>,
    thumbnail: Option<Rgb>,
}

impl Images {
    pub(super) fn new(schema: &RecordSchema, effort: Effort) -> Self {
        let classes = classes_of(schema);
        let thumbnails = Thumbnails::new(classes.len(), effort.examples);
        Self { effort, classes, splits: BTreeMap::new(), channels: Channels::default(), thumbnails }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (images, splits, ids) = (ImageColumn::of(batch)?, strings(batch, SPLIT)?, strings(batch, "id")?);
        let rows: Vec<Row> = (0..batch.num_rows())
            .into_par_iter()
            .map(|row| self.look(images.encoded(row), splits.value(row), ids.value(row), images.label(row)))
            .collect::<Result<_>>()?;
        for (row, looked) in rows.into_iter().enumerate() {
            let split = self.splits.entry(splits.value(row).to_owned()).or_default();
            split.add(images.encoded(row).len() as u64, images.label(row), self.classes.len(), &looked);
            let Some(Ok(Decoded { channels, thumbnail })) = looked.image else { continue };
            if let Some(channels) = channels {
                self.channels.add(&channels);
            }
            if let Some(thumbnail) = thumbnail {
                self.thumbnails.put(Candidate::of(ids.value(row), images.label(row)), thumbnail);
            }
        }
        Ok(())
    }

    fn look(&self, bytes: &[u8], split: &str, id: &str, label: Option<usize>) -> Result<Row> {
        let header = header(bytes);
        let candidate = Candidate::of(id, label);
        let counts = split == TRAIN && candidate.share() < self.effort.sample;
        let shown = split == TRAIN && self.thumbnails.wants(&candidate);
        if header.is_err() || !(counts || shown) {
            return Ok(Row { header, image: None });
        }
        let image = match decode(bytes, &Limits::default()) {
            Err(refusal) => Err(refusal),
            Ok(image) => Ok(Decoded {
                channels: counts.then(|| Channels::of(&image)),
                thumbnail: shown.then(|| thumbnails::shrink(&image)).transpose()?,
            }),
        };
        Ok(Row { header, image: Some(image) })
    }

    pub(super) fn merge(mut self, second: Self) -> Self {
        for (name, more) in second.splits {
            self.splits.entry(name).or_default().merge(more);
        }
        self.channels.add(&second.channels);
        self.thumbnails.merge(second.thumbnails);
        self
    }

    /// What `stats/images.json` says.
    pub(super) fn report(&self) -> Value {
        let split = |split: &Split| {
            let classes: Map<String, Value> =
                self.classes.iter().zip(&split.classes).map(|(name, rows)| (name.clone(), (*rows).into())).collect();
            json!({
                "rows": split.rows, "bytes": split.bytes,
                "width": Lengths::of(&split.widths), "height": Lengths::of(&split.heights),
                "formats": split.formats, "colours": split.colours,
                "classes": classes, "unlabelled": split.unlabelled, "unreadable": split.unreadable,
            })
        };
        let splits: Map<String, Value> =
            self.splits.iter().map(|(name, counts)| (name.clone(), split(counts))).collect();
        let channels = json!({
            "split": TRAIN, "images": self.channels.images(), "sample": self.effort.sample,
            "mean": self.channels.mean(), "deviation": self.channels.deviation(),
        });
        json!({ "kind": "image", "splits": splits, "channels": channels })
    }

    /// What a model needs to know of its input, as the manifest says it: of the training split.
    pub(super) fn input(&self) -> Value {
        let side = |sides: &dyn Fn(&Split) -> &BTreeMap<u64, u64>| {
            let lengths = Lengths::of(self.splits.get(TRAIN).map_or(&BTreeMap::new(), sides));
            json!({ "min": lengths.minimum, "median": lengths.median, "max": lengths.maximum })
        };
        json!({
            "mean": self.channels.mean(), "deviation": self.channels.deviation(),
            "width": side(&|split| &split.widths), "height": side(&|split| &split.heights),
        })
    }

    /// What the data card shows: by split.
    pub(super) fn overview(&self) -> Value {
        let split = |split: &Split| {
            let [width, height] = [&split.widths, &split.heights].map(Lengths::of);
            json!({
                "images": split.rows, "bytes": split.bytes, "formats": split.formats,
                "width": [width.minimum, width.median, width.maximum],
                "height": [height.minimum, height.median, height.maximum],
                "classes": split.classes, "unlabelled": split.unlabelled,
                "unreadable": split.unreadable.values().sum::<u64>(),
            })
        };
        self.splits.iter().map(|(name, counts)| (name.clone(), split(counts))).collect::<Map<_, _>>().into()
    }

    /// The sheet of examples as a JPEG, where there are any.
    pub(super) fn sheet(&self) -> Result<Option<Vec<u8>>> {
        sheet::draw(&self.thumbnails, &self.classes)
    }
}

impl Split {
    fn add(&mut self, bytes: u64, label: Option<usize>, classes: usize, row: &Row) {
        self.rows += 1;
        self.bytes += bytes;
        self.classes.resize(classes, 0);
        match label.and_then(|label| self.classes.get_mut(label)) {
            Some(count) => *count += 1,
            None => self.unlabelled += 1,
        }
        if let Ok(header) = &row.header {
            *self.widths.entry(header.width.into()).or_default() += 1;
            *self.heights.entry(header.height.into()).or_default() += 1;
            *self.formats.entry(header.format.name()).or_default() += 1;
            *self.colours.entry(describe(header.colour)).or_default() += 1;
        }
        let refusals = [row.header.as_ref().err(), row.image.as_ref().and_then(|image| image.as_ref().err())];
        for refusal in refusals.into_iter().flatten() {
            *self.unreadable.entry(refusal.reason()).or_default() += 1;
        }
    }

    fn merge(&mut self, more: Self) {
        self.rows += more.rows;
        self.bytes += more.bytes;
        self.unlabelled += more.unlabelled;
        self.classes.resize(self.classes.len().max(more.classes.len()), 0);
        self.classes.iter_mut().zip(&more.classes).for_each(|(count, more)| *count += more);
        add(&mut self.widths, more.widths);
        add(&mut self.heights, more.heights);
        add(&mut self.formats, more.formats);
        add(&mut self.colours, more.colours);
        add(&mut self.unreadable, more.unreadable);
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    more.into_iter().for_each(|(key, count)| *counts.entry(key).or_default() += count);
}

/// How colours are stored, such as `grey with alpha, 16 bits`.
fn describe(colour: Colour) -> String {
    let model = match colour.model {
        Model::Grey => "grey",
        Model::Rgb => "rgb",
        Model::Palette => "palette",
        Model::Cmyk => "cmyk",
    };
    let alpha = if colour.alpha { " with alpha" } else { "" };
    let bits = match colour.bits {
        8 => String::new(),
        1 => ", 1 bit".to_owned(),
        bits => format!(", {bits} bits"),
    };
    format!("{model}{alpha}{bits}")
}

#[cfg(test)]
mod tests;
