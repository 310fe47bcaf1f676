//! What the config says, checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tessera_datasets::config::Section;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::{Error, Result};

use super::corruption::{Corruption, Corruptions, Stratum};
use super::mixture::Mask;
use super::motion::Motions;
use super::noise::{Noise, NoiseConfig};
use super::protocol::{Kind, Protocol};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Frames in a window.
    #[serde(default = "default_window")]
    pub(super) window: usize,
    /// The fewest frames in a row that make a window; the rest of it is padding.
    pub(super) minimum: Option<usize>,
    /// Frames from the start of a window to that of the next, in splits that are held out.
    stride: Option<usize>,
    /// Training windows for each frame that they may hold.
    #[serde(default = "default_repeats")]
    pub(super) repeats: f64,
    /// Whether training windows may hold frames in which not every keypoint is known.
    #[serde(default = "default_true")]
    pub(super) gaps: bool,
    /// What is corrupted: the keypoints as they were observed, or the truth.
    #[serde(default)]
    pub(super) input: Input,
    /// Which version of OptiPose's six kinds.
    #[serde(default)]
    protocol: Protocol,
    /// How often each of the six, where it is not as in the protocol.
    #[serde(default)]
    shares: BTreeMap<String, f64>,
    /// Masks of one's own in the place of the six.
    #[serde(default)]
    masks: Vec<Mask>,
    /// Whether the slips of OptiPose's code are repeated.
    #[serde(default)]
    exact: bool,
    /// By how much each coordinate that is given is moved at most, in splits that are held out.
    pub(super) noise: f64,
    /// The noise of training windows.
    #[serde(default)]
    training_noise: NoiseConfig,
    /// Whether training windows are turned about z.
    #[serde(default = "default_true")]
    rotation: bool,
    /// The deviation of the factor by which training windows grow.
    #[serde(default)]
    scale_deviation: f64,
    /// Where training windows are put in x and y; where it is not given they stay where they are.
    range: Option<[f64; 2]>,
    /// How far up training windows are lifted at most.
    #[serde(default)]
    lift: f64,
    /// Whether every other training window is mirrored.
    #[serde(default)]
    mirror: bool,
    /// Whether every other training window runs backwards.
    #[serde(default)]
    reverse: bool,
    /// What is done to the windows of splits that are held out.
    #[serde(default = "default_strata")]
    strata: Vec<String>,
    /// How often a window of a split that is held out is drawn for each stratum.
    #[serde(default = "default_copies")]
    copies: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Input {
    #[default]
    Keypoints,
    Truth,
}

fn default_window() -> usize {
    30
}

fn default_repeats() -> f64 {
    1.0
}

fn default_true() -> bool {
    true
}

fn default_strata() -> Vec<String> {
    ["absent", "random"].map(str::to_owned).to_vec()
}

fn default_copies() -> usize {
    20
}

/// Frames of a window that a model can still look at as a whole.
const MOST_FRAMES: usize = 10_000;

impl Config {
    pub(super) fn parse(section: &Section) -> Result<Self> {
        let config: Self = section.parse()?;
        config.check().map_err(|(key, message)| section.error(key, message))?;
        Ok(config)
    }

