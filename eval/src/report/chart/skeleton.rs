//! Skeletons in space, frame by frame.

use super::svg::{Canvas, coordinate};
use super::{Caption, Size};

/// How far the camera is turned from looking straight at the animal's side, and how high it stands,
/// in degrees.
const TURN: f64 = 32.0;
const HEIGHT: f64 = 20.0;
/// The share of a cell that the largest pose fills.
const FILLED: f64 = 0.86;
/// Room above each strip for its name.
const NAME: f64 = 20.0;
/// Room below each cell for a word.
const WORD: f64 = 15.0;
/// Room below the strips for the numbers of the frames.
const FOOT: f64 = 22.0;

/// A parallel projection: what is right, what is up, and what is near.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    right: [f64; 3],
    up: [f64; 3],
    near: [f64; 3],
}

/// A bone between two keypoints, with its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bone {
    /// Its ends.
    pub ends: [usize; 2],
    /// The class of its colour.
    pub class: &'static str,
}

/// What one cell shows.
#[derive(Clone, Debug, Default)]
pub struct Pose {
    /// Where the keypoints are; none where nobody says.
    pub places: Vec<Option<[f64; 3]>>,
    /// Which of them were hidden: they are drawn hollow.
    pub hidden: Vec<bool>,
    /// The truth behind them, drawn faintly.
    pub ghost: Vec<Option<[f64; 3]>>,
    /// A word below.
    pub word: String,
    /// What shows on hover.
    pub title: String,
}

/// Poses in succession.
#[derive(Clone, Debug)]
pub struct Strip {
    /// What they are.
    pub label: String,
    /// The class of the label.
    pub class: String,
    /// A pose for each frame.
    pub poses: Vec<Pose>,
}

/// Strips one below the other, with the same frames.
#[derive(Clone, Debug)]
pub struct Filmstrip<'a> {
    /// What it is called.
    pub caption: Caption,
    /// The room for it.
    pub size: Size,
    /// Where one looks from.
    pub camera: Camera,
    /// The bones.
    pub bones: &'a [Bone],
    /// The class of each keypoint.
    pub classes: &'a [&'static str],
    /// The centre of each frame.
    pub centres: Vec<[f64; 3]>,
    /// The height of the floor, on which shadows fall.
    pub floor: f64,
    /// How far poses reach from their centres: to the sides, up and down.
    pub reach: (f64, f64),
    /// What stands below each frame.
    pub frames: Vec<String>,
    /// The strips.
    pub strips: Vec<Strip>,
}

impl Camera {
    /// A camera that looks at the side of a body that is long in this horizontal direction, from a
    /// little ahead and above.
    pub fn beside([x, y]: [f64; 2]) -> Self {
        let azimuth = y.atan2(x) - (90.0 - TURN).to_radians();
        let ((sin, cos), (rise, level)) = (azimuth.sin_cos(), HEIGHT.to_radians().sin_cos());
        Self { right: [-sin, cos, 0.0], up: [-rise * cos, -rise * sin, level], near: [level * cos, level * sin, rise] }
    }

    /// Right, up and near of a place.
    pub fn see(&self, place: [f64; 3]) -> [f64; 3] {
        [self.right, self.up, self.near].map(|axis| (0..3).map(|c| axis[c] * place[c]).sum())
    }
}

impl Filmstrip<'_> {
    /// The picture as SVG.
    pub fn draw(&self) -> String {
        let count = self.frames.len().max(1) as f64;
        let width = self.size.width() / count;
        let (across, up) = self.reach;
        let scale = FILLED * width / (2.0 * across.max(f64::MIN_POSITIVE));
        // as high as the poses need, but no higher than wide
        let cell = (2.0 * up * scale / FILLED + 6.0).clamp(0.4 * width, 1.15 * width);
        let scale = scale.min(FILLED * cell / (2.0 * up.max(f64::MIN_POSITIVE)));
        let strip = NAME + cell + WORD;
        let height = strip * self.strips.len() as f64 + FOOT;
        let mut canvas = Canvas::new(&self.caption, self.size, height, "film", &[]);
        for (s, row) in self.strips.iter().enumerate() {
            let top = strip * s as f64;
            canvas.text((0.0, top + 13.0), "start", &format!("name {}", row.class), &row.label);
            canvas.rect((0.0, top + NAME), self.size.width(), cell, "ground", "");
            for (i, pose) in row.poses.iter().enumerate() {
                let middle = (width * (i as f64 + 0.5), top + NAME + cell / 2.0);
                let seen = Seen { film: self, centre: self.centres[i], middle, scale };
                canvas.titled(&pose.title, |canvas| seen.draw(canvas, pose));
                canvas.text((middle.0, top + NAME + cell + 11.0), "middle", "second", &pose.word);
            }
        }
        for (i, frame) in self.frames.iter().enumerate() {
            canvas.text((width * (i as f64 + 0.5), height - 6.0), "middle", "tick", frame);
        }
        canvas.finish()
    }
}

