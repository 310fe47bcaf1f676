//! A window as strips of skeletons.

use super::{class, side_class};
use crate::metrics::pose::Estimate;
use crate::number::significant;
use crate::report::chart::{Bone, Camera, Filmstrip, Pose, Size, Strip, in_both};
use crate::report::html::charts::caption;
use crate::report::pose::{BodySide, Film, Poses};

/// Frames that are shown, on a page and on a telephone.
const FRAMES: usize = 5;
const FEW_FRAMES: usize = 3;

pub(super) fn draw(poses: &Poses, film: &Film, index: usize) -> String {
    let view = View { poses, film };
    let bones = view.bones();
    let classes: Vec<&'static str> = poses.sides.iter().map(|side| side_class(*side)).collect();
    let off = |by: Estimate| {
        film.error(by).map_or_else(String::new, |e| format!("{} {}", significant(e, 3), poses.skeleton.unit))
    };
    let description = format!(
        "A window of {}: {} keypoints hidden; the model is {} off, {} {}.",
        film.subject,
        film.masked,
        off(Estimate::Optimised),
        film.baseline.label(),
        off(film.baseline)
    );
    in_both(&format!("film-{index}"), Size::Wide, |size, id| {
        let count = if size == Size::Wide { FRAMES } else { FEW_FRAMES };
        let frames = view.chosen(count);
        let centres: Vec<[f64; 3]> = frames.iter().map(|t| view.centre(*t)).collect();
        let floor = view.floor();
        let camera = Camera::beside(view.direction());
        let chart = Filmstrip {
            caption: caption(&id, "Skeletons over time", description.clone()),
            size,
            camera,
            bones: &bones,
            classes: &classes,
            reach: view.reach(&camera, floor),
            floor,
            centres,
            frames: frames.iter().map(|t| format!("frame {}", film.frame + *t as i64)).collect(),
            strips: view.strips(&frames),
        };
        chart.draw()
    })
}

/// A window as a camera sees it.
pub(super) struct View<'a> {
    pub(super) poses: &'a Poses,
    pub(super) film: &'a Film,
}

