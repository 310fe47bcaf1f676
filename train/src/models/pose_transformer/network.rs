//! The Transformer, and what the task asks of it.
//!
//! Shapes: b windows, t frames, k keypoints, c coordinates, d width, h heads, n candidates.

use std::cell::OnceCell;

use rayon::prelude::*;
use serde_json::Value;
use tch::{Device, Kind, Tensor};
use tessera_datasets::{Error, Result};

use super::anatomy::{Anatomy, Tensors};
use super::candidates::{Places, prepare};
use super::canonical::{Canonical, Window};
use super::config::{CANDIDATES, FEATURES, PoseTransformerConfig};
use super::smoother::Smoothers;
use crate::layers::{LayerNorm, Linear};
use crate::optimizer::Rule;
use crate::parameters::Parameters;
use crate::poses::{Exhibit, Network, Poses};
use crate::shim::filled;
use crate::task::Measures;

const EPSILON: f64 = 1e-5;

/// A network over parameters that somebody else owns.
pub struct PoseTransformer {
    config: PoseTransformerConfig,
    names: Vec<String>,
    embed: Linear,
    time_td: Tensor,
    joint_kd: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    smoothers: Smoothers,
    tensors: Tensors,
    /// Read out of the parameters when it is first needed: a checkpoint may be loaded until then.
    anatomy: OnceCell<Anatomy>,
}

struct Block {
    joint: Attention,
    time: Attention,
    norm: LayerNorm,
    hidden: Linear,
    hidden_out: Linear,
}

struct Attention {
    norm: LayerNorm,
    project: Linear,
    out: Linear,
    heads: i64,
}

/// Windows as the network sees them.
pub(super) struct Prepared {
    pub(super) features_btkf: Tensor,
    pub(super) candidates_btknc: Tensor,
    pub(super) reach_btk: Tensor,
    ways: Vec<Canonical>,
}

