//! Files of recordings, as other programs write them and read them.
//!
//! - [`Format::Flattened`]: a column for each coordinate, `nose_1,nose_2,nose_3`, as BU-CVKit's
//!   `FlattenedDataStore` has them
//! - [`Format::Cvkit3d`]: a column for each keypoint with cells such as `[1.0, 2.0, 3.0]`, divided
//!   by `;`, as BU-CVKit's `CVKitDataStore3D` has them
//! - [`Format::Deeplabcut`]: three header rows `scorer`, `bodyparts` and `coords`, and a first column
//!   with the number of the frame, as DeepLabCut writes them
//!
//! Each is plain or `.gz`. A keypoint is unknown where a cell is empty, `NaN`, or
//! [`MISSING`](super::MISSING) in every coordinate. Positions are multiplied by the card's `scale`
//! when they are read, and divided by it when they are written, in such a text that reading it again
//! gives the same numbers.
//!
//! What the other programs do not know: flattened files and those of BU-CVKit may have a column
//! `frame` with the number of each frame, which is written where the numbers are not 0, 1, 2 …
//! (there a row's place is its number), and flattened files columns `nose_likelihood`.

mod cells;
mod cvkit3d;
mod deeplabcut;
mod flattened;
mod header;
mod numbers;
mod rows;
mod stream;

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Skeleton, Track};
use crate::{Error, Result};
pub use header::Header;

/// What the endings of recordings are, without `.gz`.
pub const ENDING: &str = "csv";

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A column for each coordinate.
    Flattened,
    /// A column for each keypoint.
    Cvkit3d,
    /// Three header rows.
    Deeplabcut,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flattened, Self::Cvkit3d, Self::Deeplabcut];

    /// What configs and the command line call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flattened => "flattened",
            Self::Cvkit3d => "cvkit3d",
            Self::Deeplabcut => "deeplabcut",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A recording in 3D, as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// How the file is laid out.
    pub format: Format,
    /// Where the keypoints are, in the unit of the skeleton.
    pub track: Track,
    /// How sure a detector was of each keypoint, from 0 to 1, where the file says it.
    pub likelihood_tk: Option<Vec<f32>>,
    /// What the animal does in each frame, where the file says it.
    pub behaviour_t: Option<Vec<String>>,
    /// The numbers of the frames, each larger than the one before. One for each frame of the track.
    pub frames: Vec<i64>,
    /// What made the file, where it says so (DeepLabCut's first row).
    pub scorer: Option<String>,
    /// What was not read as it stands.
    pub oddities: Oddities,
}

/// A recording by one camera, as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// How many keypoints each frame has.
    pub keypoints: usize,
    /// x and y of each keypoint of each frame, in pixels; 0 where it is not known.
    pub points_tkc: Vec<f32>,
    /// Which are known.
    pub known_tk: Vec<bool>,
    /// How sure a detector was of each keypoint, from 0 to 1; 1 where the file says nothing of it.
    pub likelihood_tk: Vec<f32>,
    /// The numbers of the frames, each larger than the one before.
    pub frames: Vec<i64>,
    /// What was not read as it stands.
    pub oddities: Oddities,
}

/// What a reader could not take as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Rows that are no frame and were left out.
    pub rejects: Vec<Reject>,
    /// Keypoints that are not known because of what their cells say, by reason; those whose cells
    /// are empty as a whole are none.
    pub keypoints: BTreeMap<&'static str, u64>,
}

/// A row that is no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: &'static str,
    /// What is special about it.
    pub excerpt: String,
}

/// Reads a recording in 3D.
///
/// `format` is found by the header where it is not given.
///
/// # Errors
/// When the file cannot be read, a column of a keypoint is missing, there is no frame, or frames are
/// not in the order of time. A bad row is one of [`File::oddities`].
pub fn read(path: &Path, skeleton: &Skeleton, format: Option<Format>) -> Result<File> {
    read_from(stream::open(path)?, skeleton, format).map_err(|error| error.at(path))
}

