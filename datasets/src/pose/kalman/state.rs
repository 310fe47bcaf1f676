//! What is believed of one point in one frame.

/// x, y, z.
pub type Point = [f64; 3];

/// How restlessly a point moves and how badly it is measured, as variances in time of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// The variance of a measured coordinate.
    pub measurement: f64,
    /// The variance of the change of acceleration from one frame to the next.
    pub process: f64,
}

impl Motion {
    /// The variance of the velocity of a point of which only the position is known: it may be
    /// anything.
    fn any_velocity(&self) -> f64 {
        1e8 * (self.measurement + self.process)
    }

    /// The variance of its acceleration. Were this anything too, two points far apart in time
    /// would be joined by a parabola.
    fn usual_acceleration(&self) -> f64 {
        25.0 * self.process
    }
}

/// What is believed of one point in one frame: position, velocity and acceleration of each axis,
/// and their variances, which all axes share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    position: Point,
    velocity: Point,
    acceleration: Point,
    variance: Symmetric,
}

/// A symmetric matrix over position, velocity and acceleration: pp, pv, pa, vv, va, aa.
type Symmetric = [f64; 6];

impl State {
    /// A point that is where it was measured, and stands still as far as is known; with the
    /// variances of its position, velocity and acceleration.
    #[must_use]
    pub fn start(position: Point, of_position: f64, of_velocity: f64, of_acceleration: f64) -> Self {
        let variance = [of_position, 0.0, 0.0, of_velocity, 0.0, of_acceleration];
        Self { position, velocity: [0.0; 3], acceleration: [0.0; 3], variance }
    }

    /// A point of which only one measurement is known.
    #[must_use]
    pub fn unmoved(measured: Point, motion: &Motion) -> Self {
        Self::start(measured, motion.measurement, motion.any_velocity(), motion.usual_acceleration())
    }

    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Point {
        self.position
    }

    /// One frame on.
    pub fn predict(&mut self, motion: &Motion) {
        for c in 0..3 {
            self.position[c] += self.velocity[c] + 0.5 * self.acceleration[c];
            self.velocity[c] += self.acceleration[c];
        }
        let [pp, pv, pa, vv, va, aa] = self.variance;
        let q = motion.process;
        // the rows of F P, then F P Fᵀ + q Γ Γᵀ with Γ = (1/2, 1, 1)
        let (p_p, p_v, p_a) = (pp + pv + 0.5 * pa, pv + vv + 0.5 * va, pa + va + 0.5 * aa);
        let (v_v, v_a) = (vv + va, va + aa);
        self.variance =
            [p_p + p_v + 0.5 * p_a + 0.25 * q, p_v + p_a + 0.5 * q, p_a + 0.5 * q, v_v + v_a + q, v_a + q, aa + q];
    }

    /// Learns where it was measured.
    pub fn update(&mut self, measured: Point, motion: &Motion) {
        let [pp, pv, pa, vv, va, aa] = self.variance;
        let total = pp + motion.measurement;
        if total <= 0.0 {
            // nothing is uncertain, so nothing can be learned
            return;
        }
        let gain = [pp, pv, pa].map(|value| value / total);
        for (c, measured) in measured.iter().enumerate() {
            let surprise = measured - self.position[c];
            self.position[c] += gain[0] * surprise;
            self.velocity[c] += gain[1] * surprise;
            self.acceleration[c] += gain[2] * surprise;
        }
        // r · pp / (pp + r) rather than pp − pp² / (pp + r), which would lose digits
        let left = motion.measurement / total;
        self.variance = [pp * left, pv * left, pa * left, vv - gain[1] * pv, va - gain[1] * pa, aa - gain[2] * pa];
    }

    /// How surprising a measurement of the predicted state would be: the variance of its error.
    pub(super) fn expected(&self, motion: &Motion) -> f64 {
        self.variance[0] + motion.measurement
    }

    /// Learns from the frame after, which has been smoothed.
    pub(super) fn smooth(&mut self, after: &Self, motion: &Motion) {
        let mut predicted = *self;
        predicted.predict(motion);
        let [pp, pv, pa, vv, va, aa] = self.variance;
        // P Fᵀ
        let crossed =
            [[pp + pv + 0.5 * pa, pv + pa, pa], [pv + vv + 0.5 * va, vv + va, va], [pa + va + 0.5 * aa, va + aa, aa]];
        let Some(solve) = Cholesky::of(&predicted.variance) else {
            return;
        };
        for c in 0..3 {
            let weight = solve.solve([
                after.position[c] - predicted.position[c],
                after.velocity[c] - predicted.velocity[c],
                after.acceleration[c] - predicted.acceleration[c],
            ]);
            let learned = crossed.map(|row| row[0] * weight[0] + row[1] * weight[1] + row[2] * weight[2]);
            self.position[c] += learned[0];
            self.velocity[c] += learned[1];
            self.acceleration[c] += learned[2];
        }
    }
}

/// L D Lᵀ of a symmetric matrix.
struct Cholesky {
    l10: f64,
    l20: f64,
    l21: f64,
    inverse_d: [f64; 3],
}

impl Cholesky {
    /// Nothing where the matrix is not positive definite.
    fn of([pp, pv, pa, vv, va, aa]: &Symmetric) -> Option<Self> {
        let (l10, l20) = (pv / pp, pa / pp);
        let d1 = vv - l10 * pv;
        let l21 = (va - l20 * pv) / d1;
        let d2 = aa - l20 * pa - l21 * l21 * d1;
        let positive = [*pp, d1, d2].iter().all(|d| d.is_finite() && *d > 0.0);
        positive.then(|| Self { l10, l20, l21, inverse_d: [1.0 / pp, 1.0 / d1, 1.0 / d2] })
    }

    fn solve(&self, b: Point) -> Point {
        let y1 = b[1] - self.l10 * b[0];
        let y2 = b[2] - self.l20 * b[0] - self.l21 * y1;
        let x2 = y2 * self.inverse_d[2];
        let x1 = y1 * self.inverse_d[1] - self.l21 * x2;
        let x0 = b[0] * self.inverse_d[0] - self.l10 * x1 - self.l20 * x2;
        [x0, x1, x2]
    }
}
