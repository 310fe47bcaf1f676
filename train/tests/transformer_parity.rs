//! A tiny Transformer beside `torch.nn.Transformer`, on tensors stored by
//! `fixtures/make_transformer_tiny.py` (torch 2.11.0): encoder output, logits, losses, every
//! gradient, five Adam steps, and the hypotheses of a plain beam search.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Kind, Tensor};
use tessera_train::beam_search::BeamSearch;
use tessera_train::layers::{Sinusoids, SmoothedLoss, smoothed_cross_entropy};
use tessera_train::models::transformer::{CachedDecoder, NormPlace, Transformer, TransformerConfig};
use tessera_train::optimizer::{Optimizer, OptimizerConfig, OptimizerKind};
use tessera_train::parameters::Parameters;
use tessera_train::sentences::{PaddedPairs, PaddedSource, Pair};
use tessera_train::weights;

const VOCABULARY: f64 = 23.0;

struct Reference {
    tensors: BTreeMap<String, Tensor>,
    config: TransformerConfig,
}

impl Reference {
    fn read(norm: NormPlace) -> Self {
        let name = match norm {
            NormPlace::Post => "transformer_tiny_postnorm.safetensors",
            NormPlace::Pre => "transformer_tiny_prenorm.safetensors",
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let config = TransformerConfig {
            encoder_layers: 2,
            decoder_layers: 2,
            heads: 2,
            width: 16,
            feed_forward: 32,
            dropout: 0.0,
            attention_dropout: 0.0,
            norm,
            positions: Sinusoids::Interleaved,
            source_vocabulary: 23,
            target_vocabulary: 23,
            shared: true,
        };
        Self { tensors: weights::load(&path).unwrap(), config }
    }

    fn get(&self, name: &str) -> &Tensor {
        &self.tensors[name]
    }

    fn model(&self, weights_at: &str, positions: Sinusoids) -> (Parameters, Transformer) {
        let config = TransformerConfig { positions, ..self.config };
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        let stored = self.tensors.iter().filter_map(|(name, tensor)| {
            let name = name.strip_prefix(weights_at)?;
            Some((name.to_owned(), tensor.shallow_clone()))
        });
        weights::load_into(Path::new("fixture"), parameters.iter(), stored.collect()).unwrap();
        let network = Transformer::new(config, &parameters).unwrap();
        (parameters, network)
    }

    /// The rows of a padded tensor without their last token, which is the end.
    fn sentences(&self, ids: &str, lengths: &str) -> Vec<Vec<u32>> {
        let rows = Vec::<Vec<i64>>::try_from(self.get(ids)).unwrap();
        let lengths = Vec::<i64>::try_from(self.get(lengths)).unwrap();
        let row = |(row, length): (Vec<i64>, i64)| row[..length as usize - 1].iter().map(|id| *id as u32).collect();
        rows.into_iter().zip(lengths).map(row).collect()
    }

    fn batch(&self) -> PaddedPairs {
        let sources = self.sentences("source_ids", "source_lengths");
        let targets = self.sentences("targets", "target_lengths");
        let pairs: Vec<Pair<'_>> =
            sources.iter().zip(&targets).map(|(source, target)| Pair { source, target }).collect();
        PaddedPairs::new(&pairs, 0)
    }
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().to_kind(Kind::Double).double_value(&[])
}

/// The loss of a batch as the task computes it, normalised per target token.
fn loss(network: &Transformer, batch: &PaddedPairs, smoothing: f64) -> SmoothedLoss {
    let memory = network.encode(&batch.source, true);
    let hidden = network.decode(&batch.inputs_bt, &memory, batch.source.mask.as_ref(), true);
    let hidden = hidden.view([-1, 16]).index_select(0, &batch.places_n);
    smoothed_cross_entropy(&hidden, network.target_embedding(), &batch.targets_n, smoothing, batch.tokens() as f64)
}

#[test]
fn encoder_logits_losses_and_gradients_are_those_of_pytorch() {
    for norm in [NormPlace::Post, NormPlace::Pre] {
        let reference = Reference::read(norm);
        let batch = reference.batch();
        for (layout, suffix) in [(Sinusoids::Interleaved, ""), (Sinusoids::Concatenated, "_concatenated")] {
            let (_, network) = reference.model("weights/", layout);
            let memory = network.encode(&batch.source, false);
            let real = batch.source.mask.as_ref().unwrap().exp().view([3, -1, 1]);
            let expected = reference.get(&format!("encoder_output{suffix}"));
            assert!(distance(&(&memory * real), expected) < 1e-5, "{norm:?} {layout:?}");
            let hidden = network.decode(&batch.inputs_bt, &memory, batch.source.mask.as_ref(), false);
            let logits = network.logits(&hidden.view([-1, 16]).index_select(0, &batch.places_n));
            let expected = reference.get(&format!("logits{suffix}")).view([-1, 23]);
            assert!(distance(&logits, &expected.index_select(0, &batch.places_n)) < 1e-5, "{norm:?} {layout:?}");
        }
        let (parameters, network) = reference.model("weights/", Sinusoids::Interleaved);
        let found = loss(&network, &batch, 0.1);
        assert!(distance(&found.loss, reference.get("loss")) < 1e-5);
        let per_token = reference.get("nll") / batch.tokens() as f64;
        assert!(distance(&found.nll, &per_token) < 1e-5);
        found.graph.backward();
        for (name, tensor) in parameters.iter() {
            let off = distance(&tensor.grad(), reference.get(&format!("gradients/{name}")));
            assert!(off < 1e-5, "{norm:?}: gradient of {name} is off by {off}");
        }
    }
}

#[test]
fn fairseqs_smoothing_is_ours_with_another_share() {
    let reference = Reference::read(NormPlace::Post);
    let (_, network) = reference.model("weights/", Sinusoids::Interleaved);
    let smoothing = 0.1 * VOCABULARY / (VOCABULARY - 1.0);
    let found = loss(&network, &reference.batch(), smoothing);
    assert!(distance(&found.loss, reference.get("loss_fairseq")) < 1e-5);
}

#[test]
fn five_adam_steps_are_those_of_pytorch() {
    for norm in [NormPlace::Post, NormPlace::Pre] {
        let reference = Reference::read(norm);
        let (parameters, network) = reference.model("weights/", Sinusoids::Interleaved);
        let batch = reference.batch();
        let rates = Vec::<f32>::try_from(reference.get("learning_rates")).unwrap();
        let losses = Vec::<f32>::try_from(reference.get("losses")).unwrap();
        let config = OptimizerConfig {
            kind: OptimizerKind::Adamw,
            learning_rate: 1.0,
            betas: (0.9, 0.98),
            epsilon: 1e-9,
            weight_decay: Some(0.0),
            clip: 0.0,
            ..OptimizerConfig::default()
        };
        let mut optimizer = Optimizer::new(config, &parameters).unwrap();
        for (rate, expected) in rates.iter().zip(&losses) {
            let found = loss(&network, &batch, 0.1);
            assert!((found.loss.double_value(&[]) - f64::from(*expected)).abs() < 1e-4);
            found.graph.backward();
            let _ = optimizer.step(f64::from(*rate)).unwrap();
        }
        for (name, tensor) in parameters.iter() {
            let off = distance(tensor, reference.get(&format!("weights_after/{name}")));
            // the gradient of a key's bias is zero in exact arithmetic, and Adam turns its rounding
            // into whole steps: float32 PyTorch itself is 9e-3 from float64 there
            let most = if name.ends_with("k_proj.bias") { 3e-2 } else { 1e-4 };
            assert!(off < most, "{norm:?}: {name} is off by {off}");
        }
    }
}

#[test]
fn beam_search_finds_the_hypotheses_of_a_plain_one() {
    let reference = Reference::read(NormPlace::Post);
    let (_, network) = reference.model("beam/weights/", Sinusoids::Interleaved);
    let sources = reference.sentences("beam/source_ids", "beam/source_lengths");
    let cases = reference.tensors.keys().filter_map(|key| key.strip_prefix("beam/")?.strip_suffix("/ids"));
    let mut compared = 0;
    for case in cases {
        let parts: Vec<f64> = case.split('_').map(|part| part.parse().unwrap()).collect();
        let beam = parts[0] as usize;
        let search = BeamSearch { beam, wanted: beam, length_penalty: parts[1], end: 0 };
        let longest: Vec<usize> = sources.iter().map(|s| s.len() + parts[2] as usize).collect();
        let padded = PaddedSource::new(sources.iter().map(Vec::as_slice), 0);
        let found = search.search(&mut CachedDecoder::new(&network, &padded), &longest).unwrap();
        let ids = reference.get(&format!("beam/{case}/ids"));
        let scores = Vec::<Vec<f64>>::try_from(reference.get(&format!("beam/{case}/scores"))).unwrap();
        for (sentence, hypotheses) in found.iter().enumerate() {
            let expected = Vec::<Vec<i64>>::try_from(ids.get(sentence as i64)).unwrap();
            for (rank, expected) in expected.iter().enumerate() {
                let expected: Vec<u32> = expected.iter().take_while(|id| **id > 0).map(|id| *id as u32).collect();
                let Some(one) = hypotheses.get(rank) else {
                    assert_eq!(scores[sentence][rank], f64::NEG_INFINITY, "{case}: too few for sentence {sentence}");
                    continue;
                };
                assert_eq!(one.tokens, expected, "{case}: sentence {sentence}, hypothesis {rank}");
                assert!((one.score - scores[sentence][rank]).abs() < 1e-4, "{case}");
                compared += 1;
            }
        }
    }
    assert!(compared > 40, "{compared}");
}

/// The decoder without a cache: the whole prefix is read again for every token.
struct Uncached<'a> {
    network: &'a Transformer,
    memory: Tensor,
    mask: Option<Tensor>,
    prefixes: Vec<Vec<i64>>,
    width: usize,
}

