//! `[train.model]` with `kind = "transformer"`, the presets and the declared parameters.

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::layers::{Attention, Sinusoids};
use crate::parameters::{Declaration, Init};

/// The model's table as it is written. Keys given beside a preset override it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransformerOptions {
    /// The language to translate from.
    pub(super) source: String,
    /// The language to translate into.
    pub(super) target: String,
    /// `tiny`, `small`, `iwslt`, `base` or `big`.
    preset: Option<String>,
    /// Layers of the encoder, and of the decoder where it has no number of its own.
    layers: Option<i64>,
    /// Layers of the decoder.
    decoder_layers: Option<i64>,
    /// Attention heads per layer.
    heads: Option<i64>,
    /// Width of the hidden states.
    width: Option<i64>,
    /// Width of the hidden layer in the feed-forward parts.
    feed_forward: Option<i64>,
    /// Dropout of embeddings and sub-layer outputs.
    dropout: Option<f64>,
    /// Dropout of attention weights; the paper has none.
    attention_dropout: Option<f64>,
    /// The share of a target's probability that is spread over the vocabulary.
    label_smoothing: Option<f64>,
    /// Where the norms are.
    norm: Option<NormPlace>,
    /// How sines and cosines lie in a position.
    positions: Option<Sinusoids>,
    /// Training pairs with a side longer than this many tokens are left out.
    longest: Option<usize>,
}

/// Where the norms are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPlace {
    /// Behind the residual sum, as in the paper.
    #[default]
    Post,
    /// Before each sub-layer, with one more at the end of each stack (Xiong et al. 2020).
    Pre,
}

/// A Transformer's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerConfig {
    /// Layers of the encoder.
    pub encoder_layers: i64,
    /// Layers of the decoder.
    pub decoder_layers: i64,
    /// Attention heads per layer.
    pub heads: i64,
    /// Width of the hidden states, a multiple of `heads`.
    pub width: i64,
    /// Width of the hidden layer in the feed-forward parts.
    pub feed_forward: i64,
    /// Dropout of embeddings and sub-layer outputs during training.
    pub dropout: f64,
    /// Dropout of attention weights during training.
    pub attention_dropout: f64,
    /// Where the norms are.
    pub norm: NormPlace,
    /// How positions are laid out.
    pub positions: Sinusoids,
    /// Size of the source's vocabulary.
    pub source_vocabulary: i64,
    /// Size of the target's vocabulary.
    pub target_vocabulary: i64,
    /// Whether source, target and output share one embedding.
    pub shared: bool,
}

/// Added to the variance in every norm.
pub(super) const EPSILON: f64 = 1e-5;

/// Name, layers on either side, heads, width, feed-forward width, dropout.
///
/// `base` and `big` are the paper's (table 3), `iwslt` is fairseq's `transformer_iwslt_de_en`,
/// `tiny` the shape of Wu et al. 2021 for Multi30k, `small` that of the tutorial
/// pytorch-seq2seq, number 6.
const PRESETS: &[(&str, i64, i64, i64, i64, f64)] = &[
    ("tiny", 4, 4, 128, 256, 0.3),
    ("small", 3, 8, 256, 512, 0.1),
    ("iwslt", 6, 4, 512, 1024, 0.3),
    ("base", 6, 8, 512, 2048, 0.1),
    ("big", 6, 16, 1024, 4096, 0.3),
];

