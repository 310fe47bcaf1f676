//! A column for each keypoint, with cells such as `[1.0, 2.0, 3.0]`; divided by `;`.

use super::header::{Header, Places, find, find_other, missing};
use super::numbers::{Cell, NotANumber, Scale};
use super::{File, Format, cells, is_counted};
use crate::pose::Skeleton;
use crate::{Error, Result};

/// What divides cells.
pub(super) const SEPARATOR: u8 = b';';

pub(super) fn header<const D: usize>(names: &[String], skeleton: &Skeleton) -> Result<Header<D>> {
    if D != 3 {
        return Err(
            Error::input("a file in BU-CVKit's 3D format is no camera's view").hint("`read-poses` reads files in 3D")
        );
    }
    let place = |keypoint: &String| find(names, keypoint)?.ok_or_else(|| missing(names, keypoint, keypoint));
    let places = skeleton.keypoints.iter().map(place).collect::<Result<_>>()?;
    let mut header = Header::new(Format::Cvkit3d, names, Places::Lists(places));
    header.behaviour = find_other(names, "behaviour", skeleton)?;
    header.frame = find_other(names, "frame", skeleton)?;
    Ok(header.ignoring_the_rest(names))
}

/// The coordinates in a cell, divided by `,` or, as numpy prints them, by spaces. An empty cell has
/// none of them.
pub(super) fn parse<const D: usize>(cell: &[u8], scale: Scale) -> Result<[Cell; D], NotANumber> {
    let text = cell.trim_ascii();
    if super::numbers::is_missing(text) {
        return Ok([Cell::Missing; D]);
    }
    let inner = match text {
        [b'[', inner @ .., b']'] | [b'(', inner @ .., b')'] => inner.trim_ascii(),
        _ => return Err(NotANumber),
    };
    let commas = inner.contains(&b',');
    let mut parts = inner.split(|byte| if commas { *byte == b',' } else { byte.is_ascii_whitespace() });
    let mut out = [Cell::Missing; D];
    for slot in &mut out {
        // several spaces in succession are one
        let part = match commas {
            true => parts.next(),
            false => parts.find(|part| !part.is_empty()),
        };
        *slot = scale.parse(part.ok_or(NotANumber)?)?;
    }
    match parts.any(|part| !part.trim_ascii().is_empty()) {
        true => Err(NotANumber),
        false => Ok(out),
    }
}

pub(super) fn write(file: &File, skeleton: &Skeleton) -> Result<String> {
    let mut out = String::new();
    let numbered = !is_counted(&file.frames);
    let mut line = cells::Line::new(&mut out, ';');
    if numbered {
        line.cell("frame");
    }
    skeleton.keypoints.iter().for_each(|keypoint| line.cell(keypoint));
    // BU-CVKit always has it
    let behaves = skeleton.index("behaviour").is_none();
    if behaves {
        line.cell("behaviour");
    }
    line.end();
    let scale = Scale::of(skeleton);
    for (frame, number) in file.frames.iter().enumerate() {
        let mut line = cells::Line::new(&mut out, ';');
        if numbered {
            line.number(*number);
        }
        for keypoint in 0..skeleton.keypoints.len() {
            let cell = line.next();
            let Some(point) = file.track.point(frame, keypoint) else {
                continue;
            };
            scale.refuse_missing(point).map_err(|e| cells::placed(e, skeleton, keypoint, *number))?;
            for (start, value) in ["[", ", ", ", "].into_iter().zip(point) {
                cell.push_str(start);
                scale.write(cell, value);
            }
            cell.push(']');
        }
        if behaves {
            line.cell(file.behaviour_t.as_ref().map_or("", |behaviour_t| behaviour_t[frame].as_str()));
        }
        line.end();
    }
    Ok(out)
}
