//! From encoded images to rows: looked at, hashed, and put into batches.

use std::ops::Range;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tessera_datasets::image::{Limits, Refusal, header};
use tessera_datasets::manifest::is_split_name;
use tessera_datasets::{Error, Result};

use super::classes::Classes;
use super::names::split_named;
use crate::inputs::InputFile;
use crate::inputs::lines::{LONGEST_ROW, TOO_LONG};
use crate::rejects::Rejects;
use crate::rows::{CaptionRows, ImageRows, Origin, TRAIN, is_full};
use crate::stage::Outlet;

/// An encoded image and what is known of it.
pub(super) struct Picture<'f, 'p> {
    /// The raw file that it is in.
    pub(super) file: &'f InputFile,
    /// Its bytes.
    pub(super) bytes: &'p [u8],
    /// Unique in the dataset.
    pub(super) id: &'p str,
    /// The file, relative to the source.
    pub(super) src: &'p str,
    /// The place in the file.
    pub(super) loc: &'p str,
    /// What it is called as a file of its own.
    pub(super) name: &'p str,
    /// Its split, where something but the card says it.
    pub(super) split: Option<&'p str>,
    /// Its class or caption.
    pub(super) said: Said<'p>,
}

/// What is said of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// Nothing.
    Nothing,
    /// The name or the number of its class.
    Class(&'a str),
    /// A sentence.
    Caption(&'a str),
}

/// What the rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Of kind `image`, with or without a class.
    Images(Option<Classes>),
    /// Of kind `caption`.
    Captions,
}

/// How many pieces of text a row has.
const PIECES: usize = 6;

/// A row that waits to be looked at. Its bytes and its pieces of text stand in [`Sink`].
struct Row<'f> {
    file: &'f InputFile,
    bytes: Range<usize>,
    text: usize,
    lengths: [u32; PIECES],
    label: i64,
}

impl Row<'_> {
    fn pieces<'t>(&self, text: &'t str) -> [&'t str; PIECES] {
        let mut at = self.text;
        self.lengths.map(|length| {
            let piece = &text[at..at + length as usize];
            at += length as usize;
            piece
        })
    }
}

/// Takes the images of one part.
///
/// A batch of them is gathered, then looked at on all threads that have nothing else to do, then
/// handed on in order.
pub(super) struct Sink<'f, 'o, 'e> {
    shape: &'f Shape,
    limits: Limits,
    bytes: Vec<u8>,
    text: String,
    rows: Vec<Row<'f>>,
    built: Built,
    out: &'o mut Outlet<'e>,
}

enum Built {
    Images(ImageRows),
    Captions(CaptionRows),
}

impl<'f, 'o, 'e> Sink<'f, 'o, 'e> {
    pub(super) fn new(shape: &'f Shape, limits: Limits, out: &'o mut Outlet<'e>) -> Self {
        let built = match shape {
            Shape::Images(classes) => Built::Images(ImageRows::new(classes.as_ref().map(Classes::names))),
            Shape::Captions => Built::Captions(CaptionRows::default()),
        };
        Self { shape, limits, bytes: Vec::new(), text: String::new(), rows: Vec::new(), built, out }
    }

    /// Counts what is no row.
    pub(super) fn reject(&mut self, reason: &str, src: &str, loc: &str, excerpt: &str) {
        self.out.rejects.add(reason, src, loc, excerpt);
    }