impl TransformerOptions {
    /// Parses the table and checks it as far as that goes without data.
    ///
    /// # Errors
    /// At an unknown key or preset, or a shape that cannot be.
    pub(super) fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let config = options.shape(section)?;
        let positive = [
            ("layers", config.encoder_layers),
            ("decoder_layers", config.decoder_layers),
            ("heads", config.heads),
            ("width", config.width),
            ("feed_forward", config.feed_forward),
            ("longest", options.longest() as i64),
        ];
        for (key, value) in positive {
            if value < 1 {
                return Err(section.error(key, format!("`{key}` must be at least 1")));
            }
        }
        if config.width % config.heads != 0 || config.width % 2 != 0 {
            let message = format!("`width` {} is no even multiple of `heads` {}", config.width, config.heads);
            return Err(section.error("width", message));
        }
        let shares = [
            ("dropout", config.dropout),
            ("attention_dropout", config.attention_dropout),
            ("label_smoothing", options.label_smoothing()),
        ];
        for (key, value) in shares {
            if !(0.0..1.0).contains(&value) {
                return Err(section.error(key, format!("`{key}` must be at least 0 and below 1")));
            }
        }
        if options.source == options.target {
            return Err(section.error("target", "`source` and `target` are the same language"));
        }
        Ok(options)
    }

    /// The share of a target's probability that is spread over the vocabulary.
    pub(super) fn label_smoothing(&self) -> f64 {
        self.label_smoothing.unwrap_or(0.1)
    }

    /// Tokens of the longest sentence to train on, with its end.
    pub(super) fn longest(&self) -> usize {
        self.longest.unwrap_or(256)
    }

    /// The shape for the tokenizers' vocabularies.
    ///
    /// # Errors
    /// At an unknown preset.
    pub(super) fn resolve(
        &self,
        section: &Section,
        source: i64,
        target: i64,
        shared: bool,
    ) -> Result<TransformerConfig> {
        let shape = self.shape(section)?;
        Ok(TransformerConfig { source_vocabulary: source, target_vocabulary: target, shared, ..shape })
    }

    fn shape(&self, section: &Section) -> Result<TransformerConfig> {
        let name = self.preset.as_deref().unwrap_or("base");
        let base = TransformerConfig::preset(name, 0).ok_or_else(|| {
            let known: Vec<String> = PRESETS.iter().map(|p| format!("`{}`", p.0)).collect();
            section.error("preset", format!("unknown preset `{name}`; known: {}", known.join(", ")))
        })?;
        let layers = self.layers.unwrap_or(base.encoder_layers);
        Ok(TransformerConfig {
            encoder_layers: layers,
            decoder_layers: self.decoder_layers.unwrap_or(layers),
            heads: self.heads.unwrap_or(base.heads),
            width: self.width.unwrap_or(base.width),
            feed_forward: self.feed_forward.unwrap_or(base.feed_forward),
            dropout: self.dropout.unwrap_or(base.dropout),
            attention_dropout: self.attention_dropout.unwrap_or(0.0),
            norm: self.norm.unwrap_or_default(),
            positions: self.positions.unwrap_or_default(),
            ..base
        })
    }
}

impl TransformerConfig {
    /// A published shape with a shared vocabulary.
    pub fn preset(name: &str, vocabulary: i64) -> Option<Self> {
        let (_, layers, heads, width, feed_forward, dropout) = *PRESETS.iter().find(|p| p.0 == name)?;
        Some(Self {
            encoder_layers: layers,
            decoder_layers: layers,
            heads,
            width,
            feed_forward,
            dropout,
            attention_dropout: 0.0,
            norm: NormPlace::Post,
            positions: Sinusoids::Interleaved,
            source_vocabulary: vocabulary,
            target_vocabulary: vocabulary,
            shared: true,
        })
    }

