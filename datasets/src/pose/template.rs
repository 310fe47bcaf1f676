//! Missing keypoints from the nearest poses of other frames.
//!
//! The baseline that is strong where a keypoint is missing for long: of poses that are whole, those
//! five are taken whose keypoints lie nearest to what is known of the frame when they are turned
//! and shifted onto it (Kabsch 1976), and what is missing is put where they have it on average.

use super::geometry::{Point, Similarity};
use super::{Track, interpolate};

/// How many poses are averaged.
const NEIGHBOURS: usize = 5;
/// How many are looked at exactly, after all have been compared in single precision.
const SHORTLIST: usize = 8;
/// The most poses that are compared; of more, so many that are evenly spread.
const MOST: usize = 20_000;
/// So few known keypoints leave open how a pose is turned.
const LEAST: usize = 3;
/// Poses that are compared at once.
const LANES: usize = 8;
/// Newton's steps towards the largest root, which lies near the start.
const STEPS: usize = 8;

/// Poses that are whole, ready to be compared.
#[derive(Clone, Debug)]
pub struct Template {
    keypoints: usize,
    /// Each pose about its centroid, in the order keypoint, coordinate.
    poses: Vec<Vec<Point>>,
    /// The same in blocks of [`LANES`] poses, in the order block, keypoint, coordinate, pose; the
    /// last block is filled up with the last pose.
    blocks: Vec<f32>,
}

impl Template {
    /// Learns from the frames in which all keypoints are known. Where they are fewer than are
    /// averaged, keypoints that are not known are interpolated over time, in the frames in which
    /// some are known.
    #[must_use]
    pub fn new(poses: &Track) -> Self {
        let keypoints = poses.keypoints;
        let frames = |is_good: &dyn Fn(&[bool]) -> bool| -> Vec<usize> {
            let marks = poses.known_tk.chunks(keypoints.max(1)).enumerate();
            marks.filter(|(_, known)| is_good(known)).map(|(frame, _)| frame).collect()
        };
        let whole = frames(&|known| known.iter().all(|k| *k));
        let (chosen, positions_tkc) = match whole.len() < NEIGHBOURS {
            true => (frames(&|known| known.iter().any(|k| *k)), interpolate::fill(poses)),
            false => (whole, poses.positions_tkc.clone()),
        };
        let count = chosen.len().min(MOST);
        let pose = |i: usize| {
            let frame = chosen[i * chosen.len() / count.max(1)];
            let points = positions_tkc[frame * keypoints * 3..][..keypoints * 3].as_chunks::<3>().0;
            let points: Vec<Point> = points.iter().map(|point| point.map(f64::from)).collect();
            centred(points)
        };
        let poses: Vec<Vec<Point>> = (0..count).map(pose).collect();
        let mut blocks = Vec::with_capacity(poses.len().next_multiple_of(LANES) * keypoints * 3);
        for block in poses.chunks(LANES) {
            for (k, c) in (0..keypoints).flat_map(|k| (0..3).map(move |c| (k, c))) {
                blocks.extend((0..LANES).map(|lane| block[lane.min(block.len() - 1)][k][c] as f32));
            }
        }
        Self { keypoints, poses, blocks }
    }

    /// How many poses there are to compare with.
    #[must_use]
    pub fn len(&self) -> usize {
        self.poses.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.poses.is_empty()
    }

    /// A position for every keypoint of every frame, in the order of the track's. What is known
    /// stays. Frames in which fewer than three keypoints are known are interpolated over time from
    /// the others once those are whole; without any other, as by [`interpolate::fill`].
    ///
    /// # Panics
    /// When the track has not the keypoints of the poses.
    #[must_use]
    pub fn fill(&self, track: &Track) -> Vec<f32> {
        assert_eq!(track.keypoints, self.keypoints, "keypoints of a track and of the poses");
        let mut filled = track.clone();
        let mut search = Search::default();
        let mut is_whole = true;
        for frame in 0..track.frames() {
            let marks = frame * self.keypoints..(frame + 1) * self.keypoints;
            let known = track.known_tk[marks.clone()].iter().filter(|k| **k).count();
            if known == self.keypoints {
                continue;
            }
            if known < LEAST || self.is_empty() {
                is_whole = false;
                continue;
            }
            let positions = &mut filled.positions_tkc[marks.start * 3..marks.end * 3];
            self.fill_frame(positions, &track.known_tk[marks.clone()], &mut search);
            filled.known_tk[marks].fill(true);
        }
        match is_whole {
            true => filled.positions_tkc,
            false => interpolate::fill(&filled),
        }
    }

