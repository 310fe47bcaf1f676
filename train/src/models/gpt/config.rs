//! `[train.model]` with `kind = "gpt"`, the presets and the declared parameters.

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::parameters::{Declaration, Init};

/// The model's table as it is written. Keys given beside a preset override it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GptOptions {
    /// `gpt2`, `gpt2-medium`, `gpt2-large`, `gpt2-xl`, or `characters` (nanoGPT's CPU recipe).
    preset: Option<String>,
    /// Transformer blocks.
    layers: Option<i64>,
    /// Attention heads per block.
    heads: Option<i64>,
    /// Width of the hidden states.
    width: Option<i64>,
    /// Tokens that the model sees at once.
    context: Option<i64>,
    /// Whether linear maps and norms have biases, as GPT-2's do.
    bias: Option<bool>,
    /// Dropout of embeddings, attention weights and sub-layer outputs.
    dropout: Option<f64>,
    /// Size of the vocabulary, at least the tokenizer's; a multiple of 64 is faster on a GPU.
    vocabulary: Option<i64>,
    /// How training windows are drawn from the text.
    windows: Option<Windows>,
}

/// How training windows are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Windows {
    /// Each starts at a random token, with replacement, as in nanoGPT.
    #[default]
    Random,
    /// The text is cut into windows once; each epoch sees every window once, shuffled.
    Epochs,
}

/// A GPT's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GptConfig {
    /// Transformer blocks.
    pub layers: i64,
    /// Attention heads per block.
    pub heads: i64,
    /// Width of the hidden states, a multiple of `heads`.
    pub width: i64,
    /// Tokens that the model sees at once.
    pub context: i64,
    /// Whether linear maps and norms have biases.
    pub bias: bool,
    /// Dropout during training.
    pub dropout: f64,
    /// Size of the vocabulary.
    pub vocabulary: i64,
}

/// Added to the variance in every norm.
pub(super) const EPSILON: f64 = 1e-5;

/// Name, layers, heads, width, context, bias (Radford et al. 2019; the last is nanoGPT's
/// `train_shakespeare_char` on a CPU).
const PRESETS: &[(&str, i64, i64, i64, i64, bool)] = &[
    ("gpt2", 12, 12, 768, 1024, true),
    ("gpt2-medium", 24, 16, 1024, 1024, true),
    ("gpt2-large", 36, 20, 1280, 1024, true),
    ("gpt2-xl", 48, 25, 1600, 1024, true),
    ("characters", 4, 4, 128, 64, false),
];

impl GptOptions {
    /// Parses the table and checks it as far as that goes without data.
    ///
    /// # Errors
    /// At an unknown key or preset, or a shape that cannot be.
    pub(super) fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let config = options.shape(section)?;
        let positive =
            [("layers", config.layers), ("heads", config.heads), ("width", config.width), ("context", config.context)];
        for (key, value) in positive {
            if value < 1 {
                return Err(section.error(key, format!("`{key}` must be at least 1")));
            }
        }
        if config.width % config.heads != 0 {
            let message = format!("`width` {} is no multiple of `heads` {}", config.width, config.heads);
            return Err(section.error("width", message));
        }
        if !(0.0..1.0).contains(&config.dropout) {
            return Err(section.error("dropout", "`dropout` must be at least 0 and below 1"));
        }
        Ok(options)
    }

    /// How windows are drawn.
    pub(super) fn windows(&self) -> Windows {
        self.windows.unwrap_or_default()
    }

    /// The shape for a tokenizer's vocabulary.
    ///
    /// # Errors
    /// When the config's vocabulary is smaller than the tokenizer's.
    pub(super) fn resolve(&self, section: &Section, tokenizer: i64) -> Result<GptConfig> {
        let mut config = self.shape(section)?;
        config.vocabulary = self.vocabulary.unwrap_or(tokenizer);
        if config.vocabulary < tokenizer {
            let message = format!("`vocabulary` {} is smaller than the tokenizer's {tokenizer}", config.vocabulary);
            return Err(section.error("vocabulary", message));
        }
        Ok(config)
    }

    fn shape(&self, section: &Section) -> Result<GptConfig> {
        let base = match self.preset.as_deref() {
            None => GptConfig::preset("characters"),
            Some(name) => GptConfig::preset(name),
        };
        let base = base.ok_or_else(|| {
            let known: Vec<String> = PRESETS.iter().map(|p| format!("`{}`", p.0)).collect();
            let preset = self.preset.as_deref().unwrap_or_default();
            section.error("preset", format!("unknown preset `{preset}`; known: {}", known.join(", ")))
        })?;
        Ok(GptConfig {
            layers: self.layers.unwrap_or(base.layers),
            heads: self.heads.unwrap_or(base.heads),
            width: self.width.unwrap_or(base.width),
            context: self.context.unwrap_or(base.context),
            bias: self.bias.unwrap_or(base.bias),
            dropout: self.dropout.unwrap_or(0.0),
            vocabulary: base.vocabulary,
        })
    }
}

