//! The decoder one token at a time, with the keys and values of what came before.

use tch::{Device, Kind, Tensor};
use tessera_datasets::Result;

use super::network::Transformer;
use crate::beam_search::{Advance, Continuation};
use crate::layers::{KeysValues, Sight};
use crate::sentences::PaddedSource;

/// A batch of sentences that are being translated.
///
/// All hypotheses of a sentence look at one copy of its keys and values: they stand where time
/// stands in training, as so many queries.
pub struct CachedDecoder<'a> {
    network: &'a Transformer,
    /// Per layer, of the sources, `[sentences, h, s, k]`.
    memory: Vec<KeysValues>,
    mask: Option<Tensor>,
    /// Per layer, of the hypotheses, `[sentences · width, h, t, k]`.
    seen: Vec<KeysValues>,
    length: i64,
}

impl<'a> CachedDecoder<'a> {
    /// Encodes the sources.
    pub fn new(network: &'a Transformer, source: &PaddedSource) -> Self {
        tch::no_grad(|| {
            let memory_bsd = network.encode(source, false);
            let memory = network.decoder.iter().map(|layer| layer.cross.project_memory(&memory_bsd)).collect();
            let mask = source.mask.as_ref().map(Tensor::shallow_clone);
            Self { network, memory, mask, seen: Vec::new(), length: 0 }
        })
    }

    fn step(&mut self, advance: &Advance<'_>) -> Tensor {
        if let Some(kept) = advance.sentences {
            self.memory = self.memory.iter().map(|layer| layer.select(kept)).collect();
            self.mask = self.mask.as_ref().map(|mask| mask.index_select(0, kept));
        }
        let network = self.network;
        let width = advance.width as i64;
        let rows = advance.tokens.size()[0];
        let depth = network.config.width;
        let sight = Sight { mask: self.mask.as_ref(), causal: false };
        let mut x = network.embed_target(&advance.tokens.unsqueeze(1), self.length);
        for (number, layer) in network.decoder.iter().enumerate() {
            x = network.residual(x, &layer.attention_norm, false, |x| {
                let (query, new) = layer.attention.project_all(x);
                let all = match self.seen.get(number) {
                    Some(seen) => seen.followed_by(&new, advance.parents),
                    None => new,
                };
                let mixed = layer.attention.mix(&query, &all, Sight::default(), false);
                match self.seen.get_mut(number) {
                    Some(seen) => *seen = all,
                    None => self.seen.push(all),
                }
                mixed
            });
            let memory = &self.memory[number];
            x = network.residual(x, &layer.cross_norm, false, |x| {
                let beside = x.view([rows / width, width, depth]);
                layer.cross.to_memory(&beside, memory, sight, false).view([rows, 1, depth])
            });
            x = network.feed_forward(x, &layer.feed_forward, false);
        }
        self.length += 1;
        network.logits(&network.finish_decoder(x).squeeze_dim(1)).log_softmax(-1, Kind::Float)
    }
}

impl Continuation for CachedDecoder<'_> {
    fn next(&mut self, advance: &Advance<'_>) -> Result<Tensor> {
        Ok(tch::no_grad(|| self.step(advance)))
    }

    fn device(&self) -> Device {
        self.network.target_embedding().device()
    }
}
