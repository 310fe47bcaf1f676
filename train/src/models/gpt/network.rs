//! The forward pass.
//!
//! Shapes: b batch, t time, d width, h heads, k width of a head, v vocabulary.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::config::{EPSILON, GptConfig};
use crate::layers::{Dropout, LayerNorm, TransposedLinear};
use crate::parameters::Parameters;

/// A GPT over parameters that somebody else owns.
#[derive(Debug)]
pub struct Gpt {
    config: GptConfig,
    tokens_vd: Tensor,
    positions_td: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

#[derive(Debug)]
struct Block {
    norm_1: LayerNorm,
    attention_in: TransposedLinear,
    attention_out: TransposedLinear,
    norm_2: LayerNorm,
    hidden: TransposedLinear,
    hidden_out: TransposedLinear,
}

/// Keys and values of the tokens seen so far, so that a further token costs only its own work.
#[derive(Debug, Default)]
pub struct Cache {
    /// Per block: keys and values, `[b, h, t, k]` each.
    blocks: Vec<(Tensor, Tensor)>,
    length: i64,
}

impl Cache {
    /// Tokens in the cache.
    pub fn length(&self) -> i64 {
        self.length
    }
}

impl Gpt {
    /// Finds the parameters by name.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: GptConfig, parameters: &Parameters) -> Result<Self> {
        let block = |layer: i64| {
            let name = |part: &str| format!("transformer.h.{layer}.{part}");
            Ok(Block {
                norm_1: LayerNorm::new(parameters, &name("ln_1"), EPSILON)?,
                attention_in: TransposedLinear::new(parameters, &name("attn.c_attn"))?,
                attention_out: TransposedLinear::new(parameters, &name("attn.c_proj"))?,
                norm_2: LayerNorm::new(parameters, &name("ln_2"), EPSILON)?,
                hidden: TransposedLinear::new(parameters, &name("mlp.c_fc"))?,
                hidden_out: TransposedLinear::new(parameters, &name("mlp.c_proj"))?,
            })
        };
        Ok(Self {
            config,
            tokens_vd: parameters.get("transformer.wte.weight")?,
            positions_td: parameters.get("transformer.wpe.weight")?,
            blocks: (0..config.layers).map(block).collect::<Result<_>>()?,
            norm: LayerNorm::new(parameters, "transformer.ln_f", EPSILON)?,
        })
    }

    /// The scores of every next token.
    ///
    /// # Shapes
    /// `ids_bt` (int64, t at most the context) to logits `[b, t, v]`.
    pub fn forward(&self, ids_bt: &Tensor, train: bool) -> Tensor {
        self.run(ids_bt, train, None)
    }

    /// As [`Gpt::forward`] for tokens that follow those in the cache, which takes them up.
    pub fn forward_cached(&self, ids_bt: &Tensor, cache: &mut Cache) -> Tensor {
        self.run(ids_bt, false, Some(cache))
    }

    fn run(&self, ids_bt: &Tensor, train: bool, mut cache: Option<&mut Cache>) -> Tensor {
        let time = ids_bt.size()[1];
        let seen = cache.as_ref().map_or(0, |c| c.length);
        let positions_td = self.positions_td.narrow(0, seen, time);
        let embedded = Tensor::embedding(&self.tokens_vd, ids_bt, -1, false, false) + positions_td;
        let mut x_btd = self.drop_out(embedded, train);
        for (index, block) in self.blocks.iter().enumerate() {
            let attended = self.attend(block, &block.norm_1.forward(&x_btd), train, index, cache.as_deref_mut());
            x_btd = &x_btd + self.drop_out(attended, train);
            let hidden = block.hidden.forward(&block.norm_2.forward(&x_btd)).gelu("tanh");
            x_btd = &x_btd + self.drop_out(block.hidden_out.forward(&hidden), train);
        }
        if let Some(cache) = cache {
            cache.length += time;
        }
        // the head is the token embedding, used a second time
        self.norm.forward(&x_btd).linear(&self.tokens_vd, None::<&Tensor>)
    }

    fn attend(&self, block: &Block, x_btd: &Tensor, train: bool, index: usize, cache: Option<&mut Cache>) -> Tensor {
        let (batch, time, width) = x_btd.size3().expect("hidden states have three dimensions");
        let (heads, size) = (self.config.heads, width / self.config.heads);
        let parts = block.attention_in.forward(x_btd).split(width, 2);
        let by_head = |part: &Tensor| part.view([batch, time, heads, size]).transpose(1, 2);
        let (query, mut key, mut value) = (by_head(&parts[0]), by_head(&parts[1]), by_head(&parts[2]));
        let mut causal = true;
        if let Some(cache) = cache {
            if let Some((keys, values)) = cache.blocks.get(index) {
                key = Tensor::cat(&[keys, &key], 2);
                value = Tensor::cat(&[values, &value], 2);
                // one new token may look at everything before it; several would need a mask
                causal = false;
                assert_eq!(time, 1, "after the prompt the cache takes one token at a time");
                cache.blocks[index] = (key.shallow_clone(), value.shallow_clone());
            } else {
                cache.blocks.push((key.shallow_clone(), value.shallow_clone()));
            }
        }
        let dropout = if train { self.config.dropout } else { 0.0 };
        let mixed_bhtk =
            Tensor::scaled_dot_product_attention(&query, &key, &value, None::<&Tensor>, dropout, causal, None, false);
        block.attention_out.forward(&mixed_bhtk.transpose(1, 2).reshape([batch, time, width]))
    }

    fn drop_out(&self, x: Tensor, train: bool) -> Tensor {
        Dropout::new(self.config.dropout).forward(x, train)
    }

    /// The shape.
    pub fn config(&self) -> &GptConfig {
        &self.config
    }
}

/// Mean cross entropy in nats.
///
/// # Shapes
/// `logits_btv`, `targets_bt` (int64) to a scalar.
pub fn loss(logits_btv: &Tensor, targets_bt: &Tensor) -> Tensor {
    let vocabulary = logits_btv.size()[2];
    logits_btv.reshape([-1, vocabulary]).to_kind(Kind::Float).cross_entropy_for_logits(&targets_bt.reshape([-1]))
}