impl tessera_train::beam_search::Continuation for Uncached<'_> {
    fn next(&mut self, advance: &tessera_train::beam_search::Advance<'_>) -> tessera_datasets::Result<Tensor> {
        let numbers = |t: &Tensor| Vec::<i64>::try_from(t).unwrap();
        if let Some(kept) = advance.sentences {
            self.memory = self.memory.index_select(0, kept);
            self.mask = self.mask.as_ref().map(|mask| mask.index_select(0, kept));
        }
        let tokens = numbers(advance.tokens);
        let before = advance.parents.map(numbers);
        let prefix = |(row, token): (usize, &i64)| match &before {
            None => vec![*token],
            Some(parents) => [&self.prefixes[parents[row] as usize][..], &[*token]].concat(),
        };
        self.prefixes = tokens.iter().enumerate().map(prefix).collect();
        self.width = advance.width;
        let repeat = |t: &Tensor| t.repeat_interleave_self_int(self.width as i64, 0, None);
        let inputs = Tensor::from_slice(&self.prefixes.concat()).view([tokens.len() as i64, -1]);
        let mask = self.mask.as_ref().map(repeat);
        let hidden = self.network.decode(&inputs, &repeat(&self.memory), mask.as_ref(), false);
        Ok(self.network.logits(&hidden.select(1, -1)).log_softmax(-1, Kind::Float))
    }

    fn device(&self) -> Device {
        Device::Cpu
    }
}

