//! `[train.model]` with `kind = "vit"`, the presets and the declared parameters.

use serde::Deserialize;
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::parameters::{Declaration, Init};

/// The model's table as it is written, without the keys about images. Keys given beside a preset
/// override it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VitOptions {
    /// `tiny`, `small`, `base`, `large` or `huge`.
    preset: Option<String>,
    /// Side of a patch in pixels.
    patch_size: Option<i64>,
    /// Width of the hidden states.
    width: Option<i64>,
    /// Transformer blocks.
    layers: Option<i64>,
    /// Attention heads per block.
    heads: Option<i64>,
    /// Hidden width of the feed-forward part; four times `width` where it is not given.
    feed_forward: Option<i64>,
    /// Whether a learned token stands before the patches.
    class_token: Option<bool>,
    /// What the head sees: the class token, or the mean over the patches.
    global_pool: Option<Pool>,
    /// Whether the last norm comes after pooling instead of before; with `avg` it does.
    fc_norm: Option<bool>,
    /// How the parameters start.
    init: Option<Start>,
    /// Dropout of the embedded patches and of the sub-layers' maps.
    dropout: Option<f64>,
    /// Dropout of the attention weights.
    attention_dropout: Option<f64>,
    /// Dropout before the head.
    head_dropout: Option<f64>,
    /// With which probability the last block's branches are left out; it grows linearly from 0.
    stochastic_depth: Option<f64>,
    /// Added to the variance in every norm.
    epsilon: Option<f64>,
}

/// What the head sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The class token.
    #[default]
    Token,
    /// The mean over the patches.
    Avg,
}

/// How the parameters start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// timm's own: normal with deviation 0.02.
    #[default]
    Timm,
    /// As in Google's code: Xavier-uniform maps, LeCun-normal patches, the head at zero.
    Jax,
}

/// A Vision Transformer's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VitConfig {
    /// Side of an image in pixels, a multiple of `patch_size`.
    pub image_size: i64,
    /// Side of a patch in pixels.
    pub patch_size: i64,
    /// Width of the hidden states, a multiple of `heads`.
    pub width: i64,
    /// Transformer blocks.
    pub layers: i64,
    /// Attention heads per block.
    pub heads: i64,
    /// Hidden width of the feed-forward part.
    pub feed_forward: i64,
    /// Whether a learned token stands before the patches.
    pub class_token: bool,
    /// What the head sees.
    pub global_pool: Pool,
    /// Whether the last norm comes after pooling.
    pub fc_norm: bool,
    /// How the parameters start.
    pub init: Start,
    /// Dropout of the embedded patches and of the sub-layers' maps.
    pub dropout: f64,
    /// Dropout of the attention weights.
    pub attention_dropout: f64,
    /// Dropout before the head.
    pub head_dropout: f64,
    /// With which probability the last block's branches are left out.
    pub stochastic_depth: f64,
    /// Added to the variance in every norm.
    pub epsilon: f64,
    /// Classes.
    pub classes: i64,
}

/// Name, width, layers, heads, patch size (Dosovitskiy et al. 2021, table 1; tiny and small are
/// those of Touvron et al. 2021).
const PRESETS: &[(&str, i64, i64, i64, i64)] = &[
    ("tiny", 192, 12, 3, 16),
    ("small", 384, 12, 6, 16),
    ("base", 768, 12, 12, 16),
    ("large", 1024, 24, 16, 16),
    ("huge", 1280, 32, 16, 14),
];

