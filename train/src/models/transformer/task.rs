//! Training and validation of a Transformer on pairs of sentences.

use std::sync::Arc;

use serde_json::{Map, Value};
use tch::{Device, Kind, Tensor};
use tessera_datasets::console::{say, thousands};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::config::TransformerOptions;
use super::network::Transformer;
use super::{predict, translate};
use crate::config::{DecodeConfig, Precision};
use crate::layers::smoothed_cross_entropy;
use crate::loader::{Batch, BatchSource};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::sentences::{Budget, PaddedPairs, Pair, PairBatches, Pairs, Texts, Tokenizers, check_languages};
use crate::shim::Autocast;
use crate::task::{Context, Measures, Predict, Step, Task, Translation};

/// A Transformer with its data and its optimiser.
pub struct TransformerTask {
    pub(super) network: Transformer,
    pub(super) dataset: Dataset,
    pub(super) tokenizers: Tokenizers,
    pub(super) languages: (String, String),
    pub(super) device: Device,
    pub(super) decode: DecodeConfig,
    parameters: Parameters,
    optimizer: Optimizer,
    longest: usize,
    budget: Budget,
    pieces: usize,
    seed: u64,
    /// Read at the first validation.
    validation: Option<Pairs>,
    validation_rows: Option<usize>,
    label_smoothing: f64,
    precision: Precision,
}

/// What the model said about one target, given the tokens before each of its tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Scored {
    /// Negative log-probability of each token in nats, the end included.
    pub(super) nll: Vec<f32>,
    /// Tokens that were the most probable.
    pub(super) correct: u32,
}

impl TransformerTask {
    /// Makes the model for the data's vocabulary; the data itself is read when it is needed.
    ///
    /// # Errors
    /// When the dataset is no bitext of the two languages, or lacks its tokenizer.
    pub fn new(context: Context<'_>) -> Result<Self> {
        let options = TransformerOptions::parse(&context.model)?;
        let dataset = context.dataset;
        check_languages(&dataset, &options.source, &options.target)?;
        let tokenizers = Tokenizers::open(&dataset, &options.source, &options.target)?;
        let sizes = [&tokenizers.source, &tokenizers.target].map(|t| t.vocabulary_size() as i64);
        let config = options.resolve(&context.model, sizes[0], sizes[1], tokenizers.shared)?;
        let parameters = Parameters::create(&config.declare(), context.device, context.seed)?;
        parameters.freeze(&context.config.freeze)?;
        let budget = match (context.config.batch, context.config.batch_tokens) {
            (_, Some(tokens)) => Budget::Tokens(tokens),
            (rows, None) => Budget::Pairs(rows.unwrap_or(64)),
        };
        Ok(Self {
            network: Transformer::new(config, &parameters)?,
            optimizer: Optimizer::new(context.config.optimizer, &parameters)?,
            parameters,
            dataset,
            tokenizers,
            label_smoothing: options.label_smoothing(),
            longest: options.longest(),
            languages: (options.source, options.target),
            device: context.device,
            decode: context.config.decode,
            budget,
            pieces: context.config.accumulate,
            seed: context.seed,
            validation: None,
            validation_rows: context.config.validation_rows,
            precision: context.config.precision,
        })
    }

    /// A split, encoded.
    fn read(&self, split: &str) -> Result<Pairs> {
        let (source, target) = &self.languages;
        let texts = Texts::read(&self.dataset, split, source, target)?;
        Pairs::encode(&texts, &self.tokenizers).map_err(|error| error.at(self.dataset.dir()))
    }

    /// The loss of one piece of a batch, smoothed and plain; `graph` gives its gradients.
    fn loss(&self, piece: &PaddedPairs, normalizer: f64) -> Result<crate::layers::SmoothedLoss> {
        let hidden = {
            let _mixed = match self.precision {
                Precision::Bfloat16 => Some(Autocast::bfloat16(self.device)?),
                Precision::Float32 => None,
            };
            let memory = self.network.encode(&piece.source, true);
            self.network.decode(&piece.inputs_bt, &memory, piece.source.mask.as_ref(), true)
        };
        let width = self.network.config().width;
        let hidden_nd = hidden.view([-1, width]).index_select(0, &piece.places_n).to_kind(Kind::Float);
        let embedding = self.network.target_embedding();
        Ok(smoothed_cross_entropy(&hidden_nd, embedding, &piece.targets_n, self.label_smoothing, normalizer))
    }