    fn fill_frame<'a>(&'a self, positions_kc: &mut [f32], known_k: &[bool], search: &mut Search<'a>) {
        let points = positions_kc.as_chunks_mut::<3>().0;
        search.known.clear();
        search.known.extend((0..self.keypoints).filter(|k| known_k[*k]));
        search.points.clear();
        search.points.extend(search.known.iter().map(|k| points[*k].map(f64::from)));
        self.shortlist(search);
        search.best.clear();
        for pose in search.nearest.iter().map(|(_, pose)| &self.poses[*pose]) {
            search.moved.clear();
            search.moved.extend(search.known.iter().map(|k| pose[*k]));
            let Some(onto) = Similarity::fit(&search.moved, &search.points, false) else {
                continue;
            };
            let error = search.moved.iter().zip(&search.points).map(|(a, b)| squared(&onto.apply(*a), b)).sum::<f64>();
            search.best.push((error, onto, pose));
        }
        search.best.sort_by(|a, b| a.0.total_cmp(&b.0));
        search.best.truncate(NEIGHBOURS);
        for (k, point) in points.iter_mut().enumerate().filter(|(k, _)| !known_k[*k]) {
            let moved = search.best.iter().map(|(_, onto, pose)| onto.apply(pose[k]));
            let sum = moved.fold([0.0; 3], |sum, moved| [0, 1, 2].map(|c| sum[c] + moved[c]));
            *point = sum.map(|v| (v / search.best.len() as f64) as f32);
        }
    }

    /// The poses whose known keypoints lie nearest when they are turned and shifted onto those of
    /// the frame.
    ///
    /// Only how near they come is worked out, not how they are turned: it follows from the largest
    /// eigenvalue of a matrix of the sums of products (Theobald 2005), in single precision and for
    /// many poses at once.
    fn shortlist<'a>(&'a self, search: &mut Search<'a>) {
        let points = centred(search.points.clone());
        let length: f64 = points.iter().map(|p| squared(p, &[0.0; 3])).sum();
        search.nearest.clear();
        for (block, values) in self.blocks.chunks(self.keypoints * 3 * LANES).enumerate() {
            let mut sums = Sums::default();
            for (k, point) in search.known.iter().zip(&points) {
                sums.add(&point.map(|v| v as f32), &values[k * 3 * LANES..(k + 1) * 3 * LANES]);
            }
            let distances = sums.distances(length as f32, points.len() as f32);
            for (lane, distance) in distances.into_iter().enumerate() {
                let pose = block * LANES + lane;
                let far = search.nearest.len() == SHORTLIST && distance >= search.nearest[SHORTLIST - 1].0;
                if far || pose >= self.poses.len() {
                    continue;
                }
                let place = search.nearest.partition_point(|(other, _)| *other <= distance);
                search.nearest.truncate(SHORTLIST - 1);
                search.nearest.insert(place.min(search.nearest.len()), (distance, pose));
            }
        }
    }
}

/// What is kept from frame to frame, so that nothing is allocated anew.
#[derive(Default)]
struct Search<'a> {
    /// The keypoints that are known, where they are, and where a pose has them.
    known: Vec<usize>,
    points: Vec<Point>,
    moved: Vec<Point>,
    /// Distance and number of poses, the nearest first.
    nearest: Vec<(f32, usize)>,
    best: Vec<(f64, Similarity, &'a Vec<Point>)>,
}

/// Sums over keypoints for [`LANES`] poses.
#[derive(Default)]
struct Sums {
    /// Of the frame's coordinate i times the pose's coordinate j.
    products: [[[f32; LANES]; 3]; 3],
    /// Of the pose's coordinates.
    points: [[f32; LANES]; 3],
    /// Of their squares.
    squares: [f32; LANES],
}

