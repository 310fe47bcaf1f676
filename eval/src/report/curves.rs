//! Learning curves: from the lines of `metrics.jsonl` to what can be drawn.

use std::collections::BTreeMap;

use serde::Serialize;
use tessera_datasets::run_dir::MetricLine;

/// More points than this are drawn as the range and the mean of equal stretches.
pub(super) const MOST_POINTS: usize = 400;

/// The width of the smoothing kernel as a share of the curve.
const SMOOTHING: f64 = 0.012;

/// What the error of hidden keypoints is logged as; with `_` and a name that of some windows.
const HIDDEN: &str = "mpjpe_masked";

/// All curves of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curves {
    /// The loss on the training data as it was logged.
    pub train: Option<Series>,
    /// The same, smoothed.
    pub smoothed: Option<Series>,
    /// The loss on the validation data.
    pub validation: Option<Series>,
    /// Top-1 accuracy on the validation data, of a model that classifies.
    pub accuracy: Option<Series>,
    /// The error of hidden keypoints on the validation data, of a model of poses: by what was done to
    /// the input where that is known, else over all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Series>,
    /// What else was logged of the training: `learning_rate`, `gradient_norm`, …
    pub others: Vec<Series>,
    /// Losses that were logged and are no finite number.
    pub not_finite: u64,
}

/// One value over the steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The name in `metrics.jsonl`, such as `learning_rate`.
    pub name: String,
    /// The steps.
    pub steps: Vec<f64>,
    /// The values; the means of stretches where there were too many.
    pub values: Vec<f64>,
    /// The lowest value of each stretch; empty where every point is its own.
    pub low: Vec<f64>,
    /// The highest value of each stretch; empty where every point is its own.
    pub high: Vec<f64>,
}

impl Curves {
    /// The curves in some lines; none where there is nothing to draw.
    pub fn of(lines: &[MetricLine]) -> Option<Self> {
        let train = Values::of(lines, "train");
        let validation = Values::of(lines, "validation");
        let losses = train.series("loss");
        let others = train.names().filter(|name| *name != "loss").filter_map(|name| train.series(name));
        let curves = Self {
            smoothed: losses.as_ref().filter(|s| s.steps.len() > 20).map(|s| s.smoothed(SMOOTHING)),
            train: losses,
            validation: validation.series("loss"),
            accuracy: validation.series("top1"),
            hidden: hidden(&validation),
            others: others.collect(),
            not_finite: train.not_finite + validation.not_finite,
        };
        (curves.train.is_some() || curves.validation.is_some()).then_some(curves)
    }
}

fn hidden(validation: &Values<'_>) -> Vec<Series> {
    let by_corruption = validation.by_name.keys().filter(|name| name.starts_with(HIDDEN) && **name != HIDDEN);
    let by_corruption: Vec<Series> = by_corruption.filter_map(|name| validation.series(name)).collect();
    match by_corruption.is_empty() {
        true => validation.series(HIDDEN).into_iter().collect(),
        false => by_corruption,
    }
}

/// The values of one split by name and step.
struct Values<'a> {
    by_name: BTreeMap<&'a str, BTreeMap<u64, f64>>,
    not_finite: u64,
}

impl<'a> Values<'a> {
    fn of(lines: &'a [MetricLine], split: &str) -> Self {
        let mut by_name: BTreeMap<&str, BTreeMap<u64, f64>> = BTreeMap::new();
        let mut not_finite = 0;
        for line in lines.iter().filter(|line| line.split == split) {
            for (name, value) in &line.values {
                match value.as_f64().filter(|v| v.is_finite()) {
                    // a run that was killed and went on logs some steps again: the last one counts
                    Some(value) => drop(by_name.entry(name).or_default().insert(line.step, value)),
                    None => not_finite += u64::from(name == "loss"),
                }
            }
        }
        Self { by_name, not_finite }
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        let known = ["learning_rate", "gradient_norm", "tokens_per_second", "images_per_second"];
        let first = known.into_iter().filter(|name| self.by_name.contains_key(name));
        let rest = self.by_name.keys().copied().filter(move |name| !known.contains(name));
        first.chain(rest)
    }

