//! What scenes to draw.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Thing;

/// The smallest canvas in pixels: below it, a cross and a circle cannot be told apart.
pub const MIN_SIZE: u32 = 32;

/// The largest canvas in pixels.
pub const MAX_SIZE: u32 = 1024;

/// The most objects one scene can have.
pub const MAX_OBJECTS: u8 = 3;

/// Which combinations of shape, colour and place a scene may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combinations {
    /// Any.
    #[default]
    All,
    /// Only those that are not held out: for training.
    Seen,
    /// Only those that are held out, every object of the scene: for testing generalisation.
    HeldOut,
}

impl Combinations {
    pub(super) fn allow(self, thing: Thing) -> bool {
        match self {
            Self::All => true,
            Self::Seen => !thing.is_held_out(),
            Self::HeldOut => thing.is_held_out(),
        }
    }
}

/// What scenes to draw. Made by [`SceneOptions::new`] or read from a table such as
/// `{ size = 64, min-objects = 1, max-objects = 2, combinations = "seen" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SceneTable", into = "SceneTable")]
pub struct SceneOptions {
    size: u32,
    min_objects: u8,
    max_objects: u8,
    combinations: Combinations,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SceneTable {
    size: u32,
    min_objects: u8,
    max_objects: u8,
    combinations: Combinations,
}

impl Default for SceneTable {
    fn default() -> Self {
        SceneOptions::default().into()
    }
}

impl TryFrom<SceneTable> for SceneOptions {
    type Error = SceneOptionsError;

    fn try_from(table: SceneTable) -> Result<Self, Self::Error> {
        Self::new(table.size, table.min_objects, table.max_objects, table.combinations)
    }
}

impl From<SceneOptions> for SceneTable {
    fn from(options: SceneOptions) -> Self {
        let SceneOptions { size, min_objects, max_objects, combinations } = options;
        Self { size, min_objects, max_objects, combinations }
    }
}

impl Default for SceneOptions {
    /// 1 to 3 objects of any combination on 32 by 32 pixels.
    fn default() -> Self {
        Self { size: MIN_SIZE, min_objects: 1, max_objects: MAX_OBJECTS, combinations: Combinations::All }
    }
}

impl SceneOptions {
    /// Scenes of `min_objects..=max_objects` objects on a canvas of `size` by `size` pixels.
    ///
    /// # Errors
    ///
    /// When `size` is outside [`MIN_SIZE`]`..=`[`MAX_SIZE`], or the numbers of objects are not
    /// ordered or outside `1..=`[`MAX_OBJECTS`].
    pub fn new(
        size: u32,
        min_objects: u8,
        max_objects: u8,
        combinations: Combinations,
    ) -> Result<Self, SceneOptionsError> {
        if !(MIN_SIZE..=MAX_SIZE).contains(&size) {
            return Err(SceneOptionsError::Size(size));
        }
        if min_objects < 1 || min_objects > max_objects || max_objects > MAX_OBJECTS {
            return Err(SceneOptionsError::Objects { min: min_objects, max: max_objects });
        }
        Ok(Self { size, min_objects, max_objects, combinations })
    }

    /// The same options with scenes of exactly one object, as image classification wants.
    #[must_use]
    pub const fn one_object(self) -> Self {
        Self { min_objects: 1, max_objects: 1, ..self }
    }

    /// The same options restricted to `combinations`.
    #[must_use]
    pub const fn with_combinations(self, combinations: Combinations) -> Self {
        Self { combinations, ..self }
    }

    /// How many objects a scene has.
    #[must_use]
    pub const fn objects(self) -> RangeInclusive<u8> {
        self.min_objects..=self.max_objects
    }

    /// Which combinations of shape, colour and place a scene may use.
    #[must_use]
    pub const fn combinations(self) -> Combinations {
        self.combinations
    }

    /// The side of the canvas in pixels.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }
}

/// Options that no scene can be drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SceneOptionsError {
    /// The canvas is too small or too large.
    Size(u32),
    /// The numbers of objects do not fit.
    Objects {
        /// The fewest objects asked for.
        min: u8,
        /// The most objects asked for.
        max: u8,
    },
}

impl fmt::Display for SceneOptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => {
                write!(f, "scene size `{size}` is outside `{MIN_SIZE}` to `{MAX_SIZE}` pixels")
            }
            Self::Objects { min, max } => {
                write!(f, "a scene cannot have `{min}` to `{max}` objects; `1` to `{MAX_OBJECTS}` are possible")
            }
        }
    }
}

impl std::error::Error for SceneOptionsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_options_are_refused() {
        let new = |size, min, max| SceneOptions::new(size, min, max, Combinations::All);
        assert_eq!(new(31, 1, 3), Err(SceneOptionsError::Size(31)));
        assert_eq!(new(1025, 1, 3), Err(SceneOptionsError::Size(1025)));
        assert!(new(32, 0, 3).is_err() && new(32, 3, 2).is_err());
        assert_eq!(
            new(32, 1, 4).unwrap_err().to_string(),
            "a scene cannot have `1` to `4` objects; `1` to `3` are possible"
        );
    }

    #[test]
    fn options_are_read_strictly_from_a_table() {
        let read = |table: &str| toml::from_str::<SceneOptions>(table).map_err(|e| e.to_string());
        assert_eq!(read("").unwrap(), SceneOptions::default());
        let expected = SceneOptions::new(64, 1, 2, Combinations::HeldOut).unwrap();
        assert_eq!(read("size = 64\nmax-objects = 2\ncombinations = \"held-out\""), Ok(expected));
        assert!(read("sise = 64").unwrap_err().contains("unknown field `sise`"));
        assert!(read("size = 8").unwrap_err().contains("scene size `8` is outside"));
        let written = toml::to_string(&expected).unwrap();
        assert_eq!(read(&written).unwrap(), expected);
    }
}