impl Sums {
    #[expect(
        clippy::needless_range_loop,
        reason = "so written it becomes vector instructions: half the time of zipped iterators"
    )]
    fn add(&mut self, point: &[f32; 3], values: &[f32]) {
        let values = values.as_chunks::<LANES>().0;
        for (j, value) in values.iter().enumerate().take(3) {
            for lane in 0..LANES {
                self.points[j][lane] += value[lane];
                self.squares[lane] += value[lane] * value[lane];
            }
            for (i, coordinate) in point.iter().enumerate() {
                for lane in 0..LANES {
                    self.products[i][j][lane] += coordinate * value[lane];
                }
            }
        }
    }

    /// The sum of squared distances that is left of each pose. `length` is the sum of squares of
    /// the frame's points, `count` how many they are.
    fn distances(&self, length: f32, count: f32) -> [f32; LANES] {
        let m = &self.products;
        let mut total = [0.0; LANES];
        let [mut c2, mut c1, mut c0] = [[0.0; LANES]; 3];
        for lane in 0..LANES {
            let middle: f32 = (0..3).map(|c| self.points[c][lane] * self.points[c][lane]).sum();
            total[lane] = (length + self.squares[lane] - middle / count).max(f32::MIN_POSITIVE);
            // lengths of about 1: the largest eigenvalue is 1 at most, and the larger the nearer
            let p = |i: usize, j: usize| m[i][j][lane] * (2.0 / total[lane]);
            let [xx, xy, xz] = [p(0, 0), p(0, 1), p(0, 2)];
            let [yx, yy, yz] = [p(1, 0), p(1, 1), p(1, 2)];
            let [zx, zy, zz] = [p(2, 0), p(2, 1), p(2, 2)];
            let norm = xx * xx + xy * xy + xz * xz + yx * yx + yy * yy + yz * yz + zx * zx + zy * zy + zz * zz;
            let cofactors = [
                [yy * zz - yz * zy, yz * zx - yx * zz, yx * zy - yy * zx],
                [xz * zy - xy * zz, xx * zz - xz * zx, xy * zx - xx * zy],
                [xy * yz - xz * yy, xz * yx - xx * yz, xx * yy - xy * yx],
            ];
            let determinant = xx * cofactors[0][0] + xy * cofactors[0][1] + xz * cofactors[0][2];
            // the sum of all products of two squared singular values
            let pairs: f32 = cofactors.as_flattened().iter().map(|v| v * v).sum();
            (c2[lane], c1[lane], c0[lane]) = (-2.0 * norm, -8.0 * determinant, norm * norm - 4.0 * pairs);
        }
        // from above, where Newton's steps never pass the largest root of λ⁴ + c2 λ² + c1 λ + c0
        let mut root = [1.0_f32; LANES];
        for _ in 0..STEPS {
            for lane in 0..LANES {
                let square = root[lane] * root[lane];
                let value = (square + c2[lane]) * square + c1[lane] * root[lane] + c0[lane];
                let slope = (4.0 * square + 2.0 * c2[lane]) * root[lane] + c1[lane];
                root[lane] -= value / slope.max(1e-6);
            }
        }
        std::array::from_fn(|lane| (1.0 - root[lane]) * total[lane])
    }
}

fn centred(mut points: Vec<Point>) -> Vec<Point> {
    let count = points.len().max(1) as f64;
    let sum = points.iter().fold([0.0; 3], |sum, point| [0, 1, 2].map(|c| sum[c] + point[c]));
    points.iter_mut().for_each(|point| (0..3).for_each(|c| point[c] -= sum[c] / count));
    points
}

