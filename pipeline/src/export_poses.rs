//! `export-poses`: the recordings of a dataset as files of other programs.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use tessera_datasets::pose::formats::{self, ENDING, File, Format, Oddities};
use tessera_datasets::pose::{Skeleton, Track};
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result, ResultExt};

use crate::rows::PoseColumns;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How the files are laid out.
    pub format: Format,
    /// One split; all of them where none is named.
    pub split: Option<&'a str>,
    /// Whether the files are compressed.
    pub gzip: bool,
    /// Whether files that are there are overwritten.
    pub replace: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many files, one for each subject.
    pub files: u64,
    /// How many frames all together.
    pub frames: u64,
}

/// Writes a file for each subject to `folder`, its frames in the order of time.
///
/// # Errors
/// When the dataset has no poses or no such split, a frame is there twice, a file is there already,
/// or the disk is full.
pub fn export(dataset: &Dataset, folder: &Path, options: &Options<'_>) -> Result<Written> {
    let manifest = dataset.manifest();
    if manifest.kind != Kind::Pose {
        return Err(Error::input(format!("a dataset of kind `{}`, which has no recordings of poses", manifest.kind))
            .at(dataset.dir()));
    }
    let skeleton = Skeleton::of_details(&manifest.details).at(dataset.dir())?;
    let splits: Vec<&str> = match options.split {
        Some(split) => vec![split],
        None => manifest.splits.keys().map(String::as_str).collect(),
    };
    let mut recordings: BTreeMap<String, Frames> = BTreeMap::new();
    for split in splits {
        for batch in dataset.batches(split, &["keypoints", "mask", "subject", "frame"])? {
            let batch = batch?;
            gather(&mut recordings, &PoseColumns::of(&batch)?);
        }
    }
    let mut files = Vec::with_capacity(recordings.len());
    for (subject, frames) in recordings {
        let path = path_of(folder, &subject, options.gzip)?;
        if path.exists() && !options.replace {
            return Err(Error::input("the file is there already")
                .at(&path)
                .hint("name another folder with `--output`, or overwrite it with `--replace`"));
        }
        files.push((path, subject, frames));
    }
    let mut written = Written::default();
    for (path, subject, frames) in files {
        let file = frames.into_file(&subject, options.format)?;
        formats::write(&path, &file, &skeleton, options.format)?;
        written.files += 1;
        written.frames += file.frames.len() as u64;
    }
    Ok(written)
}

/// The frames of one subject as they come.
#[derive(Default)]
struct Frames {
    track: Track,
    frames: Vec<i64>,
}

fn gather(recordings: &mut BTreeMap<String, Frames>, columns: &PoseColumns<'_>) {
    let keypoints = columns.keypoints;
    let mut first = 0;
    while first < columns.frames.len() {
        let subject = columns.subjects.value(first);
        let rows = (first..columns.frames.len()).take_while(|row| columns.subjects.value(*row) == subject).count();
        if !recordings.contains_key(subject) {
            recordings.insert(subject.to_owned(), Frames::default());
        }
        let Some(Frames { track, frames }) = recordings.get_mut(subject) else {
            return;
        };
        let (from, to) = (first * keypoints, (first + rows) * keypoints);
        track.keypoints = keypoints;
        track.positions_tkc.extend_from_slice(&columns.positions[from * 3..to * 3]);
        track.known_tk.extend((from..to).map(|at| columns.mask.value(at)));
        frames.extend_from_slice(&columns.frames.values()[first..first + rows]);
        first += rows;
    }
}

impl Frames {
    fn into_file(self, subject: &str, format: Format) -> Result<File> {
        let Self { mut track, mut frames } = self;
        if !frames.is_sorted() {
            let mut order: Vec<usize> = (0..frames.len()).collect();
            order.sort_by_key(|row| frames[*row]);
            let keypoints = track.keypoints;
            let rows = |row: &usize| row * keypoints..(row + 1) * keypoints;
            track = Track {
                keypoints,
                positions_tkc: order
                    .iter()
                    .flat_map(|row| &track.positions_tkc[row * keypoints * 3..][..keypoints * 3])
                    .copied()
                    .collect(),
                known_tk: order.iter().flat_map(|row| &track.known_tk[rows(row)]).copied().collect(),
            };
            frames = order.iter().map(|row| frames[*row]).collect();
        }
        if let Some(pair) = frames.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::input(format!("frame {} of `{subject}` is there twice", pair[0])));
        }
        let (likelihood_tk, behaviour_t, scorer) = (None, None, None);
        Ok(File { format, track, likelihood_tk, behaviour_t, frames, scorer, oddities: Oddities::default() })
    }
}

/// Where the file of a subject goes, which is never outside of the folder.
fn path_of(folder: &Path, subject: &str, gzip: bool) -> Result<PathBuf> {
    let stays = |part: Component<'_>| matches!(part, Component::Normal(_));
    if subject.is_empty() || !Path::new(subject).components().all(stays) {
        return Err(Error::input(format!("the subject `{subject}` is no name for a file")));
    }
    let ending = if gzip { format!("{ENDING}.gz") } else { ENDING.to_owned() };
    Ok(folder.join(format!("{subject}.{ending}")))
}