impl VitOptions {
    /// Parses the table and checks it as far as that goes without data.
    ///
    /// # Errors
    /// At an unknown key or preset, or a shape that cannot be.
    pub(super) fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let config = options.shape(section)?;
        let positive = [
            ("patch_size", config.patch_size),
            ("width", config.width),
            ("layers", config.layers),
            ("heads", config.heads),
            ("feed_forward", config.feed_forward),
        ];
        for (key, value) in positive {
            if value < 1 {
                return Err(section.error(key, format!("`{key}` must be at least 1")));
            }
        }
        if config.width % config.heads != 0 {
            let message = format!("`width` {} is no multiple of `heads` {}", config.width, config.heads);
            return Err(section.error("width", message));
        }
        let shares = [
            ("dropout", config.dropout),
            ("attention_dropout", config.attention_dropout),
            ("head_dropout", config.head_dropout),
            ("stochastic_depth", config.stochastic_depth),
        ];
        for (key, value) in shares {
            if !(0.0..1.0).contains(&value) {
                return Err(section.error(key, format!("`{key}` must be at least 0 and below 1")));
            }
        }
        if config.epsilon.is_nan() || config.epsilon <= 0.0 {
            return Err(section.error("epsilon", "`epsilon` must be above 0"));
        }
        if config.global_pool == Pool::Token && !config.class_token {
            let message = "`global_pool = \"token\"` needs the class token; without one it is `\"avg\"`";
            return Err(section.error("global_pool", message));
        }
        Ok(options)
    }

    /// The shape for images of a size and a number of classes.
    ///
    /// # Errors
    /// When the images cannot be cut into whole patches.
    pub(super) fn resolve(&self, section: &Section, image_size: i64, classes: i64) -> Result<VitConfig> {
        let config = VitConfig { image_size, classes, ..self.shape(section)? };
        if image_size % config.patch_size != 0 {
            let message = format!("`image_size` {image_size} is no multiple of `patch_size` {}", config.patch_size);
            return Err(section.error("patch_size", message));
        }
        Ok(config)
    }

    fn shape(&self, section: &Section) -> Result<VitConfig> {
        let name = self.preset.as_deref().unwrap_or("tiny");
        let base = VitConfig::preset(name).ok_or_else(|| {
            let known: Vec<String> = PRESETS.iter().map(|p| format!("`{}`", p.0)).collect();
            section.error("preset", format!("unknown preset `{name}`; known: {}", known.join(", ")))
        })?;
        let width = self.width.unwrap_or(base.width);
        let class_token = self.class_token.unwrap_or(self.global_pool != Some(Pool::Avg));
        let global_pool = self.global_pool.unwrap_or(if class_token { Pool::Token } else { Pool::Avg });
        Ok(VitConfig {
            patch_size: self.patch_size.unwrap_or(base.patch_size),
            width,
            layers: self.layers.unwrap_or(base.layers),
            heads: self.heads.unwrap_or(base.heads),
            feed_forward: self.feed_forward.unwrap_or(4 * width),
            class_token,
            global_pool,
            fc_norm: self.fc_norm.unwrap_or(global_pool == Pool::Avg),
            init: self.init.unwrap_or_default(),
            dropout: self.dropout.unwrap_or(0.0),
            attention_dropout: self.attention_dropout.unwrap_or(0.0),
            head_dropout: self.head_dropout.unwrap_or(0.0),
            stochastic_depth: self.stochastic_depth.unwrap_or(0.0),
            epsilon: self.epsilon.unwrap_or(base.epsilon),
            ..base
        })
    }
}

impl VitConfig {
    /// A published shape for images of 224 pixels and 1000 classes, with the class token.
    pub fn preset(name: &str) -> Option<Self> {
        let (_, width, layers, heads, patch_size) = *PRESETS.iter().find(|p| p.0 == name)?;
        Some(Self {
            image_size: 224,
            patch_size,
            width,
            layers,
            heads,
            feed_forward: 4 * width,
            class_token: true,
            global_pool: Pool::Token,
            fc_norm: false,
            init: Start::Timm,
            dropout: 0.0,
            attention_dropout: 0.0,
            head_dropout: 0.0,
            stochastic_depth: 0.0,
            epsilon: 1e-6,
            classes: 1000,
        })
    }

    /// Patches along a side.
    pub fn grid(&self) -> i64 {
        self.image_size / self.patch_size
    }

    /// Tokens before the patches.
    pub fn prefix(&self) -> i64 {
        i64::from(self.class_token)
    }

