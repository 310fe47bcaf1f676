//! A trained network as timm and Hugging Face open it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tessera_datasets::Result;
use tessera_datasets::image::Filter;

use super::task::ClassificationTask;
use crate::export::{Exported, Format};
use crate::images::Preparation;
use crate::task::Task;

/// The weights in the format's names with its description files.
pub(super) fn export(task: &ClassificationTask, format: Format) -> Result<Exported> {
    let own: BTreeMap<_, _> = task.parameters().iter().map(|(name, t)| (name.to_owned(), t.detach())).collect();
    let config = task.reference_config();
    Ok(match format {
        Format::Timm => {
            task.network.opens_in_timm()?;
            Exported { weights: own, files: vec![("config.json", config)] }
        }
        Format::HuggingFace => Exported {
            weights: task.network.to_huggingface(own)?,
            files: vec![
                ("config.json", config),
                ("preprocessor_config.json", preprocessor(task.kind, &task.preparation)),
            ],
        },
    })
}

/// A network's `config.json` with what belongs to its data: the classes' names, and how images are
/// prepared.
pub(super) fn describe(mut network: Value, preparation: &Preparation, classes: &[String], head: &str) -> Value {
    let Preparation { image_size, mean, deviation, crop, interpolation } = preparation;
    network["pretrained_cfg"] = json!({
        "input_size": [3, image_size, image_size],
        "mean": mean,
        "std": deviation,
        "crop_pct": crop,
        "crop_mode": "center",
        "interpolation": interpolation.name(),
        "num_classes": classes.len(),
        "classifier": head.trim_end_matches(".weight"),
        "label_names": classes,
    });
    let by_id: Map<String, Value> =
        classes.iter().enumerate().map(|(id, name)| (id.to_string(), name.clone().into())).collect();
    let by_name: Map<String, Value> = classes.iter().enumerate().map(|(id, name)| (name.clone(), id.into())).collect();
    network["id2label"] = by_id.into();
    network["label2id"] = by_name.into();
    network
}

/// Hugging Face's `preprocessor_config.json`. Its ViT squeezes an image into the square, where we
/// and timm crop; for square images and a crop of 1 that is the same.
fn preprocessor(kind: &str, preparation: &Preparation) -> Value {
    let Preparation { image_size, mean, deviation, crop, interpolation } = preparation;
    // PIL's numbers
    let resample = match interpolation {
        Filter::Nearest => 0,
        Filter::Lanczos3 => 1,
        Filter::Bilinear => 2,
        Filter::Bicubic => 3,
    };
    let mut out = json!({
        "do_resize": true,
        "resample": resample,
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": mean,
        "image_std": deviation,
    });
    let more = match kind {
        "convnext" => json!({
            "image_processor_type": "ConvNextImageProcessor",
            "size": { "shortest_edge": image_size },
            "crop_pct": crop,
        }),
        _ => json!({
            "image_processor_type": "ViTImageProcessor",
            "size": { "height": image_size, "width": image_size },
        }),
    };
    if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
        out.extend(more);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preparation() -> Preparation {
        Preparation {
            image_size: 32,
            mean: [0.5, 0.25, 0.5],
            deviation: [0.2; 3],
            crop: 0.875,
            interpolation: Filter::Bilinear,
        }
    }

    #[test]
    fn the_description_has_what_timm_and_hugging_face_look_for() {
        let classes = ["cat".to_owned(), "dog".to_owned()];
        let found = describe(json!({ "model_type": "vit" }), &preparation(), &classes, "head.fc.weight");
        assert_eq!(found["model_type"], "vit");
        assert_eq!(found["pretrained_cfg"]["input_size"], json!([3, 32, 32]));
        assert_eq!(found["pretrained_cfg"]["std"], json!([0.2, 0.2, 0.2]));
        assert_eq!(found["pretrained_cfg"]["classifier"], "head.fc");
        assert_eq!(found["id2label"], json!({ "0": "cat", "1": "dog" }));
        assert_eq!(found["label2id"]["dog"], 1);
    }

    #[test]
    fn each_family_has_its_own_preprocessor() {
        let vit = preprocessor("vit", &preparation());
        assert_eq!((&vit["size"]["height"], &vit["resample"]), (&json!(32), &json!(2)));
        let convnext = preprocessor("convnext", &preparation());
        assert_eq!(convnext["image_processor_type"], "ConvNextImageProcessor");
        assert_eq!((&convnext["size"]["shortest_edge"], &convnext["crop_pct"]), (&json!(32), &json!(0.875)));
    }
}
