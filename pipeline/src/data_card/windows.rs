//! The part of the card that says what was done to windows of poses.

use std::fmt::Write;

use serde_json::Value;
use tessera_datasets::manifest::Manifest;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::schema::Kind;

/// What the stage `mask-keypoints` was told.
pub(super) fn windows(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let Some(window) = manifest.details.get("window").filter(|_| manifest.kind == Kind::PoseWindows) else {
        return Ok(());
    };
    let unit = Skeleton::of_details(&manifest.details).map(|skeleton| skeleton.unit).unwrap_or_default();
    let strata = window["strata"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let strata: Vec<String> = strata.map(|name| format!("`{name}`")).collect();
    writeln!(out, "\n## Windows\n")?;
    writeln!(
        out,
        "A row is a window of {} frames, at least {} of them real. Those of `train` are drawn at random, corrupted",
        window["frames"], window["minimum"]
    )?;
    writeln!(out, "and moved about; `template` has the same frames as they are, each once. The other splits have")?;
    writeln!(
        out,
        "windows in their places, corrupted in the strata {}, with noise of at most {} {unit} in each",
        strata.join(", "),
        window["noise"]
    )?;
    writeln!(out, "coordinate that is given.\n\n| corruption of training windows | share |\n|---|---:|")?;
    for (name, share) in window["shares"].as_object().into_iter().flatten() {
        writeln!(out, "| {name} | {:.1} % |", 100.0 * share.as_f64().unwrap_or_default())?;
    }
    Ok(())
}
