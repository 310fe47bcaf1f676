//! Masks of one's own, put together from what may be hidden.

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::grid::Grid;

/// One mask: what it is called, how often it is drawn, and what it hides. All that it names is
/// hidden, one over the other.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mask {
    /// What windows say they suffered.
    pub(super) name: String,
    /// How often, relative to the others.
    pub(super) share: f64,
    /// How many keypoints are hidden in all frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) absent: Option<[Amount; 2]>,
    /// How many frames a block has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) block: Option<[Amount; 2]>,
    /// How many keypoints are hidden in the block; all where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) block_keypoints: Option<[Amount; 2]>,
    /// The chance that a frame is hit, drawn once for a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) frames: Option<[f64; 2]>,
    /// The chance that a keypoint of a frame that is hit is hidden, drawn once for a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keypoints: Option<[f64; 2]>,
}

/// A number, or a share of all there are.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Amount {
    /// So many.
    Number(usize),
    /// So great a part, rounded down.
    Share(f64),
}

impl Amount {
    fn of(self, all: usize) -> usize {
        match self {
            Self::Number(number) => number.min(all),
            Self::Share(share) => ((share * all as f64 + 1e-9) as usize).min(all),
        }
    }
}

impl Mask {
    /// A mask that hides some keypoints in all frames.
    pub(super) fn absent(name: &str, absent: [Amount; 2]) -> Self {
        Self { absent: Some(absent), ..Self::named(name) }
    }

    /// A mask that hits frames with a chance, and hides their keypoints with another.
    pub(super) fn random(name: &str, frames: f64, keypoints: f64) -> Self {
        Self { frames: Some([frames; 2]), keypoints: Some([keypoints; 2]), ..Self::named(name) }
    }

    fn named(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, share: 1.0, absent: None, block: None, block_keypoints: None, frames: None, keypoints: None }
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { name, share, absent, block, block_keypoints, frames, keypoints } = self;
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-') {
            return Some(format!("`{name}` is no name for a mask; use small letters, digits and `-`"));
        }
        if !(share.is_finite() && *share > 0.0) {
            return Some(format!("the share of `{name}` is {share}, which is not above 0"));
        }
        if block_keypoints.is_some() && block.is_none() {
            return Some(format!("`{name}` has `block_keypoints` and no `block`"));
        }
        let is_part = |amount: &Amount| match amount {
            Amount::Number(_) => true,
            Amount::Share(share) => (0.0..=1.0).contains(share),
        };
        let amounts = [absent, block, block_keypoints].into_iter().flatten().flatten();
        let chances = [frames, keypoints].into_iter().flatten().flatten();
        match amounts.into_iter().all(is_part) && chances.into_iter().all(|p| (0.0..=1.0).contains(p)) {
            true => None,
            false => Some(format!("shares and chances of `{name}` must be between 0 and 1")),
        }
    }

    /// Hides what it hides.
    pub(super) fn hide(&self, grid: &mut Grid<'_>, draw: &mut Draw) {
        let (frames, keypoints) = (grid.frames(), grid.keypoints());
        let some = |[low, high]: [Amount; 2], draw: &mut Draw| draw.whole(low.of(keypoints), high.of(keypoints));
        if let Some(absent) = self.absent {
            let count = some(absent, draw);
            draw.some(keypoints, count).iter().for_each(|keypoint| grid.hide_keypoint(0..frames, *keypoint));
        }
        if let Some([low, high]) = self.block {
            let length = draw.whole(low.of(frames), high.of(frames));
            let first = draw.whole(0, frames - length);
            let count = self.block_keypoints.map_or(keypoints, |amounts| some(amounts, draw));
            let hidden = draw.some(keypoints, count).iter();
            hidden.for_each(|keypoint| grid.hide_keypoint(first..first + length, *keypoint));
        }
        if self.frames.is_some() || self.keypoints.is_some() {
            let mut chance = |range: Option<[f64; 2]>| range.map_or(1.0, |[low, high]| draw.between(low, high));
            let (hit, hidden) = (chance(self.frames), chance(self.keypoints));
            for frame in 0..frames {
                if draw.chance(hit) {
                    (0..keypoints).filter(|_| draw.chance(hidden)).for_each(|keypoint| grid.hide(frame, keypoint));
                }
            }
        }
    }
}
