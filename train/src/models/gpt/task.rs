//! Training and validation of a GPT on packed tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tch::{Device, Kind, Tensor};
use tessera_datasets::run_dir::Sample;
use tessera_datasets::schema::Kind as RecordKind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::tokenizer::Tokenizer;
use tessera_datasets::{Error, Result};

use super::config::{GptOptions, Windows};
use super::network::{Gpt, loss};
use super::{generate, predict};
use crate::config::{Precision, SamplesConfig};
use crate::loader::{Batch, BatchSource};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::shim::Autocast;
use crate::task::{Context, Generate, Measures, Predict, Step, Task};
use crate::tokens::{ScoredWindow, TokenStream, TrainWindows, scored_windows};

/// A GPT with its data and its optimiser.
pub struct GptTask {
    pub(super) network: Gpt,
    pub(super) dataset: Dataset,
    pub(super) tokenizer: Tokenizer,
    pub(super) device: Device,
    pub(super) samples: SamplesConfig,
    pub(super) seed: u64,
    parameters: Parameters,
    optimizer: Optimizer,
    windows: Windows,
    batch: usize,
    validation: Option<TokenStream>,
    validation_rows: Option<usize>,
    accumulate: usize,
    precision: Precision,
}

impl GptTask {
    /// Reads the data and makes the model.
    ///
    /// # Errors
    /// When the dataset holds no tokens, lacks its tokenizer, or is shorter than a window.
    pub fn new(context: Context<'_>) -> Result<Self> {
        let options = GptOptions::parse(&context.model)?;
        let dataset = context.dataset;
        let found = dataset.manifest().kind;
        if found != RecordKind::Tokens {
            return Err(Error::input(format!("a GPT reads a dataset of kind `tokens`, this is `{found}`"))
                .at(dataset.dir())
                .hint("end the pipeline with the stages `encode` and `pack`"));
        }
        let tokenizer = Tokenizer::from_file(dataset.file("tokenizer.json")?)?;
        let vocabulary = tokenizer.vocabulary_size();
        let config = options.resolve(&context.model, vocabulary as i64)?;
        let parameters = Parameters::create(&config.declare(), context.device, context.seed)?;
        parameters.freeze(&context.config.freeze)?;
        let batch = context.config.batch.ok_or_else(|| {
            Error::input("a GPT's step has `batch` windows, all of one length; `batch_tokens` is for sentences")
        })?;
        let has_validation = dataset.manifest().splits.contains_key("validation");
        let validation = has_validation.then(|| TokenStream::read(&dataset, "validation", vocabulary)).transpose()?;
        Ok(Self {
            network: Gpt::new(config, &parameters)?,
            optimizer: Optimizer::new(context.config.optimizer, &parameters)?,
            parameters,
            dataset,
            tokenizer,
            device: context.device,
            samples: context.config.samples.clone(),
            seed: context.seed,
            windows: options.windows(),
            batch,
            validation,
            validation_rows: context.config.validation_rows,
            accumulate: context.config.accumulate,
            precision: context.config.precision,
        })
    }

    /// Negative log-likelihood of every target in nats, and whether the best guess was right.
    /// Always in single precision.
    ///
    /// # Shapes
    /// Windows of one length to two CPU tensors `[windows, length]`, float32 and bool.
    pub(super) fn score(&self, stream: &TokenStream, windows: &[ScoredWindow]) -> (Tensor, Tensor) {
        let starts: Vec<usize> = windows.iter().map(|w| w.start).collect();
        let length = windows.first().map_or(0, |w| w.length);
        let (inputs, targets) = stream.windows(&starts, length);
        tch::no_grad(|| {
            let targets = targets.to_device(self.device);
            let logits = self.network.forward(&inputs.to_device(self.device), false);
            let chosen = logits.log_softmax(-1, Kind::Float).gather(-1, &targets.unsqueeze(-1), false);
            let correct = logits.argmax(-1, false).eq_tensor(&targets);
            ((-chosen.squeeze_dim(-1)).to_device(Device::Cpu), correct.to_device(Device::Cpu))
        })
    }

    /// How many windows fit into one forward pass: their logits stay below 256 MB.
    pub(super) fn windows_per_pass(&self) -> usize {
        let config = self.network.config();
        let logits = (config.context * config.vocabulary).max(1);
        usize::try_from((64 << 20) / logits).unwrap_or(1).clamp(1, 256)
    }
}

