//! Straight lines from where a keypoint was last known to where it is known next.

use super::Track;

/// A position for every keypoint of every frame, in the order of the track's.
///
/// Where a keypoint is known it stays; between two known frames it moves on a straight line at a
/// constant speed; before the first and after the last it stands still. One that is never known is
/// put at the centroid of the frame's known keypoints, in frames without any at the centroid
/// interpolated likewise. Of a track in which nothing is known at all, every position is 0.
///
/// This is the baseline that is strong on short gaps.
#[must_use]
pub fn fill(track: &Track) -> Vec<f32> {
    let (frames, keypoints) = (track.frames(), track.keypoints);
    let mut filled_tkc = track.positions_tkc.clone();
    if frames == 0 {
        return filled_tkc;
    }
    let mut never = Vec::new();
    for k in 0..keypoints {
        let known = |t: usize| track.known_tk[t * keypoints + k];
        match fill_line(frames, known, &mut filled_tkc[k * 3..], keypoints * 3) {
            true => {}
            false => never.push(k),
        }
    }
    if !never.is_empty() {
        let centroids_tc = centroids(track);
        for (frame, centroid) in filled_tkc.chunks_exact_mut(keypoints * 3).zip(centroids_tc.as_chunks::<3>().0) {
            never.iter().for_each(|k| frame[k * 3..k * 3 + 3].copy_from_slice(centroid));
        }
    }
    filled_tkc
}

/// The centroid of the known keypoints of each frame, interpolated where there is none.
fn centroids(track: &Track) -> Vec<f32> {
    let mut any = Vec::with_capacity(track.frames());
    let mut centroids_tc = Vec::with_capacity(track.frames() * 3);
    for t in 0..track.frames() {
        let mut sum = [0.0_f64; 3];
        let mut count = 0.0_f64;
        for point in (0..track.keypoints).filter_map(|k| track.point(t, k)) {
            sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += f64::from(value));
            count += 1.0;
        }
        any.push(count > 0.0);
        centroids_tc.extend(sum.map(|sum| (sum / count.max(1.0)) as f32));
    }
    fill_line(track.frames(), |t| any[t], &mut centroids_tc, 3);
    centroids_tc
}

/// Fills what is not known of one point over time, whose frames are `stride` numbers apart; false
/// if it is never known.
fn fill_line(frames: usize, known: impl Fn(usize) -> bool, points: &mut [f32], stride: usize) -> bool {
    let Some(first) = (0..frames).find(|t| known(*t)) else {
        return false;
    };
    let at = |points: &[f32], t: usize| [0, 1, 2].map(|c| points[t * stride + c]);
    let hold = |points: &mut [f32], from: usize, to: usize, value: [f32; 3]| {
        (from..to).for_each(|t| points[t * stride..t * stride + 3].copy_from_slice(&value));
    };
    let start = at(points, first);
    hold(points, 0, first, start);
    let mut last = first;
    for t in first + 1..frames {
        if !known(t) {
            continue;
        }
        let (from, to, steps) = (at(points, last), at(points, t), (t - last) as f64);
        for gap in last + 1..t {
            let share = (gap - last) as f64 / steps;
            for c in 0..3 {
                let line = f64::from(from[c]) + share * (f64::from(to[c]) - f64::from(from[c]));
                points[gap * stride + c] = line as f32;
            }
        }
        last = t;
    }
    let end = at(points, last);
    hold(points, last + 1, frames, end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A track from the x of each keypoint of each frame; y is twice, z three times as much.
    fn track(keypoints: usize, frames: &[&[Option<f32>]]) -> Track {
        let mut track = Track::unknown(frames.len(), keypoints);
        for (t, points) in frames.iter().enumerate() {
            for (k, x) in points.iter().enumerate() {
                track.set(t, k, x.map(|x| [x, 2.0 * x, 3.0 * x]));
            }
        }
        track
    }

    fn xs(filled: &[f32], keypoints: usize, k: usize) -> Vec<f32> {
        filled.chunks(keypoints * 3).map(|frame| frame[k * 3]).collect()
    }

    #[test]
    fn gaps_are_lines_and_ends_stand_still() {
        let track = track(1, &[&[None], &[Some(2.0)], &[None], &[None], &[None], &[Some(4.0)], &[Some(9.0)], &[None]]);
        let filled = fill(&track);
        assert_eq!(xs(&filled, 1, 0), [2.0, 2.0, 2.5, 3.0, 3.5, 4.0, 9.0, 9.0]);
        assert_eq!(filled[7], 5.0);
        assert_eq!(filled[8], 7.5);
    }

    #[test]
    fn what_is_never_known_is_at_the_centroid_of_the_others() {
        let track = track(3, &[&[Some(1.0), None, Some(3.0)], &[None; 3], &[None, None, Some(6.0)]]);
        let filled = fill(&track);
        assert_eq!(xs(&filled, 3, 0), [1.0, 1.0, 1.0]);
        assert_eq!(xs(&filled, 3, 2), [3.0, 4.5, 6.0]);
        assert_eq!(xs(&filled, 3, 1), [2.0, 4.0, 6.0]);
    }

    #[test]
    fn nothing_known_and_nothing_there_are_no_panic() {
        assert_eq!(fill(&Track::unknown(2, 2)), [0.0; 12]);
        assert_eq!(fill(&Track::unknown(0, 2)), [0.0; 0]);
        assert_eq!(fill(&Track::default()), [0.0; 0]);
    }
}
