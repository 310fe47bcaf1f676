//! `read-poses`: recordings of 3D keypoints to rows of kind `pose`.
//!
//! A file is a recording, named after the file without its endings; a row is a frame. `skeleton` is
//! the card of the keypoints, a TOML file. The files are flattened, of BU-CVKit or of DeepLabCut:
//! see [`formats`](tessera_datasets::pose::formats). `format` says which; without it the header
//! does.
//!
//! A keypoint is unknown where its cells are empty, `NaN` or -4668, where only some of its
//! coordinates are there, or one is infinite, and where its likelihood is 0 or below
//! `likelihood_threshold`; those that are not plainly empty are counted among the changes. A row
//! with too few or too many cells, or with a cell that is no number, is dropped, which leaves a gap
//! in time; so are the frames of a recording in which nothing is known. A missing column, and frames
//! that are not in the order of time, are errors. Columns that the card does not know are left
//! alone and listed in the manifest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::config::{DataConfig, Section};
use tessera_datasets::console::Unit;
use tessera_datasets::pose::formats::{self, Format, Header};
use tessera_datasets::pose::{DETAIL, Skeleton};
use tessera_datasets::schema::{Kind, RecordSchema, pose};
use tessera_datasets::{Error, Result};

use super::Entry;
use super::recordings::{
    Frames, Provenance, SORTS, count, count_oddities, file_beside, ignored_note, read_skeleton, recording_name,
};
use crate::inputs::{Found, InputFile, find, open, parts_of, skipped_note};
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};

pub(super) const ENTRY: Entry = Entry {
    name: "read-poses",
    summary: "reads recordings of 3D keypoints: .csv as flattened, BU-CVKit and DeepLabCut have it, plain or compressed",
    example: "skeleton = \"skeleton.toml\"",
    parse,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The card of the keypoints, relative to the working directory.
    skeleton: PathBuf,
    /// How the files are laid out; by their headers where it is not given.
    format: Option<Format>,
    /// Keypoints with a smaller likelihood are not known.
    likelihood_threshold: Option<f32>,
    /// How many bytes of small files make a part; each part becomes a shard.
    #[serde(default = "part_bytes")]
    part_bytes: u64,
}

fn part_bytes() -> u64 {
    64 << 20
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    if let Some(threshold) = config.likelihood_threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
        let message = format!("`likelihood_threshold` is `{threshold}`, not a likelihood from 0 to 1");
        return Err(section.error("likelihood_threshold", message));
    }
    if config.format == Some(Format::Cvkit3d) && config.likelihood_threshold.is_some() {
        return Err(section.error("likelihood_threshold", "files of format `cvkit3d` have no likelihoods"));
    }
    if config.part_bytes == 0 {
        return Err(section.error("part_bytes", "`part_bytes` must be 1 or more"));
    }
    Ok(Stage::source(ReadPoses { config, data: context.data.clone(), dataset: context.name.clone() }))
}

struct ReadPoses {
    config: Config,
    data: DataConfig,
    dataset: String,
}

impl Source for ReadPoses {
    fn output(&self) -> Kind {
        Kind::Pose
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let skeleton = read_skeleton(&self.config.skeleton)?;
        let Found { files, skipped, .. } =
            find(&self.data, &self.dataset, SORTS, &|name| recording_name(name).is_some())?;
        refuse_twins(&files)?;
        // a header that lacks a keypoint is found before anything is made
        let mut ignored = Vec::new();
        for file in &files {
            let header = self.header(file, &skeleton).map_err(|error| error.at(&file.path))?;
            ignored.extend(header.ignored);
        }
        let (parts, ranges) = parts_of(files.iter().map(|f| (f.name.as_str(), f.bytes)), self.config.part_bytes);
        let card = file_beside(&self.config.skeleton, &files)?;
        let recordings = files.len();
        Ok(Box::new(Prepared {
            config: self.config.clone(),
            skeleton,
            inputs: files.into_iter().chain([card]).collect(),
            recordings,
            skipped,
            ignored: ignored_note(ignored),
            parts,
            ranges,
        }))
    }
}

impl ReadPoses {
    fn header(&self, file: &InputFile, skeleton: &Skeleton) -> Result<Header<3>> {
        let (reader, _) = open(file, &|_| {})?;
        let header = formats::read_header(reader, skeleton, self.config.format)?;
        match self.config.likelihood_threshold {
            Some(_) if !header.has_likelihood() => {
                Err(Error::input("the file has no likelihoods for `likelihood_threshold`")
                    .hint("take `likelihood_threshold` out of the stage `read-poses`"))
            }
            _ => Ok(header),
        }
    }
}

/// Two files with the same frames of the same subject, such as `a.csv` and `a.csv.gz`.
fn refuse_twins(files: &[InputFile]) -> Result<()> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        let recording = recording_name(&file.name).unwrap_or(&file.name);
        if let Some(twin) = seen.insert(recording, &file.name) {
            let message = format!("`{twin}` and `{}` are both the recording `{recording}`", file.name);
            return Err(Error::input(message).hint("leave one of them out of `[data]`"));
        }
    }
    Ok(())
}

struct Prepared {
    config: Config,
    skeleton: Skeleton,
    /// The recordings, then the card.
    inputs: Vec<InputFile>,
    recordings: usize,
    skipped: Vec<String>,
    ignored: Option<Value>,
    parts: Vec<Part>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl PreparedSource for Prepared {
    fn schema(&self) -> RecordSchema {
        pose(self.skeleton.keypoints.len(), false)
    }

    fn inputs(&self) -> &[InputFile] {
        &self.inputs
    }

    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn unit(&self) -> Unit {
        Unit::Bytes
    }

    fn details(&self) -> Map<String, Value> {
        let notes = [("skipped_files", skipped_note(&self.skipped)), ("ignored_columns", self.ignored.clone())];
        let notes = notes.into_iter().filter_map(|(name, note)| Some((name.to_owned(), note?)));
        std::iter::once((DETAIL.to_owned(), self.skeleton.to_detail())).chain(notes).collect()
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let range = self.ranges.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let mut frames = Frames::new(self.skeleton.keypoints.len());
        for file in &self.inputs[..self.recordings][range.clone()] {
            self.read_recording(file, &mut frames, out).map_err(|error| error.at(&file.path))?;
        }
        frames.finish(out)
    }
}

impl Prepared {
    fn read_recording(&self, file: &InputFile, frames: &mut Frames, out: &mut Outlet<'_>) -> Result<()> {
        let (reader, _) = open(file, out.advance)?;
        let mut recording = formats::read_from(reader, &self.skeleton, self.config.format)?;
        if let Some(threshold) = self.config.likelihood_threshold {
            count([(format!("likelihood below {threshold}"), forget_unlikely(&mut recording, threshold))], out.changes);
        }
        count_oddities(recording.oddities, &file.name, out);
        let subject = recording_name(&file.name).unwrap_or(&file.name);
        let from = Provenance { subject, src: &file.name, file };
        frames.push(&recording.track, &recording.frames, &from, out)
    }
}

/// Takes away the keypoints of which the detector was not sure; says how many.
fn forget_unlikely(recording: &mut formats::File, threshold: f32) -> u64 {
    let track = &mut recording.track;
    let likelihoods = recording.likelihood_tk.iter().flatten();
    let points = track.positions_tkc.as_chunks_mut::<3>().0.iter_mut().zip(&mut track.known_tk);
    let unlikely = points.zip(likelihoods).filter(|((_, known), likelihood)| **known && **likelihood < threshold);
    unlikely
        .map(|((point, known), _)| {
            *point = [0.0; 3];
            *known = false;
        })
        .count() as u64
}
