//! Other names for a ConvNeXt's parameters to those of timm, which are ours, and back: Hugging
//! Face's (`ConvNextForImageClassification`, as they stand in its files) and those of the
//! authors' own code.

use std::collections::BTreeMap;

use tch::Tensor;
use tessera_datasets::{Error, Result};

/// Beginnings of names outside the stages: Hugging Face's, timm's.
const OUTSIDE: &[(&str, &str)] = &[
    ("convnext.embeddings.patch_embeddings.", "stem.0."),
    ("convnext.embeddings.layernorm.", "stem.1."),
    ("convnext.layernorm.", "head.norm."),
    ("classifier.", "head.fc."),
];

/// The same in the authors' code.
const OUTSIDE_ORIGINAL: &[(&str, &str)] =
    &[("downsample_layers.0.", "stem."), ("norm.", "head.norm."), ("head.", "head.fc.")];

/// Parts of names inside a block: Hugging Face's, the authors', timm's.
const INSIDE: &[(&str, &str, &str)] = &[
    ("dwconv.", "dwconv.", "conv_dw."),
    ("layernorm.", "norm.", "norm."),
    ("pwconv1.", "pwconv1.", "mlp.fc1."),
    ("pwconv2.", "pwconv2.", "mlp.fc2."),
    ("layer_scale_parameter", "gamma", "gamma"),
];

/// The tensors of another implementation's file under timm's names. Names that none of them has
/// stay as they are.
pub(super) fn to_timm(found: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let rename: fn(&str) -> Option<String> = if found.keys().any(|name| name.contains("embeddings.patch_embeddings.")) {
        from_huggingface
    } else if found.contains_key("downsample_layers.0.0.weight") {
        from_original
    } else {
        return found;
    };
    found.into_iter().map(|(name, tensor)| (rename(&name).unwrap_or(name), tensor)).collect()
}

/// Our tensors under Hugging Face's names, the pointwise maps as matrices.
///
/// # Errors
/// At a name that Hugging Face's ConvNeXt has no place for.
pub(super) fn to_huggingface(own: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let rename = |name: &str| -> Option<String> {
        if let Some((theirs, ours)) = OUTSIDE.iter().find(|(_, ours)| name.starts_with(ours)) {
            return Some(name.replacen(ours, theirs, 1));
        }
        let (stage, rest) = name.strip_prefix("stages.")?.split_once('.')?;
        if let Some(rest) = rest.strip_prefix("downsample.") {
            return Some(format!("convnext.encoder.stages.{stage}.downsampling_layer.{rest}"));
        }
        let (block, rest) = rest.strip_prefix("blocks.")?.split_once('.')?;
        let (theirs, _, ours) = INSIDE.iter().find(|(_, _, ours)| rest.starts_with(ours))?;
        Some(format!("convnext.encoder.stages.{stage}.layers.{block}.{}", rest.replacen(ours, theirs, 1)))
    };
    let renamed = own.into_iter().map(|(name, tensor)| {
        let theirs = rename(&name).ok_or_else(|| Error::input(format!("Hugging Face's ConvNeXt has no `{name}`")))?;
        let is_map = name.contains(".mlp.") && tensor.dim() == 4;
        Ok((theirs, if is_map { tensor.flatten(1, -1) } else { tensor }))
    });
    renamed.collect()
}

fn from_huggingface(name: &str) -> Option<String> {
    let prefixed = name.starts_with("convnext.") || name.starts_with("classifier.");
    let whole = if prefixed { name.to_owned() } else { format!("convnext.{name}") };
    if let Some((theirs, ours)) = OUTSIDE.iter().find(|(theirs, _)| whole.starts_with(theirs)) {
        return Some(whole.replacen(theirs, ours, 1));
    }
    let (stage, rest) = whole.strip_prefix("convnext.encoder.stages.")?.split_once('.')?;
    if let Some(rest) = rest.strip_prefix("downsampling_layer.") {
        return Some(format!("stages.{stage}.downsample.{rest}"));
    }
    let (block, rest) = rest.strip_prefix("layers.")?.split_once('.')?;
    let (theirs, _, ours) = INSIDE.iter().find(|(theirs, _, _)| rest.starts_with(theirs))?;
    Some(format!("stages.{stage}.blocks.{block}.{}", rest.replacen(theirs, ours, 1)))
}

fn from_original(name: &str) -> Option<String> {
    if let Some((theirs, ours)) = OUTSIDE_ORIGINAL.iter().find(|(theirs, _)| name.starts_with(theirs)) {
        return Some(name.replacen(theirs, ours, 1));
    }
    if let Some(rest) = name.strip_prefix("downsample_layers.") {
        let (stage, rest) = rest.split_once('.')?;
        return Some(format!("stages.{stage}.downsample.{rest}"));
    }
    let (stage, rest) = name.strip_prefix("stages.")?.split_once('.')?;
    let (block, rest) = rest.split_once('.')?;
    let (_, theirs, ours) = INSIDE.iter().find(|(_, theirs, _)| rest.starts_with(theirs))?;
    Some(format!("stages.{stage}.blocks.{block}.{}", rest.replacen(theirs, ours, 1)))
}