    fn series(&self, name: &str) -> Option<Series> {
        let points: Vec<(f64, f64)> =
            self.by_name.get(name)?.iter().map(|(step, value)| (*step as f64, *value)).collect();
        (!points.is_empty()).then(|| Series::of(name, &points, MOST_POINTS))
    }
}

impl Series {
    /// A series of points in order, at most `most` of them.
    pub(super) fn of(name: &str, points: &[(f64, f64)], most: usize) -> Self {
        let mut series =
            Self { name: name.to_owned(), steps: Vec::new(), values: Vec::new(), low: Vec::new(), high: Vec::new() };
        if points.len() <= most {
            (series.steps, series.values) = points.iter().copied().unzip();
            return series;
        }
        for i in 0..most {
            let stretch = &points[i * points.len() / most..(i + 1) * points.len() / most];
            let mean = |of: fn(&(f64, f64)) -> f64| stretch.iter().map(of).sum::<f64>() / stretch.len() as f64;
            series.steps.push(mean(|p| p.0));
            series.values.push(mean(|p| p.1));
            series.low.push(stretch.iter().map(|p| p.1).fold(f64::INFINITY, f64::min));
            series.high.push(stretch.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max));
        }
        series
    }

    /// The same steps with a Gaussian mean of the values around each, `width` of the whole wide on
    /// each side.
    pub(super) fn smoothed(&self, width: f64) -> Self {
        let sigma = (self.values.len() as f64 * width).max(1.0);
        let reach = (3.0 * sigma).ceil() as usize;
        let at = |i: usize| {
            // the same reach on both sides, or the ends would be drawn towards the middle
            let reach = reach.min(i).min(self.values.len() - 1 - i);
            let weight = |j: usize| (-0.5 * ((j as f64 - i as f64) / sigma).powi(2)).exp();
            let (mut sum, mut weights) = (0.0, 0.0);
            for j in i - reach..=i + reach {
                sum += weight(j) * self.values[j];
                weights += weight(j);
            }
            sum / weights
        };
        Self { values: (0..self.values.len()).map(at).collect(), low: Vec::new(), high: Vec::new(), ..self.clone() }
    }

    /// The points.
    pub fn points(&self) -> Vec<(f64, f64)> {
        self.steps.iter().copied().zip(self.values.iter().copied()).collect()
    }

    /// The mean of the values of this share of the curve, at its end; of the last where that is less.
    pub fn mean_of_end(&self, share: f64) -> Option<f64> {
        let count = ((self.values.len() as f64 * share) as usize).max(1);
        let end = self.values.get(self.values.len().checked_sub(count)?..)?;
        Some(end.iter().sum::<f64>() / count as f64)
    }

    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied()
    }

    /// The value in the middle of the sorted values.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(step: u64, split: &str, values: serde_json::Value) -> MetricLine {
        MetricLine { step, split: split.to_owned(), values: values.as_object().unwrap().clone() }
    }

    #[test]
    fn a_step_that_was_done_twice_counts_once() {
        let lines = [
            line(1, "train", json!({ "loss": 3.0, "learning_rate": 0.1 })),
            line(2, "train", json!({ "loss": 2.0 })),
            line(2, "train", json!({ "loss": 2.5 })),
            line(2, "validation", json!({ "loss": null })),
        ];
        let curves = Curves::of(&lines).unwrap();
        assert_eq!(curves.train.unwrap().points(), [(1.0, 3.0), (2.0, 2.5)]);
        assert_eq!(curves.others[0].name, "learning_rate");
        assert_eq!((curves.validation, curves.not_finite), (None, 1));
        assert!(Curves::of(&[]).is_none());
    }

    #[test]
    fn many_points_become_stretches_that_hold_them_all() {
        let points: Vec<(f64, f64)> = (0..1003).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let series = Series::of("loss", &points, 100);
        assert_eq!(series.steps.len(), 100);
        assert!(series.low.iter().all(|v| *v == 0.0) && series.high.iter().all(|v| *v == 6.0));
    }

    #[test]
    fn smoothing_keeps_a_straight_line() {
        let points: Vec<(f64, f64)> = (0..50).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let series = Series::of("loss", &points, 100);
        let smooth = series.smoothed(0.05);
        assert!(smooth.values.iter().zip(&series.values).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