#[test]
fn with_cache_equals_without_and_batched_equals_one_by_one() {
    let reference = Reference::read(NormPlace::Post);
    let (_, network) = reference.model("beam/weights/", Sinusoids::Interleaved);
    let sources = reference.sentences("beam/source_ids", "beam/source_lengths");
    let longest: Vec<usize> = sources.iter().map(|s| s.len() + 10).collect();
    for (beam, length_penalty) in [(1, 0.6), (3, 0.0), (4, 0.6), (5, 1.0)] {
        let search = BeamSearch { beam, wanted: beam, length_penalty, end: 0 };
        let padded = PaddedSource::new(sources.iter().map(Vec::as_slice), 0);
        let cached = search.search(&mut CachedDecoder::new(&network, &padded), &longest).unwrap();
        let mut plain = Uncached {
            network: &network,
            memory: network.encode(&padded, false),
            mask: padded.mask.as_ref().map(Tensor::shallow_clone),
            prefixes: Vec::new(),
            width: 1,
        };
        let uncached = search.search(&mut plain, &longest).unwrap();
        for (sentence, hypotheses) in cached.iter().enumerate() {
            let one = PaddedSource::new([sources[sentence].as_slice()].into_iter(), 0);
            let alone = search.search(&mut CachedDecoder::new(&network, &one), &longest[sentence..=sentence]).unwrap();
            for other in [&uncached[sentence], &alone[0]] {
                let tokens = |h: &[tessera_train::beam_search::Hypothesis]| -> Vec<Vec<u32>> {
                    h.iter().map(|h| h.tokens.clone()).collect()
                };
                assert_eq!(tokens(hypotheses), tokens(other), "beam {beam}, sentence {sentence}");
                for (a, b) in hypotheses.iter().zip(other) {
                    assert!((a.score - b.score).abs() < 1e-5);
                }
            }
        }
    }
}

#[test]
fn attention_weights_are_shares_of_what_may_be_seen() {
    let reference = Reference::read(NormPlace::Post);
    let (_, network) = reference.model("weights/", Sinusoids::Interleaved);
    let batch = reference.batch();
    let [encoder, decoder, cross] = network.attention_weights(&batch.source, &batch.inputs_bt);
    assert_eq!(encoder.size(), [2, 3, 2, 9, 9]);
    assert_eq!(decoder.size(), [2, 3, 2, 8, 8]);
    assert_eq!(cross.size(), [2, 3, 2, 8, 9]);
    for weights in [&encoder, &decoder, &cross] {
        let sums = weights.sum_dim_intlist([-1].as_slice(), false, Kind::Float);
        assert!(distance(&sums, &sums.ones_like()) < 1e-5);
    }
    // nothing looks ahead, and nothing looks at padding
    assert_eq!(decoder.triu(1).abs().max().double_value(&[]), 0.0);
    let padding = batch.source.mask.as_ref().unwrap().isinf().unsqueeze(0).expand_as(&cross);
    assert_eq!(cross.masked_select(&padding).abs().max().double_value(&[]), 0.0);
}
