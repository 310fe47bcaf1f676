//! The pictures of a translation.

use minijinja::value::Value;

use super::charts::caption;
use crate::number::{percent, significant};
use crate::report::chart::{Category, CategoryChart, HeatLabels, HeatMap, Lines, Mark, Scale, Size, Weights, in_both};
use crate::report::translation::{AttentionMap, ByLength, Layer, Length};
use crate::report::{Report, Translation};
use tessera_datasets::console::thousands;

/// The charts by the names that templates use.
pub(super) fn charts(translation: &Translation) -> Vec<(&'static str, String)> {
    match &translation.by_length {
        Some(by_length) if by_length.groups.len() > 1 => vec![("lengths", lengths(by_length))],
        _ => Vec::new(),
    }
}

fn lengths(by_length: &ByLength) -> String {
    let category = |(i, group): (usize, &Length)| Category {
        label: group.words(),
        second: thousands(group.sentences),
        value: group.value,
        interval: group.low.zip(group.high),
        title: format!("{} words: {} ({} sentences)", group.words(), significant(group.value, 3), group.sentences),
        path: format!("/translation/by_length/groups/{i}"),
    };
    let categories: Vec<Category> = by_length.groups.iter().enumerate().map(category).collect();
    let ends = by_length.groups.iter().flat_map(|g| [Some(g.value), g.low, g.high]).flatten();
    let (low, high) = ends.fold((by_length.value, by_length.value), |(low, high), v| (low.min(v), high.max(v)));
    let describe = |group: &Length| format!("{} words: {}.", group.words(), significant(group.value, 3));
    let description = by_length.groups.iter().map(describe).collect::<Vec<_>>().join(" ");
    let mark = Mark { label: format!("all {}", significant(by_length.value, 3)), x: None, y: Some(by_length.value) };
    in_both("lengths", Size::Wide, |size, id| {
        let chart = CategoryChart {
            caption: caption(&id, &format!("{} by length of the source", by_length.label), description.clone()),
            size,
            height: if size == Size::Wide { 300.0 } else { 250.0 },
            x_label: "words of the source, and how many sentences".to_owned(),
            y_label: by_length.label.clone(),
            y: Scale::linear(low, high).nice(5),
            categories: categories.clone(),
            marks: vec![mark.clone()],
        };
        chart.draw()
    })
}

/// The pictures of attention: sentence, kind, then `labels` and `layers` of `lines` and `maps`.
pub(super) fn attention(report: &Report) -> Vec<Value> {
    let Some(translation) = &report.translation else {
        return Vec::new();
    };
    let sentences = translation.attention.sentences.iter().enumerate().map(|(s, sentence)| {
        let kinds = sentence.maps.iter().enumerate().map(|(m, map)| kind(map, &format!("{s}-{m}")));
        Value::from(kinds.collect::<Vec<_>>())
    });
    sentences.collect()
}

fn kind(map: &AttentionMap, id: &str) -> Value {
    let labels = HeatLabels { id: format!("tokens-{id}"), rows: &map.rows, columns: &map.columns };
    let layers = map.layers.iter().enumerate().map(|(l, layer)| pictures(map, &labels, layer, &format!("{id}-{l}")));
    minijinja::context! { labels => Value::from_safe_string(labels.draw()), layers => layers.collect::<Vec<_>>() }
}

fn pictures(map: &AttentionMap, labels: &HeatLabels<'_>, layer: &Layer, id: &str) -> Value {
    let heads: Vec<&Weights> = layer.heads.iter().map(|head| head.weights.as_slice()).collect();
    let name = map.name.replace('-', " ");
    let title = |what: &str| format!("{name}, {what}");
    let habits: Vec<String> =
        layer.heads.iter().enumerate().map(|(h, head)| format!("Head {}: {}.", h + 1, head.habit)).collect();
    let lines = Lines {
        caption: caption(&format!("lines-{id}"), &title("all heads as lines"), habits.join(" ")),
        rows: &map.rows,
        columns: &map.columns,
        heads,
    };
    let maps = layer.heads.iter().enumerate().map(|(h, head)| {
        let description = format!("{}. The largest weights are {} on average.", head.habit, percent(head.focus));
        let caption = caption(&format!("map-{id}-{h}"), &title(&format!("head {}", h + 1)), description);
        Value::from_safe_string(HeatMap { caption, labels, weights: &head.weights }.draw())
    });
    minijinja::context! { lines => Value::from_safe_string(lines.draw()), maps => maps.collect::<Vec<_>>() }
}
