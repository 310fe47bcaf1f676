//! `tessera-train optimise`: recordings in, optimised recordings out, in the same format.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tessera_datasets::console::{duration, say, thousands};
use tessera_datasets::pose::Skeleton;
use tessera_datasets::pose::formats::{self, File, Format};
use tessera_datasets::{Error, Result, ResultExt};

use crate::task::{Optimise, Task};

/// What BU-CVKit writes as the likelihood of a keypoint that was filled in.
const FILLED: f32 = 0.9;

/// Which files, and what is written of them.
#[derive(Clone, Debug)]
pub struct Recordings {
    /// The files, each one recording.
    pub files: Vec<PathBuf>,
    /// The folder of the optimised files, which have the names of those that were read.
    pub output: PathBuf,
    /// Their layout; found by their headers where it is not given.
    pub format: Option<Format>,
    /// Whether keypoints that are known stay where they are, so that only gaps are filled.
    pub only_missing: bool,
    /// How they are gone through.
    pub windows: Optimise,
}

/// Optimises recordings and writes each to the output folder in its own format.
///
/// # Errors
/// When a file is no recording of this skeleton, would be written over itself, or the disk is full.
pub fn optimise_files(task: &mut dyn Task, skeleton: &Skeleton, request: &Recordings) -> Result<()> {
    let outputs = outputs(request)?;
    fs_err::create_dir_all(&request.output)?;
    for (input, output) in request.files.iter().zip(&outputs) {
        let clock = Instant::now();
        let mut file = formats::read(input, skeleton, request.format)?;
        for reject in &file.oddities.rejects {
            say(format!("`{}`, line {}: left out: {} {}", input.display(), reject.line, reject.reason, reject.excerpt));
        }
        for (reason, count) in &file.oddities.keypoints {
            say(format!("`{}`: {} keypoints are not known: {reason}", input.display(), thousands(*count)));
        }
        let missing = optimise_file(task, &mut file, request).at(input)?;
        formats::write(output, &file, skeleton, file.format)?;
        say(format!(
            "`{}`: {} frames, {} of {} keypoints were missing · {} · `{}`",
            input.display(),
            thousands(file.frames.len() as u64),
            thousands(missing),
            thousands(file.track.known_tk.len() as u64),
            duration(clock.elapsed().as_secs_f64()),
            output.display(),
        ));
    }
    Ok(())
}

/// The skeleton for reading files that are in the unit of another card of the same animal.
///
/// # Errors
/// When the card cannot be read, or has other keypoints than the model.
pub fn read_as(model: &Skeleton, card: &Path) -> Result<Skeleton> {
    let card_skeleton = Skeleton::read(card)?;
    let lacks = |one: &Skeleton, other: &Skeleton| {
        let missing: Vec<&str> =
            one.keypoints.iter().filter(|name| other.index(name).is_none()).map(String::as_str).collect();
        missing.join(", ")
    };
    let (unknown, missing) = (lacks(&card_skeleton, model), lacks(model, &card_skeleton));
    if !unknown.is_empty() || !missing.is_empty() {
        let message = match missing.is_empty() {
            true => format!("the model knows no `{unknown}`"),
            false => format!("the model has `{missing}`, the card does not"),
        };
        let hint = format!("the model's keypoints are {}", model.keypoints.join(", "));
        return Err(Error::input(message).at(card).hint(hint));
    }
    Ok(Skeleton { scale: card_skeleton.scale, ..model.clone() })
}

/// Puts the optimised positions into the file; returns how many keypoints were not known.
fn optimise_file(task: &mut dyn Task, file: &mut File, request: &Recordings) -> Result<u64> {
    let keypoints = file.track.keypoints;
    let missing = file.track.known_tk.iter().filter(|known| !**known).count() as u64;
    if missing == file.track.known_tk.len() as u64 {
        return Err(Error::input("not a single keypoint is known").hint("do the column names belong to this skeleton?"));
    }
    for run in runs(&file.frames) {
        let track = file.track.slice(run.start, run.len());
        // nothing is known of these frames, so there is nothing to go by
        if !track.known_tk.contains(&true) {
            continue;
        }
        let positions = task.optimise(&track, &request.windows)?;
        for (at, point) in positions.as_chunks::<3>().0.iter().enumerate() {
            let (frame, keypoint) = (run.start + at / keypoints, at % keypoints);
            let known = track.known_tk[at];
            if !(known && request.only_missing) {
                file.track.set(frame, keypoint, Some(*point));
            }
            if let Some(likelihood) = file.likelihood_tk.as_mut().filter(|_| !known) {
                likelihood[frame * keypoints + keypoint] = FILLED;
            }
        }
    }
    Ok(missing)
}

/// The runs of frames whose numbers follow one another: a jump is a cut in time.
fn runs(frames: &[i64]) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut first = 0;
    for run in frames.chunk_by(|a, b| *b == a + 1) {
        runs.push(first..first + run.len());
        first += run.len();
    }
    runs
}

/// Where each file is written to.
fn outputs(request: &Recordings) -> Result<Vec<PathBuf>> {
    let mut outputs: Vec<PathBuf> = Vec::new();
    for input in &request.files {
        let name = input.file_name().ok_or_else(|| Error::input("not a file").at(input))?;
        let output = request.output.join(name);
        let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if request.files.iter().any(|input| same(&output, input)) {
            return Err(Error::input("would be written over itself")
                .at(input)
                .hint("give another folder with `--output DIR`"));
        }
        if outputs.contains(&output) {
            return Err(Error::input("another file of that name is to be optimised")
                .at(input)
                .hint("give them one by one, each with its own `--output DIR`"));
        }
        outputs.push(output);
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_in_the_numbers_of_frames_is_a_cut() {
        assert_eq!(runs(&[4, 5, 9, 10, 11, 20]), [0..2, 2..5, 5..6]);
        assert_eq!(runs(&[0, 1, 2]).len(), 1);
        assert!(runs(&[]).is_empty());
    }
}
