//! The forward pass, with the channels last in memory throughout.
//!
//! Shapes: b batch, c channels, h height, w width.

use tch::Tensor;
use tessera_datasets::Result;

use super::config::ConvNextConfig;
use crate::layers::{Branches, Dropout, LayerNorm, Linear, Patches, StochasticDepth};
use crate::parameters::Parameters;

/// A ConvNeXt over parameters that somebody else owns.
#[derive(Debug)]
pub struct ConvNext {
    pub(super) config: ConvNextConfig,
    pub(super) stem: Patches,
    stem_norm: LayerNorm,
    stages: Vec<Stage>,
    norm: LayerNorm,
    head: Linear,
    dropout: Dropout,
    depth: StochasticDepth,
}

#[derive(Debug)]
struct Stage {
    downsample: Option<(LayerNorm, Patches)>,
    blocks: Vec<Block>,
    /// The number of its first block among all.
    first: usize,
}

#[derive(Debug)]
struct Block {
    kernel: Tensor,
    kernel_bias: Tensor,
    norm: LayerNorm,
    weight_in: Tensor,
    bias_in: Tensor,
    weight_out: Tensor,
    bias_out: Tensor,
    gamma: Option<Tensor>,
}

impl ConvNext {
    /// Finds the parameters by name.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(config: ConvNextConfig, parameters: &Parameters) -> Result<Self> {
        let norm = |name: &str| LayerNorm::new(parameters, name, config.epsilon);
        let mut stages = Vec::new();
        let mut first = 0;
        for (stage, &depth) in config.depths.iter().enumerate() {
            let downsample = match config.downsamples(stage) {
                false => None,
                true => Some((
                    norm(&format!("stages.{stage}.downsample.0"))?,
                    Patches::new(parameters, &format!("stages.{stage}.downsample.1"))?,
                )),
            };
            let block = |block: i64| Block::new(parameters, &format!("stages.{stage}.blocks.{block}"), config.epsilon);
            stages.push(Stage { downsample, blocks: (0..depth).map(block).collect::<Result<_>>()?, first });
            first += depth as usize;
        }
        Ok(Self {
            stem: Patches::new(parameters, "stem.0")?,
            stem_norm: norm("stem.1")?,
            stages,
            norm: norm("head.norm")?,
            head: Linear::new(parameters, "head.fc")?,
            dropout: Dropout::new(config.head_dropout),
            depth: StochasticDepth::growing(config.stochastic_depth, config.blocks(), 1),
            config,
        })
    }

    /// The scores of the classes.
    ///
    /// # Shapes
    /// `images_bchw` to `[b, classes]`.
    pub fn forward(&self, images_bchw: &Tensor, train: bool) -> Tensor {
        let kept = self.depth.draw(images_bchw.size()[0], images_bchw.device(), train);
        let mut x_bhwc = self.embed(images_bchw);
        for stage in 0..self.stages.len() {
            x_bhwc = self.run_stage(stage, &x_bhwc, &kept);
        }
        self.classify(&x_bhwc, train)
    }

    /// What comes out of the stem.
    ///
    /// # Shapes
    /// `images_bchw` to `[b, h, w, c]`.
    pub(super) fn embed(&self, images_bchw: &Tensor) -> Tensor {
        self.stem_norm.forward(&self.stem.forward(&images_bchw.permute([0, 2, 3, 1])))
    }

    /// One stage.
    ///
    /// # Shapes
    /// `x_bhwc` to `[b, h', w', c']`.
    pub(super) fn run_stage(&self, stage: usize, x_bhwc: &Tensor, kept: &Branches) -> Tensor {
        let stage = &self.stages[stage];
        let mut x_bhwc = match &stage.downsample {
            Some((norm, patches)) => patches.forward(&norm.forward(x_bhwc)),
            None => x_bhwc.shallow_clone(),
        };
        for (index, block) in stage.blocks.iter().enumerate() {
            x_bhwc = kept.add(&x_bhwc, block.forward(&x_bhwc), stage.first + index);
        }
        x_bhwc
    }

    /// The scores from what comes out of the last stage.
    ///
    /// # Shapes
    /// `x_bhwc` to `[b, classes]`.
    pub(super) fn classify(&self, x_bhwc: &Tensor, train: bool) -> Tensor {
        let pooled_bc = x_bhwc.mean_dim([1_i64, 2].as_slice(), false, x_bhwc.kind());
        self.head.forward(&self.dropout.forward(self.norm.forward(&pooled_bc), train))
    }

    /// No branch left out.
    pub(super) fn all_kept(&self, images_bchw: &Tensor) -> Branches {
        self.depth.draw(images_bchw.size()[0], images_bchw.device(), false)
    }

    /// Its shape.
    pub fn config(&self) -> &ConvNextConfig {
        &self.config
    }
}

impl Block {
    fn new(parameters: &Parameters, name: &str, epsilon: f64) -> Result<Self> {
        let get = |part: &str| parameters.get(&format!("{name}.{part}"));
        Ok(Self {
            kernel: get("conv_dw.weight")?,
            kernel_bias: get("conv_dw.bias")?,
            norm: LayerNorm::new(parameters, &format!("{name}.norm"), epsilon)?,
            weight_in: get("mlp.fc1.weight")?,
            bias_in: get("mlp.fc1.bias")?,
            weight_out: get("mlp.fc2.weight")?,
            bias_out: get("mlp.fc2.bias")?,
            gamma: parameters.find(&format!("{name}.gamma")),
        })
    }

    /// The branch, without the sum.
    fn forward(&self, x_bhwc: &Tensor) -> Tensor {
        let (width, pad) = (self.kernel.size()[0], self.kernel.size()[2] / 2);
        let x_bchw = x_bhwc.permute([0, 3, 1, 2]);
        let mixed = x_bchw.conv2d(&self.kernel, Some(&self.kernel_bias), [1, 1], [pad, pad], [1, 1], width);
        let normed = self.norm.forward(&mixed.permute([0, 2, 3, 1]));
        // kept as 1×1 convolutions or not, they are maps of the last dimension
        let hidden = normed.linear(&self.weight_in.flatten(1, -1), Some(&self.bias_in)).gelu("none");
        let weight = self.weight_out.flatten(1, -1);
        match &self.gamma {
            None => hidden.linear(&weight, Some(&self.bias_out)),
            // the scale belongs to the map: its weight is small, what comes out of it is not
            Some(gamma) => hidden.linear(&(weight * gamma.unsqueeze(1)), Some(&self.bias_out * gamma)),
        }
    }
}
