//! Statements about a scene, and whether they hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Colour, Kind, Place, Scene, Shape, Thing, english, grammar};

/// What a noun phrase names: a colour and a shape, one of them, or just any object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Noun {
    /// The colour, when it is named.
    pub colour: Option<Colour>,
    /// The shape, when it is named.
    pub shape: Option<Shape>,
}

impl Noun {
    /// Every noun, from any object to every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        let colours = std::iter::once(None).chain(Colour::ALL.into_iter().map(Some));
        colours.flat_map(|colour| {
            let shapes = std::iter::once(None).chain(Shape::ALL.into_iter().map(Some));
            shapes.map(move |shape| Self { colour, shape })
        })
    }

    /// Whether the noun can be said of `thing`.
    #[must_use]
    pub fn fits(self, thing: Thing) -> bool {
        self.colour.is_none_or(|colour| colour == thing.colour) && self.shape.is_none_or(|shape| shape == thing.shape)
    }
}

impl From<Kind> for Noun {
    fn from(kind: Kind) -> Self {
        Self { colour: Some(kind.colour), shape: Some(kind.shape) }
    }
}

/// How one place lies to another, judged by the rows and columns of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// In a higher row, whatever the column.
    Above,
    /// In a lower row, whatever the column.
    Below,
    /// In a column further left, whatever the row.
    LeftOf,
    /// In a column further right, whatever the row.
    RightOf,
    /// In the same row and the next column on either side.
    Beside,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] = [Self::Above, Self::Below, Self::LeftOf, Self::RightOf, Self::Beside];

    /// Whether `first` lies so to `second`.
    #[must_use]
    pub fn holds(self, first: Place, second: Place) -> bool {
        match self {
            Self::Above => first.row() < second.row(),
            Self::Below => first.row() > second.row(),
            Self::LeftOf => first.column() < second.column(),
            Self::RightOf => first.column() > second.column(),
            Self::Beside => first.row() == second.row() && first.column().abs_diff(second.column()) == 1,
        }
    }
}

/// One claim about a scene that is true or false. `Display` says it in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statement {
    /// At least one object that `noun` names is there, at `place` when that is given.
    Exists {
        /// What is there.
        noun: Noun,
        /// Where it is.
        place: Option<Place>,
    },
    /// Some object that `first` names lies in `relation` to another that `second` names.
    Relation {
        /// What lies there.
        first: Noun,
        /// How it lies.
        relation: Relation,
        /// To what.
        second: Noun,
    },
    /// Exactly `count` objects that `noun` names are there.
    Count {
        /// What is counted.
        noun: Noun,
        /// How many there are.
        count: u8,
    },
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&english::spell(&grammar::plain(self)))
    }
}

/// What is in a picture: the things of a scene, or those that the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// The things in reading order (by row, then column).
    pub things: Vec<Thing>,
}

impl Reading {
    /// The true reading of a scene, with which sentences about the scene are scored.
    #[must_use]
    pub fn of(scene: &Scene) -> Self {
        Self::new(scene.things().collect())
    }

    /// A reading of `things` in any order.
    #[must_use]
    pub fn new(mut things: Vec<Thing>) -> Self {
        things.sort();
        Self { things }
    }

    /// How many of the things `noun` names.
    #[must_use]
    pub fn count(&self, noun: Noun) -> usize {
        self.things.iter().filter(|&&thing| noun.fits(thing)).count()
    }
}

/// Whether a statement is true of what is in a picture.
#[must_use]
pub fn holds(statement: &Statement, reading: &Reading) -> bool {
    match *statement {
        Statement::Exists { noun, place } => {
            reading.things.iter().any(|&thing| noun.fits(thing) && place.is_none_or(|place| place == thing.place))
        }
        Statement::Relation { first, relation, second } => pairs(&reading.things)
            .any(|(one, other)| first.fits(one) && second.fits(other) && relation.holds(one.place, other.place)),
        Statement::Count { noun, count } => reading.count(noun) == usize::from(count),
    }
}

