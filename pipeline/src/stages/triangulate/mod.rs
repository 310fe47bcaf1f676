//! `triangulate`: 2D keypoints of several cameras to rows of kind `pose`, in space.
//!
//! Each camera has a file of each recording: flattened with `nose_1,nose_2` or of DeepLabCut, in
//! pixels, with likelihoods where there are any. A file belongs to the camera whose name is in its
//! own (`day1-left.csv`), or the text that the table `names` gives for it; what is left of the name
//! is that of the recording. `cameras` is a file in aniposelib's format, see
//! [`parse_cameras`](crate::triangulation::parse_cameras).
//!
//! Pixels are straightened, and each keypoint is put where the direct linear transformation of its
//! views puts it: `views` says which of them, by `threshold` of the likelihood. A keypoint that
//! fewer than two show is an error, or unknown with `too_few = "unknown"`. Its likelihood is the
//! least of the views that were used; below `likelihood_threshold` it is unknown. The table `arena`
//! says how points are turned, scaled and shifted.

mod arena;
mod views;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};
use tessera_datasets::config::{DataConfig, Section};
use tessera_datasets::console::Unit;
use tessera_datasets::pose::formats::{self, Format, View};
use tessera_datasets::pose::{DETAIL, Skeleton};
use tessera_datasets::schema::{Kind, RecordSchema, pose};
use tessera_datasets::{Error, Result};

use super::Entry;
use super::recordings::{
    Frames, Provenance, SORTS, count, count_oddities, file_beside, ignored_note, read_skeleton, recording_name,
};
use crate::inputs::{InputFile, find, open, parts_of, skipped_note};
use crate::stage::{Outlet, Part, PreparedSource, Source, Stage, StageContext};
use crate::triangulation::{Camera, Choice, Reconstruction, Settings, TooFewViews, parse_cameras, reconstruct};
use arena::ArenaConfig;
use views::Recording;

pub(super) const ENTRY: Entry = Entry {
    name: "triangulate",
    summary: "puts 2D keypoints of several cameras together to 3D ones, by likelihood and the direct linear transformation",
    example: "skeleton = \"skeleton.toml\"\ncameras = \"calibration.toml\"",
    parse,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The card of the keypoints, relative to the working directory.
    skeleton: PathBuf,
    /// The file of the cameras, relative to the working directory.
    cameras: PathBuf,
    /// How the files are laid out; by their headers where it is not given.
    format: Option<Format>,
    /// The text in the names of the files of each camera, where it is not the camera's name.
    #[serde(default)]
    names: BTreeMap<String, String>,
    /// Which views of a keypoint are used.
    #[serde(default)]
    views: Choice,
    /// The likelihood from which on a view is trusted.
    #[serde(default = "threshold")]
    threshold: f32,
    /// What becomes of a keypoint that fewer than two views show.
    #[serde(default)]
    too_few: TooFew,
    /// Keypoints in space with a smaller likelihood are not known.
    likelihood_threshold: Option<f32>,
    /// How points are moved.
    #[serde(default)]
    arena: ArenaConfig,
    /// How many bytes of small files make a part; each part becomes a shard.
    #[serde(default = "part_bytes")]
    part_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TooFew {
    #[default]
    Error,
    Unknown,
}

fn threshold() -> f32 {
    0.6
}

fn part_bytes() -> u64 {
    64 << 20
}

fn parse(section: &Section, context: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    for (key, value) in [("threshold", Some(config.threshold)), ("likelihood_threshold", config.likelihood_threshold)] {
        if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
            return Err(section.error(key, format!("`{key}` is `{value}`, not a likelihood from 0 to 1")));
        }
    }
    if config.format == Some(Format::Cvkit3d) {
        return Err(section.error("format", "files of format `cvkit3d` are in 3D: `read-poses` reads those"));
    }
    config.arena.check().map_err(|error| section.error("arena", error.message()))?;
    if config.part_bytes == 0 {
        return Err(section.error("part_bytes", "`part_bytes` must be 1 or more"));
    }
    Ok(Stage::source(Triangulate { config, data: context.data.clone(), dataset: context.name.clone() }))
}

struct Triangulate {
    config: Config,
    data: DataConfig,
    dataset: String,
}

impl Source for Triangulate {
    fn output(&self) -> Kind {
        Kind::Pose
    }

