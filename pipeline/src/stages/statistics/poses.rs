//! What is in recordings of poses: which keypoints are missing and for how long, how long the bones
//! are, and how fast things move.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use serde_json::{Map, Value, json};
use tessera_datasets::Result;
use tessera_datasets::pose::Skeleton;

use crate::rows::{PoseColumns, SPLIT, strings};
use crate::stage::FoldStart;

/// Poses of some rows.
pub(super) struct Poses {
    skeleton: Skeleton,
    bones: Vec<[usize; 2]>,
    splits: BTreeMap<String, Split>,
    /// The recording whose rows came last.
    open: Option<Open>,
}

/// Counts of one split.
#[derive(Clone, Debug, Default, PartialEq)]
struct Split {
    frames: u64,
    recordings: u64,
    keypoints: Vec<Keypoint>,
    /// How many gaps there are of each length in frames.
    gaps: BTreeMap<u64, u64>,
    bones: Vec<Values>,
    /// The smallest box around all that is known.
    minimum: [f32; 3],
    maximum: [f32; 3],
}

/// Counts of one keypoint.
#[derive(Clone, Debug, Default, PartialEq)]
struct Keypoint {
    missing: u64,
    longest_gap: u64,
    /// Distances from one frame to the next.
    steps: Values,
}

/// The moments of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Values {
    count: u64,
    sum: f64,
    squares: f64,
    minimum: f64,
    maximum: f64,
}

/// A recording on its way.
struct Open {
    split: String,
    subject: String,
    frame: i64,
    /// Where each keypoint was in the last frame, where it was known.
    last: Vec<Option<[f32; 3]>>,
    /// For how many frames each keypoint has been missing.
    gaps: Vec<u64>,
}

impl Poses {
    pub(super) fn new(at: &FoldStart<'_>) -> Result<Self> {
        let skeleton = Skeleton::of_details(at.artifacts.details())?;
        Ok(Self { bones: skeleton.edge_indices(), skeleton, splits: BTreeMap::new(), open: None })
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = PoseColumns::of(batch)?;
        let splits = strings(batch, SPLIT)?;
        let keypoints = columns.keypoints;
        let mut points = vec![None; keypoints];
        for row in 0..batch.num_rows() {
            for (k, point) in points.iter_mut().enumerate() {
                let at = row * keypoints + k;
                let position = [0, 1, 2].map(|c| columns.positions[at * 3 + c]);
                *point = columns.mask.value(at).then_some(position);
            }
            self.frame(splits.value(row), columns.subjects.value(row), columns.frames.value(row), &points);
        }
        Ok(())
    }

    fn frame(&mut self, split: &str, subject: &str, frame: i64, points: &[Option<[f32; 3]>]) {
        if self.open.as_ref().is_none_or(|open| open.split != split || open.subject != subject) {
            self.close();
            let (last, gaps) = (vec![None; points.len()], vec![0; points.len()]);
            let (split, subject) = (split.to_owned(), subject.to_owned());
            let counts = self.splits.entry(split.clone()).or_insert_with(|| Split::new(points.len(), self.bones.len()));
            counts.recordings += 1;
            self.open = Some(Open { split, subject, frame: frame - 1, last, gaps });
        }
        let (Some(open), Some(counts)) = (&mut self.open, self.splits.get_mut(split)) else {
            return;
        };
        counts.frames += 1;
        // where frames are missing, a gap goes on and a step is not one of a frame
        let passed = u64::try_from(frame - open.frame).unwrap_or(1).max(1);
        open.frame = frame;
        for (k, point) in points.iter().enumerate() {
            let keypoint = &mut counts.keypoints[k];
            match point {
                None => {
                    keypoint.missing += 1;
                    open.gaps[k] += if open.gaps[k] > 0 { passed } else { 1 };
                }
                Some(point) => {
                    counts.bound(point);
                    if open.gaps[k] > 0 {
                        let length = open.gaps[k] + passed - 1;
                        counts.gap(k, length);
                        open.gaps[k] = 0;
                    } else if let Some(last) = open.last[k].filter(|_| passed == 1) {
                        counts.keypoints[k].steps.add(distance(&last, point));
                    }
                }
            }
        }
        for ([a, b], values) in self.bones.iter().zip(&mut counts.bones) {
            if let (Some(a), Some(b)) = (points[*a], points[*b]) {
                values.add(distance(&a, &b));
            }
        }
        open.last.copy_from_slice(points);
    }

