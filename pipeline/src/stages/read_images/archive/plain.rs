//! Archives of folders: what is known of an image is where it lies.

use std::fmt::Write;
use std::ops::Range;

use rustc_hash::FxHashSet;
use tessera_datasets::{Error, Result};

use super::super::names::{Place, base_name, is_image};
use super::super::sink::{Picture, Said, Sink};
use super::members::walk;
use super::scan::hash_of;
use crate::inputs::InputFile;
use crate::inputs::lines::TOO_LONG;

pub(super) fn read<'f>(
    file: &'f InputFile,
    range: &Range<u64>,
    repeated: &FxHashSet<u64>,
    advance: &dyn Fn(u64),
    sink: &mut Sink<'f, '_, '_>,
) -> Result<()> {
    let (mut bytes, mut id) = (Vec::new(), String::new());
    walk(file, range, advance, &mut |member| {
        let (src, loc) = (file.name.as_str(), member.name);
        if member.is_folder || !is_image(loc) {
            return Ok(());
        }
        if !member.read(&mut bytes)? {
            sink.reject(TOO_LONG, src, loc, "");
            return Ok(());
        }
        identify(&mut id, src, loc, member.start, repeated)?;
        let place = Place::of(loc);
        sink.push(&Picture {
            file,
            bytes: &bytes,
            id: &id,
            src,
            loc,
            name: base_name(loc),
            split: place.split,
            said: place.class.map_or(Said::Nothing, Said::Class),
        })
    })
}

/// Writes the id of a member: the archive and the name, and the place where that is not enough.
pub(super) fn identify(
    id: &mut String,
    archive: &str,
    name: &str,
    start: Option<u64>,
    repeated: &FxHashSet<u64>,
) -> Result<()> {
    id.clear();
    let written = match start.filter(|_| !repeated.is_empty() && repeated.contains(&hash_of(name))) {
        None => write!(id, "{archive}:{name}"),
        Some(start) => write!(id, "{archive}:{name}@{start}"),
    };
    written.map_err(|e| Error::internal(e.to_string()))
}
