//! The error of hidden keypoints by how long they are hidden.

use tessera_datasets::console::thousands;

use super::class;
use crate::metrics::pose::Estimate;
use crate::number::significant;
use crate::report::chart::{CategorySeries, Scale, SeriesChart, Size, in_both};
use crate::report::html::charts::caption;
use crate::report::pose::{Gap, Poses};

/// Errors that span more than this are drawn on a logarithmic scale.
const WIDE: f64 = 12.0;

pub(super) fn by_gap(poses: &Poses) -> Option<String> {
    draw(poses, "gaps", &poses.by_gap, "frames in a row without the keypoint, and how many keypoints")
}

pub(super) fn by_distance(poses: &Poses) -> Option<String> {
    draw(poses, "distances", &poses.by_distance, "frames to the nearest sight of the keypoint")
}

fn draw(poses: &Poses, id: &str, gaps: &[Gap], x_label: &str) -> Option<String> {
    let values = || gaps.iter().flat_map(|gap| gap.methods.iter().map(|method| method.value));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    if gaps.is_empty() {
        return None;
    }
    let y = match low > 0.0 && high > WIDE * low {
        true => Scale::log(low * 0.8, high * 1.2, 10),
        false => Scale::linear(0.0, high).nice(5),
    };
    let scale = if low > 0.0 && high > WIDE * low { " (logarithmic)" } else { "" };
    let unit = &poses.skeleton.unit;
    let series = |by: Estimate| {
        let value = |gap: &Gap| {
            let value = gap.methods.iter().find(|method| method.estimate == by)?.value;
            Some((value, format!("{}, {}: {} {unit}", by.label(), gap.frames(), significant(value, 3))))
        };
        CategorySeries {
            label: by.label().to_owned(),
            class: class(by).to_owned(),
            values: gaps.iter().map(value).collect(),
        }
    };
    let describe = |gap: &Gap| {
        let values = gap.methods.iter().map(|m| format!("{} {}", m.estimate.label(), significant(m.value, 3)));
        format!("{}: {}.", gap.frames(), values.collect::<Vec<_>>().join(", "))
    };
    let description = gaps.iter().map(describe).collect::<Vec<_>>().join(" ");
    Some(in_both(id, Size::Wide, |size, id| {
        let label = |gap: &Gap| match (size, gap.from) {
            (Size::Narrow, None) => "all".to_owned(),
            _ => gap.frames().replace(' ', ""),
        };
        let second = |gap: &Gap| if size == Size::Narrow { String::new() } else { thousands(gap.keypoints) };
        let chart = SeriesChart {
            caption: caption(&id, "Error of hidden keypoints", description.clone()),
            size,
            height: if size == Size::Wide { 300.0 } else { 250.0 },
            x_label: if size == Size::Narrow { "frames".to_owned() } else { x_label.to_owned() },
            y_label: format!("mean error, {unit}{scale}"),
            y,
            categories: gaps
                .iter()
                .map(|gap| (label(gap).replace("wholewindow", "whole window"), second(gap)))
                .collect(),
            series: Estimate::ALL.map(series).to_vec(),
        };
        chart.draw()
    }))
}