    fn check(&self) -> std::result::Result<(), (&'static str, String)> {
        let refuse = |key, message: String| Err((key, message));
        if !(2..=MOST_FRAMES).contains(&self.window) {
            return refuse("window", format!("`window` is `{}`; 2 to {MOST_FRAMES} frames are possible", self.window));
        }
        if self.minimum.is_some_and(|minimum| !(1..=self.window).contains(&minimum)) {
            return refuse("minimum", format!("`minimum` must be between 1 and `window`, {}", self.window));
        }
        if self.stride == Some(0) {
            return refuse("stride", "`stride` must be 1 or more".to_owned());
        }
        let NoiseConfig { slight, slight_chance, strong, strong_chance, offset_chance, windows } = self.training_noise;
        for (key, value, most) in [
            ("repeats", Some(self.repeats), 1e6),
            ("noise", Some(self.noise), f64::MAX),
            ("training_noise", slight, f64::MAX),
            ("training_noise", strong, f64::MAX),
            ("training_noise", slight_chance, 1.0),
            ("training_noise", strong_chance, 1.0),
            ("training_noise", offset_chance, 1.0),
            ("training_noise", windows, 1.0),
            ("scale_deviation", Some(self.scale_deviation), 0.5),
            ("lift", Some(self.lift), f64::MAX),
        ] {
            if value.is_some_and(|value| !(0.0..=most).contains(&value)) {
                let most = if most < f64::MAX { format!(" to {most}") } else { String::new() };
                return refuse(key, format!("`{key}` has `{}`; 0{most} is possible", value.unwrap_or_default()));
            }
        }
        if self.range.is_some_and(|[low, high]| !(low.is_finite() && high.is_finite() && low < high)) {
            return refuse("range", "`range` must be two numbers, the smaller first".to_owned());
        }
        if !self.masks.is_empty() && (!self.shares.is_empty() || self.exact) {
            return refuse(
                "masks",
                "`masks` stand in the place of the protocol's kinds: leave out `shares` and `exact`".to_owned(),
            );
        }
        if let Some(fault) = self.masks.iter().find_map(Mask::fault) {
            return refuse("masks", fault);
        }
        for (name, share) in &self.shares {
            if Kind::named(name).is_none() {
                let known = Kind::ALL.map(|kind| format!("`{}`", kind.name())).join(", ");
                return refuse("shares", format!("`{name}` is none of the kinds {known}"));
            }
            if !(share.is_finite() && *share >= 0.0) {
                return refuse("shares", format!("the share of `{name}` is {share}, which is not 0 or more"));
            }
        }
        if !self.shares.is_empty() && self.shares.values().sum::<f64>() <= 0.0 {
            return refuse("shares", "all `shares` are 0".to_owned());
        }
        if let Some(unknown) = self.strata.iter().find(|name| Stratum::named(name, self.protocol).is_none()) {
            let known = Stratum::names().map(|name| format!("`{name}`")).join(", ");
            return refuse("strata", format!("`{unknown}` is no stratum; there are {known}"));
        }
        if let Some(twice) = self.strata.iter().enumerate().find(|(i, name)| self.strata[..*i].contains(name)) {
            return refuse("strata", format!("`{}` is there twice", twice.1));
        }
        if self.copies == 0 || self.copies > 100_000 {
            return refuse("copies", format!("`copies` is `{}`; 1 to 100000 are possible", self.copies));
        }
        Ok(())
    }

    /// The fewest frames of a window.
    pub(super) fn minimum(&self) -> usize {
        self.minimum.unwrap_or(20.min(self.window))
    }

    pub(super) fn stride(&self) -> usize {
        self.stride.unwrap_or(self.window)
    }

    /// What is done to training windows, and how often.
    pub(super) fn corruptions(&self) -> Corruptions {
        let mut weighed: Vec<(f64, Corruption)> = match self.masks.is_empty() {
            false => self.masks.iter().map(|mask| (mask.share, Corruption::Mask(mask.clone()))).collect(),
            true => Kind::ALL
                .into_iter()
                .map(|kind| {
                    let share = match self.shares.is_empty() {
                        true => self.protocol.share(kind),
                        false => self.shares.get(kind.name()).copied().unwrap_or(0.0),
                    };
                    (share, Corruption::Kind { protocol: self.protocol, kind, exact: self.exact })
                })
                .collect(),
        };
        weighed.retain(|(share, _)| *share > 0.0);
        Corruptions::new(weighed)
    }

    /// What is done to windows that are held out, with how many copies of each.
    pub(super) fn strata(&self, keypoints: usize) -> Vec<(Stratum, usize)> {
        let strata = self.strata.iter().filter_map(|name| Stratum::named(name, self.protocol));
        let copies = |stratum: &Stratum| match stratum {
            Stratum::Absent => keypoints,
            Stratum::Observed => 1,
            _ => self.copies,
        };
        strata.map(|stratum| (copies(&stratum), stratum)).map(|(copies, stratum)| (stratum, copies)).collect()
    }

    pub(super) fn training_noise(&self) -> Noise {
        Noise::new(self.protocol, self.noise, &self.training_noise)
    }

    /// How training windows are moved.
    ///
    /// # Errors
    /// When they shall be mirrored and the skeleton does not say how.
    pub(super) fn motions(&self, skeleton: &Skeleton) -> Result<Motions> {
        let mirror = match self.mirror {
            true => Some(skeleton.mirrored().ok_or_else(|| {
                Error::input(format!("`mirror` is asked for, and the skeleton `{}` has no mirror pairs", skeleton.name))
                    .hint("add `mirror = [[\"left\", \"right\"], …]` to its card")
            })?),
            false => None,
        };
        Ok(Motions {
            rotation: self.rotation,
            scale_deviation: self.scale_deviation,
            range: self.range,
            lift: self.lift,
            mirror,
            reverse: self.reverse,
        })
    }

    /// What the manifest says of the windows.
    pub(super) fn detail(&self) -> Value {
        let corruptions = self.corruptions();
        json!({
            "frames": self.window,
            "minimum": self.minimum(),
            "stride": self.stride(),
            "repeats": self.repeats,
            "noise": self.noise,
            "shares": corruptions.shares(),
            "strata": self.strata,
            "copies": self.copies,
        })
    }
}
