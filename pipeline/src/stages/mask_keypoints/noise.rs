//! Noise on what is given.

use serde::Deserialize;

use super::draw::Draw;
use super::protocol::Protocol;

/// What the config may say of the noise of training windows; what it does not say is as the
/// protocol has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NoiseConfig {
    /// The most that slight noise moves a coordinate.
    pub(super) slight: Option<f64>,
    /// The chance of slight noise of a point that has no other.
    pub(super) slight_chance: Option<f64>,
    /// The most that strong noise moves a coordinate.
    pub(super) strong: Option<f64>,
    /// The chance of strong noise of a point.
    pub(super) strong_chance: Option<f64>,
    /// The chance that keypoints of a window are moved as one.
    pub(super) offset_chance: Option<f64>,
    /// The share of windows that have noise.
    pub(super) windows: Option<f64>,
}

/// The noise of training windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    slight: f32,
    strong: f32,
    /// The chances in windows of the other kinds.
    usual: Chances,
    /// The chances in windows in which nothing is hidden.
    intact: Chances,
    /// Whether an offset has always the length of the strongest noise, as in the later version.
    directed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Chances {
    windows: f64,
    slight: f64,
    strong: f64,
    offset: f64,
}

impl Noise {
    /// As a protocol has it, with slight noise of at most `slight` in a coordinate and strong
    /// noise of ten times as much, but for what the config says.
    pub(super) fn new(protocol: Protocol, slight: f64, config: &NoiseConfig) -> Self {
        let chances = |windows: f64, slight: f64, strong: f64, offset: f64| Chances {
            windows: config.windows.unwrap_or(windows),
            slight: config.slight_chance.unwrap_or(slight),
            strong: config.strong_chance.unwrap_or(strong),
            offset: config.offset_chance.unwrap_or(offset),
        };
        let (usual, intact) = match protocol {
            Protocol::Paper => (chances(0.2, 0.5, 0.1, 0.1), chances(1.0, 0.5, 0.2, 0.2)),
            Protocol::Later => (chances(1.0, 0.2, 0.1, 0.1), chances(1.0, 0.5, 0.2, 0.2)),
        };
        Self {
            slight: config.slight.unwrap_or(slight) as f32,
            strong: config.strong.unwrap_or(10.0 * slight) as f32,
            usual,
            intact,
            directed: protocol == Protocol::Later,
        }
    }

    /// Moves the points that are given.
    pub(super) fn add(
        &self,
        intact: bool,
        input_tkc: &mut [f32],
        given_tk: &[bool],
        keypoints: usize,
        draw: &mut Draw,
    ) {
        let chances = if intact { &self.intact } else { &self.usual };
        if !draw.chance(chances.windows) {
            return;
        }
        let offsets = self.offsets(chances, keypoints, draw);
        let points = input_tkc.as_chunks_mut::<3>().0.iter_mut().zip(given_tk).enumerate();
        for (i, (point, _)) in points.filter(|(_, (_, given))| **given) {
            match offsets.get(i % keypoints).copied().flatten() {
                Some(offset) => (0..3).for_each(|c| point[c] += offset[c]),
                None if draw.chance(chances.strong) => shake(point, self.strong, draw),
                None if draw.chance(chances.slight) => shake(point, self.slight, draw),
                None => {}
            }
        }
    }

    /// Now and then some keypoints are moved by the same in all frames, as those are that a
    /// tracker takes for something else.
    fn offsets(&self, chances: &Chances, keypoints: usize, draw: &mut Draw) -> Vec<Option<[f32; 3]>> {
        if !draw.chance(chances.offset) {
            return Vec::new();
        }
        let offset = |draw: &mut Draw| {
            let way = [draw.signed(), draw.signed(), draw.signed()];
            let length = way.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            way.map(|v| self.strong * if self.directed { v / length } else { v })
        };
        (0..keypoints).map(|_| draw.chance(chances.strong).then(|| offset(draw))).collect()
    }
}

/// Moves each coordinate of what is given evenly by at most `most`.
pub(super) fn add_even(most: f32, input_tkc: &mut [f32], given_tk: &[bool], draw: &mut Draw) {
    if most > 0.0 {
        let points = input_tkc.as_chunks_mut::<3>().0.iter_mut().zip(given_tk);
        points.filter(|(_, given)| **given).for_each(|(point, _)| shake(point, most, draw));
    }
}

fn shake(point: &mut [f32; 3], most: f32, draw: &mut Draw) {
    point.iter_mut().for_each(|value| *value += most * draw.signed());
}
