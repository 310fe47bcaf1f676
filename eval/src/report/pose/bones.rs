//! How long bones are, and whether they keep their length.

use serde::Serialize;
use tessera_datasets::pose::Skeleton;

use super::gather::Gathered;
use super::row::METHODS;
use crate::metrics::pose::{Estimate, Window, errors};

/// One bone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bone {
    /// Its two ends.
    pub name: String,
    /// Frames in which both of its ends are known.
    pub frames: u64,
    /// Its true length in the mean.
    pub length: f64,
    /// The standard deviation of its true length: a bone does not change, but markers slip.
    pub spread: f64,
    /// The standard deviation of what was given, where both of its ends were.
    pub given_spread: Option<f64>,
    /// The lengths of each method.
    pub methods: Vec<BoneLength>,
}

/// The lengths of a bone by one method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BoneLength {
    /// The method.
    pub estimate: Estimate,
    /// The length in the mean.
    pub length: f64,
    /// Its standard deviation.
    pub spread: f64,
    /// The mean difference to the true length, whatever its sign.
    pub deviation: f64,
}

/// The lengths of a bone, summed up.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths {
    truth: Moments,
    given: Moments,
    methods: [Moments; METHODS],
    deviations: [f64; METHODS],
}

/// Count, mean and squared distances to the mean (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    fn spread(&self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }
}

impl Lengths {
    pub(super) fn add(&mut self, window: &Window<'_>, [a, b]: [usize; 2]) {
        for t in (0..window.frames).filter(|t| window.known(*t, a) && window.known(*t, b)) {
            let truth = errors::bone_length(window, window.target_tkc, t, [a, b]);
            self.truth.add(truth);
            if window.given(t, a) && window.given(t, b) {
                self.given.add(errors::bone_length(window, window.input_tkc, t, [a, b]));
            }
            for (m, by) in Estimate::ALL.into_iter().enumerate() {
                let length = errors::bone_length(window, window.estimate(by), t, [a, b]);
                self.methods[m].add(length);
                self.deviations[m] += (length - truth).abs();
            }
        }
    }
}

pub(super) fn of(gathered: &Gathered<'_>, skeleton: &Skeleton) -> Vec<Bone> {
    let bone = |(lengths, ends): (&Lengths, &[String; 2])| {
        let frames = lengths.truth.count;
        let method = |m: usize| BoneLength {
            estimate: Estimate::ALL[m],
            length: lengths.methods[m].mean,
            spread: lengths.methods[m].spread(),
            deviation: lengths.deviations[m] / frames as f64,
        };
        (frames > 0).then(|| Bone {
            name: ends.join(" – "),
            frames,
            length: lengths.truth.mean,
            spread: lengths.truth.spread(),
            given_spread: (lengths.given.count > 0).then(|| lengths.given.spread()),
            methods: (0..METHODS).map(method).collect(),
        })
    };
    gathered.bones.iter().zip(&skeleton.edges).filter_map(bone).collect()
}
