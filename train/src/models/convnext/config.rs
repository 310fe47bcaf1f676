//! `[train.model]` with `kind = "convnext"`, the presets and the declared parameters.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::parameters::{Declaration, Init};

/// The model's table as it is written, without the keys about images. Keys given beside a preset
/// override it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConvNextOptions {
    /// `atto`, `femto`, `pico`, `nano`, `tiny`, `small`, `base`, `large` or `xlarge`.
    preset: Option<String>,
    /// Blocks per stage.
    depths: Option<Vec<i64>>,
    /// Width of each stage.
    dims: Option<Vec<i64>>,
    /// Side of the stem's patches, which is its stride too.
    patch_size: Option<i64>,
    /// Stride before each stage, 1 or 2: `[1, 2, 2, 2]` where it is not given.
    strides: Option<Vec<i64>>,
    /// Side of the depthwise kernels; odd.
    kernel_size: Option<i64>,
    /// Whether the weights of the pointwise maps are kept as 1×1 convolutions, `[o, i, 1, 1]`, as
    /// timm's presets below `tiny` do. It changes nothing but their shape in the file.
    conv_mlp: Option<bool>,
    /// What the layer scale starts with; 0 for none.
    layer_scale: Option<f64>,
    /// With which probability the last block's branch is left out; it grows linearly from 0.
    stochastic_depth: Option<f64>,
    /// Dropout before the head.
    head_dropout: Option<f64>,
    /// What the head's first weights are multiplied with.
    head_init_scale: Option<f64>,
    /// Added to the variance in every norm.
    epsilon: Option<f64>,
}

/// A ConvNeXt's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvNextConfig {
    /// Blocks per stage.
    pub depths: Vec<i64>,
    /// Width of each stage.
    pub dims: Vec<i64>,
    /// Side of the stem's patches, which is its stride too.
    pub patch_size: i64,
    /// Stride before each stage.
    pub strides: Vec<i64>,
    /// Side of the depthwise kernels.
    pub kernel_size: i64,
    /// Whether the pointwise maps are kept as 1×1 convolutions.
    pub conv_mlp: bool,
    /// What the layer scale starts with; `None` for no layer scale.
    pub layer_scale: Option<f64>,
    /// With which probability the last block's branch is left out.
    pub stochastic_depth: f64,
    /// Dropout before the head.
    pub head_dropout: f64,
    /// What the head's first weights are multiplied with.
    pub head_init_scale: f64,
    /// Added to the variance in every norm.
    pub epsilon: f64,
    /// Classes.
    pub classes: i64,
}

/// Name, depths, width of the first stage (each further one is twice as wide), whether pointwise
/// maps are kept as convolutions (Liu et al. 2022; those below tiny are timm's own).
const PRESETS: &[(&str, [i64; 4], i64, bool)] = &[
    ("atto", [2, 2, 6, 2], 40, true),
    ("femto", [2, 2, 6, 2], 48, true),
    ("pico", [2, 2, 6, 2], 64, true),
    ("nano", [2, 2, 8, 2], 80, true),
    ("tiny", [3, 3, 9, 3], 96, false),
    ("small", [3, 3, 27, 3], 96, false),
    ("base", [3, 3, 27, 3], 128, false),
    ("large", [3, 3, 27, 3], 192, false),
    ("xlarge", [3, 3, 27, 3], 256, false),
];

