//! The part of the card that shows what is in images.

use std::fmt::Write;

use serde_json::Value;
use tessera_datasets::console::{bytes, thousands};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::schema::Kind;

use super::{cell, split_names};

/// How many classes are listed in the card; the statistics have all.
const LISTED: usize = 100;

/// What the stage `statistics` has found, where there is one.
pub(super) fn images(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let statistics = manifest.details.get("statistics");
    let Some(statistics) = statistics.filter(|_| matches!(manifest.kind, Kind::Image | Kind::Caption)) else {
        return Ok(());
    };
    writeln!(out, "\n## Images\n")?;
    writeln!(out, "| split | images | bytes | formats | width: least, median, most | height | unreadable |")?;
    writeln!(out, "|---|---:|---:|---|---:|---:|---:|")?;
    for name in split_names(manifest) {
        let split = &statistics[name];
        let formats: Vec<&str> =
            split["formats"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let [images, unreadable] = ["images", "unreadable"].map(|key| number(&split[key]));
        let [width, height] = ["width", "height"].map(|key| numbers(&split[key]));
        let size = bytes(split["bytes"].as_u64().unwrap_or_default());
        writeln!(out, "| {name} | {images} | {size} | {} | {width} | {height} | {unreadable} |", formats.join(", "))?;
    }
    if let Some(input) = manifest.details.get("image") {
        let [mean, deviation] = ["mean", "deviation"].map(|key| shares(&input[key]));
        writeln!(
            out,
            "\nRed, green and blue of the training images, from 0 to 1: mean {mean}, deviation {deviation}."
        )?;
    }
    if let Some(sheet) = manifest.details.get("contact_sheet").and_then(Value::as_str) {
        writeln!(out, "\n![Some of the training images]({sheet})")?;
    }
    classes(out, manifest, statistics)
}

fn classes(out: &mut String, manifest: &Manifest, statistics: &Value) -> std::fmt::Result {
    let Some(classes) = manifest.details.get("classes").and_then(Value::as_array) else {
        return Ok(());
    };
    let splits = split_names(manifest);
    writeln!(out, "\n## Classes\n\n| class | {} |", splits.join(" | "))?;
    writeln!(out, "|---|{}", "---:|".repeat(splits.len()))?;
    for (i, class) in classes.iter().enumerate().take(LISTED) {
        write!(out, "| {} |", cell(class.as_str().unwrap_or_default()))?;
        for split in &splits {
            write!(out, " {} |", number(&statistics[*split]["classes"][i]))?;
        }
        writeln!(out)?;
    }
    match classes.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "\nand {} more classes.", thousands(more as u64)),
    }
}

fn number(value: &Value) -> String {
    thousands(value.as_u64().unwrap_or_default())
}

fn numbers(values: &Value) -> String {
    values.as_array().into_iter().flatten().map(number).collect::<Vec<_>>().join(", ")
}

fn shares(values: &Value) -> String {
    let share = |value: &Value| format!("{:.4}", value.as_f64().unwrap_or_default());
    values.as_array().into_iter().flatten().map(share).collect::<Vec<_>>().join(", ")
}
