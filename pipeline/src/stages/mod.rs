//! The stages, one file each, and their registry.
//!
//! To add a stage, add its file here, its `mod` line and its entry in [`STAGES`].

mod draw_world;
mod encode;
mod filter_bitext;
mod filter_images;
mod filter_poses;
mod languages;
mod mask_keypoints;
mod pack;
mod read_bitext;
mod read_images;
mod read_poses;
mod read_text;
mod recordings;
mod repeated;
mod resize_images;
mod split;
mod statistics;
mod train_tokenizer;
mod triangulate;
mod use_tokenizer;

use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::stage::{Stage, StageContext};

/// The name of the tokenizer among the files of a dataset.
pub const TOKENIZER: &str = "tokenizer.json";

/// The name of the tokenizer of one language, where each language has its own.
pub fn tokenizer_of(language: &str) -> String {
    format!("tokenizer.{language}.json")
}

/// One line of the registry.
pub struct Entry {
    /// What `kind` says in the config.
    pub name: &'static str,
    /// What the stage does, in one line.
    pub summary: &'static str,
    /// The smallest table that the stage accepts, without `kind`, for help and tests.
    pub example: &'static str,
    /// Parses the stage's table, from which `kind` was taken.
    pub parse: fn(&Section, &StageContext) -> Result<Stage>,
}

/// All stages: first those that make rows, then those that change them, then those that learn.
pub const STAGES: &[Entry] = &[
    read_text::ENTRY,
    read_bitext::ENTRY,
    read_images::ENTRY,
    read_poses::ENTRY,
    triangulate::ENTRY,
    draw_world::ENTRY,
    split::ENTRY,
    filter_bitext::ENTRY,
    filter_images::ENTRY,
    filter_poses::CLUSTERS,
    filter_poses::BONE_DISTANCES,
    filter_poses::DISTANCE,
    filter_poses::VELOCITY,
    filter_poses::INTERPOLATE,
    filter_poses::KALMAN,
    filter_poses::AVERAGE,
    resize_images::ENTRY,
    mask_keypoints::ENTRY,
    encode::ENTRY,
    pack::ENTRY,
    use_tokenizer::ENTRY,
    train_tokenizer::ENTRY,
    statistics::ENTRY,
];

/// Parses one `[[pipeline.stage]]` table; returns its entry with the stage.
///
/// # Errors
/// When `kind` is missing or unknown, or the table has a wrong key or value.
pub fn parse(section: &Section, context: &StageContext) -> Result<(&'static Entry, Stage)> {
    let (kind, table) = section.clone().kind()?;
    match STAGES.iter().find(|entry| entry.name == kind) {
        Some(entry) => Ok((entry, (entry.parse)(&table, context)?)),
        None => {
            let known: Vec<&str> = STAGES.iter().map(|entry| entry.name).collect();
            Err(section.unknown_kind("stage", &kind, &known))
        }
    }
}
