//! The forward pass.
//!
//! Shapes: b batch, s source time, t target time, d width, v vocabulary.

use tch::Tensor;
use tessera_datasets::Result;

use super::config::{EPSILON, NormPlace, TransformerConfig};
use crate::layers::{Attention, Dropout, KeysValues, LayerNorm, Linear, Positions, Sight};
use crate::parameters::Parameters;
use crate::sentences::PaddedSource;

/// A Transformer over parameters that somebody else owns.
#[derive(Debug)]
pub struct Transformer {
    pub(super) config: TransformerConfig,
    source_vd: Tensor,
    target_vd: Tensor,
    positions: Positions,
    pub(super) encoder: Vec<EncoderLayer>,
    encoder_norm: Option<LayerNorm>,
    pub(super) decoder: Vec<DecoderLayer>,
    decoder_norm: Option<LayerNorm>,
}

#[derive(Debug)]
pub(super) struct EncoderLayer {
    pub(super) attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
}

#[derive(Debug)]
pub(super) struct DecoderLayer {
    pub(super) attention: Attention,
    pub(super) attention_norm: LayerNorm,
    pub(super) cross: Attention,
    pub(super) cross_norm: LayerNorm,
    pub(super) feed_forward: FeedForward,
}

#[derive(Debug)]
pub(super) struct FeedForward {
    hidden: Linear,
    output: Linear,
    norm: LayerNorm,
}

