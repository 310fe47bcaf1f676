//! Which files are views of one recording.

use std::collections::BTreeMap;

use tessera_datasets::{Error, Result};

use crate::inputs::InputFile;
use crate::stages::recordings::recording_name;
use crate::triangulation::Camera;

/// The views of one recording.
pub(super) struct Recording {
    pub(super) name: String,
    /// What its files are called together.
    pub(super) src: String,
    /// The number of the camera, and what it saw; by camera.
    pub(super) views: Vec<(usize, InputFile)>,
}

impl Recording {
    pub(super) fn bytes(&self) -> u64 {
        self.views.iter().map(|(_, file)| file.bytes).sum()
    }
}

/// The recordings by name, and the names of files that belong to no camera.
///
/// # Errors
/// When a recording has one view only, or two of one camera; when `names` has a camera that is none.
pub(super) fn recordings(
    files: Vec<InputFile>,
    cameras: &[Camera],
    names: &BTreeMap<String, String>,
) -> Result<(Vec<Recording>, Vec<String>)> {
    if let Some(name) = names.keys().find(|name| cameras.iter().all(|camera| camera.name != **name)) {
        let known: Vec<String> = cameras.iter().map(|camera| format!("`{}`", camera.name)).collect();
        return Err(Error::input(format!("`names` has `{name}`, which is no camera"))
            .hint(format!("the cameras are {}", known.join(", "))));
    }
    let marks: Vec<&str> =
        cameras.iter().map(|camera| names.get(&camera.name).unwrap_or(&camera.name).as_str()).collect();
    let mut found: BTreeMap<String, Vec<(usize, InputFile)>> = BTreeMap::new();
    let mut strangers = Vec::new();
    for file in files {
        match divide(recording_name(&file.name).unwrap_or_default(), &marks) {
            Some((camera, name)) => found.entry(name).or_default().push((camera, file)),
            None => strangers.push(file.name),
        }
    }
    if found.is_empty() {
        let marks: Vec<String> = marks.iter().map(|mark| format!("`{mark}`")).collect();
        let message = format!("no file has the name of a camera in its own: {}", marks.join(", "));
        return Err(Error::input(message)
            .hint("`names` says for each camera what stands in the names of its files, such as `left = \"cam0\"`"));
    }
    let mut recordings = Vec::new();
    for (name, mut views) in found {
        views.sort_by_key(|(camera, _)| *camera);
        if let Some([(camera, first), (_, second)]) =
            views.windows(2).find(|pair| pair[0].0 == pair[1].0).and_then(|p| p.first_chunk::<2>())
        {
            let camera = &cameras[*camera].name;
            let message = format!("`{}` and `{}` are both what `{camera}` saw of `{name}`", first.name, second.name);
            return Err(Error::input(message).hint("leave one of them out of `[data]`"));
        }
        if let [(camera, file)] = views.as_slice() {
            let message = format!("the recording `{name}` has no other view than that of `{}`", cameras[*camera].name);
            return Err(Error::input(message)
                .at(&file.path)
                .hint("views are named alike but for their cameras, such as `day1-left.csv` and `day1-right.csv`"));
        }
        let between: Vec<&str> = views.iter().map(|(camera, _)| marks[*camera]).collect();
        let src = joint_name(&views[0].1.name, &between);
        recordings.push(Recording { name, src, views });
    }
    Ok((recordings, strangers))
}

/// What the files of several cameras are called together: `day1-{left,right}.csv`. The mark of the
/// first is in `name`.
fn joint_name(name: &str, marks: &[&str]) -> String {
    match marks.first().and_then(|mark| Some((name.rfind(mark)?, mark.len()))) {
        Some((at, length)) => format!("{}{{{}}}{}", &name[..at], marks.join(","), &name[at + length..]),
        None => name.to_owned(),
    }
}

/// The camera whose mark is in a name (the longest one, at its last place), and the name without it.
fn divide(name: &str, marks: &[&str]) -> Option<(usize, String)> {
    let there = marks.iter().enumerate().filter(|(_, mark)| !mark.is_empty() && name.contains(**mark));
    let (camera, mark) = there.max_by_key(|(_, mark)| mark.len())?;
    let at = name.rfind(mark)?;
    let (mut before, mut after) = (&name[..at], &name[at + mark.len()..]);
    // what divided the mark from the rest is not needed twice
    let divides = |c: char| "-_. /".contains(c);
    if after.is_empty() || after.starts_with(divides) {
        before = before.strip_suffix(divides).unwrap_or(before);
    }
    if before.is_empty() {
        after = after.strip_prefix(divides).unwrap_or(after);
    }
    let rest = format!("{before}{after}");
    Some((camera, if rest.is_empty() { "recording".to_owned() } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_name_is_the_recording() {
        let marks = ["left", "right", "cam1", "cam12"];
        for (name, camera, recording) in [
            ("day1-left", 0, "day1"),
            ("right/day1", 1, "day1"),
            ("a/left/day 1", 0, "a/day 1"),
            ("rec_cam12", 3, "rec"),
            ("rec_cam1_trial2", 2, "rec_trial2"),
            ("left-left", 0, "left"),
            ("left", 0, "recording"),
        ] {
            assert_eq!(divide(name, &marks), Some((camera, recording.to_owned())), "{name}");
        }
        assert_eq!(divide("middle", &marks), None);
    }
}