    /// The parameters with their names in timm and in its order.
    pub fn declare(&self) -> Vec<Declaration> {
        let width = self.width;
        let jax = self.init == Start::Jax;
        let map = |inputs: i64, outputs: i64| match self.init {
            Start::Timm => Init::truncated_normal(0.02),
            Start::Jax => Init::xavier_uniform(inputs, outputs, 1.0),
        };
        let pixels = 3 * self.patch_size * self.patch_size;
        // PyTorch's start of a convolution, which timm leaves as it is
        let by_pixels = Init::Uniform { limit: 1.0 / (pixels as f64).sqrt() };
        let mut out = Vec::new();
        if self.class_token {
            out.push(Declaration::new("cls_token", &[1, 1, width], Init::Normal { deviation: 1e-6 }));
        }
        let positions = [1, self.grid() * self.grid() + self.prefix(), width];
        out.push(Declaration::new("pos_embed", &positions, Init::truncated_normal(0.02)));
        let mut affine = |name: String, shape: &[i64], weight: Init, bias: Init| {
            out.push(Declaration::new(format!("{name}.weight"), shape, weight));
            out.push(Declaration::new(format!("{name}.bias"), &shape[..1], bias));
        };
        let patch = [width, 3, self.patch_size, self.patch_size];
        let (weight, bias) = if jax { (Init::lecun_normal(pixels), Init::Zeros) } else { (by_pixels, by_pixels) };
        affine("patch_embed.proj".to_owned(), &patch, weight, bias);
        let feed_forward_bias = if jax { Init::Normal { deviation: 1e-6 } } else { Init::Zeros };
        for layer in 0..self.layers {
            let name = |part: &str| format!("blocks.{layer}.{part}");
            affine(name("norm1"), &[width], Init::Ones, Init::Zeros);
            affine(name("attn.qkv"), &[3 * width, width], map(width, 3 * width), Init::Zeros);
            affine(name("attn.proj"), &[width, width], map(width, width), Init::Zeros);
            affine(name("norm2"), &[width], Init::Ones, Init::Zeros);
            let hidden = self.feed_forward;
            affine(name("mlp.fc1"), &[hidden, width], map(width, hidden), feed_forward_bias);
            affine(name("mlp.fc2"), &[width, hidden], map(hidden, width), feed_forward_bias);
        }
        affine(self.last_norm().to_owned(), &[width], Init::Ones, Init::Zeros);
        let head = if jax { Init::Zeros } else { Init::truncated_normal(0.02) };
        affine("head".to_owned(), &[self.classes, width], head, Init::Zeros);
        out
    }

    /// The name of the last norm.
    pub(super) fn last_norm(&self) -> &'static str {
        if self.fc_norm { "fc_norm" } else { "norm" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    fn preset(name: &str, patch_size: i64, image_size: i64) -> VitConfig {
        VitConfig { patch_size, image_size, ..VitConfig::preset(name).unwrap() }
    }

    #[test]
    fn presets_have_timms_parameter_counts() {
        // timm 1.0.31 on the meta device
        let expected = [
            (preset("tiny", 16, 224), 5_717_416),
            (preset("small", 8, 224), 22_055_272),
            (preset("small", 16, 224), 22_050_664),
            (preset("small", 32, 224), 22_878_952),
            (preset("base", 8, 224), 86_576_872),
            (preset("base", 16, 224), 86_567_656),
            (preset("base", 32, 224), 88_224_232),
            (preset("base", 16, 384), 86_859_496),
            (preset("large", 14, 224), 304_203_752),
            (preset("large", 16, 224), 304_326_632),
            (preset("large", 32, 224), 306_535_400),
            // timm's own default is without a head
            (VitConfig { classes: 0, ..preset("huge", 14, 224) }, 630_764_800),
            (preset("huge", 14, 224), 632_045_800),
            (VitConfig { classes: 10, ..preset("tiny", 4, 32) }, 5_362_762),
            (VitConfig { class_token: false, global_pool: Pool::Avg, ..preset("tiny", 16, 224) }, 5_717_032),
        ];
        for (config, parameters) in expected {
            assert_eq!(count(&config.declare()), parameters, "{config:?}");
            assert_eq!(count(&VitConfig { init: Start::Jax, fc_norm: true, ..config }.declare()), parameters);
        }
    }

    fn parsed(text: &str) -> Result<VitConfig> {
        let config = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[train.model]\n{text}");
        let run = tessera_datasets::config::RunConfig::parse(std::path::Path::new("a.toml"), &config, &[]).unwrap();
        let section = run.section("train")?.child("model")?;
        VitOptions::parse(&section)?.resolve(&section, 32, 10)
    }

    #[test]
    fn a_table_overrides_its_preset() {
        let config = parsed("preset = \"small\"\npatch_size = 4\nlayers = 6\nglobal_pool = \"avg\"").unwrap();
        assert_eq!((config.width, config.layers, config.feed_forward, config.grid()), (384, 6, 1536, 8));
        assert!(config.fc_norm && !config.class_token);
        let config = parsed("patch_size = 4\nglobal_pool = \"avg\"\nclass_token = true\nfc_norm = false").unwrap();
        assert!(config.class_token && !config.fc_norm);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, message) in [
            ("preset = \"giant\"", "unknown preset `giant`"),
            ("colour = 3", "colour"),
            ("patch_size = 5", "no multiple of `patch_size` 5"),
            ("width = 100", "no multiple of `heads`"),
            ("class_token = false\nglobal_pool = \"token\"", "needs the class token"),
            ("dropout = 1.0", "below 1"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