impl Transformer {
    /// Finds the parameters by name.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: TransformerConfig, parameters: &Parameters) -> Result<Self> {
        let norm = |name: String| LayerNorm::new(parameters, &name, EPSILON);
        let attention = |name: String| Attention::new(parameters, &name, config.heads, config.attention_dropout);
        let feed_forward = |layer: &str| -> Result<FeedForward> {
            Ok(FeedForward {
                hidden: Linear::new(parameters, &format!("{layer}.fc1"))?,
                output: Linear::new(parameters, &format!("{layer}.fc2"))?,
                norm: norm(format!("{layer}.final_layer_norm"))?,
            })
        };
        let encoder = (0..config.encoder_layers).map(|number| {
            let layer = format!("encoder.layers.{number}");
            Ok(EncoderLayer {
                attention: attention(format!("{layer}.self_attn"))?,
                attention_norm: norm(format!("{layer}.self_attn_layer_norm"))?,
                feed_forward: feed_forward(&layer)?,
            })
        });
        let decoder = (0..config.decoder_layers).map(|number| {
            let layer = format!("decoder.layers.{number}");
            Ok(DecoderLayer {
                attention: attention(format!("{layer}.self_attn"))?,
                attention_norm: norm(format!("{layer}.self_attn_layer_norm"))?,
                cross: attention(format!("{layer}.encoder_attn"))?,
                cross_norm: norm(format!("{layer}.encoder_attn_layer_norm"))?,
                feed_forward: feed_forward(&layer)?,
            })
        });
        let last = |name: &str| match config.norm {
            NormPlace::Pre => norm(name.to_owned()).map(Some),
            NormPlace::Post => Ok(None),
        };
        Ok(Self {
            source_vd: parameters.get("encoder.embed_tokens.weight")?,
            target_vd: parameters.get(config.target_embedding())?,
            positions: Positions::new(config.positions, config.width, parameters.device()),
            encoder: encoder.collect::<Result<_>>()?,
            encoder_norm: last("encoder.layer_norm")?,
            decoder: decoder.collect::<Result<_>>()?,
            decoder_norm: last("decoder.layer_norm")?,
            config,
        })
    }

    /// What the encoder makes of the sources.
    ///
    /// # Shapes
    /// Ids `[b, s]` to `[b, s, d]`.
    pub fn encode(&self, source: &PaddedSource, train: bool) -> Tensor {
        let mut x_bsd = self.embed(&self.source_vd, &source.ids_bs, 0, train);
        let sight = Sight { mask: source.mask.as_ref(), causal: false };
        for layer in &self.encoder {
            x_bsd = self.residual(x_bsd, &layer.attention_norm, train, |x| layer.attention.to_itself(x, sight, train));
            x_bsd = self.feed_forward(x_bsd, &layer.feed_forward, train);
        }
        finish(self.encoder_norm.as_ref(), x_bsd)
    }

    /// What the decoder makes of the tokens so far; [`Transformer::target_embedding`] turns it
    /// into scores of the next ones.
    ///
    /// # Shapes
    /// `inputs_bt` (int64) and `memory_bsd` with the sources' mask to `[b, t, d]`.
    pub fn decode(&self, inputs_bt: &Tensor, memory_bsd: &Tensor, mask: Option<&Tensor>, train: bool) -> Tensor {
        let mut x_btd = self.embed(&self.target_vd, inputs_bt, 0, train);
        // padding lies behind every token, where a causal query does not look
        let before = Sight { mask: None, causal: true };
        let sight = Sight { mask, causal: false };
        for layer in &self.decoder {
            x_btd = self.residual(x_btd, &layer.attention_norm, train, |x| layer.attention.to_itself(x, before, train));
            let memory = layer.cross.project_memory(memory_bsd);
            x_btd = self.residual(x_btd, &layer.cross_norm, train, |x| layer.cross.to_memory(x, &memory, sight, train));
            x_btd = self.feed_forward(x_btd, &layer.feed_forward, train);
        }
        self.finish_decoder(x_btd)
    }

    /// Scores of the next tokens, before the softmax.
    ///
    /// # Shapes
    /// `[…, d]` to `[…, v]`.
    pub fn logits(&self, hidden: &Tensor) -> Tensor {
        hidden.linear(&self.target_vd, None::<&Tensor>)
    }

    /// The matrix that hidden states are multiplied with for scores: the target embedding.
    ///
    /// # Shapes
    /// `[v, d]`.
    pub fn target_embedding(&self) -> &Tensor {
        &self.target_vd
    }

    /// The shape.
    pub fn config(&self) -> &TransformerConfig {
        &self.config
    }

    /// The embedding of target tokens at positions from `start`.
    pub(super) fn embed_target(&self, ids_bt: &Tensor, start: i64) -> Tensor {
        self.embed(&self.target_vd, ids_bt, start, false)
    }

    pub(super) fn finish_decoder(&self, x_btd: Tensor) -> Tensor {
        finish(self.decoder_norm.as_ref(), x_btd)
    }

    pub(super) fn feed_forward(&self, x: Tensor, part: &FeedForward, train: bool) -> Tensor {
        self.residual(x, &part.norm, train, |x| part.output.forward(&part.hidden.forward(x).relu_()))
    }

    /// A sub-layer with its dropout, residual sum and norm.
    pub(super) fn residual(
        &self,
        x: Tensor,
        norm: &LayerNorm,
        train: bool,
        sub_layer: impl FnOnce(&Tensor) -> Tensor,
    ) -> Tensor {
        match self.config.norm {
            NormPlace::Post => {
                let sum = self.drop_out(sub_layer(&x), train) + x;
                norm.forward(&sum)
            }
            NormPlace::Pre => {
                let inner = sub_layer(&norm.forward(&x));
                self.drop_out(inner, train) + x
            }
        }
    }

    fn embed(&self, table_vd: &Tensor, ids_bt: &Tensor, start: i64, train: bool) -> Tensor {
        let scale = (self.config.width as f64).sqrt();
        let embedded = Tensor::embedding(table_vd, ids_bt, -1, false, false) * scale;
        self.drop_out(embedded + self.positions.get(start, ids_bt.size()[1]), train)
    }

    fn drop_out(&self, x: Tensor, train: bool) -> Tensor {
        Dropout::new(self.config.dropout).forward(x, train)
    }

    /// The attention weights of every layer for one batch: of the encoder, of the decoder to
    /// itself, and of the decoder to the source.
    ///
    /// # Shapes
    /// Each `[layers, b, h, queries, keys]`.
    pub fn attention_weights(&self, source: &PaddedSource, inputs_bt: &Tensor) -> [Tensor; 3] {
        let sight = Sight { mask: source.mask.as_ref(), causal: false };
        let before = Sight { mask: None, causal: true };
        let (mut encoder, mut itself, mut cross) = (Vec::new(), Vec::new(), Vec::new());
        let mut x = self.embed(&self.source_vd, &source.ids_bs, 0, false);
        for layer in &self.encoder {
            x = self.residual(x, &layer.attention_norm, false, |x| {
                let (query, memory) = layer.attention.project_all(x);
                encoder.push(layer.attention.weights(&query, &memory, sight));
                layer.attention.mix(&query, &memory, sight, false)
            });
            x = self.feed_forward(x, &layer.feed_forward, false);
        }
        let memory_bsd = finish(self.encoder_norm.as_ref(), x);
        let mut x = self.embed(&self.target_vd, inputs_bt, 0, false);
        for layer in &self.decoder {
            x = self.residual(x, &layer.attention_norm, false, |x| {
                let (query, memory) = layer.attention.project_all(x);
                itself.push(layer.attention.weights(&query, &memory, before));
                layer.attention.mix(&query, &memory, before, false)
            });
            let memory: KeysValues = layer.cross.project_memory(&memory_bsd);
            x = self.residual(x, &layer.cross_norm, false, |x| {
                let query = layer.cross.project_query(x);
                cross.push(layer.cross.weights(&query, &memory, sight));
                layer.cross.mix(&query, &memory, sight, false)
            });
            x = self.feed_forward(x, &layer.feed_forward, false);
        }
        [encoder, itself, cross].map(|weights| Tensor::stack(&weights, 0))
    }
}

fn finish(norm: Option<&LayerNorm>, x: Tensor) -> Tensor {
    match norm {
        Some(norm) => norm.forward(&x),
        None => x,
    }
}
