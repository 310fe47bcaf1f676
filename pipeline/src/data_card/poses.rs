//! What the card says of poses.

use std::fmt::Write;

use tessera_datasets::console::thousands;
use tessera_datasets::manifest::Manifest;
use tessera_datasets::pose::Skeleton;

use super::split_names;
use crate::inputs::counted;

/// The skeleton in a sentence, and what the stage `statistics` has counted where there is one.
pub(super) fn poses(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let Ok(skeleton) = Skeleton::of_details(&manifest.details) else {
        return Ok(());
    };
    let rate = skeleton.frames_per_second.map_or(String::new(), |rate| format!(", {rate} frames a second"));
    writeln!(
        out,
        "\n## Poses\n\n{} and {} of the skeleton `{}`, in {}{rate}: {}.",
        counted(skeleton.keypoints.len() as u64, "keypoint"),
        counted(skeleton.edges.len() as u64, "bone"),
        skeleton.name,
        skeleton.unit,
        skeleton.keypoints.join(", ")
    )?;
    let Some(statistics) = manifest.details.get("pose") else {
        return Ok(());
    };
    writeln!(
        out,
        "\n| split | recordings | frames | keypoints missing | gaps | longest, frames | bone lengths deviate by |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|")?;
    for split in split_names(manifest) {
        let counts = &statistics["splits"][split];
        let count = |key: &str| counts[key].as_u64().map_or(String::new(), thousands);
        let per_cent =
            |key: &str| counts[key].as_f64().map_or(String::new(), |share| format!("{:.2} %", 100.0 * share));
        let [recordings, frames, gaps, longest] = ["recordings", "frames", "gaps", "longest_gap"].map(count);
        let [missing, spread] = ["missing_share", "bone_spread"].map(per_cent);
        writeln!(out, "| {split} | {recordings} | {frames} | {missing} | {gaps} | {longest} | {spread} |")?;
    }
    Ok(())
}
