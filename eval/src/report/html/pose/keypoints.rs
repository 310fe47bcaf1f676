//! The keypoints one by one: bars with what they are compared with.

use super::{class, side_class};
use crate::metrics::pose::Estimate;
use crate::number::significant;
use crate::report::chart::{Bullet, BulletChart, Size, Tick, in_both};
use crate::report::html::charts::caption;
use crate::report::pose::{ByKeypoint, KeypointStratum, Poses};

/// Room beyond the longest bar, and beyond the best simpler method of most keypoints.
const ROOM: f64 = 1.15;

pub(super) fn draw(poses: &Poses, stratum: &KeypointStratum, index: usize) -> String {
    let unit = &poses.skeleton.unit;
    // a method that fails altogether would make all bars small
    let of = |keypoint: &ByKeypoint, by: Estimate| keypoint.value(by).unwrap_or(0.0);
    let best = |keypoint: &ByKeypoint| {
        Estimate::BASELINES.map(|by| of(keypoint, by)).into_iter().fold(f64::INFINITY, f64::min)
    };
    let mut simpler: Vec<f64> = stratum.keypoints.iter().map(best).collect();
    simpler.sort_by(f64::total_cmp);
    let usual = simpler.get(simpler.len() / 2).copied().unwrap_or(0.0);
    let model = stratum.keypoints.iter().map(|keypoint| of(keypoint, Estimate::Optimised)).fold(0.0, f64::max);
    let most = ROOM * model.max(1.5 * usual);
    let row = |(i, keypoint): (usize, &ByKeypoint)| {
        let value = keypoint.value(Estimate::Optimised).unwrap_or(0.0);
        let ticks = Estimate::BASELINES.into_iter().filter_map(|by| {
            Some(Tick { value: keypoint.value(by)?, class: class(by).split(' ').next().unwrap_or_default().to_owned() })
        });
        let all = keypoint.methods.iter().map(|m| format!("{} {} {unit}", m.estimate.label(), significant(m.value, 3)));
        Bullet {
            label: keypoint.name.clone(),
            value,
            shown: significant(value, 3),
            class: side_class(poses.sides[keypoint.keypoint]).to_owned(),
            ticks: ticks.collect(),
            title: format!("{}: {}", keypoint.name, all.collect::<Vec<_>>().join(", ")),
            path: format!("/poses/by_keypoint/{index}/keypoints/{i}"),
        }
    };
    let rows: Vec<Bullet> = stratum.keypoints.iter().enumerate().map(row).collect();
    let description = rows.iter().map(|row| row.title.clone() + ".").collect::<Vec<_>>().join(" ");
    in_both(&format!("keypoints-{index}"), Size::Wide, |size, id| {
        let chart = BulletChart {
            caption: caption(&id, "Error of each keypoint where it is hidden", description.clone()),
            size,
            x_label: format!("mean error, {unit}"),
            most,
            rows: rows.clone(),
        };
        chart.draw()
    })
}
