//! Training and validation of a network that classifies images.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tch::{Device, Kind, Tensor};
use tessera_datasets::config::Section;
use tessera_datasets::console::{say, thousands};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::export::{self, describe};
use super::loss::{Targets, cross_entropy};
use super::network::Network;
use super::options::ImageOptions;
use super::predict;
use crate::config::Precision;
use crate::export::{Exported, Format};
use crate::images::{AugmentConfig, EvaluationImages, ImageBatches, ImageData, Preparation, class_names};
use crate::loader::{Batch, BatchSource};
use crate::optimizer::{Optimizer, Rule};
use crate::parameters::Parameters;
use crate::shim::Autocast;
use crate::task::{Context, Measures, Predict, Step, Task};

/// What a network is made from.
pub struct Wanted {
    /// The network's part of the model's table.
    pub table: Section,
    /// Side of the square that it sees, in pixels.
    pub image_size: i64,
    /// Classes that it tells apart.
    pub classes: i64,
    /// Where its parameters lie.
    pub device: Device,
    /// From which they are drawn.
    pub seed: u64,
}

/// A network with its data and its optimiser.
pub struct ClassificationTask {
    pub(super) network: Box<dyn Network>,
    pub(super) dataset: Dataset,
    pub(super) classes: Vec<String>,
    pub(super) preparation: Preparation,
    pub(super) device: Device,
    pub(super) kind: &'static str,
    parameters: Parameters,
    optimizer: Optimizer,
    label_smoothing: f64,
    augment: AugmentConfig,
    batch: usize,
    accumulate: usize,
    seed: u64,
    /// Read at the first validation.
    validation: Option<ImageData>,
    validation_rows: Option<usize>,
    precision: Precision,
}

impl ClassificationTask {
    /// A network of some `kind` for the data's classes; the images are read when they are needed.
    ///
    /// # Errors
    /// When the dataset has no images with classes, or the network cannot be made.
    pub fn new(
        kind: &'static str,
        context: Context<'_>,
        make: impl FnOnce(&Wanted) -> Result<(Parameters, Box<dyn Network>)>,
    ) -> Result<Self> {
        let config = context.config;
        let (images, table) = ImageOptions::split(&context.model)?;
        let dataset = context.dataset;
        let classes = class_names(&dataset)?;
        let preparation = images.preparation(dataset.manifest())?;
        let batch = config.batch.ok_or_else(|| {
            Error::input("a step has `batch` images, all of one size; `batch_tokens` is for sentences")
        })?;
        let (image_size, device, seed) = (images.image_size, context.device, context.seed);
        let wanted = Wanted { table, image_size, classes: classes.len() as i64, device, seed };
        let (parameters, network) = make(&wanted)?;
        parameters.freeze(&config.freeze)?;
        let decay = config.optimizer.layer_decay.unwrap_or(1.0);
        let rule = |name: &str, tensor: &Tensor| rule(network.as_ref(), decay, name, tensor);
        let optimizer = Optimizer::grouped(config.optimizer, &parameters, rule)?;
        Ok(Self {
            network,
            dataset,
            classes,
            preparation,
            device,
            kind,
            parameters,
            optimizer,
            label_smoothing: images.label_smoothing,
            augment: config.augment.clone(),
            batch,
            accumulate: config.accumulate,
            seed,
            validation: None,
            validation_rows: config.validation_rows,
            precision: config.precision,
        })
    }

    /// The logits of images `x_bchw` without chance, in single precision and on the device.
    pub(super) fn score(&self, images_bchw: &Tensor) -> Tensor {
        tch::no_grad(|| self.network.logits(&images_bchw.to_device(self.device), false)).to_kind(Kind::Float)
    }

    /// How many images are scored side by side.
    pub(super) fn rows_per_pass(&self) -> usize {
        let pixels = self.preparation.image_size * self.preparation.image_size;
        ((3 << 20) / pixels.max(1)).clamp(1, 512)
    }

    /// The loss of one piece of a batch.
    fn loss(&self, images_bchw: &Tensor, targets: &[Tensor]) -> Result<Tensor> {
        let logits_bn = {
            let _mixed = match self.precision {
                Precision::Bfloat16 => Some(Autocast::bfloat16(self.device)?),
                Precision::Float32 => None,
            };
            self.network.logits(images_bchw, true)
        };
        let targets = Targets::new(targets).ok_or_else(|| Error::internal("a batch with other tensors"))?;
        Ok(cross_entropy(&logits_bn, &targets, self.label_smoothing))
    }
}

/// How a parameter is stepped: the rate of a layer is `layer_decay` times that of the layer above,
/// and what the network exempts does not decay (timm's `param_groups_layer_decay`).
pub fn rule(network: &dyn Network, layer_decay: f64, name: &str, tensor: &Tensor) -> Rule {
    Rule {
        rate: layer_decay.powi((network.layers() - 1 - network.layer_of(name)) as i32),
        decays: Rule::by_shape(tensor).decays && !network.no_decay().contains(&name),
    }
}

