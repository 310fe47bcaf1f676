//! The six kinds of corruption that OptiPose was trained with (Patel et al. 2022).
//!
//! Two versions of its code differ in shares and numbers: that of October 2022, called the paper's
//! here, and that of November 2023. Facts of both are in the source files `augmentation.py` and
//! `generate_dataset.py` of the repository mahir1010/OptiPose.

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::grid::Grid;

/// Which version of the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Protocol {
    /// That of October 2022, which is nearest to the paper.
    Paper,
    /// That of November 2023.
    #[default]
    Later,
}

/// What is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: the window is only noisy ("autoencoder").
    Intact,
    /// Every other frame.
    AlternateFrames,
    /// The first frames, or the last ("sentinels").
    Ends,
    /// Some keypoints in all frames, or in a long block of frames ("keypoint cluster").
    KeypointBlock,
    /// Some keypoints in most frames ("keypoints missing").
    Keypoints,
    /// All keypoints in a block of frames, some in the others ("clusters").
    FrameBlock,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Intact, Self::AlternateFrames, Self::Ends, Self::KeypointBlock, Self::Keypoints, Self::FrameBlock];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::AlternateFrames => "alternate-frames",
            Self::Ends => "ends",
            Self::KeypointBlock => "keypoint-block",
            Self::Keypoints => "keypoints",
            Self::FrameBlock => "frame-block",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Protocol {
    /// How many in a hundred windows are of each kind.
    pub(super) fn share(self, kind: Kind) -> f64 {
        let [paper, later] = match kind {
            Kind::Intact => [19.0, 14.0],
            Kind::AlternateFrames => [3.0, 5.0],
            Kind::Ends => [5.0, 10.0],
            Kind::KeypointBlock => [37.0, 45.0],
            Kind::Keypoints => [10.0, 10.0],
            Kind::FrameBlock => [26.0, 16.0],
        };
        match self {
            Self::Paper => paper,
            Self::Later => later,
        }
    }

    /// Hides what a kind hides. `exact` repeats the slip of both versions that half of the windows
    /// of kind [`Kind::Ends`], those that should lose their last frames, lose nothing.
    pub(super) fn hide(self, kind: Kind, exact: bool, grid: &mut Grid<'_>, draw: &mut Draw) {
        match kind {
            Kind::Intact => {}
            Kind::AlternateFrames => {
                let first = draw.whole(0, 1);
                (first..grid.frames()).step_by(2).for_each(|frame| grid.hide_frames(frame..frame + 1));
            }
            Kind::Ends => self.hide_end(exact, grid, draw),
            Kind::KeypointBlock => self.hide_keypoint_block(grid, draw),
            Kind::Keypoints => self.hide_keypoints(grid, draw),
            Kind::FrameBlock => self.hide_frame_block(grid, draw),
        }
    }

    fn hide_end(self, exact: bool, grid: &mut Grid<'_>, draw: &mut Draw) {
        let frames = grid.frames();
        let (least, most) = match self {
            Self::Paper => ((frames / 3 / 2).max(1), frames / 3),
            Self::Later => (((frames / 2).max(2) / 3).max(1), (frames / 2).max(2)),
        };
        let at_start = draw.chance(0.5);
        let count = draw.whole(least, most).min(frames);
        match (at_start, exact) {
            (true, _) => grid.hide_frames(0..count),
            (false, false) => grid.hide_frames(frames - count..frames),
            (false, true) => {}
        }
    }

    fn hide_keypoint_block(self, grid: &mut Grid<'_>, draw: &mut Draw) {
        let (frames, keypoints) = (grid.frames(), grid.keypoints());
        let (most, most_in_block, most_elsewhere) = match self {
            Self::Paper => (keypoints / 2, keypoints.saturating_sub(2), 3),
            Self::Later => (keypoints / 3, keypoints / 3, keypoints / 3),
        };
        if draw.chance(0.5) {
            let count = draw.whole(1, most);
            draw.some(keypoints, count).iter().for_each(|keypoint| grid.hide_keypoint(0..frames, *keypoint));
            return;
        }
        let block = block(frames, frames / 3, frames.saturating_sub(5), draw);
        let count = draw.whole(1, most_in_block);
        draw.some(keypoints, count).iter().for_each(|keypoint| grid.hide_keypoint(block.clone(), *keypoint));
        hide_elsewhere(&block, 0, most_elsewhere, grid, draw);
    }

    fn hide_frame_block(self, grid: &mut Grid<'_>, draw: &mut Draw) {
        let (frames, keypoints) = (grid.frames(), grid.keypoints());
        let (longest, least, most) = match self {
            Self::Paper => (15, 0, keypoints / 2),
            Self::Later => (10, 1, 3),
        };
        let block = block(frames, 2, longest.min(frames / 3), draw);
        grid.hide_frames(block.clone());
        hide_elsewhere(&block, least, most, grid, draw);
    }

    fn hide_keypoints(self, grid: &mut Grid<'_>, draw: &mut Draw) {
        let (frames, keypoints) = (grid.frames(), grid.keypoints());
        let count = draw.whole(frames.saturating_sub(10), frames.saturating_sub(5));
        let hit = draw.some(frames, count).to_vec();
        // the later version draws the keypoints once for all frames
        let mut chosen = Vec::new();
        for frame in hit {
            if self == Self::Paper || chosen.is_empty() {
                self.choose(keypoints, draw, &mut chosen);
            }
            chosen.iter().for_each(|keypoint| grid.hide(frame, *keypoint));
        }
    }

    /// Some keypoints; one time in ten such that follow one another in the skeleton's list.
    fn choose(self, keypoints: usize, draw: &mut Draw, chosen: &mut Vec<usize>) {
        let (most, most_groups) = match self {
            Self::Paper => (keypoints / 2, keypoints / 6),
            Self::Later => (keypoints / 3, 1),
        };
        chosen.clear();
        if draw.chance(0.1) {
            let groups = draw.whole(1, most_groups);
            chosen.extend(draw.some(keypoints, groups).iter().flat_map(|first| *first..keypoints.min(first + 3)));
        } else {
            let count = draw.whole(1, most);
            chosen.extend(draw.some(keypoints, count));
        }
    }
}

/// A block of frames that begins at a multiple of its length, so that the last may be cut short.
fn block(frames: usize, least: usize, most: usize, draw: &mut Draw) -> std::ops::Range<usize> {
    let length = draw.whole(least.max(1), most);
    let first = length * draw.whole(0, frames.div_ceil(length).saturating_sub(1));
    first.min(frames)..frames.min(first + length)
}

/// Outside of a block each frame loses some keypoints of its own.
fn hide_elsewhere(block: &std::ops::Range<usize>, least: usize, most: usize, grid: &mut Grid<'_>, draw: &mut Draw) {
    for frame in (0..grid.frames()).filter(|frame| !block.contains(frame)) {
        let count = draw.whole(least, most);
        draw.some(grid.keypoints(), count).iter().for_each(|keypoint| grid.hide(frame, *keypoint));
    }
}