    /// What the rows are.
    pub(super) fn shape(&self) -> &'f Shape {
        self.shape
    }

    /// Counts what was found to be no row before.
    pub(super) fn reject_all(&mut self, rejects: &Rejects) {
        self.out.rejects.append(rejects.by_reason());
    }

    /// Takes an image.
    ///
    /// # Errors
    /// When a later stage or the disk fails.
    pub(super) fn push(&mut self, picture: &Picture<'f, '_>) -> Result<()> {
        let Picture { file, bytes, id, src, loc, name, split, said } = *picture;
        if bytes.is_empty() {
            self.reject("empty file", src, loc, "");
            return Ok(());
        }
        if bytes.len() > LONGEST_ROW {
            self.reject(TOO_LONG, src, loc, "");
            return Ok(());
        }
        let (label, caption) = match (self.shape, said) {
            (Shape::Images(None), _) => (-1, ""),
            (Shape::Images(Some(classes)), Said::Class(class)) => match classes.label(class) {
                Some(label) => (label, ""),
                None => {
                    self.reject("unknown class", src, loc, class);
                    return Ok(());
                }
            },
            (Shape::Captions, Said::Caption(caption)) => (-1, caption),
            (Shape::Images(Some(_)), _) => {
                self.reject("no class", src, loc, "");
                return Ok(());
            }
            (Shape::Captions, _) => {
                self.reject("no caption", src, loc, "");
                return Ok(());
            }
        };
        let split = match file.split.as_deref().or(split) {
            None => TRAIN,
            Some(said) => match split_named(said) {
                Some(split) => split,
                None if is_split_name(said) => said,
                None => {
                    self.reject("no name for a split", src, loc, said);
                    return Ok(());
                }
            },
        };
        if !self.rows.is_empty() && is_full(self.bytes.len() + bytes.len(), self.rows.len()) {
            self.flush()?;
        }
        let (start, text) = (self.bytes.len(), self.text.len());
        self.bytes.extend_from_slice(bytes);
        let lengths = [id, src, loc, name, split, caption].map(|piece| {
            self.text.push_str(piece);
            piece.len() as u32
        });
        self.rows.push(Row { file, bytes: start..self.bytes.len(), text, lengths, label });
        Ok(())
    }

    /// Looks at what was gathered and hands it on.
    ///
    /// # Errors
    /// When a later stage or the disk fails.
    pub(super) fn flush(&mut self) -> Result<()> {
        let (bytes, limits) = (&self.bytes, &self.limits);
        let looks = self.rows.par_iter().with_min_len(256).map(|row| look_at(&bytes[row.bytes.clone()], limits));
        let looks: Vec<Result<ContentHash, Refusal>> = looks.collect();
        for (row, look) in self.rows.iter().zip(looks) {
            let [id, src, loc, name, split, caption] = row.pieces(&self.text);
            let hash = match look {
                Ok(hash) => hash,
                Err(refusal) => {
                    self.out.rejects.add(refusal.reason(), src, loc, &refusal.excerpt());
                    continue;
                }
            };
            let hash = std::str::from_utf8(&hash).map_err(|_| Error::internal("hex digits that are none"))?;
            let InputFile { source, license, .. } = row.file;
            // equal images are never in two splits
            let origin = Origin { split, id, source, src, loc, license, split_key: hash, content_hash: hash };
            let image = &self.bytes[row.bytes.clone()];
            match &mut self.built {
                Built::Images(rows) => rows.push(image, name, row.label, &origin),
                Built::Captions(rows) => rows.push(image, name, caption, &origin),
            }
        }
        self.rows.clear();
        self.bytes.clear();
        self.text.clear();
        let batch = match &mut self.built {
            Built::Images(rows) if !rows.is_empty() => rows.finish()?,
            Built::Captions(rows) if !rows.is_empty() => rows.finish()?,
            _ => return Ok(()),
        };
        self.out.emit(batch)
    }
}

/// The hash of an image as in the column `content_hash`: 16 hex digits.
type ContentHash = [u8; 16];

/// Looks at the header and hashes the bytes.
fn look_at(bytes: &[u8], limits: &Limits) -> Result<ContentHash, Refusal> {
    let header = header(bytes)?;
    if u64::from(header.width) * u64::from(header.height) > limits.pixels {
        return Err(Refusal::TooManyPixels { width: header.width, height: header.height });
    }
    Ok(content_hash(bytes))
}

/// As [`crate::rows::content_hash`], on the stack.
fn content_hash(bytes: &[u8]) -> ContentHash {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(bytes);
    let mut hash = [0; 16];
    for (pair, byte) in hash.chunks_mut(2).zip(digest) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_on_the_stack_is_that_of_all_rows() {
        for bytes in [&b""[..], b"abc", &[255; 1000]] {
            assert_eq!(std::str::from_utf8(&content_hash(bytes)).unwrap(), crate::rows::content_hash(bytes));
        }
    }
}
