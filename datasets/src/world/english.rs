//! How the symbols of the grammar are spelled in English.

use std::sync::LazyLock;

use super::grammar::{Lexicon, Manner, Opening, Phrase, Symbol, join};
use super::{Noun, Place, Relation, Shape, Statement};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(spellings));

/// What an English text claims, in the order of its sentences: the inverse of the sentences that
/// this module makes.
///
/// Case, final punctuation and the agreement of "is" and "are" are not heeded. `None` when any
/// part of the text is not in the grammar.
#[must_use]
pub fn parse_english(text: &str) -> Option<Vec<Statement>> {
    LEXICON.parse(text)
}

/// The sentence in English.
pub(super) fn spell(symbols: &[Symbol]) -> String {
    let words: Vec<String> = symbols
        .iter()
        .enumerate()
        .map(|(i, &symbol)| word(symbol, symbols.get(i + 1).is_some_and(is_plural)))
        .collect();
    join(words.iter().map(String::as_str))
}

/// Every way in which a symbol can be spelled.
pub(super) fn spellings(symbol: Symbol) -> Vec<String> {
    vec![word(symbol, false), word(symbol, true)]
}

fn is_plural(symbol: &Symbol) -> bool {
    matches!(symbol, Symbol::Phrase(Phrase::Number(count, _)) if *count > 1)
}

/// `plural` says whether the phrase that follows is plural, with which "there is" agrees.
fn word(symbol: Symbol, plural: bool) -> String {
    let verb = if plural { "are" } else { "is" };
    match symbol {
        Symbol::Opening(Opening::ThereIs) => format!("there {verb}"),
        Symbol::Opening(Opening::Shows) => "the picture shows".into(),
        Symbol::Opening(Opening::InPicture) => format!("in the picture there {verb}"),
        Symbol::Opening(Opening::YouSee) => "you can see".into(),
        Symbol::Opening(Opening::PictureOf) => "a picture of".into(),
        Symbol::Phrase(phrase) => noun_phrase(phrase),
        Symbol::Place(at, manner) => place(at, manner).into(),
        Symbol::Relation(relation) => preposition(relation).into(),
        Symbol::Colour(colour) => colour.name().into(),
        Symbol::Is => "is".into(),
        Symbol::And => "and".into(),
        Symbol::Comma => ",".into(),
    }
}

fn noun_phrase(phrase: Phrase) -> String {
    match phrase {
        Phrase::A(noun) => format!("a {}", words(noun, false)),
        Phrase::The(noun) => format!("the {}", words(noun, false)),
        Phrase::Number(0, noun) => format!("no {}", words(noun, false)),
        Phrase::Number(1, noun) => format!("exactly one {}", words(noun, false)),
        Phrase::Number(count, noun) => format!("{} {}", number(count), words(noun, true)),
    }
}

fn words(noun: Noun, plural: bool) -> String {
    let name = match (noun.shape, plural) {
        (Some(shape), false) => shape.name(),
        (None, false) => "shape",
        (Some(Shape::Circle), true) => "circles",
        (Some(Shape::Square), true) => "squares",
        (Some(Shape::Triangle), true) => "triangles",
        (Some(Shape::Cross), true) => "crosses",
        (None, true) => "shapes",
    };
    noun.colour.map_or_else(|| name.into(), |colour| format!("{} {name}", colour.name()))
}

fn number(count: u8) -> String {
    const WORDS: [&str; 8] = ["two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let word = usize::from(count).checked_sub(2).and_then(|i| WORDS.get(i));
    word.map_or_else(|| count.to_string(), |&word| word.into())
}

const fn preposition(relation: Relation) -> &'static str {
    match relation {
        Relation::Above => "above",
        Relation::Below => "below",
        Relation::LeftOf => "to the left of",
        Relation::RightOf => "to the right of",
        Relation::Beside => "next to",
    }
}

const fn place(place: Place, manner: Manner) -> &'static str {
    match (place, manner) {
        (Place::TopLeft, Manner::Short) => "at the top left",
        (Place::Top, Manner::Short) => "at the top",
        (Place::TopRight, Manner::Short) => "at the top right",
        (Place::Left, Manner::Short) => "on the left",
        (Place::Middle, Manner::Short) => "in the middle",
        (Place::Right, Manner::Short) => "on the right",
        (Place::BottomLeft, Manner::Short) => "at the bottom left",
        (Place::Bottom, Manner::Short) => "at the bottom",
        (Place::BottomRight, Manner::Short) => "at the bottom right",
        (Place::TopLeft, Manner::Long) => "in the top left corner",
        (Place::Top, Manner::Long) => "at the top edge",
        (Place::TopRight, Manner::Long) => "in the top right corner",
        (Place::Left, Manner::Long) => "at the left edge",
        (Place::Middle, Manner::Long) => "in the centre of the picture",
        (Place::Right, Manner::Long) => "at the right edge",
        (Place::BottomLeft, Manner::Long) => "in the bottom left corner",
        (Place::Bottom, Manner::Long) => "at the bottom edge",
        (Place::BottomRight, Manner::Long) => "in the bottom right corner",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Colour;
    use proptest::prelude::*;

    #[test]
    fn parsing_heeds_neither_case_nor_final_punctuation() {
        let noun = Noun { colour: Some(Colour::Red), shape: Some(Shape::Circle) };
        let expected = Some(vec![Statement::Exists { noun, place: Some(Place::Top) }]);
        for text in [
            "A red circle at the top.",
            "a red circle at the top",
            "THERE IS A RED CIRCLE AT THE TOP!",
            "  The picture   shows a red circle at the top .",
            "there are a red circle at the top",
            "At the top is a red circle.",
            "the red circle is at the top",
        ] {
            assert_eq!(parse_english(text), expected, "{text}");
        }
    }

    #[test]
    fn several_sentences_give_several_statements() {
        let parsed = parse_english("There are two crosses. The circle is red.").unwrap();
        assert_eq!(parsed.len(), 2);
        let cross = Noun { colour: None, shape: Some(Shape::Cross) };
        assert_eq!(parsed[0], Statement::Count { noun: cross, count: 2 });
    }

    #[test]
    fn lists_and_relations() {
        assert_eq!(parse_english("You can see a red circle, no cross and two blue shapes").unwrap().len(), 3);
        let parsed = parse_english("Above the red circle is the square.").unwrap();
        assert_eq!(parsed, parse_english("the square is above the red circle").unwrap());
        assert_ne!(parsed, parse_english("the red circle is above the square").unwrap());
    }

    #[test]
    fn what_is_not_in_the_grammar_is_none() {
        for text in [
            "",
            " . ",
            "a red",
            "red circle",
            "a red circle at",
            "a pink circle",
            "a circle red",
            "a red circle and",
            "a red circle. nonsense",
            "the circle is a square",
            "the red circle is blue",
            "two circles at the top",
            "ein roter Kreis",
        ] {
            assert_eq!(parse_english(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            let _ = parse_english(&text);
        }
    }
}