impl PoseTransformer {
    /// Finds the parameters by name.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: PoseTransformerConfig, names: Vec<String>, parameters: &Parameters) -> Result<Self> {
        let block = |number: i64| {
            let name = |part: &str| format!("blocks.{number}.{part}");
            Ok(Block {
                joint: Attention::new(parameters, &name("joint"), config.heads)?,
                time: Attention::new(parameters, &name("time"), config.heads)?,
                norm: LayerNorm::new(parameters, &name("norm"), EPSILON)?,
                hidden: Linear::new(parameters, &name("fc1"))?,
                hidden_out: Linear::new(parameters, &name("fc2"))?,
            })
        };
        Ok(Self {
            config,
            names,
            embed: Linear::new(parameters, "embed")?,
            time_td: parameters.get("time")?,
            joint_kd: parameters.get("joint")?,
            blocks: (0..config.blocks).map(block).collect::<Result<_>>()?,
            norm: LayerNorm::new(parameters, "norm", EPSILON)?,
            head: Linear::new(parameters, "head")?,
            smoothers: Smoothers::new(config.window as usize),
            tensors: Tensors::new(parameters)?,
            anatomy: OnceCell::new(),
        })
    }

    fn anatomy(&self) -> Result<&Anatomy> {
        if let Some(anatomy) = self.anatomy.get() {
            return Ok(anatomy);
        }
        let anatomy = Anatomy::of(&self.tensors)?;
        Ok(self.anatomy.get_or_init(|| anatomy))
    }

    /// Candidates and features of windows, worked out on the CPU.
    pub(super) fn prepare(&self, poses: &Poses<'_>) -> Result<Prepared> {
        let (anatomy, smoothers) = (self.anatomy()?, &self.smoothers);
        let (b, t, k, _) = poses.input_btkc.size4().map_err(|e| Error::internal(e.to_string()))?;
        let points = (t * k) as usize;
        let positions: Vec<f32> = values(poses.input_btkc, Kind::Float)?;
        let given: Vec<bool> = values(poses.given_btk, Kind::Bool)?;
        let mut ways = Vec::new();
        let (mut candidates, mut reach) = (vec![0.0; points * b as usize * WIDE], vec![0.0; points * b as usize]);
        let features_btkf = filled(&[b, t, k, FEATURES], |features| {
            let places = features
                .par_chunks_mut(points * FEATURES as usize)
                .zip(candidates.par_chunks_mut(points * WIDE))
                .zip(reach.par_chunks_mut(points))
                .map(|((features, candidates), reach)| Places { features, candidates, reach })
                .enumerate();
            let window = |(row, places): (usize, Places<'_>)| {
                let window = Window {
                    keypoints: k as usize,
                    positions: &positions[row * points * 3..(row + 1) * points * 3],
                    given: &given[row * points..(row + 1) * points],
                };
                prepare(&window, anatomy, smoothers, places)
            };
            // one thread means one, here too
            ways = match tch::get_num_threads() {
                1 => places.with_min_len(b as usize).map(window).collect(),
                _ => places.map(window).collect(),
            };
            Ok(())
        })?;
        let device = poses.input_btkc.device();
        Ok(Prepared {
            features_btkf: features_btkf.to_device(device),
            candidates_btknc: Tensor::from_slice(&candidates).view([b, t, k, CANDIDATES, 3]).to_device(device),
            reach_btk: Tensor::from_slice(&reach).view([b, t, k]).to_device(device),
            ways,
        })
    }

    /// Positions relative to the mean pose, in units of the anatomy's scale.
    ///
    /// # Shapes
    /// `[b, t, k, c]`.
    fn forward(&self, prepared: &Prepared) -> Tensor {
        let mut x_btkd = self.embed(prepared);
        for block in &self.blocks {
            x_btkd = block.forward(&x_btkd);
        }
        let out = self.head.forward(&self.norm.forward(&x_btkd));
        let shares_btkn = out.narrow(-1, 3, CANDIDATES).softmax(-1, Kind::Float);
        let mixed_btkc =
            (&prepared.candidates_btknc * shares_btkn.unsqueeze(-1)).sum_dim_intlist(3, false, Kind::Float);
        mixed_btkc + out.narrow(-1, 0, 3) * prepared.reach_btk.unsqueeze(-1)
    }

    fn embed(&self, prepared: &Prepared) -> Tensor {
        self.embed.forward(&prepared.features_btkf) + self.time_td.unsqueeze(1) + &self.joint_kd
    }

    /// Back from the animal's frame of reference, on the device of `like`.
    fn invert(&self, y_btkc: &Tensor, ways: &[Canonical], like: Device) -> Result<Tensor> {
        let anatomy = self.anatomy()?;
        let (keypoints, size) = (anatomy.keypoints(), y_btkc.size());
        let mut y: Vec<f32> = values(y_btkc, Kind::Float)?;
        let points = (self.config.window as usize) * keypoints;
        for (window, way) in y.chunks_exact_mut(points * 3).zip(ways) {
            for (at, point) in window.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let (frame, mean) = (at / keypoints, anatomy.mean[at % keypoints]);
                let there = [0, 1, 2].map(|c| f64::from(point[c]) * anatomy.scale + mean[c]);
                *point = way.invert(frame, there).map(|v| v as f32);
            }
        }
        Ok(Tensor::from_slice(&y).view(size.as_slice()).to_device(like))
    }

    /// True positions as the network's answer is: the way is that of the coarse ones.
    fn canonical(&self, target_btkc: &Tensor, ways: &[Canonical]) -> Result<Tensor> {
        let anatomy = self.anatomy()?;
        let (keypoints, size) = (anatomy.keypoints(), target_btkc.size());
        let mut y: Vec<f32> = values(target_btkc, Kind::Float)?;
        let points = (self.config.window as usize) * keypoints;
        for (window, way) in y.chunks_exact_mut(points * 3).zip(ways) {
            for (at, point) in window.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let mean = anatomy.mean[at % keypoints];
                let there = way.apply(at / keypoints, point.map(f64::from));
                *point = [0, 1, 2].map(|c| ((there[c] - mean[c]) / anatomy.scale) as f32);
            }
        }
        Ok(Tensor::from_slice(&y).view(size.as_slice()).to_device(target_btkc.device()))
    }
}

/// Numbers of the candidates of one point.
const WIDE: usize = CANDIDATES as usize * 3;

fn values<T: tch::kind::Element>(tensor: &Tensor, kind: Kind) -> Result<Vec<T>>
where
    Vec<T>: TryFrom<Tensor, Error = tch::TchError>,
{
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(kind).reshape([-1]);
    Vec::try_from(flat).map_err(|e| Error::internal(e.to_string()))
}

impl Block {
    fn forward(&self, x_btkd: &Tensor) -> Tensor {
        let x_btkd = x_btkd + self.joint.forward(x_btkd);
        let x_bktd = x_btkd.transpose(1, 2);
        let x_btkd = (&x_bktd + self.time.forward(&x_bktd)).transpose(1, 2);
        let hidden = self.hidden.forward(&self.norm.forward(&x_btkd)).gelu("none");
        x_btkd + self.hidden_out.forward(&hidden)
    }
}