/// One cell.
struct Seen<'a> {
    film: &'a Filmstrip<'a>,
    centre: [f64; 3],
    middle: (f64, f64),
    scale: f64,
}

impl Seen<'_> {
    fn draw(&self, canvas: &mut Canvas, pose: &Pose) {
        let on_floor = |place: &Option<[f64; 3]>| place.map(|[x, y, _]| [x, y, self.film.floor]);
        let shadows: Vec<Option<[f64; 3]>> = pose.places.iter().map(on_floor).collect();
        self.bones(canvas, &shadows, "shadow", |_| true);
        self.bones(canvas, &pose.ghost, "ghost", |_| true);
        // what is further away first
        let bones = self.film.bones.iter().map(|bone| bone.class);
        let mut classes: Vec<&str> = self.film.classes.iter().copied().chain(bones).collect();
        classes.sort_unstable();
        classes.dedup();
        let nearness = |class: &str| {
            let of_class = self.film.classes.iter().zip(&pose.places).filter(|(c, _)| **c == class);
            let (sum, count) = of_class
                .filter_map(|(_, place)| *place)
                .fold((0.0, 0_u32), |(sum, count), place| (sum + self.film.camera.see(place)[2], count + 1));
            sum / f64::from(count.max(1))
        };
        classes.sort_by(|a, b| nearness(a).total_cmp(&nearness(b)));
        for class in classes {
            self.bones(canvas, &pose.places, &format!("bone {class}"), |bone| bone.class == class);
            for (hidden, kind) in [(false, "joint"), (true, "hollow")] {
                let of_kind = (0..pose.places.len())
                    .filter(|k| self.film.classes[*k] == class && pose.hidden[*k] == hidden)
                    .filter_map(|k| Some(self.at(pose.places[k]?)));
                let d: String = of_kind.map(|(x, y)| format!("M{} {}h0", coordinate(x), coordinate(y))).collect();
                if !d.is_empty() {
                    canvas.path(&d, &format!("{kind} {class}"), &[]);
                    if hidden {
                        canvas.path(&d, "inside", &[]);
                    }
                }
            }
        }
    }

    fn bones(&self, canvas: &mut Canvas, places: &[Option<[f64; 3]>], class: &str, which: impl Fn(&Bone) -> bool) {
        let lines = self.film.bones.iter().filter(|bone| which(bone)).filter_map(|bone| {
            let [a, b] = bone.ends.map(|k| places.get(k).copied().flatten());
            let (a, b) = (self.at(a?), self.at(b?));
            Some(format!("M{} {}L{} {}", coordinate(a.0), coordinate(a.1), coordinate(b.0), coordinate(b.1)))
        });
        let d: String = lines.collect();
        if !d.is_empty() {
            canvas.path(&d, class, &[]);
        }
    }

    /// Where a place is in the picture; what flies far away stays at the edge of its cell.
    fn at(&self, place: [f64; 3]) -> (f64, f64) {
        let [right, up, _] = self.film.camera.see([0, 1, 2].map(|c| place[c] - self.centre[c]));
        let (most_right, most_up) = (1.25 * self.film.reach.0, 1.25 * self.film.reach.1);
        let (right, up) = (right.clamp(-most_right, most_right), up.clamp(-most_up, most_up));
        (self.middle.0 + self.scale * right, self.middle.1 - self.scale * up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_stands_beside_above_and_keeps_what_is_up() {
        let camera = Camera::beside([1.0, 0.0]);
        let [right, up, _] = camera.see([0.0, 0.0, 1.0]);
        assert!(right.abs() < 1e-12 && up > 0.9);
        // the body's length is seen, shortened a little
        assert!((0.8..0.9).contains(&camera.see([1.0, 0.0, 0.0])[0].abs()));
        let length = |v: [f64; 3]| v.iter().map(|x| x * x).sum::<f64>();
        assert!((length(camera.see([3.0, -1.0, 2.0])) - 14.0).abs() < 1e-9, "it neither stretches nor shears");
    }
}