/// As [`read`], from anything that was opened and decompressed.
///
/// # Errors
/// As there, without the path.
pub fn read_from(reader: impl BufRead, skeleton: &Skeleton, format: Option<Format>) -> Result<File> {
    let rows = rows::read::<3>(reader, skeleton, format)?;
    Ok(File {
        format: rows.format,
        track: Track {
            keypoints: skeleton.keypoints.len(),
            positions_tkc: rows.points_tk.into_flattened(),
            known_tk: rows.known_tk,
        },
        likelihood_tk: rows.likelihood_tk,
        behaviour_t: rows.behaviour_t,
        frames: rows.frames,
        scorer: rows.scorer,
        oddities: rows.oddities,
    })
}

/// Reads what one camera has seen: flattened with `nose_1,nose_2` or DeepLabCut's `x,y`, in pixels.
/// The card's `scale` does not matter here.
///
/// # Errors
/// As [`read`].
pub fn read_view_from(reader: impl BufRead, skeleton: &Skeleton, format: Option<Format>) -> Result<View> {
    let skeleton = Skeleton { scale: None, ..skeleton.clone() };
    let rows = rows::read::<2>(reader, &skeleton, format)?;
    Ok(View {
        keypoints: skeleton.keypoints.len(),
        points_tkc: rows.points_tk.into_flattened(),
        likelihood_tk: rows.likelihood_tk.unwrap_or_else(|| vec![1.0; rows.known_tk.len()]),
        known_tk: rows.known_tk,
        frames: rows.frames,
        oddities: rows.oddities,
    })
}

/// Reads no more than the header of a file in 3D (`D` = 3) or of one view (`D` = 2).
///
/// # Errors
/// When the file cannot be read, or a column of a keypoint is missing.
pub fn read_header<const D: usize>(
    reader: impl BufRead,
    skeleton: &Skeleton,
    format: Option<Format>,
) -> Result<Header<D>> {
    rows::read_header(reader, skeleton, format).map(|(header, _)| header)
}

/// Writes a recording; a path that ends in `.gz` is compressed.
///
/// A file that is there is replaced once the new one is whole. BU-CVKit's format has no place for
/// likelihoods.
///
/// # Errors
/// When the disk is full, or a known keypoint is where its text would mean that it is missing.
///
/// # Panics
/// When the track has another number of keypoints than the skeleton, or the parts of `file` are not
/// of one length.
pub fn write(path: &Path, file: &File, skeleton: &Skeleton, format: Format) -> Result<()> {
    let text = to_text(file, skeleton, format).map_err(|error| error.at(path))?;
    let bytes = match stream::is_compressed(path) {
        true => stream::compress(text.as_bytes())?,
        false => text.into_bytes(),
    };
    crate::files::write_atomic(path, &bytes)
}

/// The text of a file.
///
/// # Errors
/// When a known keypoint is where its text would mean that it is missing.
///
/// # Panics
/// As [`write()`].
pub fn to_text(file: &File, skeleton: &Skeleton, format: Format) -> Result<String> {
    let (frames, keypoints) = (file.frames.len(), skeleton.keypoints.len());
    assert_eq!(file.track.keypoints, keypoints, "a track of another skeleton");
    assert_eq!(file.track.known_tk.len(), frames * keypoints, "a track of another length");
    assert!(file.likelihood_tk.as_ref().is_none_or(|l| l.len() == frames * keypoints), "likelihoods of another track");
    assert!(file.behaviour_t.as_ref().is_none_or(|b| b.len() == frames), "behaviours of another track");
    match format {
        Format::Flattened => flattened::write(file, skeleton),
        Format::Cvkit3d => cvkit3d::write(file, skeleton),
        Format::Deeplabcut => deeplabcut::write(file, skeleton),
    }
}

/// Whether the frames are numbered by their place.
fn is_counted(frames: &[i64]) -> bool {
    frames.iter().zip(0..).all(|(frame, place)| *frame == place)
}

fn no_frames() -> Error {
    Error::input("there is a header but no frame").hint("is the file cut short?")
}

#[cfg(test)]
mod tests;
