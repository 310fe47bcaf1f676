//! Three header rows, `scorer`, `bodyparts` and `coords`, and the number of the frame in front.

use super::header::{Cells, Header, Places, coordinates, find};
use super::{File, Format, cells, numbers};
use crate::pose::Skeleton;
use crate::{Error, Result};

/// What divides cells.
pub(super) const SEPARATOR: u8 = b',';

/// The first cells of the header rows.
pub(super) const ROWS: [&str; 3] = ["scorer", "bodyparts", "coords"];

const AXES: [&str; 3] = ["x", "y", "z"];

pub(super) fn header<const D: usize>(rows: &[Vec<String>; 3], skeleton: &Skeleton) -> Result<Header<D>> {
    let [scorers, parts, axes] = rows;
    for (row, name) in rows.iter().zip(ROWS) {
        match row.first().map(String::as_str) {
            Some(first) if first == name => {}
            Some("individuals") => {
                return Err(Error::input("the file has several animals")
                    .hint("each recording is of one: write a file for each animal"));
            }
            first => {
                let message = format!("a header row begins with `{}`, not with `{name}`", first.unwrap_or_default());
                return Err(
                    Error::input(message).hint("DeepLabCut's header rows are `scorer`, `bodyparts` and `coords`")
                );
            }
        }
        if row.len() != scorers.len() {
            return Err(Error::input(format!(
                "the header row `{name}` has {} cells, not {}",
                row.len(),
                scorers.len()
            )));
        }
    }
    // a column is called by its body part and its coordinate
    let names: Vec<String> = parts.iter().zip(axes).map(|(part, axis)| format!("{part} {axis}")).collect();
    let mut places = Vec::with_capacity(skeleton.keypoints.len());
    for keypoint in &skeleton.keypoints {
        let coordinates = coordinates(&names, keypoint, |coordinate| format!("{keypoint} {}", AXES[coordinate]))?;
        let likelihood = find(&names, &format!("{keypoint} likelihood"))?;
        places.push(Cells { coordinates, likelihood });
    }
    let mut header = Header::new(Format::Deeplabcut, &names, Places::Cells(places));
    header.frame = Some(0);
    header.behaviour = find(&names, "behaviour name")?;
    header.scorer = scorers.get(1).cloned();
    Ok(header.ignoring_the_rest(&names))
}

pub(super) fn write(file: &File, skeleton: &Skeleton) -> Result<String> {
    let mut out = String::new();
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for keypoint in &skeleton.keypoints {
        columns.extend(AXES.map(|axis| (keypoint.as_str(), axis)));
        columns.extend(file.likelihood_tk.as_ref().map(|_| (keypoint.as_str(), "likelihood")));
    }
    columns.extend(file.behaviour_t.as_ref().map(|_| ("behaviour", "name")));
    let scorer = file.scorer.as_deref().unwrap_or("tessera");
    for name in ROWS {
        let mut line = cells::Line::new(&mut out, ',');
        line.cell(name);
        columns.iter().for_each(|(part, axis)| {
            line.cell(match name {
                "scorer" => scorer,
                "bodyparts" => part,
                _ => axis,
            });
        });
        line.end();
    }
    let scale = numbers::Scale::of(skeleton);
    for (frame, number) in file.frames.iter().enumerate() {
        let mut line = cells::Line::new(&mut out, ',');
        line.number(*number);
        for keypoint in 0..skeleton.keypoints.len() {
            match file.track.point(frame, keypoint) {
                Some(point) => {
                    scale.refuse_missing(point).map_err(|e| cells::placed(e, skeleton, keypoint, *number))?;
                    point.into_iter().for_each(|value| scale.write(line.next(), value));
                }
                None => (0..3).for_each(|_| line.cell("")),
            }
            if let Some(likelihood_tk) = &file.likelihood_tk {
                cells::likelihood(&mut line, file, likelihood_tk, frame, keypoint);
            }
        }
        if let Some(behaviour_t) = &file.behaviour_t {
            line.cell(&behaviour_t[frame]);
        }
        line.end();
    }
    Ok(out)
}
