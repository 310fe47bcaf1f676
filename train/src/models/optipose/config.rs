//! The table in the config, and the parameters that it declares.

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_datasets::Result;
use tessera_datasets::config::Section;

use crate::parameters::{Declaration, Init};

/// Which of the two published architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// That of the paper (code of October 2022): each context model has an output of its own, their
    /// sum goes through the regression model, and the given poses are added.
    Paper,
    /// That of the later code (November 2023): every sub-model sees the given poses, the context
    /// models' results stand side by side in front of the regression model, and nothing is added.
    Later,
}

/// `[train.model]` with `kind = "optipose"`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptiposeOptions {
    /// `paper` or `later`.
    pub architecture: Architecture,
    /// How many context models there are side by side.
    pub context_models: i64,
    /// How many sub-models follow each other in each.
    pub sub_models: i64,
    /// Heads of every attention; each is as wide as a pose.
    pub heads: i64,
    /// `paper`: the width of what a context model gives; 60 where it is not given.
    pub output_width: Option<i64>,
    /// The share of attention weights that are dropped, but for those of the first sub-models; 0.2
    /// for `later`, 0 for `paper` where it is not given.
    pub attention_dropout: Option<f64>,
    /// What the squares of the weights of dense layers weigh in the loss, and for `later` their
    /// absolute values too.
    pub regularisation: f64,
    /// What the spatial term weighs in the loss.
    pub spatial: f64,
    /// What the temporal term weighs.
    pub temporal: f64,
    /// Whether padding is left out of the Euclidean term; the published loss counts it.
    pub masked_euclid: bool,
    /// Whether padding is left out of every attention; the published network sees it in all but
    /// the first.
    pub masked_padding: bool,
}

impl Default for OptiposeOptions {
    fn default() -> Self {
        Self {
            architecture: Architecture::Paper,
            context_models: 10,
            sub_models: 7,
            heads: 1,
            output_width: None,
            attention_dropout: None,
            regularisation: 0.01,
            spatial: 1e-4,
            temporal: 1e-4,
            masked_euclid: false,
            masked_padding: false,
        }
    }
}

impl OptiposeOptions {
    /// Parses the table.
    ///
    /// # Errors
    /// At the first key that is unknown or has a value that makes no sense.
    pub fn parse(section: &Section) -> Result<Self> {
        let options: Self = section.parse()?;
        let counts = [
            ("context_models", options.context_models),
            ("sub_models", options.sub_models),
            ("heads", options.heads),
            ("output_width", options.output_width.unwrap_or(1)),
        ];
        for (key, count) in counts {
            if !(1..=4096).contains(&count) {
                return Err(section.error(key, format!("`{key}` {count} is not between 1 and 4096")));
            }
        }
        if options.output_width.is_some() && options.architecture == Architecture::Later {
            let message = "`output_width` is for `architecture = \"paper\"`: the later one has no such layer";
            return Err(section.error("output_width", message));
        }
        let weights =
            [("regularisation", options.regularisation), ("spatial", options.spatial), ("temporal", options.temporal)];
        for (key, weight) in weights {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(section.error(key, format!("`{key}` {weight} must be at least 0")));
            }
        }
        if let Some(share) = options.attention_dropout.filter(|share| !(0.0..1.0).contains(share)) {
            let message = format!("`attention_dropout` {share} is not at least 0 and below 1");
            return Err(section.error("attention_dropout", message));
        }
        Ok(options)
    }

    /// With the size of the windows.
    pub fn resolve(&self, window: i64, keypoints: i64) -> OptiposeConfig {
        let later = self.architecture == Architecture::Later;
        OptiposeConfig {
            architecture: self.architecture,
            window,
            keypoints,
            context_models: self.context_models,
            sub_models: self.sub_models,
            heads: self.heads,
            output_width: self.output_width.unwrap_or(60),
            attention_dropout: self.attention_dropout.unwrap_or(if later { 0.2 } else { 0.0 }),
            regularisation: self.regularisation,
            spatial: self.spatial,
            temporal: self.temporal,
            masked_euclid: self.masked_euclid,
            masked_padding: self.masked_padding,
        }
    }
}

/// All that decides what the network is; the fields are those of [`OptiposeOptions`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "they are those of `OptiposeOptions`")]
pub struct OptiposeConfig {
    pub architecture: Architecture,
    pub window: i64,
    pub keypoints: i64,
    pub context_models: i64,
    pub sub_models: i64,
    pub heads: i64,
    pub output_width: i64,
    pub attention_dropout: f64,
    pub regularisation: f64,
    pub spatial: f64,
    pub temporal: f64,
    pub masked_euclid: bool,
    pub masked_padding: bool,
}

impl OptiposeConfig {
    /// How wide a pose is as one vector.
    pub fn width(&self) -> i64 {
        self.keypoints * 3
    }

