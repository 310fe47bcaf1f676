//! Which points of a window are hidden.

use std::ops::Range;

/// The points of a window's frames, each hidden or not.
pub(super) struct Grid<'a> {
    hidden_tk: &'a mut [bool],
    keypoints: usize,
}

impl<'a> Grid<'a> {
    /// Of points in the order frame, keypoint.
    pub(super) fn new(hidden_tk: &'a mut [bool], keypoints: usize) -> Self {
        Self { hidden_tk, keypoints }
    }

    pub(super) fn frames(&self) -> usize {
        self.hidden_tk.len() / self.keypoints
    }

    pub(super) fn keypoints(&self) -> usize {
        self.keypoints
    }

    /// Hides one point.
    pub(super) fn hide(&mut self, frame: usize, keypoint: usize) {
        self.hidden_tk[frame * self.keypoints + keypoint] = true;
    }

    /// Hides one keypoint in some frames.
    pub(super) fn hide_keypoint(&mut self, frames: Range<usize>, keypoint: usize) {
        frames.for_each(|frame| self.hide(frame, keypoint));
    }

    /// Hides all keypoints of some frames.
    pub(super) fn hide_frames(&mut self, frames: Range<usize>) {
        self.hidden_tk[frames.start * self.keypoints..frames.end * self.keypoints].fill(true);
    }
}
