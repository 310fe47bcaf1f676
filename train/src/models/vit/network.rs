//! The forward pass.
//!
//! Shapes: b batch, c channels, h height, w width, t tokens (that of the class first), d width,
//! n heads, k width of a head.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::config::{Pool, VitConfig};
use crate::layers::{Dropout, LayerNorm, Linear, Patches, StochasticDepth};
use crate::parameters::Parameters;

/// A Vision Transformer over parameters that somebody else owns.
#[derive(Debug)]
pub struct Vit {
    pub(super) config: VitConfig,
    pub(super) class_token: Option<Tensor>,
    pub(super) positions: Tensor,
    pub(super) patches: Patches,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    dropout: Dropout,
    head_dropout: Dropout,
    depth: StochasticDepth,
}

#[derive(Debug)]
struct Block {
    norm1: LayerNorm,
    attention_in: Linear,
    attention_out: Linear,
    norm2: LayerNorm,
    hidden: Linear,
    hidden_out: Linear,
}

impl Vit {
    /// Finds the parameters by name.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: VitConfig, parameters: &Parameters) -> Result<Self> {
        let block = |layer: i64| {
            let name = |part: &str| format!("blocks.{layer}.{part}");
            Ok(Block {
                norm1: LayerNorm::new(parameters, &name("norm1"), config.epsilon)?,
                attention_in: Linear::new(parameters, &name("attn.qkv"))?,
                attention_out: Linear::new(parameters, &name("attn.proj"))?,
                norm2: LayerNorm::new(parameters, &name("norm2"), config.epsilon)?,
                hidden: Linear::new(parameters, &name("mlp.fc1"))?,
                hidden_out: Linear::new(parameters, &name("mlp.fc2"))?,
            })
        };
        Ok(Self {
            config,
            class_token: parameters.find("cls_token"),
            positions: parameters.get("pos_embed")?,
            patches: Patches::new(parameters, "patch_embed.proj")?,
            blocks: (0..config.layers).map(block).collect::<Result<_>>()?,
            norm: LayerNorm::new(parameters, config.last_norm(), config.epsilon)?,
            head: Linear::new(parameters, "head")?,
            dropout: Dropout::new(config.dropout),
            head_dropout: Dropout::new(config.head_dropout),
            depth: StochasticDepth::growing(config.stochastic_depth, config.layers as usize, 2),
        })
    }

    /// The scores of the classes.
    ///
    /// # Shapes
    /// `images_bchw` to `[b, classes]`.
    pub fn forward(&self, images_bchw: &Tensor, train: bool) -> Tensor {
        let kept = self.depth.draw(images_bchw.size()[0], images_bchw.device(), train);
        let mut x_btd = self.embed(images_bchw, train);
        let last = self.blocks.len() - 1;
        for (index, block) in self.blocks.iter().enumerate() {
            let normed = block.norm1.forward(&x_btd);
            let (query, key, value) = self.project(block, &normed);
            // nobody reads what the last block makes of the patches when the head sees one token
            let seen = if index == last && self.config.global_pool == Pool::Token { 1 } else { x_btd.size()[1] };
            let attended = self.mix(block, &span(query, 2, 0, seen), &key, &value, train);
            x_btd = kept.add(&span(x_btd, 1, 0, seen), attended, 2 * index);
            let hidden = block.hidden.forward(&block.norm2.forward(&x_btd)).gelu("none");
            let hidden = block.hidden_out.forward(&self.dropout.forward(hidden, train));
            x_btd = kept.add(&x_btd, self.dropout.forward(hidden, train), 2 * index + 1);
        }
        self.classify(&x_btd, train)
    }

    /// The attention weights of every block, each row summing to 1.
    ///
    /// # Shapes
    /// `images_bchw` to one `[b, n, t, t]` per block.
    pub fn attention_weights(&self, images_bchw: &Tensor) -> Vec<Tensor> {
        let mut x_btd = self.embed(images_bchw, false);
        let mut out = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let (query, key, value) = self.project(block, &block.norm1.forward(&x_btd));
            let products = query.matmul(&key.transpose(2, 3)) / (query.size()[3] as f64).sqrt();
            out.push(products.softmax(-1, Kind::Float));
            x_btd += self.mix(block, &query, &key, &value, false);
            let hidden = block.hidden.forward(&block.norm2.forward(&x_btd)).gelu("none");
            x_btd += block.hidden_out.forward(&hidden);
        }
        out
    }

    /// Its shape.
    pub fn config(&self) -> &VitConfig {
        &self.config
    }

    fn embed(&self, images_bchw: &Tensor, train: bool) -> Tensor {
        let patches = self.patches.forward(&images_bchw.permute([0, 2, 3, 1]));
        let mut x_btd = patches.flatten(1, 2);
        if let Some(token) = &self.class_token {
            x_btd = Tensor::cat(&[&token.expand([x_btd.size()[0], -1, -1], false), &x_btd], 1);
        }
        self.dropout.forward(x_btd + &self.positions, train)
    }

    /// Queries, keys and values by head, `[b, n, t, k]` each.
    fn project(&self, block: &Block, x_btd: &Tensor) -> (Tensor, Tensor, Tensor) {
        let (batch, time, width) = x_btd.size3().expect("hidden states have three dimensions");
        let heads = self.config.heads;
        let all = block.attention_in.forward(x_btd).view([batch, time, 3, heads, width / heads]);
        // taken apart at once: backward, the three gradients are joined instead of each padded and added
        let mut parts = all.unbind(2).into_iter().map(|part| part.transpose(1, 2));
        let mut part = || parts.next().expect("queries, keys and values");
        (part(), part(), part())
    }

    fn mix(&self, block: &Block, query: &Tensor, key: &Tensor, value: &Tensor, train: bool) -> Tensor {
        let dropout = if train { self.config.attention_dropout } else { 0.0 };
        let mixed =
            Tensor::scaled_dot_product_attention(query, key, value, None::<&Tensor>, dropout, false, None, false);
        let (batch, _, time, _) = mixed.size4().expect("queries have four dimensions");
        let mixed = mixed.transpose(1, 2).reshape([batch, time, -1]);
        self.dropout.forward(block.attention_out.forward(&mixed), train)
    }

    fn classify(&self, x_btd: &Tensor, train: bool) -> Tensor {
        let prefix = self.config.prefix();
        let pool = |x_btd: &Tensor| match self.config.global_pool {
            Pool::Token => x_btd.select(1, 0),
            Pool::Avg => {
                let patches = span(x_btd.shallow_clone(), 1, prefix, x_btd.size()[1] - prefix);
                patches.mean_dim([1_i64].as_slice(), false, x_btd.kind())
            }
        };
        // a norm of one token is the same before and after the token is picked
        let pooled = match self.config.fc_norm || self.config.global_pool == Pool::Token {
            true => self.norm.forward(&pool(x_btd)),
            false => pool(&self.norm.forward(x_btd)),
        };
        self.head.forward(&self.head_dropout.forward(pooled, train))
    }
}

/// So many places of a dimension; all of them cost nothing, where `narrow` pads the gradient.
fn span(x: Tensor, dimension: i64, start: i64, length: i64) -> Tensor {
    if x.size()[dimension as usize] == length { x } else { x.narrow(dimension, start, length) }
}
