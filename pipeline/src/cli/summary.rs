//! What a person sees when a dataset is made.

use std::path::Path;

use tessera_datasets::console::{self, bytes, thousands};
use tessera_datasets::manifest::Manifest;

use crate::data_card::split_names;
use crate::inputs::counted;
use crate::rejects::Rejects;

pub(super) fn print(dir: &Path, manifest: &Manifest) {
    for line in lines(dir, manifest) {
        console::print(line);
    }
}

fn lines(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", manifest.name, manifest.kind)];
    let names = split_names(manifest);
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0).max(12);
    for name in names {
        let split = &manifest.splits[name];
        let shards = counted(split.shards.len() as u64, "shard");
        lines.push(format!(
            "  {name:<width$} {:>12} rows  {:>10}  {shards}",
            thousands(split.rows),
            bytes(split.bytes)
        ));
    }
    let mut rejects = Rejects::new();
    rejects.append(&manifest.rows.rejected);
    if rejects.count() > 0 {
        lines.push(format!("rejected {} of {} rows", thousands(rejects.count()), thousands(manifest.rows.read)));
        lines.extend(rejects.lines().into_iter().map(|line| format!("  {line}")));
    }
    if let Some(skipped) = manifest.details.get("skipped_files") {
        let names: Vec<&str> = skipped["samples"].as_array().into_iter().flatten().filter_map(|v| v.as_str()).collect();
        let files = counted(skipped["count"].as_u64().unwrap_or_default(), "file");
        lines.push(format!("skipped {files} of another sort, such as {}", names.join(", ")));
    }
    lines.push(format!("in {}", dir.display()));
    lines
}
