//! Continuing a prompt, token by token.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};
use tessera_datasets::run_dir::Sample;
use tessera_datasets::tokenizer::END_OF_TEXT;
use tessera_datasets::{Error, Result};

use super::network::{Cache, Gpt};
use super::task::GptTask;
use crate::task::Generate;

/// Continues a prompt until enough tokens or the end of the text.
pub(super) fn generate(task: &mut GptTask, request: &Generate) -> Result<Sample> {
    let end = task.tokenizer.special(END_OF_TEXT);
    let mut ids = task.tokenizer.encode(&request.prompt)?;
    let covered: u32 = ids.iter().map(|id| task.tokenizer.byte_length(*id)).sum();
    if covered as usize != request.prompt.len() {
        return Err(Error::input("the prompt has a character outside the tokenizer's vocabulary"));
    }
    if ids.is_empty() {
        let start = end.ok_or_else(|| {
            Error::input("an empty prompt, and the tokenizer has no start of text")
                .hint("give a prompt, such as a new line")
        })?;
        ids.push(start);
    }
    let mut random = ChaCha8Rng::seed_from_u64(request.seed);
    let prompt = ids.len();
    let vocabulary = task.tokenizer.vocabulary_size();
    let mut writer = Writer::new(&task.network, task.device);
    while ids.len() - prompt < request.tokens {
        let logits = writer.next(&ids)?;
        let id = choose(&logits[..vocabulary], request, &mut random);
        ids.push(id);
        if Some(id) == end {
            break;
        }
    }
    Ok(Sample {
        prompt: request.prompt.clone(),
        text: task.tokenizer.decode(&ids[prompt..]),
        seed: request.seed,
        temperature: request.temperature,
        top_k: u32::try_from(request.top_k).unwrap_or(u32::MAX),
        top_p: request.top_p,
    })
}

/// Feeds the model, with a cache for as long as the text fits into the context. After that the
/// model sees the last half context and fills it again: learned positions cannot slide.
struct Writer<'a> {
    network: &'a Gpt,
    device: Device,
    cache: Cache,
    fed: usize,
}

impl<'a> Writer<'a> {
    fn new(network: &'a Gpt, device: Device) -> Self {
        Self { network, device, cache: Cache::default(), fed: 0 }
    }

    /// The logits after the last of `ids`.
    fn next(&mut self, ids: &[u32]) -> Result<Vec<f32>> {
        let context = self.network.config().context;
        if self.cache.length() >= context || self.fed == 0 {
            let window = if self.fed == 0 { context } else { (context / 2).max(1) } as usize;
            self.cache = Cache::default();
            self.fed = ids.len().saturating_sub(window);
        }
        let new: Vec<i64> = ids[self.fed..].iter().map(|id| i64::from(*id)).collect();
        self.fed = ids.len();
        let logits = tch::no_grad(|| {
            let input = Tensor::from_slice(&new).view([1, -1]).to_device(self.device);
            let all = self.network.forward_cached(&input, &mut self.cache);
            all.get(0).get(-1).to_kind(Kind::Float).to_device(Device::Cpu)
        });
        Vec::try_from(logits).map_err(|e: tch::TchError| Error::internal(e.to_string()))
    }
}

/// Draws a token. Temperature 0 takes the most probable, the first of equals.
fn choose(logits: &[f32], request: &Generate, random: &mut ChaCha8Rng) -> u32 {
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b)));
    if request.temperature == 0.0 {
        return order[0];
    }
    if request.top_k > 0 {
        order.truncate(request.top_k);
    }
    let best = f64::from(logits[order[0] as usize]);
    let weight = |id: &u32| ((f64::from(logits[*id as usize]) - best) / request.temperature).exp();
    let mut weights: Vec<f64> = order.iter().map(weight).collect();
    let mut total: f64 = weights.iter().sum();
    if request.top_p < 1.0 {
        let mut sum = 0.0;
        let enough = weights.iter().position(|w| {
            sum += w;
            sum >= request.top_p * total
        });
        weights.truncate(enough.map_or(weights.len(), |last| last + 1));
        total = weights.iter().sum();
    }
    let mut mark = random.random::<f64>() * total;
    for (id, weight) in order.iter().zip(&weights) {
        mark -= weight;
        if mark < 0.0 {
            return *id;
        }
    }
    order[weights.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::gpt::GptConfig;
    use crate::parameters::Parameters;

    fn request(temperature: f64, top_k: usize, top_p: f64) -> Generate {
        Generate { prompt: String::new(), tokens: 1, temperature, top_k, top_p, seed: 1 }
    }

    fn drawn(request: &Generate) -> Vec<usize> {
        let logits = [0.0, 2.0, 1.0, -1.0];
        let mut random = ChaCha8Rng::seed_from_u64(request.seed);
        let mut counts = vec![0; 4];
        for _ in 0..4000 {
            counts[choose(&logits, request, &mut random) as usize] += 1;
        }
        counts
    }

    #[test]
    fn each_option_changes_what_is_drawn() {
        let plain = drawn(&request(1.0, 0, 1.0));
        // softmax of 0, 2, 1, -1
        for (count, expected) in plain.iter().zip([0.087, 0.644, 0.237, 0.032]) {
            assert!((*count as f64 / 4000.0 - expected).abs() < 0.03, "{plain:?}");
        }
        assert_eq!(drawn(&request(0.0, 0, 1.0)), [0, 4000, 0, 0]);
        let few = drawn(&request(1.0, 2, 1.0));
        assert!(few[0] == 0 && few[3] == 0 && few[2] > 0, "{few:?}");
        let nucleus = drawn(&request(1.0, 0, 0.8));
        assert!(nucleus[0] == 0 && nucleus[2] > 0, "{nucleus:?}");
        assert!(drawn(&request(2.0, 0, 1.0))[1] < plain[1]);
    }

    #[test]
    fn the_cache_changes_nothing() {
        let config = GptConfig {
            layers: 2,
            heads: 2,
            width: 16,
            context: 12,
            vocabulary: 11,
            ..GptConfig::preset("gpt2").unwrap()
        };
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 3).unwrap();
        let network = Gpt::new(config, &parameters).unwrap();
        let ids: Vec<u32> = (0..12).map(|i| (i * 7 + 3) % 11).collect();
        let mut writer = Writer::new(&network, Device::Cpu);
        for end in 4..=12 {
            let cached = writer.next(&ids[..end]).unwrap();
            let whole: Vec<i64> = ids[..end].iter().map(|id| i64::from(*id)).collect();
            let plain = tch::no_grad(|| network.forward(&Tensor::from_slice(&whole).view([1, -1]), false));
            let plain: Vec<f32> = plain.get(0).get(-1).try_into().unwrap();
            for (a, b) in cached.iter().zip(&plain) {
                assert!((a - b).abs() < 1e-5, "at {end}: {a} {b}");
            }
        }
        // a text longer than the context goes on
        let longer: Vec<u32> = ids.iter().chain(&ids).copied().collect();
        assert!(writer.next(&longer[..13]).is_ok());
        assert!(writer.next(&longer[..14]).is_ok());
    }
}
