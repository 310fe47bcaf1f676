//! What is done to a window, by name.

use std::collections::BTreeMap;

use super::draw::Draw;
use super::grid::Grid;
use super::mixture::{Amount, Mask};
use super::protocol::{Kind, Protocol};

/// How points are hidden.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Corruption {
    /// One of OptiPose's six kinds.
    Kind { protocol: Protocol, kind: Kind, exact: bool },
    /// A mask of one's own.
    Mask(Mask),
}

impl Corruption {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Kind { kind, .. } => kind.name(),
            Self::Mask(mask) => &mask.name,
        }
    }

    /// Whether nothing is hidden, on purpose.
    pub(super) fn is_intact(&self) -> bool {
        self.name() == Kind::Intact.name()
    }

    pub(super) fn hide(&self, grid: &mut Grid<'_>, draw: &mut Draw) {
        match self {
            Self::Kind { protocol, kind, exact } => protocol.hide(*kind, *exact, grid, draw),
            Self::Mask(mask) => mask.hide(grid, draw),
        }
    }
}

/// Several, each with its share.
#[derive(Clone, Debug)]
pub(super) struct Corruptions {
    weighed: Vec<(f64, Corruption)>,
    sum: f64,
}

impl Corruptions {
    pub(super) fn new(weighed: Vec<(f64, Corruption)>) -> Self {
        Self { sum: weighed.iter().map(|(share, _)| share).sum(), weighed }
    }

    /// One of them.
    pub(super) fn draw(&self, draw: &mut Draw) -> &Corruption {
        let mut left = draw.between(0.0, self.sum);
        let found = self.weighed.iter().find(|(share, _)| {
            left -= share;
            left < 0.0
        });
        // rounding may leave nothing
        &found.unwrap_or(&self.weighed[self.weighed.len() - 1]).1
    }

    /// The part that each has of all.
    pub(super) fn shares(&self) -> BTreeMap<&str, f64> {
        let mut out = BTreeMap::new();
        self.weighed.iter().for_each(|(share, one)| *out.entry(one.name()).or_default() += share / self.sum);
        out
    }
}

/// A group of windows that are held out and scored together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stratum {
    /// Each keypoint in turn is missing in all frames.
    Absent,
    /// The window as it was observed, beside the truth.
    Observed,
    /// What training windows suffer, each by its own name.
    Block,
    /// One and the same for all.
    One(Corruption),
}

impl Stratum {
    /// All names.
    pub(super) fn names() -> [&'static str; 11] {
        let [a, b, c, d, e, f] = Kind::ALL.map(Kind::name);
        ["absent", "absent-several", "random", "observed", "block", a, b, c, d, e, f]
    }

    pub(super) fn named(name: &str, protocol: Protocol) -> Option<Self> {
        let several = [Amount::Number(1), Amount::Share(0.5)];
        match name {
            "absent" => Some(Self::Absent),
            "absent-several" => Some(Self::One(Corruption::Mask(Mask::absent(name, several)))),
            // mask_random_keypoint() of OptiPose with its largest chances
            "random" => Some(Self::One(Corruption::Mask(Mask::random(name, 0.5, 0.5)))),
            "observed" => Some(Self::Observed),
            "block" => Some(Self::Block),
            _ => {
                let kind = Kind::named(name)?;
                Some(Self::One(Corruption::Kind { protocol, kind, exact: false }))
            }
        }
    }
}
