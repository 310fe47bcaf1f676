//! A column for each coordinate: `nose_1,nose_2,nose_3`.

use super::header::{Cells, Header, Places, coordinates, find, find_other};
use super::{File, Format, cells, is_counted, numbers};
use crate::Result;
use crate::pose::Skeleton;

/// What divides cells.
pub(super) const SEPARATOR: u8 = b',';

pub(super) fn header<const D: usize>(names: &[String], skeleton: &Skeleton) -> Result<Header<D>> {
    let mut places = Vec::with_capacity(skeleton.keypoints.len());
    for keypoint in &skeleton.keypoints {
        let coordinates = coordinates(names, keypoint, |coordinate| format!("{keypoint}_{}", coordinate + 1))?;
        let likelihood = find(names, &format!("{keypoint}_likelihood"))?;
        places.push(Cells { coordinates, likelihood });
    }
    let mut header = Header::new(Format::Flattened, names, Places::Cells(places));
    header.behaviour = find_other(names, "behaviour", skeleton)?;
    header.frame = find_other(names, "frame", skeleton)?;
    Ok(header.ignoring_the_rest(names))
}

pub(super) fn write(file: &File, skeleton: &Skeleton) -> Result<String> {
    let mut out = String::new();
    let numbered = !is_counted(&file.frames);
    let mut line = cells::Line::new(&mut out, ',');
    if numbered {
        line.cell("frame");
    }
    for keypoint in &skeleton.keypoints {
        (1..=3).for_each(|coordinate| line.cell(&format!("{keypoint}_{coordinate}")));
        if file.likelihood_tk.is_some() {
            line.cell(&format!("{keypoint}_likelihood"));
        }
    }
    if file.behaviour_t.is_some() {
        line.cell("behaviour");
    }
    line.end();
    let scale = numbers::Scale::of(skeleton);
    for (frame, number) in file.frames.iter().enumerate() {
        let mut line = cells::Line::new(&mut out, ',');
        if numbered {
            line.number(*number);
        }
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