impl Task for GptTask {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut Optimizer)> {
        vec![("", &mut self.optimizer)]
    }

    fn import(&self, mut found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        // buffers of older GPT-2 files, the tied head, and the bare names of the published file
        found.retain(|name, _| !name.ends_with(".attn.bias") && !name.ends_with(".attn.masked_bias"));
        found.remove("lm_head.weight");
        let full = |name: String| match self.parameters.find(&name) {
            Some(_) => name,
            None => format!("transformer.{name}"),
        };
        Ok(found.into_iter().map(|(name, tensor)| (full(name), tensor)).collect())
    }

    fn batches(&mut self) -> Result<Arc<dyn BatchSource>> {
        let stream = TokenStream::read(&self.dataset, "train", self.tokenizer.vocabulary_size())?;
        let length = self.network.config().context as usize;
        Ok(Arc::new(match self.windows {
            Windows::Random => TrainWindows::random(stream, length, self.batch, self.seed)?,
            Windows::Epochs => TrainWindows::by_epoch(stream, length, self.batch, self.seed)?,
        }))
    }

    fn item(&self) -> &'static str {
        "tokens"
    }

    fn train_step(&mut self, batch: &Batch, at: &Step) -> Result<Measures> {
        let pieces = self.accumulate as i64;
        let place = |t: &Tensor| t.to_device_(self.device, Kind::Int64, true, false).chunk(pieces, 0);
        let (inputs, targets) = (place(&batch.tensors[0]), place(&batch.tensors[1]));
        let mut total: Option<Tensor> = None;
        for (input, target) in inputs.iter().zip(&targets) {
            let loss = {
                let _mixed = match self.precision {
                    Precision::Bfloat16 => Some(Autocast::bfloat16(self.device)?),
                    Precision::Float32 => None,
                };
                // the pieces are equally long, so their mean is the mean over all tokens
                loss(&self.network.forward(input, true), target) / pieces as f64
            };
            loss.f_backward().map_err(|e| Error::internal(e.to_string()))?;
            let loss = loss.detach();
            total = Some(total.map_or(loss.shallow_clone(), |sum| sum + &loss));
        }
        let norm = self.optimizer.step(at.rate)?;
        let rate = Tensor::from(self.optimizer.learning_rate(at.rate));
        let loss = total.ok_or_else(|| Error::internal("an empty batch"))?;
        Ok(vec![("loss", loss), ("gradient_norm", norm), ("learning_rate", rate)])
    }

    fn validate(&mut self) -> Result<Vec<(String, f64)>> {
        let Some(stream) = &self.validation else {
            return Ok(Vec::new());
        };
        let context = self.network.config().context as usize;
        let windows = spread(scored_windows(stream.len(), context, context), self.validation_rows);
        let (mut sum, mut count) = (0.0, 0);
        for windows in equal_lengths(&windows, self.windows_per_pass()) {
            let (nll, _) = self.score(stream, windows);
            sum += nll.sum(Kind::Double).double_value(&[]);
            count += nll.numel();
        }
        match count {
            0 => Err(Error::input("the validation split has fewer than 2 tokens").at(self.dataset.dir())),
            _ => Ok(vec![("loss".to_owned(), sum / count as f64)]),
        }
    }

    fn predict(&mut self, request: &Predict) -> Result<()> {
        predict::predict(self, request)
    }

    fn generate(&mut self, request: &Generate) -> Result<Sample> {
        generate::generate(self, request)
    }

    fn reference_config(&self) -> Value {
        self.network.config().reference()
    }

    fn details(&self) -> Map<String, Value> {
        let config = self.network.config();
        let mut out = Map::new();
        out.insert("task".to_owned(), "language-model".into());
        out.insert("context".to_owned(), config.context.into());
        out.insert("vocabulary".to_owned(), self.tokenizer.vocabulary_size().into());
        out.insert("tokenizer_sha256".to_owned(), self.tokenizer.sha256().into());
        out
    }
}

/// At most `limit` windows, spread evenly over all.
fn spread(windows: Vec<ScoredWindow>, limit: Option<usize>) -> Vec<ScoredWindow> {
    match limit {
        Some(limit) if limit > 0 && limit < windows.len() => {
            (0..limit).map(|i| windows[i * windows.len() / limit]).collect()
        }
        _ => windows,
    }
}

/// Runs of windows of one length, at most `most` each: only the last window of a split is shorter.
pub(super) fn equal_lengths(windows: &[ScoredWindow], most: usize) -> impl Iterator<Item = &[ScoredWindow]> {
    windows.chunk_by(|a, b| a.length == b.length).flat_map(move |run| run.chunks(most))
}
