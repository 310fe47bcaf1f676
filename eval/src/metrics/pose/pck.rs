//! Percentage of correct keypoints (Yang and Ramanan, "Articulated human detection with flexible
//! mixtures of parts", 2013), with the animal's own extent as the measure, as BU-CVKit has it.

use serde::Deserialize;
use tessera_datasets::Result;

use super::scope::Scope;
use super::{COLUMNS, Estimate, Of, TASKS, errors};
use crate::metric::{About, Direction, Metric};
use crate::metrics::ratio::Ratio;
use crate::number::percent;
use crate::predictions::Details;
use crate::rows::Rows;
use crate::score::Signature;

/// The share of the extent where a config does not say.
const THRESHOLD: f64 = 0.05;

/// How many keypoints are near enough.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Settings")]
pub(in crate::metrics) struct Pck {
    threshold: f64,
    scope: Scope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    threshold: f64,
    corruption: Option<String>,
    keypoint: Option<String>,
    estimate: Estimate,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: THRESHOLD, corruption: None, keypoint: None, estimate: Estimate::default() }
    }
}

impl Default for Pck {
    fn default() -> Self {
        Self { threshold: THRESHOLD, scope: Scope::default() }
    }
}

impl TryFrom<Settings> for Pck {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Self, String> {
        let Settings { threshold, corruption, keypoint, estimate } = settings;
        match threshold > 0.0 && threshold <= 1.0 {
            true => Ok(Self { threshold, scope: Scope { corruption, estimate, keypoint } }),
            false => Err(format!("`threshold` is {threshold}, not above 0 and up to 1")),
        }
    }
}

impl Pck {
    /// The threshold as people name it: `5 %`.
    fn in_percent(&self) -> String {
        let text = format!("{:.2}", 100.0 * self.threshold);
        format!("{}\u{202f}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Metric for Pck {
    type Statistic = Of<Ratio>;

    const ABOUT: About = About {
        kind: "pck",
        label: "PCK",
        summary: "keypoints nearer to the truth than threshold (0.05) × the largest distance within the pose, as BU-CVKit; options corruption, keypoint, estimate",
        tasks: TASKS,
        columns: COLUMNS,
        unit: "fraction",
        direction: Direction::HigherIsBetter,
        counts: "windows with a known pose",
        comparable_across_tokenizers: true,
    };

    fn name(&self) -> String {
        let kind = match self.threshold == THRESHOLD {
            true => "pck".to_owned(),
            false => format!("pck-{}", self.in_percent().trim_end_matches(['\u{202f}', '%'])),
        };
        self.scope.name(&kind)
    }

    fn label(&self) -> String {
        self.scope.label(&format!("PCK at {}", self.in_percent()))
    }

    fn read(&self, rows: &Rows<'_>) -> Result<Vec<Self::Statistic>> {
        self.scope.rows(rows, |window, which| {
            errors::pck(window, self.scope.estimate, self.threshold, which)
                .map_or_else(Ratio::default, |share| Ratio::new(share, 1))
        })
    }

    fn groups(&self, rows: &Rows<'_>) -> Result<Option<Vec<u64>>> {
        Scope::groups(rows)
    }

    fn value(&self, total: &Self::Statistic) -> Option<f64> {
        total.statistic.value()
    }

    fn counted(&self, total: &Self::Statistic) -> u64 {
        total.statistic.count()
    }

    fn signature(&self, total: &Self::Statistic, _: u64, details: &Details) -> Signature {
        let signature = self.scope.signature(&total.seen, details);
        signature.with("threshold", self.threshold).with("mean", "keypoints,frames,windows")
    }

    fn meaning(&self, value: f64, _: &Details) -> String {
        let (share, threshold) = (percent(value), self.in_percent());
        format!("{} within {threshold} of the pose's extent for {share} of the keypoints", self.scope.subject())
    }
}
