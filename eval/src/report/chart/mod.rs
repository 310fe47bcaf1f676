//! Charts as SVG text: lines, bars, dots with whiskers, heat strips, attention, confusion,
//! reliability, and small pictures of pixels.
//!
//! They hold shapes and words, no colours: those come from the classes of the page's style sheet,
//! so that a chart follows light, dark and print. Every chart has a title and a description for
//! those who cannot see it. Text does not shrink with a page, so each chart is drawn twice, wide
//! and narrow, and the style sheet shows the one that fits ([`Size`]).

mod attention;
mod axis;
mod bars;
mod bullet;
mod categories;
mod confusion;
mod dots;
mod line;
mod raster;
mod reliability;
mod scale;
mod scatter;
mod series;
mod skeleton;
mod spark;
mod strip;
mod svg;
mod track;

pub use attention::{HeatLabels, HeatMap, Lines, Weights};
pub use axis::Axis;
pub use bars::{Bar, BarChart};
pub use bullet::{Bullet, BulletChart, Tick};
pub use categories::{Category, CategoryChart};
pub use confusion::{CompactConfusion, ConfusionMatrix};
pub use dots::{Dot, DotChart};
pub use line::{Band, Line, LineChart, Mark};
pub use raster::{Raster, address, diverging};
pub use reliability::{ReliabilityBin, ReliabilityDiagram};
pub use scale::Scale;
pub use scatter::{ScatterChart, from_zero};
pub use series::{CategorySeries, SeriesChart};
pub use skeleton::{Bone, Camera, Filmstrip, Pose, Strip};
pub use spark::sparkline;
pub use strip::{Cell, StripChart};
pub use svg::{Canvas, escape};
pub use track::{Panel, TrackChart, TrackLine};

/// What every chart is called.
#[derive(Clone, Debug)]
pub struct Caption {
    /// Unique within a page; letters, digits and `-`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What can be seen in it, for those who cannot.
    pub description: String,
}

/// How much room a chart has, in units that are pixels on a page wide enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The whole width of the text.
    Wide,
    /// Half of it, or a third.
    Half,
    /// A telephone.
    Narrow,
    /// As wide as it needs, on every page.
    Own(u16),
}

impl Size {
    /// The class that the style sheet knows.
    pub fn class(self) -> &'static str {
        match self {
            Self::Wide | Self::Half => "wide",
            Self::Narrow => "narrow",
            Self::Own(_) => "own",
        }
    }

    /// The width.
    pub fn width(self) -> f64 {
        match self {
            Self::Wide => 720.0,
            Self::Half => 350.0,
            Self::Narrow => 340.0,
            Self::Own(width) => f64::from(width),
        }
    }
}

/// The width of a text in the charts' font size, near enough to leave room for it.
pub(crate) fn text_width(text: &str) -> f64 {
    6.7 * text.chars().count() as f64
}

/// As much of a text as fits, with a sign that there is more.
pub(crate) fn shortened(text: &str, width: f64) -> String {
    let fits = (width / text_width("n")) as usize;
    match text.chars().count() <= fits {
        true => text.to_owned(),
        false => text.chars().take(fits.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// How hot a loss is, from 0 (certain) to 9 (`hottest` or more): the number of a class in the style
/// sheet.
pub fn heat(nll: f64, hottest: f64) -> usize {
    let share = if hottest > 0.0 { nll / hottest } else { 0.0 };
    (share.clamp(0.0, 1.0) * 9.0).round() as usize
}

/// Draws a chart in the two sizes that a page needs.
pub(crate) fn in_both(id: &str, wide: Size, draw: impl Fn(Size, String) -> String) -> String {
    draw(wide, id.to_owned()) + &draw(Size::Narrow, format!("{id}-narrow"))
}