    /// Ends the recording on its way: a gap at its end is one, too.
    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if let Some(counts) = self.splits.get_mut(&open.split) {
            open.gaps.iter().enumerate().filter(|(_, gap)| **gap > 0).for_each(|(k, gap)| counts.gap(k, *gap));
        }
    }

    /// Recordings are never divided between parts.
    pub(super) fn merge(mut self, mut second: Self) -> Self {
        self.close();
        second.close();
        for (name, more) in second.splits {
            match self.splits.get_mut(&name) {
                Some(counts) => counts.merge(&more),
                None => drop(self.splits.insert(name, more)),
            }
        }
        self
    }

    /// The counts of all splits; for the file and for the manifest.
    pub(super) fn reports(mut self) -> (Value, Value) {
        self.close();
        let (unit, fps) = (&self.skeleton.unit, self.skeleton.frames_per_second);
        let of_all = |report: &dyn Fn(&Split) -> Value| {
            let splits = self.splits.iter().map(|(name, counts)| (name.clone(), report(counts)));
            json!({ "unit": unit, "frames_per_second": fps, "splits": splits.collect::<Map<_, _>>() })
        };
        let mut file = of_all(&|split| split.report(&self.skeleton, &self.bones));
        file["kind"] = json!("pose");
        (file, of_all(&Split::overview))
    }
}

impl Split {
    fn new(keypoints: usize, bones: usize) -> Self {
        Self {
            keypoints: vec![Keypoint::default(); keypoints],
            bones: vec![Values::default(); bones],
            minimum: [f32::INFINITY; 3],
            maximum: [f32::NEG_INFINITY; 3],
            ..Self::default()
        }
    }

    fn gap(&mut self, keypoint: usize, length: u64) {
        *self.gaps.entry(length).or_default() += 1;
        let longest = &mut self.keypoints[keypoint].longest_gap;
        *longest = length.max(*longest);
    }

    fn bound(&mut self, point: &[f32; 3]) {
        for (c, value) in point.iter().enumerate() {
            self.minimum[c] = self.minimum[c].min(*value);
            self.maximum[c] = self.maximum[c].max(*value);
        }
    }

    fn merge(&mut self, more: &Self) {
        self.frames += more.frames;
        self.recordings += more.recordings;
        for (keypoint, more) in self.keypoints.iter_mut().zip(&more.keypoints) {
            keypoint.missing += more.missing;
            keypoint.longest_gap = keypoint.longest_gap.max(more.longest_gap);
            keypoint.steps.merge(&more.steps);
        }
        more.gaps.iter().for_each(|(length, count)| *self.gaps.entry(*length).or_default() += count);
        self.bones.iter_mut().zip(&more.bones).for_each(|(bone, more)| bone.merge(more));
        if more.minimum[0].is_finite() {
            self.bound(&more.minimum);
            self.bound(&more.maximum);
        }
    }

    fn missing_share(&self) -> f64 {
        let missing: u64 = self.keypoints.iter().map(|keypoint| keypoint.missing).sum();
        share(missing, self.frames * self.keypoints.len() as u64)
    }