impl Attention {
    fn new(parameters: &Parameters, name: &str, heads: i64) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::new(parameters, &format!("{name}.norm"), EPSILON)?,
            project: Linear::new(parameters, &format!("{name}.qkv"))?,
            out: Linear::new(parameters, &format!("{name}.out"))?,
            heads,
        })
    }

    /// Queries, keys and values along the third axis, `[…, h, l, d / h]` each.
    fn project(&self, x: &Tensor) -> Vec<Tensor> {
        let (first, second, length, width) = x.size4().expect("hidden states have four dimensions");
        let all = self.project.forward(&self.norm.forward(x));
        let all = all.reshape([first * second, length, 3, self.heads, width / self.heads]);
        all.permute([2, 0, 3, 1, 4]).unbind(0)
    }

    /// Attention along the third axis of `x`, which keeps its shape.
    fn forward(&self, x: &Tensor) -> Tensor {
        let [query, key, value] = &self.project(x)[..] else {
            unreachable!("three projections");
        };
        let no_mask = None::<Tensor>;
        let mixed = Tensor::scaled_dot_product_attention(query, key, value, no_mask, 0.0, false, None, false);
        self.out.forward(&mixed.transpose(1, 2).reshape(x.size().as_slice()))
    }

    /// The weights themselves, `[…, h, l, l]`.
    fn weights(&self, x: &Tensor) -> Tensor {
        let parts = self.project(x);
        let size = parts[0].size()[3] as f64;
        (parts[0].matmul(&parts[1].transpose(2, 3)) / size.sqrt()).softmax(-1, Kind::Float)
    }
}

impl Network for PoseTransformer {
    fn optimise(&self, poses: &Poses<'_>, _training: bool) -> Tensor {
        let answer = self.prepare(poses).and_then(|prepared| {
            let y_btkc = self.forward(&prepared);
            self.invert(&y_btkc, &prepared.ways, poses.input_btkc.device())
        });
        answer.unwrap_or_else(|_| Tensor::full_like(poses.input_btkc, f64::NAN))
    }

    fn loss(
        &self,
        poses: &Poses<'_>,
        target_btkc: &Tensor,
        known_btk: &Tensor,
        _training: bool,
    ) -> Result<(Tensor, Measures)> {
        let prepared = self.prepare(poses)?;
        let target_btkc = self.canonical(target_btkc, &prepared.ways)?;
        let squares_btk = (self.forward(&prepared) - target_btkc).square().sum_dim_intlist(-1, false, Kind::Float);
        let errors_btk = (squares_btk + 1e-8).sqrt();
        let weight = self.config.masked_weight;
        let weights_btk =
            (poses.given_btk.to_kind(Kind::Float) * (1.0 - weight) + weight) * known_btk.to_kind(Kind::Float);
        let loss = (&errors_btk * &weights_btk).sum(Kind::Float) / weights_btk.sum(Kind::Float).clamp_min(1.0);
        let scale = self.anatomy()?.scale;
        let known = known_btk.to_kind(Kind::Float);
        let mean = (errors_btk.detach() * &known).sum(Kind::Float) / known.sum(Kind::Float).clamp_min(1.0);
        Ok((loss, vec![("mpjpe", mean * scale)]))
    }

    /// Embeddings of time and keypoints do not decay, nor do biases and norms.
    fn rule(&self, name: &str, tensor: &Tensor) -> Rule {
        let rule = Rule::by_shape(tensor);
        Rule { decays: rule.decays && !["time", "joint"].contains(&name), ..rule }
    }

    fn explain(&self, poses: &Poses<'_>) -> Result<Vec<Exhibit>> {
        let prepared = self.prepare(poses)?;
        let (mut x_btkd, mut over_time, mut over_joints) = (self.embed(&prepared), Vec::new(), Vec::new());
        for block in &self.blocks {
            // the mean over frames, and over keypoints
            over_joints.push(block.joint.weights(&x_btkd).mean_dim(0, false, Kind::Float));
            let x_bktd = (&x_btkd + block.joint.forward(&x_btkd)).transpose(1, 2);
            over_time.push(block.time.weights(&x_bktd).mean_dim(0, false, Kind::Float));
            x_btkd = block.forward(&x_btkd);
        }
        let names =
            |exhibit: Exhibit| Exhibit { row_labels: self.names.clone(), column_labels: self.names.clone(), ..exhibit };
        Ok(vec![
            Exhibit::new("time-attention", &Tensor::stack(&over_time, 0))?,
            names(Exhibit::new("joint-attention", &Tensor::stack(&over_joints, 0))?),
        ])
    }

    fn reference_config(&self) -> Value {
        self.config.describe()
    }
}