    /// Scores targets under teacher forcing, in single precision and without dropout.
    pub(super) fn score(&self, pairs: &[Pair<'_>]) -> Result<Vec<Scored>> {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        let length = |index: usize| pairs[index].source.len().max(pairs[index].target.len()) + 1;
        order.sort_by_key(|index| length(*index));
        // the scores of a batch stay below 256 MB
        let budget = ((64 << 20) / self.network.config().target_vocabulary as usize).clamp(256, 4096);
        let mut out = vec![Scored::default(); pairs.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let fits = |count: usize| count == 0 || (count + 1) * length(rest[count]) <= budget;
            let count = (0..rest.len()).take_while(|count| fits(*count)).count();
            let (now, later) = rest.split_at(count);
            let batch: Vec<Pair<'_>> = now.iter().map(|index| pairs[*index]).collect();
            let (nll, correct) = self.score_batch(&batch)?;
            let mut start = 0;
            for index in now {
                let end = start + pairs[*index].target.len() + 1;
                let correct = correct[start..end].iter().filter(|c| **c).count() as u32;
                out[*index] = Scored { nll: nll[start..end].to_vec(), correct };
                start = end;
            }
            rest = later;
        }
        Ok(out)
    }

    /// Negative log-probabilities of all target tokens, pair after pair, and which were the most
    /// probable.
    fn score_batch(&self, pairs: &[Pair<'_>]) -> Result<(Vec<f32>, Vec<bool>)> {
        let padded = PaddedPairs::new(pairs, self.tokenizers.end);
        let padded = PaddedPairs::from_tensors(&padded.into_tensors(), self.device);
        let (nll, correct) = tch::no_grad(|| {
            let memory = self.network.encode(&padded.source, false);
            let hidden = self.network.decode(&padded.inputs_bt, &memory, padded.source.mask.as_ref(), false);
            let width = self.network.config().width;
            let logits = self.network.logits(&hidden.view([-1, width]).index_select(0, &padded.places_n));
            let chosen = logits.gather(1, &padded.targets_n.unsqueeze(1), false);
            let nll = logits.logsumexp([1], true) - chosen;
            let correct = logits.argmax(1, false).eq_tensor(&padded.targets_n);
            (nll.squeeze_dim(1).to_device(Device::Cpu), correct.to_device(Device::Cpu))
        });
        let wrong = |e: tch::TchError| Error::internal(e.to_string());
        Ok((Vec::try_from(nll).map_err(wrong)?, Vec::try_from(correct).map_err(wrong)?))
    }
}

impl Task for TransformerTask {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut Optimizer)> {
        vec![("", &mut self.optimizer)]
    }

    fn batches(&mut self) -> Result<Arc<dyn BatchSource>> {
        let pairs = Arc::new(self.read("train")?);
        let end = self.tokenizers.end;
        let batches = PairBatches::new(pairs, self.longest, self.budget, self.pieces, end, self.seed)?;
        if batches.left_out() > 0 {
            let (count, longest) = (thousands(batches.left_out() as u64), self.longest);
            say(format!("{count} training pairs with a side of more than {longest} tokens are left out"));
        }
        Ok(Arc::new(batches))
    }

    fn item(&self) -> &'static str {
        "tokens"
    }

    fn train_step(&mut self, batch: &Batch, at: &Step) -> Result<Measures> {
        // every piece is divided by the tokens of the whole batch: their sum is its mean
        let normalizer = batch.items as f64;
        let options = (Kind::Float, self.device);
        let (mut loss, mut smoothed) = (Tensor::zeros([], options), Tensor::zeros([], options));
        for tensors in batch.tensors.chunks(PaddedPairs::TENSORS) {
            let piece = PaddedPairs::from_tensors(tensors, self.device);
            let found = self.loss(&piece, normalizer)?;
            found.graph.f_backward().map_err(|e| Error::internal(e.to_string()))?;
            loss += found.nll;
            smoothed += found.loss;
        }
        let norm = self.optimizer.step(at.rate)?;
        let rate = Tensor::from(self.optimizer.learning_rate(at.rate));
        Ok(vec![("loss", loss), ("smoothed_loss", smoothed), ("gradient_norm", norm), ("learning_rate", rate)])
    }

    fn validate(&mut self) -> Result<Vec<(String, f64)>> {
        if self.validation.is_none() && self.dataset.manifest().splits.contains_key("validation") {
            let all = self.read("validation")?;
            self.validation = Some(match self.validation_rows {
                Some(limit) if limit > 0 && limit < all.len() => spread(&all, limit),
                _ => all,
            });
        }
        let Some(pairs) = self.validation.as_ref().filter(|pairs| !pairs.is_empty()) else {
            return Ok(Vec::new());
        };
        let pairs: Vec<Pair<'_>> = (0..pairs.len()).map(|index| pairs.get(index)).collect();
        let (mut sum, mut tokens, mut correct) = (0.0, 0_u64, 0_u64);
        for scored in self.score(&pairs)? {
            sum += scored.nll.iter().map(|v| f64::from(*v)).sum::<f64>();
            tokens += scored.nll.len() as u64;
            correct += u64::from(scored.correct);
        }
        let share = |value: f64| value / tokens as f64;
        Ok(vec![("loss".to_owned(), share(sum)), ("token_accuracy".to_owned(), share(correct as f64))])
    }

    fn predict(&mut self, request: &Predict) -> Result<()> {
        predict::predict(self, request)
    }

    fn translate(&mut self, sentences: &[String]) -> Result<Vec<Translation>> {
        translate::translate(self, sentences, &|_| ())
    }

    fn reference_config(&self) -> Value {
        self.network.config().reference()
    }

    fn details(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("task", "translation".into());
        put("source_language", self.languages.0.clone().into());
        put("target_language", self.languages.1.clone().into());
        put("beam", self.decode.beam.into());
        put("length_penalty", self.decode.length_penalty.into());
        put("vocabulary", self.tokenizers.target.vocabulary_size().into());
        put("tokenizer_sha256", self.tokenizers.target.sha256().into());
        out
    }
}

/// So many pairs, spread evenly over all.
fn spread(pairs: &Pairs, limit: usize) -> Pairs {
    let mut out = Pairs::default();
    for index in 0..limit {
        let pair = pairs.get(index * pairs.len() / limit);
        out.push(pair.source, pair.target);
    }
    out
}
