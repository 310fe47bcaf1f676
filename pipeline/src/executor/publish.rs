//! From finished parts to a dataset.
//!
//! Files get their final names as hard links, so the work stays whole until the manifest, which is
//! written last, makes the dataset exist. A kill before that leaves files that no manifest names;
//! a list written before the first of them lets the next run take them away.

use std::collections::BTreeMap;
use std::path::Path;

use tessera_datasets::hash::sha256_file;
use tessera_datasets::manifest::{FileEntry, MANIFEST, Manifest, RowCounts, SourceFile, Split, StageCounts};
use tessera_datasets::shard::shard_path;
use tessera_datasets::{Error, Result, files};

use super::group::GroupRun;
use crate::artifacts::Artifacts;
use crate::data_card;
use crate::plan::Plan;
use crate::rejects::Rejects;

/// The list of files in the dataset's folder that are not published.
const UNPUBLISHED: &str = "unpublished.json";
/// The data card.
const CARD: &str = "README.md";

/// Takes away what is in the folder without being published: the files of an interrupted
/// publication, and the dataset that is to be replaced.
pub(super) fn withdraw(dir: &Path, work: &Path) -> Result<()> {
    let list = work.join(UNPUBLISHED);
    let manifest = dir.join(MANIFEST);
    if manifest.is_file() {
        // one that cannot be read names no files
        let names = Manifest::read(dir).map(|m| names_of(&m)).unwrap_or_default();
        write_list(&list, &names)?;
        fs_err::remove_file(&manifest)?;
        files::sync_dir(dir)?;
    }
    let Ok(bytes) = fs_err::read(&list) else {
        return Ok(());
    };
    let names: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
    for name in &names {
        remove_file(&dir.join(name))?;
        if let Some((folder, _)) = name.rsplit_once('/') {
            // only if it is empty
            let _ = fs_err::remove_dir(dir.join(folder));
        }
    }
    remove_file(&list)
}

/// Publishes the parts of the last group with all that was made beside them.
pub(super) fn publish(
    plan: &Plan,
    groups: &[GroupRun],
    artifacts: &Artifacts,
    sources: Vec<SourceFile>,
    dir: &Path,
    work: &Path,
) -> Result<Manifest> {
    let last = groups.last().ok_or_else(|| Error::internal("a plan without groups"))?;
    let mut manifest = Manifest::new(&plan.context.name, plan.kind, plan.config.clone());
    let mut links = Vec::new();
    for (split, shards) in shards_by_split(last) {
        let count = shards.len();
        let named = shards.into_iter().enumerate().map(|(i, mut shard)| {
            let from = last.dir.join(&shard.path);
            shard.path = shard_path(&split, i, count);
            links.push((from, shard.path.clone()));
            shard
        });
        let named = named.collect();
        manifest.splits.insert(split, Split::of(named));
    }
    manifest.rows = row_counts(plan, groups);
    manifest.sources = sources;
    manifest.details = artifacts.details().clone();
    // what starts with a point is for later stages only
    for (name, path) in artifacts.files().iter().filter(|(name, _)| !name.starts_with('.')) {
        manifest.files.push(FileEntry { path: name.clone(), sha256: sha256_file(path)? });
        links.push((path.clone(), name.clone()));
    }
    let card = data_card::text(&manifest, &plan.context.data, &last.schema)?;
    let sha256 = tessera_datasets::hash::sha256(card.as_bytes());
    manifest.files.push(FileEntry { path: CARD.to_owned(), sha256 });

    write_list(&work.join(UNPUBLISHED), &names_of(&manifest))?;
    for (from, name) in &links {
        link(from, &dir.join(name))?;
    }
    files::write_atomic(dir.join(CARD), card.as_bytes())?;
    sync_folders(dir, &names_of(&manifest))?;
    manifest.publish(dir)?;
    Ok(manifest)
}

fn shards_by_split(group: &GroupRun) -> BTreeMap<String, Vec<tessera_datasets::shard::Shard>> {
    let mut splits: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (split, shards) in group.parts.iter().flat_map(|part| &part.splits) {
        splits.entry(split.clone()).or_default().extend(shards.iter().cloned());
    }
    splits
}

fn row_counts(plan: &Plan, groups: &[GroupRun]) -> RowCounts {
    let mut rejects = Rejects::new();
    groups.iter().for_each(|group| rejects.append(group.rejects.by_reason()));
    let steps: Vec<StageCounts> = groups.iter().flat_map(|group| group.stages.clone()).collect();
    let mut stages: Vec<StageCounts> = Vec::new();
    let mut last = None;
    for (counts, (_, number)) in steps.into_iter().zip(plan.steps()) {
        match stages.last_mut() {
            // the steps of one stage
            Some(stage) if last == Some(number) => stage.rows_out = counts.rows_out,
            _ => stages.push(counts),
        }
        last = Some(number);
    }
    RowCounts {
        read: stages.first().map_or(0, |source| source.rows_in),
        kept: groups.last().map_or(0, GroupRun::rows),
        rejected: rejects.into_reasons(),
        stages,
    }
}

fn names_of(manifest: &Manifest) -> Vec<String> {
    let shards = manifest.shards().map(|s| s.path.clone());
    shards.chain(manifest.files.iter().map(|f| f.path.clone())).collect()
}

fn write_list(path: &Path, names: &[String]) -> Result<()> {
    let bytes = serde_json::to_vec(names).map_err(|e| Error::internal(e.to_string()))?;
    files::write_atomic(path, &bytes)
}

/// Gives a finished file its final name beside the one that it has.
fn link(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder)?;
    }
    remove_file(to)?;
    if fs_err::hard_link(from, to).is_ok() {
        return Ok(());
    }
    // not every file system has hard links
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let temporary = to.with_file_name(format!(".{name}.tmp"));
    fs_err::copy(from, &temporary)?;
    fs_err::File::open(&temporary)?.sync_all()?;
    files::rename(&temporary, to)
}

fn sync_folders(dir: &Path, names: &[String]) -> Result<()> {
    let mut folders: Vec<&str> = names.iter().filter_map(|n| Some(n.rsplit_once('/')?.0)).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.iter().try_for_each(|folder| files::sync_dir(dir.join(folder)))?;
    files::sync_dir(dir)
}

fn remove_file(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}