    fn report(&self, skeleton: &Skeleton, bones: &[[usize; 2]]) -> Value {
        let per_second = |per_frame: Option<f64>| Some(per_frame? * skeleton.frames_per_second?);
        let keypoints = self.keypoints.iter().zip(&skeleton.keypoints).map(|(counts, name)| {
            let report = json!({
                "missing": counts.missing,
                "missing_share": share(counts.missing, self.frames),
                "longest_gap": counts.longest_gap,
                "mean_step": counts.steps.mean(),
                "longest_step": counts.steps.largest(),
                "mean_speed": per_second(counts.steps.mean()),
            });
            (name.clone(), report)
        });
        let bones = self.bones.iter().zip(bones).map(|(lengths, [a, b])| {
            json!({
                "keypoints": [skeleton.keypoints[*a], skeleton.keypoints[*b]],
                "frames": lengths.count,
                "mean": lengths.mean(),
                "deviation": lengths.deviation(),
                "minimum": lengths.mean().map(|_| lengths.minimum),
                "maximum": lengths.largest(),
            })
        });
        let gaps =
            self.gap_classes().into_iter().map(|([from, to], count)| json!({ "from": from, "to": to, "count": count }));
        let is_bound = self.minimum[0].is_finite();
        json!({
            "frames": self.frames,
            "recordings": self.recordings,
            "missing_share": self.missing_share(),
            "keypoints": keypoints.collect::<Map<_, _>>(),
            "gaps": gaps.collect::<Vec<_>>(),
            "bones": bones.collect::<Vec<_>>(),
            "minimum": is_bound.then_some(self.minimum),
            "maximum": is_bound.then_some(self.maximum),
        })
    }

    fn overview(&self) -> Value {
        // by how much of its length a bone deviates, the mean over the bones
        let spreads: Vec<f64> = self
            .bones
            .iter()
            .filter_map(|bone| Some(bone.deviation()? / bone.mean().filter(|mean| *mean > 0.0)?))
            .collect();
        let spread = (!spreads.is_empty()).then(|| spreads.iter().sum::<f64>() / spreads.len() as f64);
        let gaps: u64 = self.gaps.values().sum();
        json!({
            "frames": self.frames,
            "recordings": self.recordings,
            "missing_share": self.missing_share(),
            "gaps": gaps,
            "longest_gap": self.gaps.keys().next_back(),
            "bone_spread": spread,
        })
    }

    /// How many gaps are of 1 frame, of 2 to 3, of 4 to 7, and so on; up to the longest.
    fn gap_classes(&self) -> BTreeMap<[u64; 2], u64> {
        let mut classes = BTreeMap::new();
        for (length, count) in &self.gaps {
            let from = 1 << length.ilog2();
            *classes.entry([from, 2 * from - 1]).or_default() += count;
        }
        classes
    }
}

impl Values {
    fn add(&mut self, value: f64) {
        let one = Self { count: 1, sum: value, squares: value * value, minimum: value, maximum: value };
        self.merge(&one);
    }

    fn merge(&mut self, more: &Self) {
        if self.count == 0 || more.count == 0 {
            if self.count == 0 {
                *self = *more;
            }
            return;
        }
        self.count += more.count;
        self.sum += more.sum;
        self.squares += more.squares;
        self.minimum = self.minimum.min(more.minimum);
        self.maximum = self.maximum.max(more.maximum);
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The population's standard deviation, as `numpy.std`.
    fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        Some((self.squares / self.count as f64 - mean * mean).max(0.0).sqrt())
    }

    fn largest(&self) -> Option<f64> {
        (self.count > 0).then_some(self.maximum)
    }
}