impl ConvNextOptions {
    /// Parses the table and checks it as far as that goes without data.
    ///
    /// # Errors
    /// At an unknown key or preset, or a shape that cannot be.
    pub(super) fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let config = options.shape(section)?;
        let stages = config.dims.len();
        if stages == 0 || config.depths.len() != stages || config.strides.len() != stages {
            let message = format!(
                "`depths`, `dims` and `strides` must name as many stages: {}, {} and {}",
                config.depths.len(),
                stages,
                config.strides.len()
            );
            return Err(section.error("depths", message));
        }
        for (key, values) in [("depths", &config.depths), ("dims", &config.dims)] {
            if values.iter().any(|value| *value < 1) {
                return Err(section.error(key, format!("each of `{key}` must be at least 1")));
            }
        }
        if config.strides.iter().any(|stride| ![1, 2].contains(stride)) {
            return Err(section.error("strides", "each of `strides` must be 1 or 2"));
        }
        if config.patch_size < 1 {
            return Err(section.error("patch_size", "`patch_size` must be at least 1"));
        }
        if config.kernel_size < 1 || config.kernel_size % 2 == 0 {
            return Err(section.error("kernel_size", "`kernel_size` must be odd"));
        }
        for (key, value) in [("stochastic_depth", config.stochastic_depth), ("head_dropout", config.head_dropout)] {
            if !(0.0..1.0).contains(&value) {
                return Err(section.error(key, format!("`{key}` must be at least 0 and below 1")));
            }
        }
        if options.layer_scale.is_some_and(|start| !(0.0..=1.0).contains(&start)) {
            return Err(section.error("layer_scale", "`layer_scale` must be at least 0 and at most 1"));
        }
        if config.epsilon.is_nan() || config.epsilon <= 0.0 {
            return Err(section.error("epsilon", "`epsilon` must be above 0"));
        }
        Ok(options)
    }

    /// The shape for images of a size and a number of classes.
    ///
    /// # Errors
    /// When the images are too small to reach the last stage.
    pub(super) fn resolve(&self, section: &Section, image_size: i64, classes: i64) -> Result<ConvNextConfig> {
        let config = ConvNextConfig { classes, ..self.shape(section)? };
        let mut size = image_size / config.patch_size;
        for stride in &config.strides {
            size /= stride;
        }
        if size < 1 {
            let message = format!(
                "images of {image_size} pixels have no pixel left after a stem of {} and strides of {:?}",
                config.patch_size, config.strides
            );
            return Err(section.error("patch_size", message));
        }
        Ok(config)
    }

    fn shape(&self, section: &Section) -> Result<ConvNextConfig> {
        let name = self.preset.as_deref().unwrap_or("tiny");
        let base = ConvNextConfig::preset(name).ok_or_else(|| {
            let known: Vec<String> = PRESETS.iter().map(|p| format!("`{}`", p.0)).collect();
            section.error("preset", format!("unknown preset `{name}`; known: {}", known.join(", ")))
        })?;
        let dims = self.dims.clone().unwrap_or(base.dims);
        let usual = || (0..dims.len()).map(|stage| if stage == 0 { 1 } else { 2 }).collect();
        Ok(ConvNextConfig {
            depths: self.depths.clone().unwrap_or(base.depths),
            patch_size: self.patch_size.unwrap_or(base.patch_size),
            strides: self.strides.clone().unwrap_or_else(usual),
            dims,
            kernel_size: self.kernel_size.unwrap_or(base.kernel_size),
            conv_mlp: self.conv_mlp.unwrap_or(base.conv_mlp),
            layer_scale: self.layer_scale.map_or(base.layer_scale, |start| (start > 0.0).then_some(start)),
            stochastic_depth: self.stochastic_depth.unwrap_or(0.0),
            head_dropout: self.head_dropout.unwrap_or(0.0),
            head_init_scale: self.head_init_scale.unwrap_or(1.0),
            epsilon: self.epsilon.unwrap_or(base.epsilon),
            classes: base.classes,
        })
    }
}

impl ConvNextConfig {
    /// A published shape with 1000 classes.
    pub fn preset(name: &str) -> Option<Self> {
        let (_, depths, width, conv_mlp) = *PRESETS.iter().find(|p| p.0 == name)?;
        Some(Self {
            depths: depths.to_vec(),
            dims: vec![width, 2 * width, 4 * width, 8 * width],
            patch_size: 4,
            strides: vec![1, 2, 2, 2],
            kernel_size: 7,
            conv_mlp,
            layer_scale: Some(1e-6),
            stochastic_depth: 0.0,
            head_dropout: 0.0,
            head_init_scale: 1.0,
            epsilon: 1e-6,
            classes: 1000,
        })
    }

    /// Whether a norm and a convolution stand before a stage.
    pub(super) fn downsamples(&self, stage: usize) -> bool {
        self.strides[stage] > 1 || (stage > 0 && self.dims[stage - 1] != self.dims[stage])
    }

    /// Blocks in all.
    pub fn blocks(&self) -> usize {
        self.depths.iter().sum::<i64>() as usize
    }

