//! The keys of the model's table that are about images.

use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::manifest::Manifest;
use tessera_datasets::{Error, Result};

use crate::images::{Interpolation, Preparation};

const KEYS: [&str; 6] = ["image_size", "mean", "deviation", "crop", "interpolation", "label_smoothing"];

/// How images come to a network and what it is told about them: part of `[train.model]`, next to
/// the network's own keys.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageOptions {
    /// Side of the square that the network sees, in pixels.
    pub image_size: i64,
    /// Mean of the channels, values from 0 to 1; the dataset's own where it is not given.
    mean: Option<[f64; 3]>,
    /// Their standard deviation.
    deviation: Option<[f64; 3]>,
    /// The share of the shorter side that is seen outside training (timm's `crop_pct`).
    #[serde(default = "whole")]
    crop: f64,
    /// How images are resized outside training.
    #[serde(default)]
    interpolation: Interpolation,
    /// How much of the target is spread over all classes (Szegedy et al. 2016).
    #[serde(default)]
    pub label_smoothing: f64,
}

fn whole() -> f64 {
    1.0
}

impl ImageOptions {
    /// Takes its keys out of the model's table; what is left belongs to the network.
    ///
    /// # Errors
    /// At the first value that makes no sense.
    pub fn split(section: &Section) -> Result<(Self, Section)> {
        let (ours, rest) = section.split(&KEYS);
        let options: Self = ours.parse()?;
        if !(1..=4096).contains(&options.image_size) {
            let message = format!("`image_size` {} is not between 1 and 4096", options.image_size);
            return Err(section.error("image_size", message));
        }
        if options.mean.is_some() != options.deviation.is_some() {
            let key = if options.mean.is_some() { "mean" } else { "deviation" };
            return Err(section.error(key, "`mean` and `deviation` come together"));
        }
        if options.deviation.is_some_and(|deviation| deviation.iter().any(|d| d.is_nan() || *d <= 0.0)) {
            return Err(section.error("deviation", "`deviation` must be above 0"));
        }
        if options.mean.is_some_and(|mean| mean.iter().any(|m| !m.is_finite())) {
            return Err(section.error("mean", "`mean` must be three numbers"));
        }
        if !(options.crop > 0.0 && options.crop <= 1.0) {
            return Err(section.error("crop", format!("`crop` {} is not above 0 and at most 1", options.crop)));
        }
        if !(0.0..1.0).contains(&options.label_smoothing) {
            let message = format!("`label_smoothing` {} is not at least 0 and below 1", options.label_smoothing);
            return Err(section.error("label_smoothing", message));
        }
        Ok((options, rest))
    }

    /// How images are prepared, with the mean and deviation of a dataset where none are given.
    ///
    /// # Errors
    /// When the dataset has none either.
    pub(super) fn preparation(&self, manifest: &Manifest) -> Result<Preparation> {
        let measured = |key: &str| -> Option<[f64; 3]> {
            let values = manifest.details.get("image")?.get(key)?.as_array()?;
            let values: Vec<f64> = values.iter().map(serde_json::Value::as_f64).collect::<Option<_>>()?;
            values.try_into().ok()
        };
        let pair = self.mean.zip(self.deviation).or_else(|| measured("mean").zip(measured("deviation")));
        let (mean, deviation) = pair.ok_or_else(|| {
            Error::input("mean and deviation of the images are not known")
                .hint("add a `statistics` stage to the pipeline, or give `mean` and `deviation` in `[train.model]`")
        })?;
        // a channel that never changes carries nothing, whatever it is divided by
        let deviation = deviation.map(|d| if d > 0.0 { d } else { 1.0 });
        let image_size = self.image_size.unsigned_abs() as usize;
        Ok(Preparation { image_size, mean, deviation, crop: self.crop, interpolation: self.interpolation })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tessera_datasets::config::RunConfig;
    use tessera_datasets::manifest::MadeBy;
    use tessera_datasets::schema::Kind;

    use super::*;

    fn split(keys: &str) -> Result<(ImageOptions, Section)> {
        let text = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[train.model]\n{keys}");
        let config = RunConfig::parse(Path::new("a.toml"), &text, &[]).unwrap();
        ImageOptions::split(&config.section("train")?.child("model")?)
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        #[expect(dead_code, reason = "it only has to be parsed")]
        layers: i64,
    }

    #[test]
    fn the_table_is_shared_and_a_wrong_key_is_told_all_that_are_right() {
        let (options, rest) = split("image_size = 32\nlayers = 2\nlabel_smoothing = 0.1").unwrap();
        assert_eq!((options.image_size, options.label_smoothing, options.crop), (32, 0.1, 1.0));
        rest.parse::<Own>().unwrap();
        let error = split("image_size = 32\nlayers = 2\ninterpolatoin = 1").unwrap().1.parse::<Own>().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`layers`, `image_size`"), "{text}");
        assert_eq!(error.hint_text(), Some("did you mean `interpolation`?"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (keys, message) in [
            ("layers = 2", "`image_size` is missing in `train.model`"),
            ("image_size = 0", "row 6: `image_size` 0"),
            ("image_size = 32\nmean = [0.5, 0.5, 0.5]", "come together"),
            ("image_size = 32\nmean = [0.5, 0.5, 0.5]\ndeviation = [0.2, 0.0, 0.2]", "above 0"),
            ("image_size = 32\ncrop = 1.5", "`crop` 1.5"),
            ("image_size = 32\nlabel_smoothing = 1.0", "`label_smoothing` 1"),
            ("image_size = 32\ninterpolation = \"cubist\"", "cubist"),
        ] {
            let error = split(keys).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(message), "{keys}: {error}");
        }
    }

    #[test]
    fn mean_and_deviation_are_the_datasets_where_none_are_given() {
        let made_by = MadeBy { sha256: String::new(), toml: String::new() };
        let mut manifest = Manifest::new("a", Kind::Image, made_by);
        let options = split("image_size = 32").unwrap().0;
        let error = options.preparation(&manifest).unwrap_err();
        assert!(error.hint_text().is_some_and(|hint| hint.contains("`statistics` stage")), "{error}");
        let measured = serde_json::json!({ "mean": [0.1, 0.2, 0.3], "deviation": [0.5, 0.0, 0.7] });
        manifest.details.insert("image".to_owned(), measured);
        let found = options.preparation(&manifest).unwrap();
        assert_eq!((found.mean, found.deviation), ([0.1, 0.2, 0.3], [0.5, 1.0, 0.7]));
        let given = split("image_size = 32\nmean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]").unwrap().0;
        assert_eq!(given.preparation(&manifest).unwrap().deviation, [1.0; 3]);
    }
}