fn distance(a: &[f32; 3], b: &[f32; 3]) -> f64 {
    let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::origin;
    use crate::rows::{Pose, PoseRows};
    use proptest::prelude::*;

    fn empty() -> Poses {
        let card = "name = \"a\"\nunit = \"mm\"\nkeypoints = [\"nose\", \"tail\"]\nskeleton = [[\"nose\", \"tail\"]]\nframes_per_second = 10.0";
        let skeleton = Skeleton::parse(card).unwrap();
        Poses { bones: skeleton.edge_indices(), skeleton, splits: BTreeMap::new(), open: None }
    }

    type Row = (&'static str, &'static str, i64, [Option<f32>; 2]);

    /// Counts of keypoints on the x axis, in batches of so many rows.
    fn counted(rows: &[Row], batch: usize) -> Poses {
        let mut poses = empty();
        for rows in rows.chunks(batch.max(1)) {
            let mut batch = PoseRows::new(2, false);
            for (split, subject, frame, places) in rows {
                let positions = places.map(|x| [x.unwrap_or(0.0), 0.0, 0.0]).concat();
                let pose = Pose { positions: &positions, mask: &places.map(|x| x.is_some()), truth: None };
                batch.push(&pose, subject, *frame, &origin(split, "x"));
            }
            poses.add(&batch.finish().unwrap()).unwrap();
        }
        poses
    }

    const ROWS: [Row; 9] = [
        ("train", "a", 0, [Some(0.0), Some(10.0)]),
        ("train", "a", 1, [Some(1.0), None]),
        ("train", "a", 2, [Some(3.0), None]),
        ("train", "a", 3, [Some(3.0), Some(15.0)]),
        // three frames are missing
        ("train", "a", 7, [Some(99.0), Some(99.0)]),
        ("train", "a", 8, [None, Some(98.0)]),
        ("train", "b", 0, [None, None]),
        ("train", "b", 1, [Some(0.0), Some(0.0)]),
        ("test", "b", 2, [Some(0.0), Some(0.0)]),
    ];

    #[test]
    fn gaps_steps_and_bones_are_counted() {
        let (file, overview) = counted(&ROWS, 4).reports();
        let train = &file["splits"]["train"];
        assert_eq!((&train["frames"], &train["recordings"]), (&json!(8), &json!(2)));
        let nose = &train["keypoints"]["nose"];
        // steps of 1, 2 and 0; the jump over three frames is none
        assert_eq!((&nose["missing"], &nose["longest_gap"], &nose["mean_step"]), (&json!(2), &json!(1), &json!(1.0)));
        assert_eq!((&nose["mean_speed"], &nose["longest_step"]), (&json!(10.0), &json!(2.0)));
        let tail = &train["keypoints"]["tail"];
        assert_eq!((&tail["missing"], &tail["longest_gap"]), (&json!(3), &json!(2)));
        let gaps = json!([{ "from": 1, "to": 1, "count": 3 }, { "from": 2, "to": 3, "count": 1 }]);
        assert_eq!(train["gaps"], gaps);
        // lengths of 10, 12, 0 and 0
        let bone = &train["bones"][0];
        assert_eq!((&bone["mean"], &bone["frames"], &bone["maximum"]), (&json!(5.5), &json!(4), &json!(12.0)));
        assert!((bone["deviation"].as_f64().unwrap() - 30.75_f64.sqrt()).abs() < 1e-12);
        assert_eq!((&train["minimum"], &train["maximum"]), (&json!([0.0, 0.0, 0.0]), &json!([99.0, 0.0, 0.0])));
        let overview = &overview["splits"]["train"];
        assert_eq!((&overview["missing_share"], &overview["longest_gap"]), (&json!(5.0 / 16.0), &json!(2)));
        assert_eq!(file["splits"]["test"]["bones"][0]["mean"], json!(0.0));
    }

    #[test]
    fn a_gap_goes_on_where_frames_are_missing() {
        let rows = [
            ("train", "a", 0, [None, Some(0.0)]),
            ("train", "a", 4, [None, Some(0.0)]),
            ("train", "a", 6, [Some(0.0), None]),
        ];
        let (file, _) = counted(&rows, 9).reports();
        assert_eq!(file["splits"]["train"]["keypoints"]["nose"]["longest_gap"], json!(6));
        assert_eq!(file["splits"]["train"]["keypoints"]["tail"]["mean_step"], Value::Null);
    }

    proptest! {
        /// Neither batches nor parts matter, as long as parts hold whole recordings.
        #[test]
        fn batches_and_parts_merge_to_the_whole(batch in 1..10_usize, at in prop::sample::select(vec![0_usize, 6, 8, 9])) {
            let (first, second) = ROWS.split_at(at);
            let merged = counted(first, batch).merge(counted(second, batch)).reports();
            prop_assert_eq!(merged, counted(&ROWS, 9).reports());
        }
    }
}