impl View<'_> {
    /// Of stretches of equal length the frame in which most is hidden, the middle one of several.
    fn chosen(&self, count: usize) -> Vec<usize> {
        let frames = self.film.frames.max(1);
        let count = count.min(frames);
        let of_stretch = |i: usize| {
            let (from, to) = (i * frames / count, (i + 1) * frames / count);
            let hidden = |t: usize| self.hidden(t).into_iter().filter(|hidden| *hidden).count();
            let middle = (from + to - 1) / 2;
            (from..to).max_by_key(|t| (hidden(*t), std::cmp::Reverse(t.abs_diff(middle)))).unwrap_or(from)
        };
        (0..count).map(of_stretch).collect()
    }

    fn keypoints(&self) -> usize {
        self.poses.skeleton.keypoints.len()
    }

    fn place(&self, values: &[f32], t: usize, k: usize) -> [f64; 3] {
        let at = (t * self.keypoints() + k) * 3;
        [0, 1, 2].map(|c| f64::from(values[at + c]))
    }

    fn known(&self, t: usize, k: usize) -> bool {
        self.film.known[t * self.keypoints() + k] == 1
    }

    fn given(&self, t: usize, k: usize) -> bool {
        self.film.given[t * self.keypoints() + k] == 1
    }

    /// The true places of a frame; by the model where nobody knows one.
    fn truth(&self, t: usize) -> Vec<Option<[f64; 3]>> {
        (0..self.keypoints()).map(|k| self.known(t, k).then(|| self.place(&self.film.target, t, k))).collect()
    }

    pub(super) fn anchor(&self, t: usize) -> Vec<[f64; 3]> {
        let known: Vec<[f64; 3]> = self.truth(t).into_iter().flatten().collect();
        match known.is_empty() {
            false => known,
            true => (0..self.keypoints()).map(|k| self.place(&self.film.optimised, t, k)).collect(),
        }
    }

    /// The middle of the box around a frame's pose.
    pub(super) fn centre(&self, t: usize) -> [f64; 3] {
        let places = self.anchor(t);
        [0, 1, 2].map(|c| {
            let ends = places.iter().map(|place| place[c]);
            (ends.clone().fold(f64::INFINITY, f64::min) + ends.fold(f64::NEG_INFINITY, f64::max)) / 2.0
        })
    }

    /// How low the lowest keypoint is in the middle of the frames: one that jumps leaves it.
    fn floor(&self) -> f64 {
        let lowest = |t: usize| self.anchor(t).iter().map(|place| place[2]).fold(f64::INFINITY, f64::min);
        let mut lowest: Vec<f64> = (0..self.film.frames).map(lowest).collect();
        lowest.sort_by(f64::total_cmp);
        lowest.get(lowest.len() / 2).copied().unwrap_or(0.0)
    }

    /// The horizontal direction in which the body is longest.
    pub(super) fn direction(&self) -> [f64; 2] {
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for t in 0..self.film.frames {
            let places = self.anchor(t);
            let mean = [0, 1].map(|c| places.iter().map(|p| p[c]).sum::<f64>() / places.len().max(1) as f64);
            for place in places {
                let (x, y) = (place[0] - mean[0], place[1] - mean[1]);
                (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
            }
        }
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        [angle.cos(), angle.sin()]
    }

    /// How far the true poses and their shadows reach from their centres in the picture.
    fn reach(&self, camera: &Camera, floor: f64) -> (f64, f64) {
        let mut reach = (0.0_f64, 0.0_f64);
        for t in 0..self.film.frames {
            let centre = self.centre(t);
            for place in self.anchor(t) {
                for place in [place, [place[0], place[1], floor]] {
                    let [right, up, _] = camera.see([0, 1, 2].map(|c| place[c] - centre[c]));
                    reach = (reach.0.max(right.abs()), reach.1.max(up.abs()));
                }
            }
        }
        reach
    }

    pub(super) fn bones(&self) -> Vec<Bone> {
        let sides = &self.poses.sides;
        let bone = |ends: [usize; 2]| {
            let side = match ends.map(|k| sides[k]) {
                [BodySide::Middle, side] | [side, BodySide::Middle] => side,
                [a, b] if a == b => a,
                _ => BodySide::Middle,
            };
            Bone { ends, class: side_class(side) }
        };
        self.poses.skeleton.edge_indices().into_iter().map(bone).collect()
    }

    fn strips(&self, frames: &[usize]) -> Vec<Strip> {
        let film = self.film;
        let coarse = Strip {
            label: "coarse: what was given".to_owned(),
            class: "s7".to_owned(),
            poses: frames.iter().map(|t| self.coarse(*t)).collect(),
        };
        let made = |by: Estimate| Strip {
            label: if by == Estimate::Optimised { "optimised by the model".to_owned() } else { by.label().to_owned() },
            class: class(by).to_owned(),
            poses: frames.iter().map(|t| self.made(by, *t)).collect(),
        };
        let truth = Strip {
            label: "true".to_owned(),
            class: "truth".to_owned(),
            poses: frames.iter().map(|t| self.true_pose(*t)).collect(),
        };
        vec![coarse, made(film.baseline), made(Estimate::Optimised), truth]
    }

    fn hidden(&self, t: usize) -> Vec<bool> {
        (0..self.keypoints()).map(|k| !self.given(t, k)).collect()
    }

    fn coarse(&self, t: usize) -> Pose {
        let places = (0..self.keypoints()).map(|k| self.given(t, k).then(|| self.place(&self.film.input, t, k)));
        let hidden = self.hidden(t);
        let count = hidden.iter().filter(|hidden| **hidden).count();
        Pose {
            places: places.collect(),
            word: if count > 0 { format!("{count} hidden") } else { String::new() },
            title: format!(
                "frame {}: {count} of {} keypoints are hidden",
                self.film.frame + t as i64,
                self.keypoints()
            ),
            ghost: self.truth(t),
            hidden,
        }
    }

    fn made(&self, by: Estimate, t: usize) -> Pose {
        let values = self.film.estimate(by);
        let places: Vec<[f64; 3]> = (0..self.keypoints()).map(|k| self.place(values, t, k)).collect();
        let hidden = self.hidden(t);
        let truth = self.truth(t);
        let error = |hidden_only: bool| {
            let counted = (0..self.keypoints()).filter(|k| hidden[*k] || !hidden_only);
            let errors: Vec<f64> = counted
                .filter_map(|k| truth[k].map(|t| (0..3).map(|c| (t[c] - places[k][c]).powi(2)).sum::<f64>().sqrt()))
                .collect();
            (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
        };
        let unit = &self.poses.skeleton.unit;
        let word = error(true).map_or_else(String::new, |e| format!("{} {unit}", significant(e, 2)));
        let title = match error(true).or(error(false)) {
            Some(error) => format!("frame {}: {} {unit} off", self.film.frame + t as i64, significant(error, 3)),
            None => format!("frame {}", self.film.frame + t as i64),
        };
        Pose { places: places.into_iter().map(Some).collect(), hidden, ghost: truth, word, title }
    }

    fn true_pose(&self, t: usize) -> Pose {
        let truth = self.truth(t);
        Pose {
            hidden: vec![false; truth.len()],
            places: truth,
            ghost: Vec::new(),
            word: String::new(),
            title: format!("frame {}", self.film.frame + t as i64),
        }
    }
}
