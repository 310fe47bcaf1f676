//! Keys: the hash of all that decides what a group makes.

use std::path::Path;

use tessera_datasets::hash::{sha256, sha256_file};
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Result, VERSION, files};

use crate::plan::Plan;
use crate::stage::PreparedSource;

/// One key for each group. Each contains those before it.
pub(super) struct Keys(Vec<String>);

impl Keys {
    pub(super) fn of(plan: &Plan, source: &dyn PreparedSource, sources: &[SourceFile]) -> Result<Self> {
        let mut text = format!("tessera {VERSION}\nname {}\nseed {}\n", plan.context.name, plan.context.seed);
        text += &format!("license {:?}\n", plan.context.data.license);
        for file in sources {
            text += &format!("{} {} {} {} {}\n", file.sha256, file.bytes, file.source, file.license, file.path);
        }
        for part in source.parts() {
            text += &format!("part {} {}\n", part.size, part.label);
        }
        text += &format!("[{}]\n{}\n", plan.source.name, plan.source.table);
        let mut keys = Vec::new();
        for group in &plan.groups {
            for map in &group.maps {
                text += &format!("[{}]\n{}\n", map.name, map.table);
                for file in map.stage.inputs() {
                    text += &format!("{}\n", sha256_file(file)?);
                }
            }
            for fold in &group.folds {
                text += &format!("[{}]\n{}\n", fold.name, fold.table);
            }
            let key = sha256(text.as_bytes());
            text = format!("after {key}\n");
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The folder of a group below the folder of unfinished work.
    pub(super) fn folder(&self, group: usize) -> String {
        format!("{group}-{}", &self.0[group][..16])
    }

    /// What the dataset as a whole is decided by.
    pub(super) fn fingerprint(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Removes what a run with another config or other files has left.
    pub(super) fn remove_other_work(&self, work: &Path) -> Result<()> {
        let ours: Vec<String> = (0..self.0.len()).map(|i| self.folder(i)).collect();
        let Ok(entries) = fs_err::read_dir(work) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && !ours.contains(&name) {
                files::remove_dir(entry.path())?;
            }
        }
        Ok(())
    }
}