fn squared(a: &Point, b: &Point) -> f64 {
    (0..3).map(|c| (a[c] - b[c]).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::pose::{Skeleton, formats};

    fn track(poses: &[Vec<Point>]) -> Track {
        let positions_tkc: Vec<f32> = poses.iter().flatten().flatten().map(|v| *v as f32).collect();
        let known_tk = vec![true; positions_tkc.len() / 3];
        Track { keypoints: poses[0].len(), positions_tkc, known_tk }
    }

    fn poses(count: usize, keypoints: usize) -> impl Strategy<Value = Vec<Vec<Point>>> {
        let point = prop::array::uniform3(-100.0..100.0);
        prop::collection::vec(prop::collection::vec(point, keypoints), count)
    }

    /// By comparing with each pose exactly.
    fn slowly(poses: &Track, frame: &Track) -> Vec<f32> {
        let known: Vec<usize> = (0..frame.keypoints).filter(|k| frame.known_tk[*k]).collect();
        let point = |track: &Track, t: usize, k: usize| {
            [0, 1, 2].map(|c| f64::from(track.positions_tkc[(t * track.keypoints + k) * 3 + c]))
        };
        let to: Vec<Point> = known.iter().map(|k| point(frame, 0, *k)).collect();
        let mut found: Vec<(f64, usize, Similarity)> = (0..poses.frames())
            .map(|t| {
                let from: Vec<Point> = known.iter().map(|k| point(poses, t, *k)).collect();
                let onto = Similarity::fit(&from, &to, false).unwrap();
                (from.iter().zip(&to).map(|(a, b)| squared(&onto.apply(*a), b)).sum(), t, onto)
            })
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut out = frame.positions_tkc.clone();
        for k in (0..frame.keypoints).filter(|k| !known.contains(k)) {
            for c in 0..3 {
                let sum: f64 = found[..5].iter().map(|(_, t, onto)| onto.apply(point(poses, *t, k))[c]).sum();
                out[k * 3 + c] = (sum / 5.0) as f32;
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_quick_search_finds_the_nearest(all in poses(50, 6), hidden in prop::collection::vec(any::<bool>(), 6)) {
            let all = track(&all);
            let mut frame = all.slice(0, 1);
            (0..3).for_each(|k| if hidden[k] { frame.set(0, k, None) });
            // the frame's own pose is not among those that are compared
            let others = all.slice(1, 49);
            let found = Template::new(&others).fill(&frame);
            for (found, expected) in found.iter().zip(slowly(&others, &frame)) {
                prop_assert!((found - expected).abs() < 1e-3, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_pose_that_was_seen_is_completed_wherever_it_stands() {
        let seen = vec![[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [0.0, 20.0, 0.0], [0.0, 0.0, 30.0], [7.0, 8.0, 9.0]];
        let other = |i: f64| seen.iter().map(|p| [p[0] + i * p[1], p[1], p[2] * (1.0 + i)]).collect::<Vec<_>>();
        let mut poses = vec![seen.clone(); NEIGHBOURS];
        poses.extend((1..40).map(|i| other(f64::from(i))));
        let turned: Vec<Point> = seen.iter().map(|[x, y, z]| [-y + 500.0, *x - 30.0, *z + 7.0]).collect();
        let mut frame = track(std::slice::from_ref(&turned));
        frame.set(0, 4, None);
        let filled = Template::new(&track(&poses)).fill(&frame);
        for (found, expected) in filled.iter().zip(turned.as_flattened()) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{filled:?}");
        }
    }

    #[test]
    fn frames_with_too_few_keypoints_lie_between_others() {
        let pose = |x: f64| vec![[x, 0.0, 0.0], [x + 10.0, 0.0, 0.0], [x, 20.0, 0.0], [x, 0.0, 30.0]];
        let template = Template::new(&track(&vec![pose(0.0); 6]));
        let truth = track(&[pose(0.0), pose(1.0), pose(2.0)]);
        let mut seen = truth.clone();
        (0..4).for_each(|k| seen.set(1, k, None));
        seen.set(1, 2, Some([5.0, 5.0, 5.0]));
        seen.set(0, 3, None);
        let filled = template.fill(&seen);
        let expected = {
            let mut track = truth;
            track.set(1, 2, Some([5.0, 5.0, 5.0]));
            track.positions_tkc
        };
        for (found, expected) in filled.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{filled:?}");
        }
        let nothing = Track::unknown(2, 4);
        assert_eq!(template.fill(&nothing), interpolate::fill(&nothing));
        let empty = Template::new(&nothing);
        assert!(empty.is_empty());
        assert_eq!(empty.fill(&seen), interpolate::fill(&seen));
    }

    #[test]
    fn where_hardly_a_pose_is_whole_they_are_interpolated_first() {
        let mut poses = track(&vec![vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]; 20]);
        (0..20).for_each(|t| poses.set(t, t % 4, None));
        poses.set(7, 3, None);
        (0..4).for_each(|k| poses.set(9, k, None));
        let template = Template::new(&poses);
        assert_eq!(template.len(), 19);
        let filled = template.fill(&poses);
        assert!((filled[7 * 12 + 11] - 3.0).abs() < 1e-5 && (filled[9 * 12 + 11] - 3.0).abs() < 1e-5, "{filled:?}");
    }

    #[test]
    fn a_rats_missing_keypoint_is_as_far_off_as_numpy_says() {
        let shared = std::env::var_os("TESSERA_SHARED").map_or_else(|| "../../shared".into(), std::path::PathBuf::from);
        let data = shared.join("data/pose");
        if !data.is_dir() {
            let _ = writeln!(std::io::stderr(), "skipped: the rat is not here; set TESSERA_SHARED");
            return;
        }
        let skeleton = Skeleton::read(&data.join("rat23.toml")).unwrap();
        let all = formats::read(&data.join("rat23.csv"), &skeleton, None).unwrap().track;
        let template = Template::new(&all.slice(0, 700));
        let truth = all.slice(700, 30);
        let (mut sum, mut count) = (0.0, 0.0);
        for k in 0..23 {
            let mut seen = truth.clone();
            (0..30).for_each(|t| seen.set(t, k, None));
            let filled = template.fill(&seen);
            for t in 0..30 {
                let at = (t * 23 + k) * 3;
                let point = |values: &[f32]| [0, 1, 2].map(|c| f64::from(values[at + c]));
                sum += squared(&point(&filled), &point(&truth.positions_tkc)).sqrt();
                count += 1.0;
            }
        }
        // numpy 2.4.6 in double precision, with its own singular values for each pose
        assert!((sum / count - 1.242_909_195).abs() < 2e-3, "{}", sum / count);
    }
}
