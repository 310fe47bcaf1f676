//! Where the model looked: a map for each layer, the mean of its heads.

use minijinja::value::Value;

use crate::report::chart::{HeatLabels, HeatMap};
use crate::report::classification::Map;
use crate::report::html::charts::caption;
use crate::report::pose::{AttentionMap, Poses};

/// The maps of every explained window: its kinds with `labels` and `layers`.
pub(super) fn pictures(poses: &Poses) -> Vec<Value> {
    let windows = poses.attention.windows.iter().enumerate().map(|(w, window)| {
        Value::from(window.maps.iter().enumerate().map(|(m, map)| kind(map, &format!("{w}-{m}"))).collect::<Vec<_>>())
    });
    windows.collect()
}

fn kind(map: &AttentionMap, id: &str) -> Value {
    let labels = HeatLabels { id: format!("looked-at-{id}"), rows: &map.labels, columns: &map.labels };
    let layers = map.layers.iter().enumerate().map(|(l, heads)| {
        let weights = mean(heads);
        let description = most(&weights, &map.labels);
        let title = format!("{}, layer {}", map.name.replace('-', " "), l + 1);
        let caption = caption(&format!("attention-{id}-{l}"), &title, description);
        Value::from_safe_string(HeatMap { caption, labels: &labels, weights: &weights }.draw())
    });
    minijinja::context! {
        name => if map.name == "time-attention" { "between frames" } else { "between keypoints" },
        labels => Value::from_safe_string(labels.draw()),
        layers => layers.collect::<Vec<_>>(),
    }
}

/// The mean of some heads, in hundredths of its largest weight.
fn mean(heads: &[Map]) -> Vec<Vec<u8>> {
    let Some((rows, columns)) = heads.first().map(Map::size) else {
        return Vec::new();
    };
    let at = |i: usize, j: usize| heads.iter().map(|map| map.peak * f64::from(map.values[i][j])).sum::<f64>();
    let values: Vec<Vec<f64>> = (0..rows).map(|i| (0..columns).map(|j| at(i, j)).collect()).collect();
    let peak = values.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    values.iter().map(|row| row.iter().map(|value| (100.0 * value / peak).round() as u8).collect()).collect()
}

fn most(weights: &[Vec<u8>], labels: &[String]) -> String {
    let cells = weights.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().map(move |(j, w)| (i, j, *w)));
    let strongest = cells.filter(|(i, j, _)| i != j).max_by_key(|(.., w)| *w);
    strongest
        .map_or_else(String::new, |(i, j, _)| format!("Apart from itself {} looks most at {}.", labels[i], labels[j]))
}
