//! Training and validation of a network that optimises poses.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tch::{Device, Kind, Tensor};
use tessera_datasets::pose::{self, Skeleton, Track};
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::batches::PoseBatches;
use super::data::{PoseData, Shape, WindowTensors, describe};
use super::network::{Network, Wanted};
use super::validation::validate;
use super::{predict, recording};
use crate::config::Precision;
use crate::loader::{Batch, BatchSource};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::task::{Context, Measures, Optimise, Predict, Step, Task};

/// A network with its data and its optimiser.
pub struct PoseTask {
    pub(super) network: Box<dyn Network>,
    pub(super) dataset: Dataset,
    pub(super) skeleton: Skeleton,
    pub(super) shape: Shape,
    pub(super) device: Device,
    kind: &'static str,
    parameters: Parameters,
    optimizer: Optimizer,
    batch: usize,
    accumulate: usize,
    seed: u64,
    /// Read at the first validation.
    validation: Option<PoseData>,
    validation_rows: Option<usize>,
}

impl PoseTask {
    /// A network of some `kind` for the data's skeleton; the windows are read when they are needed.
    ///
    /// # Errors
    /// When the dataset has no windows of poses, or the network cannot be made.
    pub fn new(
        kind: &'static str,
        context: Context<'_>,
        make: impl FnOnce(&Wanted<'_>) -> Result<(Parameters, Box<dyn Network>)>,
    ) -> Result<Self> {
        let config = context.config;
        let batch = config.batch.ok_or_else(|| {
            Error::input("a step has `batch` windows, all of one length; `batch_tokens` is for sentences")
        })?;
        if config.precision == Precision::Bfloat16 {
            let message = "poses are computed in `float32`: bfloat16 cannot tell 1000 mm from 1003 mm";
            return Err(Error::input(message).hint("leave `train.precision` out"));
        }
        if config.optimizer.layer_decay.is_some() {
            return Err(Error::input("`train.optimizer.layer_decay` is for models that count their layers"));
        }
        let (skeleton, shape) = describe(&context.dataset)?;
        let (device, seed) = (context.device, context.seed);
        let dataset = &context.dataset;
        let wanted = Wanted { table: context.model, skeleton, shape, dataset, device, seed };
        let (parameters, network) = make(&wanted)?;
        let skeleton = wanted.skeleton;
        parameters.freeze(&config.freeze)?;
        let optimizer = Optimizer::grouped(config.optimizer, &parameters, |name, tensor| network.rule(name, tensor))?;
        Ok(Self {
            network,
            dataset: context.dataset,
            skeleton,
            shape,
            device,
            kind,
            parameters,
            optimizer,
            batch,
            accumulate: config.accumulate,
            seed,
            validation: None,
            validation_rows: config.validation_rows,
        })
    }
}

impl Task for PoseTask {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn optimizers(&mut self) -> Vec<(&'static str, &mut Optimizer)> {
        vec![("", &mut self.optimizer)]
    }

    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        self.network.import(found)
    }

    fn batches(&mut self) -> Result<Arc<dyn BatchSource>> {
        let data = Arc::new(PoseData::open(&self.dataset, "train", self.shape)?);
        Ok(Arc::new(PoseBatches::new(data, self.batch, self.seed).map_err(|error| error.at(self.dataset.dir()))?))
    }

    fn item(&self) -> &'static str {
        "poses"
    }

    fn train_step(&mut self, batch: &Batch, at: &Step) -> Result<Measures> {
        let rows = (self.batch / self.accumulate) as i64;
        let place = |t: &Tensor| t.to_device_(self.device, t.kind(), true, false);
        let tensors: Vec<Tensor> = batch.tensors.iter().map(place).collect();
        let mut total = Tensor::zeros([], (Kind::Float, self.device));
        let mut sums: Measures = Vec::new();
        for piece in 0..self.accumulate as i64 {
            let piece = tensors.iter().map(|t| t.narrow(0, piece * rows, rows)).collect();
            let windows = WindowTensors::of(piece)?;
            let (loss, measures) =
                self.network.loss(&windows.poses(), &windows.target_btkc, &windows.known_btk, true)?;
            // the pieces are equally large, so their mean is the mean over all windows
            let loss = loss / self.accumulate as f64;
            loss.f_backward().map_err(|e| Error::internal(e.to_string()))?;
            total += loss.detach();
            for (place, (name, value)) in measures.into_iter().enumerate() {
                let value = value.detach() / self.accumulate as f64;
                match sums.get_mut(place) {
                    Some((_, sum)) => *sum += value,
                    None => sums.push((name, value)),
                }
            }
        }
        let norm = self.optimizer.step(at.rate)?;
        let rate = Tensor::from(self.optimizer.learning_rate(at.rate));
        let mut out = vec![("loss", total), ("gradient_norm", norm), ("learning_rate", rate)];
        out.extend(sums);
        Ok(out)
    }

    fn validate(&mut self) -> Result<Vec<(String, f64)>> {
        if self.validation.is_none() && self.dataset.manifest().splits.contains_key("validation") {
            self.validation = Some(PoseData::open(&self.dataset, "validation", self.shape)?);
        }
        let Some(data) = self.validation.as_ref().filter(|data| !data.is_empty()) else {
            return Ok(Vec::new());
        };
        let limit = self.validation_rows.filter(|limit| *limit > 0).unwrap_or(data.len());
        validate(self.network.as_ref(), data, limit, self.device)
    }

    fn predict(&mut self, request: &Predict) -> Result<()> {
        predict::predict(self, request)
    }

    fn optimise(&mut self, track: &Track, request: &Optimise) -> Result<Vec<f32>> {
        recording::optimise_recording(self.network.as_ref(), self.shape, self.device, track, request)
    }

    fn reference_config(&self) -> Value {
        let mut out = self.network.reference_config();
        out["keypoints"] = self.skeleton.keypoints.clone().into();
        out["unit"] = self.skeleton.unit.clone().into();
        out
    }

    fn details(&self) -> Map<String, Value> {
        let manifest = self.dataset.manifest();
        let filters: Vec<_> = manifest.rows.stages.iter().filter(|stage| !stage.changes.is_empty()).collect();
        let window = manifest.details.get("window").cloned();
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("task", "pose-optimisation".into());
        put(pose::DETAIL, self.skeleton.to_detail());
        put("window", window.unwrap_or_else(|| json!({ "frames": self.shape.frames })));
        put("model", self.kind.into());
        put("parameters", self.parameters.count().into());
        put("filters", json!(filters));
        out
    }
}