impl Task for ClassificationTask {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut Optimizer)> {
        vec![("", &mut self.optimizer)]
    }

    /// As the network reads them. Where the file's head is of other classes, ours stays as it
    /// starts.
    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        let mut found = self.network.import(found)?;
        let (weight, bias) = self.network.head();
        let size = |name: &str| self.parameters.find(name).map(|tensor| tensor.size());
        let fits = |name: &&str| found.get(*name).map(Tensor::size) == size(name);
        if ![weight, bias].iter().all(fits) {
            let (file, data) = (found.get(weight).map_or(0, |t| t.size()[0]), self.classes.len());
            say(format!("the head is new: the file's tells {file} classes apart, the data has {data}"));
            for name in [weight, bias] {
                found.insert(name.to_owned(), self.parameters.get(name)?.detach().copy());
            }
        }
        Ok(found)
    }

    fn batches(&mut self) -> Result<Arc<dyn BatchSource>> {
        let data = Arc::new(ImageData::open(&self.dataset, "train")?);
        let batches = ImageBatches::new(data, self.preparation, self.augment.clone(), self.batch, self.seed)?;
        if batches.left_out() > 0 {
            say(format!("{} training images without a label are left out", thousands(batches.left_out() as u64)));
        }
        Ok(Arc::new(batches))
    }

    fn item(&self) -> &'static str {
        "images"
    }

    fn train_step(&mut self, batch: &Batch, at: &Step) -> Result<Measures> {
        let rows = self.batch / self.accumulate;
        let place = |t: &Tensor| t.to_device_(self.device, t.kind(), true, false);
        let tensors: Vec<Tensor> = batch.tensors.iter().map(place).collect();
        let mut total = Tensor::zeros([], (Kind::Float, self.device));
        for piece in 0..self.accumulate {
            let piece: Vec<Tensor> = tensors.iter().map(|t| t.narrow(0, (piece * rows) as i64, rows as i64)).collect();
            let [images_bchw, targets @ ..] = piece.as_slice() else {
                return Err(Error::internal("a batch without images"));
            };
            // the pieces are equally large, so their mean is the mean over all images
            let loss = self.loss(images_bchw, targets)? / self.accumulate as f64;
            loss.f_backward().map_err(|e| Error::internal(e.to_string()))?;
            total += loss.detach();
        }
        let norm = self.optimizer.step(at.rate)?;
        let rate = Tensor::from(self.optimizer.learning_rate(at.rate));
        Ok(vec![("loss", total), ("gradient_norm", norm), ("learning_rate", rate)])
    }

    fn validate(&mut self) -> Result<Vec<(String, f64)>> {
        if self.validation.is_none() && self.dataset.manifest().splits.contains_key("validation") {
            self.validation = Some(ImageData::open(&self.dataset, "validation")?);
        }
        let Some(data) = self.validation.as_ref().filter(|data| !data.is_empty()) else {
            return Ok(Vec::new());
        };
        let limit = self.validation_rows.filter(|limit| *limit > 0).unwrap_or(data.len());
        let (mut sum, mut correct, mut count) = (0.0, 0, 0);
        for batch in EvaluationImages::spread(data, self.preparation, self.rows_per_pass(), limit) {
            let batch = batch?;
            let logits_bn = self.score(&batch.images_bchw);
            let labels_b = batch.labels_b.to_device(self.device);
            let labelled = labels_b.ge(0).sum(Kind::Int64).int64_value(&[]);
            if labelled > 0 {
                let loss = cross_entropy(&logits_bn, &Targets::Labels(&labels_b), 0.0);
                sum += loss.double_value(&[]) * labelled as f64;
                correct += logits_bn.argmax(1, false).eq_tensor(&labels_b).sum(Kind::Int64).int64_value(&[]);
                count += labelled;
            }
        }
        match count {
            0 => Err(Error::input("no image of the validation split has a label").at(self.dataset.dir())),
            _ => Ok(vec![("loss".to_owned(), sum / count as f64), ("top1".to_owned(), correct as f64 / count as f64)]),
        }
    }

    fn predict(&mut self, request: &Predict) -> Result<()> {
        predict::predict(self, request)
    }

    fn reference_config(&self) -> Value {
        describe(self.network.reference_config(), &self.preparation, &self.classes, self.network.head().0)
    }

    fn export(&self, format: Format) -> Result<Exported> {
        export::export(self, format)
    }

    fn details(&self) -> Map<String, Value> {
        let Preparation { image_size, mean, deviation, crop, interpolation } = self.preparation;
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("task", "image-classification".into());
        put("classes", self.classes.clone().into());
        put("model", self.kind.into());
        put("parameters", self.parameters.count().into());
        put("image_size", image_size.into());
        put("crop", crop.into());
        put("interpolation", interpolation.name().into());
        put("mean", mean.to_vec().into());
        put("deviation", deviation.to_vec().into());
        out
    }
}