    fn prepare(&self) -> Result<Box<dyn PreparedSource>> {
        let config = &self.config;
        let skeleton = read_skeleton(&config.skeleton)?;
        let cameras = parse_cameras(&fs_err::read_to_string(&config.cameras)?).map_err(|e| e.at(&config.cameras))?;
        let arena = config.arena.arena(&cameras, skeleton.scale.unwrap_or(1.0))?;
        let mut found = find(&self.data, &self.dataset, SORTS, &|name| recording_name(name).is_some())?;
        let files = std::mem::take(&mut found.files);
        let (recordings, strangers) = views::recordings(files, &cameras, &config.names)?;
        found.skipped.extend(strangers);
        found.skipped.sort();
        let mut ignored = Vec::new();
        for (_, file) in recordings.iter().flat_map(|recording| &recording.views) {
            let (reader, _) = open(file, &|_| {})?;
            let header = formats::read_header::<2>(reader, &skeleton, config.format).map_err(|e| e.at(&file.path))?;
            ignored.extend(header.ignored);
        }
        let sizes = recordings.iter().map(|recording| (recording.name.as_str(), recording.bytes()));
        let (parts, ranges) = parts_of(sizes, config.part_bytes);
        let mut inputs: Vec<InputFile> =
            recordings.iter().flat_map(|recording| recording.views.iter().map(|(_, file)| file.clone())).collect();
        let beside = [&config.skeleton, &config.cameras].map(|path| file_beside(path, &inputs));
        inputs.extend(beside.into_iter().collect::<Result<Vec<_>>>()?);
        let settings = Settings {
            choice: config.views,
            threshold: config.threshold,
            leave_out: config.too_few == TooFew::Unknown,
            arena,
        };
        Ok(Box::new(Prepared {
            config: config.clone(),
            settings,
            skeleton,
            cameras,
            recordings,
            inputs,
            skipped: found.skipped,
            ignored: ignored_note(ignored),
            parts,
            ranges,
        }))
    }
}

struct Prepared {
    config: Config,
    settings: Settings,
    skeleton: Skeleton,
    cameras: Vec<Camera>,
    recordings: Vec<Recording>,
    /// The views of all recordings, then the files beside them.
    inputs: Vec<InputFile>,
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
        let cameras: Vec<&str> = self.cameras.iter().map(|camera| camera.name.as_str()).collect();
        let mut details = Map::from_iter([
            (DETAIL.to_owned(), self.skeleton.to_detail()),
            ("cameras".to_owned(), serde_json::json!(cameras)),
        ]);
        let notes = [("skipped_files", skipped_note(&self.skipped)), ("ignored_columns", self.ignored.clone())];
        details.extend(notes.into_iter().filter_map(|(name, note)| Some((name.to_owned(), note?))));
        details
    }

    fn read(&self, part: usize, out: &mut Outlet<'_>) -> Result<()> {
        let range = self.ranges.get(part).ok_or_else(|| Error::internal("no such part"))?;
        let mut frames = Frames::new(self.skeleton.keypoints.len());
        for recording in &self.recordings[range.clone()] {
            let found = self.reconstruct(recording, out)?;
            for frame in &found.lonely {
                out.rejects.add("frame of a single view", &recording.src, &format!("frame {frame}"), "");
            }
            let from = Provenance { subject: &recording.name, src: &recording.src, file: &recording.views[0].1 };
            frames.push(&found.track, &found.frames, &from, out)?;
        }
        frames.finish(out)
    }
}

impl Prepared {
    fn reconstruct(&self, recording: &Recording, out: &mut Outlet<'_>) -> Result<Reconstruction> {
        let mut views: Vec<(&Camera, View)> = Vec::with_capacity(recording.views.len());
        for (camera, file) in &recording.views {
            let (reader, _) = open(file, out.advance)?;
            let mut view = formats::read_view_from(reader, &self.skeleton, self.config.format)
                .map_err(|error| error.at(&file.path))?;
            count_oddities(std::mem::take(&mut view.oddities), &file.name, out);
            views.push((&self.cameras[*camera], view));
        }
        let pairs: Vec<(&Camera, &View)> = views.iter().map(|(camera, view)| (*camera, view)).collect();
        let mut found = reconstruct(&pairs, &self.settings).map_err(|few| self.too_few(few, recording))?;
        let mut unlikely = 0;
        if let Some(threshold) = self.config.likelihood_threshold {
            let track = &mut found.track;
            for (at, likelihood) in found.likelihood_tk.iter().enumerate() {
                if track.known_tk[at] && *likelihood < threshold {
                    track.set(at / track.keypoints, at % track.keypoints, None);
                    unlikely += 1;
                }
            }
        }
        let reason = format!("likelihood below {}", self.config.likelihood_threshold.unwrap_or_default());
        let counts = found.counts;
        let changes = [("fewer than two views", counts.too_few_views), ("views that meet nowhere", counts.at_infinity)];
        count(changes, out.changes);
        count([(reason, unlikely)], out.changes);
        Ok(found)
    }

    fn too_few(&self, few: TooFewViews, recording: &Recording) -> Error {
        let TooFewViews { frame, keypoint, views } = few;
        let keypoint = &self.skeleton.keypoints[keypoint];
        let seen = match views {
            0 => "no camera".to_owned(),
            _ => "one camera only".to_owned(),
        };
        let message =
            format!("`{keypoint}` in frame {frame} of `{}` is seen by {seen}, and two are needed", recording.src);
        let hint = match self.settings.choice {
            Choice::Confident => {
                "`too_few = \"unknown\"` leaves such keypoints out, `views = \"auto-subset\"` uses all views then"
            }
            _ => "`too_few = \"unknown\"` in the stage `triangulate` leaves such keypoints out",
        };
        Error::input(message).hint(hint)
    }
}
