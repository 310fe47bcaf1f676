//! Tensors on disk: safetensors files, written whole and loaded strictly.
//!
//! Strictly means: every expected name is there with its shape, and nothing else is. tch's own
//! loader broadcasts a `[2]` into a `[4, 2]` without a word; this one lists what does not fit.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, TensorView};
use tch::{Device, Kind, Tensor};
use tessera_datasets::files::write_atomic;
use tessera_datasets::{Error, Result, ResultExt};

/// Writes tensors with `{"format": "pt"}`, as PyTorch's tools expect.
///
/// # Errors
/// When the file cannot be written.
pub fn save<'a>(path: &Path, tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> Result<()> {
    let mut parts = Vec::new();
    for (name, tensor) in tensors {
        let dtype =
            dtype_of(tensor.kind()).ok_or_else(|| Error::internal(format!("`{name}` has kind {:?}", tensor.kind())))?;
        let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
        let count = tensor.numel();
        let mut bytes = vec![0; count * tensor.kind().elt_size_in_bytes()];
        tensor.f_copy_data_u8(&mut bytes, count).map_err(|e| Error::internal(format!("`{name}`: {e}")))?;
        let shape: Vec<usize> = tensor.size().iter().map(|n| n.unsigned_abs() as usize).collect();
        parts.push((name, dtype, shape, bytes));
    }
    let mut views = Vec::new();
    for (name, dtype, shape, bytes) in &parts {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| Error::internal(format!("`{name}`: {e}")))?;
        views.push((*name, view));
    }
    let note = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes =
        safetensors::serialize(views, Some(note)).map_err(|e| Error::internal(format!("safetensors: {e}")).at(path))?;
    write_atomic(path, &bytes)
}

/// Reads all tensors of a file onto the CPU.
///
/// # Errors
/// When the file is absent, cut short, or no safetensors file.
pub fn load(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let broken = |what: String| {
        Error::input(format!("not a whole safetensors file: {what}"))
            .at(path)
            .hint("if it is a checkpoint, remove its folder: the run goes on from the one before")
    };
    let mut file = fs_err::File::open(path)?;
    let size = file.metadata().at(path)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|e| broken(e.to_string()))?;
    let header = u64::from_le_bytes(length);
    if header > size.saturating_sub(8) || header > 100_000_000 {
        return Err(broken(format!("a header of {header} bytes in a file of {size}")));
    }
    let mut head = vec![0; header as usize + 8];
    head[..8].copy_from_slice(&length);
    file.read_exact(&mut head[8..]).map_err(|e| broken(e.to_string()))?;
    let metadata: Metadata = serde_json::from_slice(&head[8..]).map_err(|e| broken(e.to_string()))?;
    let mut out = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let (start, end) = info.data_offsets;
        let kind = kind_of(info.dtype).ok_or_else(|| broken(format!("`{name}` has dtype {:?}", info.dtype)))?;
        let shape: Vec<i64> = info.shape.iter().map(|n| *n as i64).collect();
        let expected = info.shape.iter().product::<usize>() * kind.elt_size_in_bytes();
        if end < start || end - start != expected || 8 + header + end as u64 > size {
            return Err(broken(format!("`{name}` does not fit into the file")));
        }
        let mut bytes = vec![0; end - start];
        file.seek(SeekFrom::Start(8 + header + start as u64)).at(path)?;
        file.read_exact(&mut bytes).map_err(|e| broken(e.to_string()))?;
        let tensor = Tensor::f_from_data_size(&bytes, &shape, kind).map_err(|e| broken(e.to_string()))?;
        out.insert(name.clone(), tensor);
    }
    Ok(out)
}

/// Copies tensors from a file into those of a model: every name with its shape, and no other.
///
/// # Errors
/// With the full list of names that are missing, unexpected or of another shape.
pub fn load_into<'a>(
    path: &Path,
    targets: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
    mut source: BTreeMap<String, Tensor>,
) -> Result<()> {
    let mut wrong = Vec::new();
    let mut pairs = Vec::new();
    for (name, target) in targets {
        match source.remove(name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(found) if found.size() != target.size() => {
                wrong.push(format!("`{name}` is {:?}, the model has {:?}", found.size(), target.size()));
            }
            Some(found) => pairs.push((target, found)),
        }
    }
    wrong.extend(source.keys().map(|name| format!("`{name}` is unknown to the model")));
    if !wrong.is_empty() {
        let shown = wrong.iter().take(8).cloned().collect::<Vec<_>>().join("; ");
        let more = if wrong.len() > 8 { format!("; and {} more", wrong.len() - 8) } else { String::new() };
        return Err(Error::input(format!("the weights do not fit the model: {shown}{more}")).at(path));
    }
    tch::no_grad(|| {
        for (target, found) in pairs {
            let mut target = target.shallow_clone();
            target.f_copy_(&found).map_err(|e| Error::internal(e.to_string()))?;
        }
        Ok(())
    })
}

fn dtype_of(kind: Kind) -> Option<Dtype> {
    Some(match kind {
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        Kind::BFloat16 => Dtype::BF16,
        Kind::Half => Dtype::F16,
        Kind::Int64 => Dtype::I64,
        Kind::Int => Dtype::I32,
        _ => return None,
    })
}

fn kind_of(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::F16 => Kind::Half,
        Dtype::I64 => Kind::Int64,
        Dtype::I32 => Kind::Int,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(shape: &[i64]) -> Tensor {
        let count: i64 = shape.iter().product();
        Tensor::arange(count, (Kind::Float, Device::Cpu)).reshape(shape)
    }

    #[test]
    fn a_file_comes_back_as_it_was_even_from_a_transposed_tensor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        let (a, b) = (numbers(&[2, 3]).tr(), numbers(&[4]).to_kind(Kind::BFloat16));
        save(&path, [("x.a", &a), ("b", &b)]).unwrap();
        let found = load(&path).unwrap();
        assert_eq!(found["x.a"], a);
        assert_eq!(found["b"].kind(), Kind::BFloat16);
        assert_eq!(found["b"], b);
    }

    #[test]
    fn nothing_is_broadcast_and_everything_wrong_is_listed() {
        let target = numbers(&[4, 2]);
        let source = BTreeMap::from([("w".to_owned(), numbers(&[2])), ("extra".to_owned(), numbers(&[1]))]);
        let absent = numbers(&[1]);
        let error = load_into(Path::new("f"), [("w", &target), ("b", &absent)], source).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`w` is [2], the model has [4, 2]"), "{text}");
        assert!(text.contains("`b` is missing") && text.contains("`extra` is unknown"), "{text}");
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_never_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.safetensors");
        save(&path, [("a", &numbers(&[5, 5]))]).unwrap();
        let whole = fs_err::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs_err::write(&path, &whole[..cut]).unwrap();
            assert!(load(&path).is_err(), "cut at {cut} of {}", whole.len());
        }
    }
}