    /// The name of the embedding that the decoder reads and that the output is multiplied with.
    pub(super) fn target_embedding(&self) -> &'static str {
        match self.shared {
            true => "encoder.embed_tokens.weight",
            false => "decoder.embed_tokens.weight",
        }
    }

    /// The parameters with fairseq's names and start: embeddings normal with deviation `d^-0.5`,
    /// maps Xavier-uniform, biases zero.
    pub fn declare(&self) -> Vec<Declaration> {
        let width = self.width;
        let embedding = Init::Normal { deviation: (width as f64).powf(-0.5) };
        let mut out =
            vec![Declaration::new("encoder.embed_tokens.weight", &[self.source_vocabulary, width], embedding)];
        for layer in 0..self.encoder_layers {
            let name = format!("encoder.layers.{layer}");
            Attention::declare(&format!("{name}.self_attn"), width, &mut out);
            norm(&format!("{name}.self_attn_layer_norm"), width, &mut out);
            self.declare_feed_forward(&name, &mut out);
        }
        if self.norm == NormPlace::Pre {
            norm("encoder.layer_norm", width, &mut out);
        }
        if !self.shared {
            out.push(Declaration::new(self.target_embedding(), &[self.target_vocabulary, width], embedding));
        }
        for layer in 0..self.decoder_layers {
            let name = format!("decoder.layers.{layer}");
            Attention::declare(&format!("{name}.self_attn"), width, &mut out);
            norm(&format!("{name}.self_attn_layer_norm"), width, &mut out);
            Attention::declare(&format!("{name}.encoder_attn"), width, &mut out);
            norm(&format!("{name}.encoder_attn_layer_norm"), width, &mut out);
            self.declare_feed_forward(&name, &mut out);
        }
        if self.norm == NormPlace::Pre {
            norm("decoder.layer_norm", width, &mut out);
        }
        out
    }

    fn declare_feed_forward(&self, name: &str, out: &mut Vec<Declaration>) {
        for (part, inputs, outputs) in [("fc1", self.width, self.feed_forward), ("fc2", self.feed_forward, self.width)]
        {
            let weight = Init::xavier_uniform(inputs, outputs, 1.0);
            out.push(Declaration::new(format!("{name}.{part}.weight"), &[outputs, inputs], weight));
            out.push(Declaration::new(format!("{name}.{part}.bias"), &[outputs], Init::Zeros));
        }
        norm(&format!("{name}.final_layer_norm"), self.width, out);
    }

    /// `config.json`: the shape under the names of fairseq's options.
    pub fn reference(&self) -> Value {
        json!({
            "model_type": "transformer",
            "encoder_layers": self.encoder_layers,
            "decoder_layers": self.decoder_layers,
            "encoder_embed_dim": self.width,
            "decoder_embed_dim": self.width,
            "encoder_ffn_embed_dim": self.feed_forward,
            "decoder_ffn_embed_dim": self.feed_forward,
            "encoder_attention_heads": self.heads,
            "decoder_attention_heads": self.heads,
            "activation_fn": "relu",
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
            "encoder_normalize_before": self.norm == NormPlace::Pre,
            "decoder_normalize_before": self.norm == NormPlace::Pre,
            "share_all_embeddings": self.shared,
            "share_decoder_input_output_embed": true,
            "positions": self.positions.name(),
            "layer_norm_epsilon": EPSILON,
            "source_vocabulary": self.source_vocabulary,
            "target_vocabulary": self.target_vocabulary,
        })
    }
}

fn norm(name: &str, width: i64, out: &mut Vec<Declaration>) {
    out.push(Declaration::new(format!("{name}.weight"), &[width], Init::Ones));
    out.push(Declaration::new(format!("{name}.bias"), &[width], Init::Zeros));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    #[test]
    fn presets_have_the_papers_parameter_counts() {
        // the paper prints 65 and 213 million for its vocabulary of about 37,000
        for vocabulary in [8_000, 32_768, 37_000] {
            let parameters = |name| count(&TransformerConfig::preset(name, vocabulary).unwrap().declare());
            let v = vocabulary.unsigned_abs();
            assert_eq!(parameters("base"), 44_138_496 + 512 * v);
            assert_eq!(parameters("big"), 176_357_376 + 1024 * v);
        }
    }

    #[test]
    fn the_tutorials_shape_with_its_two_vocabularies() {
        // pytorch-seq2seq number 6 has 9,038,341 parameters: learned positions of 100 on both
        // sides and an output of its own with a bias, which ours is the target embedding for
        let config = TransformerConfig {
            source_vocabulary: 7_853,
            target_vocabulary: 5_893,
            shared: false,
            ..TransformerConfig::preset("small", 0).unwrap()
        };
        assert_eq!(count(&config.declare()) + 2 * 100 * 256 + 5_893 * 256 + 5_893, 9_038_341);
    }
}
