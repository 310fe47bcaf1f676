//! Keypoints over time.

/// Keypoints over time, and which of them are known.
///
/// The names of its vectors end in the order of their axes: t for frames, k for keypoints, c for
/// the coordinates x, y, z. So the x of keypoint k in frame t is at `(t * keypoints + k) * 3`.
/// A coordinate of an unknown keypoint is 0 and means nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// How many keypoints each frame has.
    pub keypoints: usize,
    /// Where they are, in the skeleton's unit.
    pub positions_tkc: Vec<f32>,
    /// Which are known.
    pub known_tk: Vec<bool>,
}

impl Track {
    /// A track of frames in which nothing is known.
    #[must_use]
    pub fn unknown(frames: usize, keypoints: usize) -> Self {
        Self { keypoints, positions_tkc: vec![0.0; frames * keypoints * 3], known_tk: vec![false; frames * keypoints] }
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.known_tk.len().checked_div(self.keypoints).unwrap_or(0)
    }

    /// Where a keypoint is, if it is known.
    #[must_use]
    pub fn point(&self, frame: usize, keypoint: usize) -> Option<[f32; 3]> {
        let at = frame * self.keypoints + keypoint;
        self.known_tk[at].then(|| [0, 1, 2].map(|c| self.positions_tkc[at * 3 + c]))
    }

    /// Says where a keypoint is, or that it is not known.
    pub fn set(&mut self, frame: usize, keypoint: usize, point: Option<[f32; 3]>) {
        let at = frame * self.keypoints + keypoint;
        self.known_tk[at] = point.is_some();
        self.positions_tkc[at * 3..at * 3 + 3].copy_from_slice(&point.unwrap_or_default());
    }

    /// The frames from `first` on, `frames` of them.
    #[must_use]
    pub fn slice(&self, first: usize, frames: usize) -> Self {
        let (from, to) = (first * self.keypoints, (first + frames) * self.keypoints);
        Self {
            keypoints: self.keypoints,
            positions_tkc: self.positions_tkc[from * 3..to * 3].to_vec(),
            known_tk: self.known_tk[from..to].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_where_it_was_put_and_nowhere_when_taken_away() {
        let mut track = Track::unknown(3, 2);
        track.set(1, 1, Some([1.0, 2.0, 3.0]));
        assert_eq!(track.frames(), 3);
        assert_eq!(track.point(1, 1), Some([1.0, 2.0, 3.0]));
        assert_eq!(track.point(1, 0), None);
        assert_eq!(track.slice(1, 2).point(0, 1), Some([1.0, 2.0, 3.0]));
        track.set(1, 1, None);
        assert_eq!(track, Track::unknown(3, 2));
    }
}
