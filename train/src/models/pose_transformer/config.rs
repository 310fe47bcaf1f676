//! The table in the config, and the parameters that it declares.

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::parameters::{Declaration, Init};

/// Candidates for each point.
pub(super) const CANDIDATES: i64 = 5;

/// Features of each point: the middle candidate, what was given beside it, the other candidates
/// beside it (three coordinates each), whether it is given, how far the next given frames before
/// and after are, and whether it is given at all in the window.
pub(super) const FEATURES: i64 = 3 + 3 + 3 * (CANDIDATES - 1) + 4;

/// `[train.model]` with `kind = "pose-transformer"`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoseTransformerOptions {
    /// Width of a point's hidden state.
    pub width: i64,
    /// Blocks of attention over keypoints, attention over time, and a feed-forward layer.
    pub blocks: i64,
    /// Heads of every attention.
    pub heads: i64,
    /// Width of the feed-forward layers; twice `width` where it is not given.
    pub feed_forward: Option<i64>,
    /// The largest error of a coordinate that is given, in the skeleton's unit; learnt from the
    /// training windows where it is not given.
    pub noise: Option<f64>,
    /// What the error of a point that was not given counts in the loss, beside 1 of one that was.
    pub masked_weight: f64,
}

impl Default for PoseTransformerOptions {
    fn default() -> Self {
        Self { width: 32, blocks: 2, heads: 2, feed_forward: None, noise: None, masked_weight: 2.0 }
    }
}

impl PoseTransformerOptions {
    /// Parses the table.
    ///
    /// # Errors
    /// At the first key that is unknown or has a value that makes no sense.
    pub fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let counts = [
            ("width", options.width),
            ("blocks", options.blocks),
            ("heads", options.heads),
            ("feed_forward", options.feed_forward.unwrap_or(1)),
        ];
        for (key, count) in counts {
            if !(1..=4096).contains(&count) {
                return Err(section.error(key, format!("`{key}` {count} is not between 1 and 4096")));
            }
        }
        if options.width % options.heads != 0 {
            let message = format!("`heads` {} does not divide `width` {}", options.heads, options.width);
            return Err(section.error("heads", message));
        }
        for (key, value) in [("noise", options.noise.unwrap_or(1.0)), ("masked_weight", options.masked_weight)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(section.error(key, format!("`{key}` {value} must be above 0")));
            }
        }
        Ok(options)
    }

    /// With the size of the windows.
    pub fn resolve(&self, window: i64, keypoints: i64) -> PoseTransformerConfig {
        let Self { width, blocks, heads, feed_forward, noise, masked_weight } = *self;
        let feed_forward = feed_forward.unwrap_or(2 * width);
        PoseTransformerConfig { window, keypoints, width, blocks, heads, feed_forward, noise, masked_weight }
    }
}

/// All that decides what the network is; the fields are those of [`PoseTransformerOptions`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "they are those of `PoseTransformerOptions`")]
pub struct PoseTransformerConfig {
    pub window: i64,
    pub keypoints: i64,
    pub width: i64,
    pub blocks: i64,
    pub heads: i64,
    pub feed_forward: i64,
    pub noise: Option<f64>,
    pub masked_weight: f64,
}

impl PoseTransformerConfig {
    /// The parameters in order. Those below `anatomy` are worked out once and not trained.
    pub fn declare(&self) -> Vec<Declaration> {
        let (width, keypoints) = (self.width, self.keypoints);
        let mut out = vec![
            Declaration::new("time", &[self.window, width], Init::Normal { deviation: 0.02 }),
            Declaration::new("joint", &[keypoints, width], Init::Normal { deviation: 0.02 }),
        ];
        linear(&mut out, "embed", FEATURES, width);
        for block in 0..self.blocks {
            for axis in ["joint", "time"] {
                let name = |part: &str| format!("blocks.{block}.{axis}.{part}");
                norm(&mut out, &name("norm"), width);
                linear(&mut out, &name("qkv"), width, 3 * width);
                linear(&mut out, &name("out"), width, width);
            }
            norm(&mut out, &format!("blocks.{block}.norm"), width);
            linear(&mut out, &format!("blocks.{block}.fc1"), width, self.feed_forward);
            linear(&mut out, &format!("blocks.{block}.fc2"), self.feed_forward, width);
        }
        norm(&mut out, "norm", width);
        out.push(Declaration::new("head.weight", &[3 + CANDIDATES, width], Init::Zeros));
        out.push(Declaration::new("head.bias", &[3 + CANDIDATES], Init::Zeros));
        let k = keypoints;
        for (name, shape) in [
            ("mean", vec![k, 3]),
            ("weight", vec![k]),
            ("scale", vec![1]),
            ("noise", vec![1]),
            ("covariance", vec![3 * k, 3 * k]),
            ("local.weight", vec![k, k]),
            ("local.mean", vec![k, k, 3]),
            ("local.covariance", vec![k, 3 * k, 3 * k]),
        ] {
            out.push(Declaration::new(format!("anatomy.{name}"), &shape, Init::Zeros));
        }
        out
    }

    /// The network's description.
    pub fn describe(&self) -> Value {
        json!({
            "architecture": "pose-transformer",
            "window": self.window,
            "width": self.width,
            "blocks": self.blocks,
            "heads": self.heads,
            "feed_forward": self.feed_forward,
            "masked_weight": self.masked_weight,
        })
    }
}

/// PyTorch's start of `nn.Linear`.
fn linear(out: &mut Vec<Declaration>, name: &str, inputs: i64, outputs: i64) {
    let init = Init::Uniform { limit: (1.0 / inputs as f64).sqrt() };
    out.push(Declaration::new(format!("{name}.weight"), &[outputs, inputs], init));
    out.push(Declaration::new(format!("{name}.bias"), &[outputs], init));
}

fn norm(out: &mut Vec<Declaration>, name: &str, width: i64) {
    out.push(Declaration::new(format!("{name}.weight"), &[width], Init::Ones));
    out.push(Declaration::new(format!("{name}.bias"), &[width], Init::Zeros));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    #[test]
    fn trained_parameters_are_as_many_as_the_pilot_had() {
        // PyTorch 2.11.0: sum(p.numel() for p in net.parameters())
        for (keypoints, expected) in [(23, 28_424), (14, 28_136)] {
            let config = PoseTransformerOptions::default().resolve(30, keypoints);
            let trained: Vec<_> = config.declare().into_iter().filter(|d| !d.name.starts_with("anatomy.")).collect();
            assert_eq!(count(&trained), expected);
        }
    }
}
