//! A trained model as other programs open it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tch::Tensor;
use tessera_datasets::console::print;
use tessera_datasets::files::write_atomic;
use tessera_datasets::{Error, Result};

use crate::task::Task;
use crate::weights;

/// Whose names and shapes the weights get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// timm's: `timm.create_model("local-dir:FOLDER", pretrained=True)`.
    Timm,
    /// Hugging Face's: `AutoModelForImageClassification.from_pretrained("FOLDER")`.
    HuggingFace,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "timm" => Ok(Format::Timm),
            "huggingface" => Ok(Format::HuggingFace),
            _ => Err(format!("`{text}` is neither `timm` nor `huggingface`")),
        }
    }
}

/// A model in another program's form.
#[derive(Debug)]
pub struct Exported {
    /// Its weights under that program's names.
    pub weights: BTreeMap<String, Tensor>,
    /// JSON files that go beside them, by name.
    pub files: Vec<(&'static str, Value)>,
}

/// Writes `model.safetensors` and what goes with it into a folder.
///
/// # Errors
/// When the task has no such form, or the folder holds a model already.
pub fn export(task: &dyn Task, format: Format, output: &Path) -> Result<()> {
    let path = output.join("model.safetensors");
    if path.exists() {
        return Err(Error::input("there is a model already").at(path).hint("name another folder with `--output`"));
    }
    let exported = task.export(format)?;
    for (name, value) in &exported.files {
        let text = serde_json::to_string_pretty(value).map_err(|e| Error::internal(e.to_string()))?;
        write_atomic(output.join(name), format!("{text}\n").as_bytes())?;
    }
    // last, so that a folder with weights is whole
    weights::save(&path, exported.weights.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
    print(output.display().to_string());
    Ok(())
}
