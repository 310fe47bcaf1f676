//! The row of timm's results files, such as `results-imagenet.csv`.

use serde::Serialize;

use crate::predictions::Details;
use crate::proportion::Proportion;

/// The first line of the file, in the order of the fields of [`Results`].
pub const HEADER: &str = "model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation";

/// One row: as timm formats it, per cent with three decimals, parameters in millions with two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Results {
    /// What the predictions call the model; the run's name where they do not.
    pub model: String,
    /// The side of the square that the network sees.
    pub img_size: String,
    /// Top-1 accuracy in per cent.
    pub top1: String,
    /// What is left to 100.
    pub top1_err: String,
    /// Top-5 accuracy in per cent.
    pub top5: String,
    /// What is left to 100.
    pub top5_err: String,
    /// Parameters in millions.
    pub param_count: String,
    /// The share of an image that is looked at.
    pub crop_pct: String,
    /// How images were resized.
    pub interpolation: String,
}

impl Results {
    pub(super) fn of(details: &Details, name: &str, top_1: Option<Proportion>, top_5: Option<Proportion>) -> Self {
        let percent = |share: Option<Proportion>, error: bool| {
            let value =
                share.map(|share| if error { share.of - share.count } else { share.count } as f64 / share.of as f64);
            value.map_or_else(String::new, |value| format!("{:.3}", 100.0 * value))
        };
        let number = |key: &str| details.number(key).map_or_else(String::new, |n| n.to_string());
        Self {
            model: details.text("model").unwrap_or(name).to_owned(),
            img_size: number("image_size"),
            top1: percent(top_1, false),
            top1_err: percent(top_1, true),
            top5: percent(top_5, false),
            top5_err: percent(top_5, true),
            param_count: details.number("parameters").map_or_else(String::new, millions),
            crop_pct: details.real("crop").map_or_else(String::new, |crop| format!("{crop:.3}")),
            interpolation: details.text("interpolation").unwrap_or_default().to_owned(),
        }
    }

    /// Top-1 accuracy in per cent; below 0 where there is none.
    pub fn share(&self) -> f64 {
        self.top1.parse().unwrap_or(-1.0)
    }

    /// The row as a line of the file, without its end.
    pub fn line(&self) -> String {
        let fields = [
            &self.model,
            &self.img_size,
            &self.top1,
            &self.top1_err,
            &self.top5,
            &self.top5_err,
            &self.param_count,
            &self.crop_pct,
            &self.interpolation,
        ];
        fields.map(|field| quoted(field)).join(",")
    }
}

/// `1,014.45`, as timm writes it.
fn millions(parameters: u64) -> String {
    let hundredths = (parameters + 5_000) / 10_000;
    format!("{}.{:02}", tessera_datasets::console::thousands(hundredths / 100), hundredths % 100)
}

/// A field with quotes where it needs them (RFC 4180).
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The first line is timm's own of `eva_giant_patch14_560.m30m_ft_in22k_in1k`, whose fields
    /// stand in another order there: 1,014.45 M parameters, 89.786 and 98.992 of 50,000 images.
    #[test]
    fn a_row_is_formatted_as_timm_does() {
        let details = json!({
            "model": "eva_giant_patch14_560.m30m_ft_in22k_in1k", "image_size": 560, "crop": 1.0,
            "interpolation": "bicubic", "parameters": 1_014_446_848_u64,
        });
        let details = Details::new(details.as_object().unwrap().clone());
        let row = Results::of(&details, "run", Proportion::new(44_893, 50_000), Proportion::new(49_496, 50_000));
        assert_eq!(
            row.line(),
            "eva_giant_patch14_560.m30m_ft_in22k_in1k,560,89.786,10.214,98.992,1.008,\"1,014.45\",1.000,bicubic"
        );
        assert_eq!(HEADER.split(',').count(), 9);
        let bare = Results::of(&Details::default(), "a \"run\"", None, None);
        assert_eq!(bare.line(), "\"a \"\"run\"\"\",,,,,,,,");
    }
}