/// All that is true of a scene in full nouns: every object at its place, every relation between
/// two objects, and the number of objects of each kind, each colour, each shape and altogether.
/// Without repetition, in a fixed order.
#[must_use]
pub fn statements(scene: &Scene) -> Vec<Statement> {
    let reading = Reading::of(scene);
    let mut all: Vec<Statement> = Vec::new();
    for thing in &reading.things {
        all.push(Statement::Exists { noun: thing.kind().into(), place: Some(thing.place) });
    }
    for (one, other) in pairs(&reading.things) {
        for relation in Relation::ALL {
            if relation.holds(one.place, other.place) {
                let (first, second) = (one.kind().into(), other.kind().into());
                all.push(Statement::Relation { first, relation, second });
            }
        }
    }
    for noun in Noun::all() {
        let count = reading.count(noun) as u8;
        if count > 0 {
            all.push(Statement::Count { noun, count });
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|&statement| seen.insert(statement));
    all
}

/// Every ordered pair of two different things.
pub(super) fn pairs(things: &[Thing]) -> impl Iterator<Item = (Thing, Thing)> {
    things.iter().enumerate().flat_map(move |(i, &one)| {
        things.iter().enumerate().filter(move |&(j, _)| i != j).map(move |(_, &other)| (one, other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SceneOptions;
    use proptest::prelude::*;

    fn thing(colour: Colour, shape: Shape, place: Place) -> Thing {
        Thing { place, colour, shape }
    }

    fn kind(colour: Colour, shape: Shape) -> Noun {
        Kind { colour, shape }.into()
    }

    fn example() -> Reading {
        Reading::new(vec![
            thing(Colour::Red, Shape::Circle, Place::Right),
            thing(Colour::Blue, Shape::Square, Place::TopLeft),
            thing(Colour::Red, Shape::Circle, Place::Middle),
        ])
    }

    #[test]
    fn existence_heeds_noun_and_place() {
        let exists = |noun, place| holds(&Statement::Exists { noun, place }, &example());
        assert!(exists(kind(Colour::Red, Shape::Circle), None));
        assert!(exists(kind(Colour::Red, Shape::Circle), Some(Place::Middle)));
        assert!(!exists(kind(Colour::Red, Shape::Circle), Some(Place::TopLeft)));
        assert!(!exists(kind(Colour::Red, Shape::Square), None));
        assert!(exists(Noun { colour: Some(Colour::Blue), shape: None }, Some(Place::TopLeft)));
        assert!(!exists(Noun { colour: None, shape: Some(Shape::Cross) }, None));
    }

    #[test]
    fn relations_heed_direction_and_need_two_objects() {
        let related = |first, relation, second| holds(&Statement::Relation { first, relation, second }, &example());
        let circle = kind(Colour::Red, Shape::Circle);
        let square = kind(Colour::Blue, Shape::Square);
        assert!(related(square, Relation::Above, circle));
        assert!(!related(circle, Relation::Above, square));
        assert!(related(circle, Relation::Below, square));
        assert!(related(square, Relation::LeftOf, circle));
        assert!(related(circle, Relation::RightOf, square));
        assert!(!related(square, Relation::Beside, circle));
        assert!(related(circle, Relation::Beside, circle));
        assert!(!related(square, Relation::Beside, square));
    }

    #[test]
    fn counts_are_exact() {
        let count = |noun, count| holds(&Statement::Count { noun, count }, &example());
        let circle = kind(Colour::Red, Shape::Circle);
        assert!(count(circle, 2) && !count(circle, 1) && !count(circle, 3));
        assert!(count(Noun::default(), 3));
        assert!(count(Noun { colour: Some(Colour::White), shape: None }, 0));
    }

    #[test]
    fn statements_are_displayed_in_english() {
        let circle = kind(Colour::Red, Shape::Circle);
        let cross = Noun { colour: None, shape: Some(Shape::Cross) };
        for (statement, english) in [
            (Statement::Count { noun: Noun::default(), count: 3 }, "There are three shapes."),
            (Statement::Count { noun: cross, count: 0 }, "There is no cross."),
            (Statement::Exists { noun: circle, place: Some(Place::TopLeft) }, "A red circle at the top left."),
            (
                Statement::Relation { first: circle, relation: Relation::LeftOf, second: cross },
                "A red circle to the left of a cross.",
            ),
        ] {
            assert_eq!(statement.to_string(), english);
        }
    }

    proptest! {
        #[test]
        fn every_statement_of_a_scene_holds(seed: u64, index: u64) {
            let scene = Scene::draw(seed, index, &SceneOptions::default());
            let reading = Reading::of(&scene);
            let all = statements(&scene);
            prop_assert!(all.iter().all(|statement| holds(statement, &reading)));
            // The places and kinds can be read off the statements alone.
            let exist = all.iter().filter(|s| matches!(s, Statement::Exists { .. })).count();
            prop_assert_eq!(exist, scene.objects.len());
        }

        #[test]
        fn opposite_relations_mirror(first in 0..9usize, second in 0..9usize) {
            let (first, second) = (Place::ALL[first], Place::ALL[second]);
            for (one, other) in [
                (Relation::Above, Relation::Below),
                (Relation::LeftOf, Relation::RightOf),
                (Relation::Beside, Relation::Beside),
            ] {
                prop_assert_eq!(one.holds(first, second), other.holds(second, first));
            }
            if first != second {
                prop_assert!(Relation::ALL.iter().any(|relation| relation.holds(first, second)));
            }
        }
    }
}
