//! How lenses bend straight lines, and how to straighten them.

use tessera_datasets::pose::geometry::Matrix;

/// How often a guess is made better at most.
const STEPS: usize = 200;
/// How far a straightened point may be from where it was seen when it is bent again, in units of
/// the focal length.
const TOLERANCE: f64 = 1e-9;

/// The intrinsic parameters of a camera, as OpenCV has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    /// Focal lengths, skew and principal point: from the image plane at distance 1 to pixels.
    pub matrix: Matrix,
    /// `k1 k2 p1 p2 k3 k4 k5 k6`, or `k1 k2 k3 k4` of a fisheye. Those that are left out are 0.
    pub distortions: Vec<f64>,
    /// Whether the lens is a fisheye (Kannala and Brandt 2006, as in `cv2.fisheye`).
    pub fisheye: bool,
}

impl Lens {
    /// Where a pixel is on the image plane at distance 1 without the lens; `None` where no such
    /// point is found, as may be far outside of the image.
    ///
    /// `cv2.undistortPoints` makes five steps of the same iteration; here there are as many as it
    /// takes.
    #[must_use]
    pub fn straighten(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        let seen = self.unproject(pixel);
        if self.distortions.iter().all(|d| *d == 0.0) && !self.fisheye {
            return Some(seen);
        }
        let found = match self.fisheye {
            true => self.straighten_fisheye(seen),
            false => self.straighten_plain(seen),
        };
        let [x, y] = self.bend(found);
        // also false where something is not a number
        ((x - seen[0]).abs() < TOLERANCE && (y - seen[1]).abs() < TOLERANCE).then_some(found)
    }

    /// The pixel of a point on the image plane at distance 1.
    #[must_use]
    pub fn pixel(&self, plain: [f64; 2]) -> [f64; 2] {
        self.project(self.bend(plain))
    }

    /// The pixel of a point on the image plane if the lens bent nothing.
    #[must_use]
    pub fn project(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [[fx, skew, cx], [_, fy, cy], _] = self.matrix;
        [fx * x + skew * y + cx, fy * y + cy]
    }

    /// The point on the image plane that a pixel shows if the lens bends nothing.
    #[must_use]
    pub fn unproject(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let [[fx, skew, cx], [_, fy, cy], _] = self.matrix;
        let y = (v - cy) / fy;
        [(u - cx - skew * y) / fx, y]
    }

    fn bend(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let d = |i: usize| self.distortions.get(i).copied().unwrap_or(0.0);
        let r2 = x * x + y * y;
        if self.fisheye {
            let r = r2.sqrt();
            let factor = if r > 1e-12 { self.fisheye_angle(r.atan()) / r } else { 1.0 };
            return [x * factor, y * factor];
        }
        let (radial, [dx, dy]) = (self.radial(r2), tangential(x, y, r2, d(2), d(3)));
        [x * radial + dx, y * radial + dy]
    }

    fn radial(&self, r2: f64) -> f64 {
        let d = |i: usize| self.distortions.get(i).copied().unwrap_or(0.0);
        let above = 1.0 + r2 * (d(0) + r2 * (d(1) + r2 * d(4)));
        let below = 1.0 + r2 * (d(5) + r2 * (d(6) + r2 * d(7)));
        above / below
    }

    fn straighten_plain(&self, seen: [f64; 2]) -> [f64; 2] {
        let d = |i: usize| self.distortions.get(i).copied().unwrap_or(0.0);
        let [mut x, mut y] = seen;
        for _ in 0..STEPS {
            let r2 = x * x + y * y;
            let (radial, [dx, dy]) = (self.radial(r2), tangential(x, y, r2, d(2), d(3)));
            let next = [(seen[0] - dx) / radial, (seen[1] - dy) / radial];
            let change = (next[0] - x).abs() + (next[1] - y).abs();
            [x, y] = next;
            // a change that is no number ends it too
            if change.is_nan() || change <= 1e-15 {
                break;
            }
        }
        [x, y]
    }

    /// The angle at which a fisheye shows what is at an angle to its axis.
    fn fisheye_angle(&self, angle: f64) -> f64 {
        let d = |i: usize| self.distortions.get(i).copied().unwrap_or(0.0);
        let a2 = angle * angle;
        angle * (1.0 + a2 * (d(0) + a2 * (d(1) + a2 * (d(2) + a2 * d(3)))))
    }

    fn straighten_fisheye(&self, seen: [f64; 2]) -> [f64; 2] {
        let shown = seen[0].hypot(seen[1]);
        if shown < 1e-12 {
            return seen;
        }
        let d = |i: usize| self.distortions.get(i).copied().unwrap_or(0.0);
        let mut angle = shown.min(std::f64::consts::FRAC_PI_2);
        for _ in 0..STEPS {
            let a2 = angle * angle;
            let slope = 1.0 + a2 * (3.0 * d(0) + a2 * (5.0 * d(1) + a2 * (7.0 * d(2) + a2 * 9.0 * d(3))));
            let step = (self.fisheye_angle(angle) - shown) / slope;
            angle -= step;
            if step.is_nan() || step.abs() <= 1e-15 {
                break;
            }
        }
        let factor = angle.tan() / shown;
        [seen[0] * factor, seen[1] * factor]
    }
}

fn tangential(x: f64, y: f64, r2: f64, p1: f64, p2: f64) -> [f64; 2] {
    [2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x), p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y]
}
