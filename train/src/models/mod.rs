//! The models. Adding one is one file (or folder) here, its two lines, and a config under
//! `configs/tiny/`.

pub mod convnext;
pub mod gpt;
pub mod optipose;
pub mod pose_transformer;
pub mod transformer;
pub mod vit;

use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::task::ModelEntry;

/// All models.
pub const MODELS: &[ModelEntry] =
    &[gpt::ENTRY, transformer::ENTRY, vit::ENTRY, convnext::ENTRY, optipose::ENTRY, pose_transformer::ENTRY];

/// Looks the `kind` of `[train.model]` up; what is left of the table belongs to that model.
///
/// # Errors
/// When there is no such model; the message lists those that exist.
pub fn find(model: &Section) -> Result<(&'static ModelEntry, Section)> {
    let (kind, rest) = model.clone().kind()?;
    match MODELS.iter().find(|entry| entry.name == kind) {
        Some(entry) => Ok((entry, rest)),
        None => {
            let known: Vec<&str> = MODELS.iter().map(|entry| entry.name).collect();
            Err(model.unknown_kind("model", &kind, &known))
        }
    }
}
