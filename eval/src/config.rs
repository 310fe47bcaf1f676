//! The `[eval]` part of a config.

use tessera_datasets::Result;
use tessera_datasets::config::{RunConfig, Section};
use toml::Value;

use crate::bootstrap::Bootstrap;
use crate::metric::AnyMetric;
use crate::metrics;

const KEYS: [&str; 3] = ["split", "bootstrap", "metric"];

/// Replicates where a config does not say.
pub const BOOTSTRAP: u32 = 1000;

/// Below this an interval at 95 % would hang on a handful of replicates.
const FEWEST_REPLICATES: i64 = 100;
const MOST_REPLICATES: i64 = 1_000_000;

/// `[eval]`: what is scored, and by which metrics.
#[derive(Clone, Debug)]
pub struct EvalConfig {
    /// The split whose predictions are scored.
    pub split: String,
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// The metrics; the first is the headline. Empty where the config names none: then all that
    /// are for the task are meant.
    pub metrics: Vec<AnyMetric>,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { split: "validation".to_owned(), bootstrap: Bootstrap::new(BOOTSTRAP), metrics: Vec::new() }
    }
}

impl EvalConfig {
    /// Parses `[eval]` and every `[[eval.metric]]`.
    ///
    /// # Errors
    /// At the first key, kind or value that is wrong.
    pub fn of(config: &RunConfig) -> Result<Self> {
        let section = config.section("eval")?;
        section.refuse_unknown(&KEYS)?;
        let split = match section.table().get("split") {
            None => Self::default().split,
            Some(Value::String(split)) if !split.is_empty() => split.clone(),
            Some(other) => return Err(section.error("split", format!("`split` is `{other}`, not the name of a split"))),
        };
        let metrics = section.children("metric")?.into_iter().map(metrics::parse);
        Ok(Self { split, bootstrap: bootstrap(&section)?, metrics: metrics.collect::<Result<_>>()? })
    }

    /// The metrics of the config, or all for the task where it names none.
    ///
    /// # Errors
    /// When it names none and none is for the task.
    pub fn metrics_for(&self, task: &str) -> Result<Vec<AnyMetric>> {
        match self.metrics.is_empty() {
            true => metrics::for_task(task),
            false => Ok(self.metrics.clone()),
        }
    }
}

fn bootstrap(section: &Section) -> Result<Bootstrap> {
    match section.table().get("bootstrap") {
        None => Ok(Bootstrap::new(BOOTSTRAP)),
        Some(Value::Integer(n)) if *n == 0 || (FEWEST_REPLICATES..=MOST_REPLICATES).contains(n) => {
            Ok(Bootstrap::new(u32::try_from(*n).unwrap_or_default()))
        }
        Some(other) => {
            let message =
                format!("`bootstrap` is `{other}`, not 0 (no intervals) or {FEWEST_REPLICATES} to {MOST_REPLICATES}");
            Err(section.error("bootstrap", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(eval: &str) -> Result<EvalConfig> {
        let text = format!("version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n{eval}");
        EvalConfig::of(&RunConfig::parse(Path::new("a.toml"), &text, &[])?)
    }

    #[test]
    fn an_absent_part_means_the_usual() {
        let config = parse("").unwrap();
        assert_eq!((config.split.as_str(), config.bootstrap.count), ("validation", BOOTSTRAP));
        let kinds: Vec<&str> = config.metrics_for("language-model").unwrap().iter().map(|m| m.about().kind).collect();
        assert_eq!(kinds, ["perplexity", "bits-per-byte", "loss", "token-accuracy"]);
        assert!(config.metrics_for("knitting").unwrap_err().message().contains("`knitting`"));
    }

    #[test]
    fn keeps_the_order_of_the_metrics() {
        let text = "[eval]\nsplit = \"test\"\nbootstrap = 0\n[[eval.metric]]\nkind = \"loss\"\n[[eval.metric]]\nkind = \"perplexity\"\n";
        let config = parse(text).unwrap();
        assert_eq!((config.split.as_str(), config.bootstrap.count), ("test", 0));
        assert_eq!(config.metrics.iter().map(|m| m.about().kind).collect::<Vec<_>>(), ["loss", "perplexity"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let message = |eval: &str| parse(eval).unwrap_err().to_string();
        assert_eq!(
            message("[eval]\nspilt = \"test\"\n"),
            "`a.toml`, row 6: unknown key `spilt` in `eval`; valid keys: `split`, `bootstrap`, `metric`"
        );
        assert_eq!(
            message("[[eval.metric]]\nkind = \"perplexty\"\n"),
            "`a.toml`, row 6: unknown metric `perplexty`; known: `bleu`, `chrf`, `ter`, `perplexity`, `bits-per-byte`, `loss`, `token-accuracy`, `top-1`, `top-5`, `macro-accuracy`, `macro-f1`, `cross-entropy`, `calibration-error`, `mpjpe-masked`, `mpjpe`, `mpjpe-visible`, `pa-mpjpe`, `pck`, `acceleration-error`, `bone-length-deviation`"
        );
        assert_eq!(
            message("[[eval.metric]]\nkind = \"loss\"\nbase = 2\n"),
            "`a.toml`, row 7: unknown key `base` in `eval.metric[0]`, which takes no keys"
        );
        assert!(message("[eval]\nbootstrap = 10\n").contains("row 6: `bootstrap` is `10`, not 0 (no intervals)"));
        assert!(message("[eval]\nbootstrap = -1\n").contains("not 0"));
        assert!(message("[eval]\nsplit = 3\n").contains("not the name of a split"));
    }
}
