//! The forward pass.

use std::collections::BTreeMap;

use serde_json::Value;
use tch::{Kind, Tensor};
use tessera_datasets::pose::MISSING;
use tessera_datasets::{Error, Result};

use super::config::{Architecture, OptiposeConfig};
use super::loss::Terms;
use super::names;
use super::sub_models::{Affine, Sight, SubModels};
use crate::optimizer::Rule;
use crate::parameters::Parameters;
use crate::poses::{Exhibit, Network, Poses};
use crate::task::Measures;

/// OptiPose. One token is the pose of one frame, its coordinates side by side.
#[derive(Debug)]
pub struct Optipose {
    config: OptiposeConfig,
    levels: Vec<SubModels>,
    /// `paper`: what each context model gives.
    outputs: Option<Affine>,
    /// The regression model.
    kernel: Tensor,
    bias: Tensor,
}

impl Optipose {
    /// Finds its parameters.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: OptiposeConfig, parameters: &Parameters) -> Result<Self> {
        let levels =
            (0..config.sub_models).map(|level| SubModels::new(&config, level, parameters)).collect::<Result<_>>()?;
        let outputs = match config.architecture {
            Architecture::Paper => {
                let names: Vec<String> = (0..config.context_models).map(|model| format!("cm_{model}_out")).collect();
                Some(Affine::new(parameters, &names)?)
            }
            Architecture::Later => None,
        };
        Ok(Self {
            config,
            levels,
            outputs,
            kernel: parameters.get("pcm_out.kernel")?,
            bias: parameters.get("pcm_out.bias")?,
        })
    }

    /// Optimised poses, and the weights of every level's attention `[n, b, t, h, s]`.
    fn forward(&self, poses: &Poses<'_>, training: bool) -> (Tensor, Vec<Tensor>) {
        let config = &self.config;
        let (windows, frames, keypoints, _) = poses.input_btkc.size4().expect("poses have four dimensions");
        let (rows, width) = (windows * frames, keypoints * 3);
        let frames_bt = poses.frames_bt.to_kind(Kind::Float);
        let there_btk = poses.frames_bt.unsqueeze(-1);
        let given_btk = poses.given_btk.logical_and(&there_btk);
        let given_btkc = poses.input_btkc.where_self(&given_btk.unsqueeze(-1), &Tensor::zeros_like(poses.input_btkc));
        // what is missing is 0, and a number far from all others in the first attention
        let missing_btk = poses.given_btk.logical_not().logical_and(&there_btk).to_kind(Kind::Float);
        let raw = (&given_btkc + (missing_btk * f64::from(MISSING)).unsqueeze(-1)).view([1, rows, width]);
        let given = given_btkc.view([1, rows, width]);

        // to look costs little on a CPU; elsewhere it would wait for the device
        let padded = poses.frames_bt.device().is_cuda() || !poses.frames_bt.all().int64_value(&[]).is_positive();
        let (mut hidden, mut context) = (raw, given.shallow_clone());
        let mut weights = Vec::with_capacity(self.levels.len());
        for (number, level) in self.levels.iter().enumerate() {
            let sight = match (padded, config.masked_padding, number) {
                (false, ..) => Sight::Everything,
                (true, true, _) => Sight::Frames(&frames_bt),
                (true, false, 0) => Sight::Both(&frames_bt),
                (true, false, _) => Sight::Everything,
            };
            let found = level.forward(&hidden, &context, windows, sight, training);
            weights.push(found.weights);
            hidden = found.hidden;
            context = match config.architecture {
                Architecture::Paper => hidden.shallow_clone(),
                Architecture::Later => &hidden + &given,
            };
        }
        let sum_of = |kernels: &Tensor| hidden.bmm(kernels).sum_dim_intlist(0, false, Kind::Float);
        let y = match &self.outputs {
            Some(outputs) => {
                let merged = sum_of(&outputs.kernel()) + outputs.bias().sum_dim_intlist(0, false, Kind::Float);
                merged.mm(&self.kernel) + &self.bias + given.squeeze_dim(0)
            }
            // the context models' results side by side through one kernel: the sum of each through
            // its rows of it
            None => sum_of(&self.kernel.view([-1, width, width])) + &self.bias,
        };
        (y.view([windows, frames, keypoints, 3]), weights)
    }

    /// What Keras adds to the loss for the weights of dense layers: 0.01 times their squares, and
    /// for the later architecture 0.01 times their absolute values, the regression model's among
    /// them.
    pub fn regularisation(&self) -> Tensor {
        let cost = |kernel: &Tensor| match self.config.architecture {
            Architecture::Paper => kernel.square().sum(Kind::Float),
            Architecture::Later => kernel.square().sum(Kind::Float) + kernel.abs().sum(Kind::Float),
        };
        let mut costs: Vec<Tensor> = self.levels.iter().map(|level| cost(&level.dense.kernel())).collect();
        if self.config.architecture == Architecture::Later {
            costs.push(cost(&self.kernel));
        }
        Tensor::stack(&costs, 0).sum(Kind::Float) * self.config.regularisation
    }
}

impl Network for Optipose {
    fn optimise(&self, poses: &Poses<'_>, training: bool) -> Tensor {
        self.forward(poses, training).0
    }

    fn loss(
        &self,
        poses: &Poses<'_>,
        target_btkc: &Tensor,
        known_btk: &Tensor,
        training: bool,
    ) -> Result<(Tensor, Measures)> {
        let OptiposeConfig { architecture, spatial, temporal, regularisation, masked_euclid, .. } = self.config;
        let pred_btkc = self.optimise(poses, training);
        let terms = Terms::new(architecture, &pred_btkc, target_btkc, known_btk, poses.frames_bt, masked_euclid);
        let idle: Tensor = self.levels.iter().map(SubModels::idle).sum();
        let mut loss = terms.weighted(spatial, temporal) + idle;
        let mut measures = vec![
            ("euclid", terms.euclid.detach()),
            ("spatial", terms.spatial.detach()),
            ("temporal", terms.temporal.detach()),
        ];
        if regularisation > 0.0 {
            let cost = self.regularisation();
            measures.push(("regularisation", cost.detach()));
            loss += cost;
        }
        Ok((loss, measures))
    }

    /// Weight decay, where it is asked for, is for kernels alone: slopes have two dimensions too.
    fn rule(&self, name: &str, _tensor: &Tensor) -> Rule {
        Rule { rate: 1.0, decays: name.ends_with(".kernel") }
    }

    /// At which frames each frame looked: sub-models by heads of all context models.
    fn explain(&self, poses: &Poses<'_>) -> Result<Vec<Exhibit>> {
        let (_, weights) = tch::no_grad(|| self.forward(poses, false));
        let frames = self.config.window;
        let levels: Vec<Tensor> =
            weights.iter().map(|level| level.select(1, 0).transpose(1, 2).reshape([-1, frames, frames])).collect();
        Ok(vec![Exhibit::new("time-attention", &Tensor::stack(&levels, 0))?])
    }

    /// By Keras' names or our own.
    fn import(&self, found: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
        match found.is_empty() {
            true => Err(Error::input("no weights")),
            false => Ok(names::from_keras(found)),
        }
    }

    fn reference_config(&self) -> Value {
        self.config.describe()
    }
}
