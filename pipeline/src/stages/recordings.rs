//! What the sources of poses share: files of recordings, the card of the skeleton, and where frames
//! go.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use tessera_datasets::pose::formats::{ENDING, Oddities};
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::{Error, Result};

use crate::inputs::{Compression, InputFile};
use crate::rows::{Origin, Pose, PoseRows, TRAIN, content_hash};
use crate::stage::Outlet;

/// What people are told that sources of poses read.
pub(super) const SORTS: &str = "`.csv`, also as `.csv.gz` or `.csv.zst`";

/// The name of a recording: that of its file without the endings, where it has the right ones.
pub(super) fn recording_name(file: &str) -> Option<&str> {
    let (_, plain) = Compression::of(file);
    let (name, ending) = plain.rsplit_once('.')?;
    (ending.eq_ignore_ascii_case(ENDING) && !name.is_empty()).then_some(name)
}

/// A file beside the recordings that decides what is made of them, such as the skeleton's card.
pub(super) fn file_beside(path: &Path, recordings: &[InputFile]) -> Result<InputFile> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let first = recordings.first().ok_or_else(|| Error::internal("no recordings"))?;
    Ok(InputFile {
        path: path.to_path_buf(),
        name: name.unwrap_or_default(),
        bytes: fs_err::metadata(path)?.len(),
        source: first.source.clone(),
        license: first.license.clone(),
        split: None,
        expected_sha256: None,
    })
}

/// Reads the skeleton's card.
pub(super) fn read_skeleton(path: &Path) -> Result<Skeleton> {
    match path.is_file() {
        true => Skeleton::read(path),
        false => Err(Error::input("no such file")
            .at(path)
            .hint("`skeleton` is the card of the keypoints, relative to the working directory")),
    }
}

/// Where the frames of recordings go.
pub(super) struct Frames {
    rows: PoseRows,
    id: String,
    loc: String,
    bytes: Vec<u8>,
}

/// Where a recording comes from.
pub(super) struct Provenance<'a> {
    pub(super) subject: &'a str,
    /// The file, or what several are called together.
    pub(super) src: &'a str,
    pub(super) file: &'a InputFile,
}

impl Frames {
    pub(super) fn new(keypoints: usize) -> Self {
        Self { rows: PoseRows::new(keypoints, false), id: String::new(), loc: String::new(), bytes: Vec::new() }
    }

    /// Takes a whole recording. One in which nothing is known is no recording.
    pub(super) fn push(
        &mut self,
        track: &Track,
        frames: &[i64],
        from: &Provenance<'_>,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let Provenance { subject, src, file } = from;
        let is_empty = !track.known_tk.contains(&true);
        let keypoints = track.keypoints;
        let poses = track.positions_tkc.chunks_exact(3 * keypoints).zip(track.known_tk.chunks_exact(keypoints));
        for (frame, (positions, mask)) in frames.iter().zip(poses) {
            self.id.clear();
            self.loc.clear();
            let written = write!(self.id, "{subject}-{frame:07}").and_then(|()| write!(self.loc, "frame {frame}"));
            written.map_err(|e| Error::internal(e.to_string()))?;
            if is_empty {
                out.rejects.add("no known keypoint in the whole recording", src, &self.loc, "");
                continue;
            }
            self.bytes.clear();
            self.bytes.extend(positions.iter().flat_map(|value| value.to_le_bytes()));
            self.bytes.extend(mask.iter().map(|known| u8::from(*known)));
            let hash = content_hash(&self.bytes);
            let origin = Origin {
                split: file.split.as_deref().unwrap_or(TRAIN),
                id: &self.id,
                source: &file.source,
                src,
                loc: &self.loc,
                license: &file.license,
                split_key: subject,
                content_hash: &hash,
            };
            self.rows.push(&Pose { positions, mask, truth: None }, subject, *frame, &origin);
            if self.rows.is_full() {
                out.emit(self.rows.finish()?)?;
            }
        }
        Ok(())
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self, out: &mut Outlet<'_>) -> Result<()> {
        match self.rows.is_empty() {
            true => Ok(()),
            false => out.emit(self.rows.finish()?),
        }
    }
}

/// Counts what a file says that cannot be taken as it stands.
pub(super) fn count_oddities(oddities: Oddities, file: &str, out: &mut Outlet<'_>) {
    for reject in oddities.rejects {
        out.rejects.add(reject.reason, file, &format!("line {}", reject.line), &reject.excerpt);
    }
    count(oddities.keypoints, out.changes);
}

/// Adds counts.
pub(super) fn count<T: Into<String>>(more: impl IntoIterator<Item = (T, u64)>, changes: &mut BTreeMap<String, u64>) {
    more.into_iter().filter(|(_, n)| *n > 0).for_each(|(reason, n)| *changes.entry(reason.into()).or_default() += n);
}

/// Columns that no keypoint of the card has, as the manifest notes them.
pub(super) fn ignored_note(ignored: Vec<String>) -> Option<serde_json::Value> {
    const NAMED: usize = 10;
    let names: std::collections::BTreeSet<String> = ignored.into_iter().collect();
    let samples: Vec<&String> = names.iter().take(NAMED).collect();
    (!names.is_empty()).then(|| serde_json::json!({ "count": names.len(), "samples": samples }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_called_like_its_file() {
        for (file, name) in [
            ("a.csv", Some("a")),
            ("day 1/a.b.CSV.gz", Some("day 1/a.b")),
            ("a.csv.zst", Some("a")),
            ("a.tsv", None),
            ("a.gz", None),
            (".csv", None),
        ] {
            assert_eq!(recording_name(file), name, "{file}");
        }
    }
}