    /// The parameters under Keras' names and in its shapes, started as in Keras: Glorot-uniform
    /// (Glorot and Bengio 2010), biases and slopes 0.
    ///
    /// Keras counts the inputs and outputs of an attention's kernels `[d, h, k]` as those of a
    /// convolution with a field of d, so that they start smaller than those of a plain map would.
    pub fn declare(&self) -> Vec<Declaration> {
        let (width, heads) = (self.width(), self.heads);
        let mut out = Vec::new();
        let mut declare = |name: String, shape: &[i64], init| out.push(Declaration::new(name, shape, init));
        for model in 0..self.context_models {
            for level in 0..self.sub_models {
                let attention = attention_name(model, level);
                for part in ["query", "key", "value"] {
                    let init = Init::xavier_uniform(width * heads, width * width, 1.0);
                    declare(format!("{attention}.{part}.kernel"), &[width, heads, width], init);
                    declare(format!("{attention}.{part}.bias"), &[heads, width], Init::Zeros);
                }
                let init = Init::xavier_uniform(heads * width, heads * width, 1.0);
                declare(format!("{attention}.attention_output.kernel"), &[heads, width, width], init);
                declare(format!("{attention}.attention_output.bias"), &[width], Init::Zeros);
                let dense = dense_name(model, level);
                let init = Init::xavier_uniform(2 * width, width, 1.0);
                declare(format!("{dense}.kernel"), &[2 * width, width], init);
                declare(format!("{dense}.bias"), &[width], Init::Zeros);
                declare(format!("{dense}.alpha"), &[self.window, width], Init::Zeros);
            }
            if self.architecture == Architecture::Paper {
                let init = Init::xavier_uniform(width, self.output_width, 1.0);
                declare(format!("cm_{model}_out.kernel"), &[width, self.output_width], init);
                declare(format!("cm_{model}_out.bias"), &[self.output_width], Init::Zeros);
            }
        }
        let inputs = match self.architecture {
            Architecture::Paper => self.output_width,
            Architecture::Later => self.context_models * width,
        };
        declare("pcm_out.kernel".to_owned(), &[inputs, width], Init::xavier_uniform(inputs, width, 1.0));
        declare("pcm_out.bias".to_owned(), &[width], Init::Zeros);
        out
    }

    /// Its description for `config.json`.
    pub fn describe(&self) -> Value {
        json!({
            "model_type": "optipose",
            "architecture": match self.architecture {
                Architecture::Paper => "paper",
                Architecture::Later => "later",
            },
            "window_size": self.window,
            "n_parts": self.keypoints,
            "n_pcm": self.context_models,
            "n_scm": self.sub_models,
            "multi_heads": self.heads,
            "output_dim": (self.architecture == Architecture::Paper).then_some(self.output_width),
        })
    }
}

/// The name of a sub-model's attention.
pub(super) fn attention_name(model: i64, level: i64) -> String {
    format!("cm_{model}_scm_{level}_attn")
}

/// The name of its dense layer.
pub(super) fn dense_name(model: i64, level: i64) -> String {
    format!("cm_{model}_scm_{level}_out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::count;

    fn parse(text: &str) -> Result<OptiposeOptions> {
        let config = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[train.model]\n{text}\n");
        let run = tessera_datasets::config::RunConfig::parse(std::path::Path::new("a.toml"), &config, &[]).unwrap();
        OptiposeOptions::parse(&run.section("train")?.child("model")?)
    }

    #[test]
    fn parameter_counts_are_the_published_one_and_those_of_our_own_derivation() {
        // 1,117,608: the summary of the paper's code for (30, 16, 10, 7, 1, 60)
        let paper = OptiposeOptions::default().resolve(30, 16);
        assert_eq!(count(&paper.declare()), 1_117_608);
        // 18,141,594 and 896,430: Keras' counts of the paper's code for its fly and rodent sizes
        let fly =
            OptiposeConfig { keypoints: 38, context_models: 15, sub_models: 5, heads: 4, output_width: 120, ..paper };
        assert_eq!(count(&fly.declare()), 18_141_594);
        let rodent = OptiposeConfig { keypoints: 10, sub_models: 5, heads: 4, ..paper };
        assert_eq!(count(&rodent.declare()), 896_430);
        // the later one: a sub-model has queries, keys and values of d·h·d + h·d, an output of
        // h·d·d + d, a dense layer of 2d·d + d and slopes of t·d; the regression model n·d·d + d
        for (keypoints, heads, expected) in [(16, 1, 1_108_368), (23, 3, 4_911_489)] {
            let later = OptiposeConfig { architecture: Architecture::Later, keypoints, heads, ..paper };
            let (n, k, t, h, d) = (10, 7, 30, heads, keypoints * 3);
            let attention = 3 * (d * h * d + h * d) + h * d * d + d;
            let derived = n * k * (attention + 2 * d * d + d + t * d) + n * d * d + d;
            assert_eq!(count(&later.declare()), derived.unsigned_abs());
            assert_eq!(count(&later.declare()), expected);
        }
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        assert!(parse("architecture = \"later\"").is_ok());
        for (text, message) in [
            ("architecture = \"newer\"", "newer"),
            ("architecture = \"later\"\noutput_width = 60", "the later one has no such layer"),
            ("heads = 0", "`heads` 0 is not between"),
            ("spatial = -1.0", "`spatial` -1 must be at least 0"),
            ("attention_dropout = 1.0", "`attention_dropout` 1 is not"),
            ("n_pcm = 10", "n_pcm"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
