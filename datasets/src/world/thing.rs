//! What the world is made of: shapes, colours, places, and which combinations are held out.

use serde::{Deserialize, Serialize};

/// The outline of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A filled circle.
    Circle,
    /// A filled square with level sides.
    Square,
    /// A filled triangle with its tip up.
    Triangle,
    /// An upright cross (a plus sign) with arms a third as wide as the whole.
    Cross,
}

impl Shape {
    /// Every shape; the position in this list is [`Shape::index`].
    pub const ALL: [Self; 4] = [Self::Circle, Self::Square, Self::Triangle, Self::Cross];

    /// The stable number of the shape, `0..4`.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The English noun, as in class names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Cross => "cross",
        }
    }
}

/// The colour of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Yellow.
    Yellow,
    /// Purple.
    Purple,
    /// White.
    White,
}

impl Colour {
    /// Every colour; the position in this list is [`Colour::index`].
    pub const ALL: [Self; 6] = [Self::Red, Self::Green, Self::Blue, Self::Yellow, Self::Purple, Self::White];

    /// The stable number of the colour, `0..6`.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The English adjective, as in class names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Purple => "purple",
            Self::White => "white",
        }
    }

    /// The colour as 8-bit sRGB, the one the renderer paints and the checker looks for.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        match self {
            Self::Red => [230, 50, 45],
            Self::Green => [50, 190, 70],
            Self::Blue => [55, 100, 240],
            Self::Yellow => [240, 215, 50],
            Self::Purple => [170, 60, 210],
            Self::White => [240, 240, 240],
        }
    }
}

/// One cell of the 3 by 3 grid that every picture is divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// First row, first column.
    TopLeft,
    /// First row, second column.
    Top,
    /// First row, third column.
    TopRight,
    /// Second row, first column.
    Left,
    /// Second row, second column.
    Middle,
    /// Second row, third column.
    Right,
    /// Third row, first column.
    BottomLeft,
    /// Third row, second column.
    Bottom,
    /// Third row, third column.
    BottomRight,
}

impl Place {
    /// Every place in reading order; the position in this list is [`Place::index`].
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Left,
        Self::Middle,
        Self::Right,
        Self::BottomLeft,
        Self::Bottom,
        Self::BottomRight,
    ];

    /// The place at `row` and `column` (each `0..3`, from the top left), or `None` outside.
    #[must_use]
    pub fn at(row: usize, column: usize) -> Option<Self> {
        (row < 3 && column < 3).then(|| Self::ALL[row * 3 + column])
    }

    /// The stable number of the place in reading order, `0..9`.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The row, `0` at the top.
    #[must_use]
    pub const fn row(self) -> usize {
        self.index() / 3
    }

    /// The column, `0` at the left.
    #[must_use]
    pub const fn column(self) -> usize {
        self.index() % 3
    }
}

/// A shape with its colour: what an image class names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// The colour.
    pub colour: Colour,
    /// The shape.
    pub shape: Shape,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = Shape::ALL.len() * Colour::ALL.len();

    /// Every kind, in the order of [`Kind::class`].
    pub fn all() -> impl Iterator<Item = Self> {
        Colour::ALL.into_iter().flat_map(|colour| Shape::ALL.into_iter().map(move |shape| Self { colour, shape }))
    }

    /// The stable class number of the kind, `0..24`.
    #[must_use]
    pub const fn class(self) -> usize {
        self.colour.index() * Shape::ALL.len() + self.shape.index()
    }

    /// The kind of a class number, or `None` when there is no such class.
    #[must_use]
    pub fn from_class(class: usize) -> Option<Self> {
        Self::all().nth(class)
    }

    /// The class name, such as `red circle`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{} {}", self.colour.name(), self.shape.name())
    }
}

/// The class names for image classification, in the order of [`Kind::class`].
#[must_use]
pub fn class_names() -> Vec<String> {
    Kind::all().map(Kind::name).collect()
}

/// An object as words can tell it: shape, colour and place, without pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Thing {
    /// Where it is. First, so that sorted things are in reading order.
    pub place: Place,
    /// What colour it has.
    pub colour: Colour,
    /// What shape it has.
    pub shape: Shape,
}

impl Thing {
    /// The colour and shape of the thing.
    #[must_use]
    pub const fn kind(self) -> Kind {
        Kind { colour: self.colour, shape: self.shape }
    }

    /// Whether the combination is held out, see [`is_held_out`].
    #[must_use]
    pub const fn is_held_out(self) -> bool {
        is_held_out(self.shape, self.colour, self.place)
    }
}

/// Whether a combination is kept from training, to measure compositional generalisation.
///
/// 24 of the 216 combinations (11 %) are held out: each kind at exactly one place. Every pair of
/// shape and colour, shape and place, and colour and place is still seen in training.
#[must_use]
pub const fn is_held_out(shape: Shape, colour: Colour, place: Place) -> bool {
    (2 * shape.index() + colour.index()) % Place::ALL.len() == place.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_things() -> impl Iterator<Item = Thing> {
        Kind::all()
            .flat_map(|Kind { colour, shape }| Place::ALL.into_iter().map(move |place| Thing { place, colour, shape }))
    }

    #[test]
    fn indices_are_positions() {
        for (i, shape) in Shape::ALL.into_iter().enumerate() {
            assert_eq!(shape.index(), i);
        }
        for (i, colour) in Colour::ALL.into_iter().enumerate() {
            assert_eq!(colour.index(), i);
        }
        for (i, place) in Place::ALL.into_iter().enumerate() {
            assert_eq!(place.index(), i);
            assert_eq!(Place::at(place.row(), place.column()), Some(place));
        }
        assert_eq!(Place::at(3, 0), None);
        assert_eq!(Place::at(0, 3), None);
    }

    #[test]
    fn classes_are_stable_and_distinct() {
        let names = class_names();
        assert_eq!(names.len(), Kind::COUNT);
        assert_eq!(names[0], "red circle");
        assert_eq!(names[13], "yellow square");
        assert_eq!(names[23], "white cross");
        for (class, kind) in Kind::all().enumerate() {
            assert_eq!(kind.class(), class);
            assert_eq!(Kind::from_class(class), Some(kind));
        }
        assert_eq!(Kind::from_class(Kind::COUNT), None);
    }

    #[test]
    fn held_out_combinations_are_balanced() {
        let held: Vec<Thing> = all_things().filter(|thing| thing.is_held_out()).collect();
        assert_eq!(held.len(), 24);
        let count = |test: &dyn Fn(&Thing) -> bool| held.iter().filter(|t| test(t)).count();
        for shape in Shape::ALL {
            assert_eq!(count(&|t| t.shape == shape), 6);
        }
        for colour in Colour::ALL {
            assert_eq!(count(&|t| t.colour == colour), 4);
        }
        for place in Place::ALL {
            assert!((2..=3).contains(&count(&|t| t.place == place)));
            for shape in Shape::ALL {
                assert!(count(&|t| t.place == place && t.shape == shape) <= 1);
            }
            for colour in Colour::ALL {
                assert!(count(&|t| t.place == place && t.colour == colour) <= 1);
            }
        }
        for kind in Kind::all() {
            assert_eq!(count(&|t| t.kind() == kind), 1);
        }
    }
}
