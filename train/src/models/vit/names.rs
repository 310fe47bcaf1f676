//! Hugging Face's names for a ViT's parameters (`ViTForImageClassification`, as they stand in its
//! files) to those of timm, which are ours, and back.

use std::collections::BTreeMap;

use tch::Tensor;
use tessera_datasets::{Error, Result};

/// Beginnings of names outside the blocks: Hugging Face's, timm's.
const OUTSIDE: &[(&str, &str)] = &[
    ("vit.embeddings.cls_token", "cls_token"),
    ("vit.embeddings.position_embeddings", "pos_embed"),
    ("vit.embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("vit.layernorm.", "norm."),
    ("classifier.", "head."),
];

/// Parts of names inside a block.
const INSIDE: &[(&str, &str)] = &[
    ("attention.output.dense", "attn.proj"),
    ("layernorm_before", "norm1"),
    ("layernorm_after", "norm2"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
];

/// Queries, keys and values, which timm keeps as one map.
const QKV: [&str; 3] = ["query", "key", "value"];

/// Whether a file has Hugging Face's names, with or without `vit.` before them.
pub(super) fn is_huggingface(found: &BTreeMap<String, Tensor>) -> bool {
    found.keys().any(|name| name.contains("embeddings.patch_embeddings."))
}

/// Hugging Face's tensors under timm's names. Names that it does not know stay as they are; the
/// pooler, which no classifier uses, is left out.
pub(super) fn from_huggingface(found: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let mut out = BTreeMap::new();
    let mut parts: BTreeMap<String, [Option<Tensor>; 3]> = BTreeMap::new();
    for (name, tensor) in found {
        let whole =
            if name.starts_with("vit.") || name.starts_with("classifier.") { name } else { format!("vit.{name}") };
        if whole.starts_with("vit.pooler.") {
            continue;
        }
        if let Some((own, part)) = part_of_qkv(&whole) {
            parts.entry(own).or_default()[part] = Some(tensor);
            continue;
        }
        let own = outside(&whole).or_else(|| inside(&whole)).unwrap_or(whole);
        out.insert(own, tensor);
    }
    for (name, tensors) in parts {
        // an incomplete one is left out, and so missed by name when the weights are taken over
        let tensors: Option<Vec<Tensor>> = tensors.into_iter().collect();
        if let Some(tensors) = tensors {
            out.insert(name, Tensor::cat(&tensors, 0));
        }
    }
    out
}

/// Our tensors under Hugging Face's names.
///
/// # Errors
/// At a name that Hugging Face's ViT has no place for.
pub(super) fn to_huggingface(own: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let mut out = BTreeMap::new();
    for (name, tensor) in own {
        if let Some((theirs, ours)) = OUTSIDE.iter().find(|(_, ours)| name.starts_with(ours)) {
            out.insert(name.replacen(ours, theirs, 1), tensor);
            continue;
        }
        let unknown = || Error::input(format!("Hugging Face's ViT has no `{name}`"));
        let (layer, rest) = name.strip_prefix("blocks.").and_then(|r| r.split_once('.')).ok_or_else(unknown)?;
        if let Some(kind) = rest.strip_prefix("attn.qkv.") {
            for (part, tensor) in QKV.iter().zip(tensor.chunk(3, 0)) {
                out.insert(format!("vit.encoder.layer.{layer}.attention.attention.{part}.{kind}"), tensor);
            }
            continue;
        }
        let (part, kind) = rest.rsplit_once('.').ok_or_else(unknown)?;
        let (theirs, _) = INSIDE.iter().find(|(_, ours)| part == *ours).ok_or_else(unknown)?;
        out.insert(format!("vit.encoder.layer.{layer}.{theirs}.{kind}"), tensor);
    }
    Ok(out)
}

fn outside(name: &str) -> Option<String> {
    let (theirs, ours) = OUTSIDE.iter().find(|(theirs, _)| name.starts_with(theirs))?;
    Some(name.replacen(theirs, ours, 1))
}

fn inside(name: &str) -> Option<String> {
    let (layer, rest) = name.strip_prefix("vit.encoder.layer.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let (_, ours) = INSIDE.iter().find(|(theirs, _)| part == *theirs)?;
    Some(format!("blocks.{layer}.{ours}.{kind}"))
}

fn part_of_qkv(name: &str) -> Option<(String, usize)> {
    let (layer, rest) = name.strip_prefix("vit.encoder.layer.")?.split_once('.')?;
    let (part, kind) = rest.strip_prefix("attention.attention.")?.split_once('.')?;
    let index = QKV.iter().position(|known| part == *known)?;
    Some((format!("blocks.{layer}.attn.qkv.{kind}"), index))
}