impl GptConfig {
    /// A published shape, with GPT-2's vocabulary of 50,257.
    pub fn preset(name: &str) -> Option<Self> {
        let (_, layers, heads, width, context, bias) = *PRESETS.iter().find(|p| p.0 == name)?;
        Some(Self { layers, heads, width, context, bias, dropout: 0.0, vocabulary: 50_257 })
    }

    /// The parameters with their names in `transformers` and their start as in GPT-2: normal with
    /// deviation 0.02, projections back into the residual stream scaled by 1/√(2·layers).
    pub fn declare(&self) -> Vec<Declaration> {
        let width = self.width;
        let normal = Init::Normal { deviation: 0.02 };
        let residual = Init::Normal { deviation: 0.02 / (2.0 * self.layers as f64).sqrt() };
        let mut out = vec![
            Declaration::new("transformer.wte.weight", &[self.vocabulary, width], normal),
            Declaration::new("transformer.wpe.weight", &[self.context, width], normal),
        ];
        let mut affine = |name: String, shape: &[i64], init: Init| {
            let outputs = shape[shape.len() - 1];
            out.push(Declaration::new(format!("{name}.weight"), shape, init));
            if self.bias {
                out.push(Declaration::new(format!("{name}.bias"), &[outputs], Init::Zeros));
            }
        };
        for layer in 0..self.layers {
            let name = |part: &str| format!("transformer.h.{layer}.{part}");
            affine(name("ln_1"), &[width], Init::Ones);
            affine(name("attn.c_attn"), &[width, 3 * width], normal);
            affine(name("attn.c_proj"), &[width, width], residual);
            affine(name("ln_2"), &[width], Init::Ones);
            affine(name("mlp.c_fc"), &[width, 4 * width], normal);
            affine(name("mlp.c_proj"), &[4 * width, width], residual);
        }
        affine("transformer.ln_f".to_owned(), &[width], Init::Ones);
        out
    }

    /// `config.json` as `transformers` reads it. Without biases, `transformers` starts them at
    /// zero, which is the same model.
    pub fn reference(&self) -> Value {
        json!({
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "activation_function": "gelu_new",
            "vocab_size": self.vocabulary,
            "n_positions": self.context,
            "n_embd": self.width,
            "n_layer": self.layers,
            "n_head": self.heads,
            "layer_norm_epsilon": EPSILON,
            "embd_pdrop": self.dropout,
            "attn_pdrop": self.dropout,
            "resid_pdrop": self.dropout,
            "tie_word_embeddings": true,
            "bos_token_id": Value::Null,
            "eos_token_id": Value::Null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    #[test]
    fn presets_have_the_published_parameter_counts() {
        // transformers 5.23.0 on the meta device, tests/fixtures/make_gpt2_presets.py
        let expected = [
            ("gpt2", 124_439_808),
            ("gpt2-medium", 354_823_168),
            ("gpt2-large", 774_030_080),
            ("gpt2-xl", 1_557_611_200),
        ];
        for (name, parameters) in expected {
            assert_eq!(count(&GptConfig::preset(name).unwrap().declare()), parameters, "{name}");
        }
    }

    #[test]
    fn the_cpu_character_recipe_has_804_096() {
        let config = GptConfig { vocabulary: 65, ..GptConfig::preset("characters").unwrap() };
        assert_eq!(count(&config.declare()), 804_096);
    }
}