    /// The parameters with their names in timm and in its order, started as there.
    pub fn declare(&self) -> Vec<Declaration> {
        let normal = Init::truncated_normal(0.02);
        let mut out = Vec::new();
        let affine = |out: &mut Vec<Declaration>, name: String, shape: &[i64], weight: Init| {
            out.push(Declaration::new(format!("{name}.weight"), shape, weight));
            out.push(Declaration::new(format!("{name}.bias"), &shape[..1], Init::Zeros));
        };
        let (patch, kernel) = (self.patch_size, self.kernel_size);
        affine(&mut out, "stem.0".to_owned(), &[self.dims[0], 3, patch, patch], normal);
        affine(&mut out, "stem.1".to_owned(), &self.dims[..1], Init::Ones);
        for (stage, (&depth, &width)) in self.depths.iter().zip(&self.dims).enumerate() {
            if self.downsamples(stage) {
                let (before, stride) = (self.dims[stage.saturating_sub(1)], self.strides[stage]);
                affine(&mut out, format!("stages.{stage}.downsample.0"), &[before], Init::Ones);
                affine(&mut out, format!("stages.{stage}.downsample.1"), &[width, before, stride, stride], normal);
            }
            for block in 0..depth {
                let name = |part: &str| format!("stages.{stage}.blocks.{block}.{part}");
                if let Some(value) = self.layer_scale {
                    out.push(Declaration::new(name("gamma"), &[width], Init::Constant { value }));
                }
                affine(&mut out, name("conv_dw"), &[width, 1, kernel, kernel], normal);
                affine(&mut out, name("norm"), &[width], Init::Ones);
                let (up, down) = ([4 * width, width, 1, 1], [width, 4 * width, 1, 1]);
                let shape = |whole: &[i64; 4]| if self.conv_mlp { whole.to_vec() } else { whole[..2].to_vec() };
                affine(&mut out, name("mlp.fc1"), &shape(&up), normal);
                affine(&mut out, name("mlp.fc2"), &shape(&down), normal);
            }
        }
        let width = self.dims[self.dims.len() - 1];
        affine(&mut out, "head.norm".to_owned(), &[width], Init::Ones);
        let scale = self.head_init_scale;
        let head = Init::TruncatedNormal { deviation: 0.02 * scale, limit: 2.0 * scale };
        affine(&mut out, "head.fc".to_owned(), &[self.classes, width], head);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    #[test]
    fn presets_have_timms_parameter_counts() {
        // timm 1.0.31 on the meta device
        let expected = [
            ("atto", 3_695_520),
            ("femto", 5_217_784),
            ("pico", 9_045_672),
            ("nano", 15_593_560),
            ("tiny", 28_589_128),
            ("small", 50_223_688),
            ("base", 88_591_464),
            ("large", 197_767_336),
            ("xlarge", 350_196_968),
        ];
        for (name, parameters) in expected {
            let config = ConvNextConfig::preset(name).unwrap();
            assert_eq!(count(&config.declare()), parameters, "{name}");
            let other = ConvNextConfig { conv_mlp: !config.conv_mlp, ..config };
            assert_eq!(count(&other.declare()), parameters, "{name}");
        }
        assert_eq!(expected.len(), PRESETS.len());
    }

    fn parsed(text: &str) -> Result<ConvNextConfig> {
        let config = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[train.model]\n{text}");
        let run = tessera_datasets::config::RunConfig::parse(std::path::Path::new("a.toml"), &config, &[]).unwrap();
        let section = run.section("train")?.child("model")?;
        ConvNextOptions::parse(&section)?.resolve(&section, 32, 10)
    }

    #[test]
    fn a_table_overrides_its_preset() {
        let config = parsed("preset = \"atto\"\npatch_size = 2\ndims = [8, 16]\ndepths = [1, 2]").unwrap();
        assert_eq!((config.patch_size, config.kernel_size, config.classes), (2, 7, 10));
        assert_eq!(config.strides, [1, 2]);
        assert!(config.conv_mlp);
        assert_eq!(parsed("layer_scale = 0").unwrap().layer_scale, None);
        let names: Vec<String> = config.declare().into_iter().map(|d| d.name).collect();
        assert!(!names.contains(&"stages.0.downsample.0.weight".to_owned()));
        assert!(names.contains(&"stages.1.downsample.0.weight".to_owned()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, message) in [
            ("preset = \"giant\"", "unknown preset `giant`"),
            ("width = 3", "width"),
            ("patch_size = 16", "no pixel left"),
            ("dims = [8, 16]", "as many stages: 4, 2 and 2"),
            ("strides = [1, 2, 3, 2]", "1 or 2"),
            ("kernel_size = 4", "odd"),
            ("layer_scale = -1", "at least 0"),
            ("stochastic_depth = 1.5", "below 1"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
