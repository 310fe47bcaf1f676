//! How the symbols of the grammar are spelled in German, with gender, case and number.

use std::sync::LazyLock;

use super::grammar::{Lexicon, Manner, Opening, Phrase, Symbol, join};
use super::{Colour, Noun, Place, Relation, Shape, Statement};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(spellings));

/// What a German text claims: the counterpart of [`parse_english`](super::parse_english).
///
/// Letter case, final punctuation and grammatical case are not heeded; gender is.
#[must_use]
pub fn parse_german(text: &str) -> Option<Vec<Statement>> {
    LEXICON.parse(&text.replace("vom ", "von dem "))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Nominative,
    Accusative,
    Dative,
}

#[derive(Clone, Copy)]
enum Gender {
    Masculine,
    Feminine,
    Neuter,
}

/// The sentence in German.
pub(super) fn spell(symbols: &[Symbol]) -> String {
    let plural = subjects(symbols) > 1;
    let mut governed = Case::Nominative;
    let mut after_preposition = false;
    let mut words = Vec::with_capacity(symbols.len());
    for &symbol in symbols {
        match symbol {
            Symbol::Opening(opening) => governed = case_after(opening),
            Symbol::Relation(_) => after_preposition = true,
            _ => {}
        }
        let case = if after_preposition { Case::Dative } else { governed };
        words.push(word(symbol, case, plural));
        if matches!(symbol, Symbol::Phrase(_)) {
            after_preposition = false;
        }
    }
    join(words.iter().map(String::as_str)).replace(" von dem ", " vom ")
}

/// How many things the verb of "auf dem Bild sind" must agree with: those after no preposition.
fn subjects(symbols: &[Symbol]) -> usize {
    let mut count = 0;
    for (i, symbol) in symbols.iter().enumerate() {
        let Symbol::Phrase(phrase) = symbol else {
            continue;
        };
        let relative = i > 0 && matches!(symbols[i - 1], Symbol::Relation(_));
        count += match phrase {
            _ if relative => 0,
            Phrase::Number(number, _) => usize::from(*number).max(1),
            Phrase::A(_) | Phrase::The(_) => 1,
        };
    }
    count
}

/// Every way in which a symbol can be spelled.
pub(super) fn spellings(symbol: Symbol) -> Vec<String> {
    [Case::Nominative, Case::Accusative, Case::Dative]
        .into_iter()
        .flat_map(|case| [word(symbol, case, false), word(symbol, case, true)])
        .collect()
}

const fn case_after(opening: Opening) -> Case {
    match opening {
        Opening::ThereIs | Opening::Shows | Opening::YouSee => Case::Accusative,
        Opening::InPicture => Case::Nominative,
        Opening::PictureOf => Case::Dative,
    }
}

/// `case` is for noun phrases, `plural` for the verb of the opening.
fn word(symbol: Symbol, case: Case, plural: bool) -> String {
    match symbol {
        Symbol::Opening(Opening::ThereIs) => "es gibt".into(),
        Symbol::Opening(Opening::Shows) => "das Bild zeigt".into(),
        Symbol::Opening(Opening::InPicture) if plural => "auf dem Bild sind".into(),
        Symbol::Opening(Opening::InPicture) => "auf dem Bild ist".into(),
        Symbol::Opening(Opening::YouSee) => "man sieht".into(),
        Symbol::Opening(Opening::PictureOf) => "ein Bild von".into(),
        Symbol::Phrase(phrase) => noun_phrase(phrase, case),
        Symbol::Place(at, manner) => place(at, manner).into(),
        Symbol::Relation(relation) => preposition(relation).into(),
        Symbol::Colour(colour) => stem(colour).into(),
        Symbol::Is => "ist".into(),
        Symbol::And => "und".into(),
        Symbol::Comma => ",".into(),
    }
}

fn noun_phrase(phrase: Phrase, case: Case) -> String {
    match phrase {
        Phrase::A(noun) => format!("ein{}", after_ein(noun, case)),
        Phrase::The(noun) => after_definite(noun, case),
        Phrase::Number(0, noun) => format!("kein{}", after_ein(noun, case)),
        Phrase::Number(1, noun) => format!("genau ein{}", after_ein(noun, case)),
        Phrase::Number(count, noun) => {
            // Strong plural: the adjective shows the case, since a number word does not.
            let (adjective, name) =
                if case == Case::Dative { ("en", plural(noun.shape, true)) } else { ("e", plural(noun.shape, false)) };
            format!("{} {}", number(count), with_adjective(noun, adjective, name))
        }
    }
}

/// The ending of "ein" or "kein", the adjective (mixed declension) and the noun.
fn after_ein(noun: Noun, case: Case) -> String {
    let (ending, adjective) = match (gender(noun.shape), case) {
        (Gender::Masculine, Case::Nominative) => ("", "er"),
        (Gender::Masculine, Case::Accusative) => ("en", "en"),
        (Gender::Feminine, Case::Nominative | Case::Accusative) => ("e", "e"),
        (Gender::Feminine, Case::Dative) => ("er", "en"),
        (Gender::Neuter, Case::Nominative | Case::Accusative) => ("", "es"),
        (Gender::Masculine | Gender::Neuter, Case::Dative) => ("em", "en"),
    };
    format!("{ending} {}", with_adjective(noun, adjective, singular(noun.shape)))
}

/// The definite article, the adjective (weak declension) and the noun.
fn after_definite(noun: Noun, case: Case) -> String {
    let (article, adjective) = match (gender(noun.shape), case) {
        (Gender::Masculine, Case::Nominative) => ("der", "e"),
        (Gender::Masculine, Case::Accusative) => ("den", "en"),
        (Gender::Feminine, Case::Nominative | Case::Accusative) => ("die", "e"),
        (Gender::Feminine, Case::Dative) => ("der", "en"),
        (Gender::Neuter, Case::Nominative | Case::Accusative) => ("das", "e"),
        (Gender::Masculine | Gender::Neuter, Case::Dative) => ("dem", "en"),
    };
    format!("{article} {}", with_adjective(noun, adjective, singular(noun.shape)))
}

fn with_adjective(noun: Noun, ending: &str, name: &str) -> String {
    noun.colour.map_or_else(|| name.into(), |colour| format!("{}{ending} {name}", stem(colour)))
}

const fn gender(shape: Option<Shape>) -> Gender {
    match shape {
        Some(Shape::Circle) => Gender::Masculine,
        Some(Shape::Square | Shape::Triangle | Shape::Cross) => Gender::Neuter,
        None => Gender::Feminine,
    }
}

const fn singular(shape: Option<Shape>) -> &'static str {
    match shape {
        Some(Shape::Circle) => "Kreis",
        Some(Shape::Square) => "Quadrat",
        Some(Shape::Triangle) => "Dreieck",
        Some(Shape::Cross) => "Kreuz",
        None => "Form",
    }
}

const fn plural(shape: Option<Shape>, dative: bool) -> &'static str {
    match (shape, dative) {
        (Some(Shape::Circle), false) => "Kreise",
        (Some(Shape::Circle), true) => "Kreisen",
        (Some(Shape::Square), false) => "Quadrate",
        (Some(Shape::Square), true) => "Quadraten",
        (Some(Shape::Triangle), false) => "Dreiecke",
        (Some(Shape::Triangle), true) => "Dreiecken",
        (Some(Shape::Cross), false) => "Kreuze",
        (Some(Shape::Cross), true) => "Kreuzen",
        (None, _) => "Formen",
    }
}

/// The adjective without ending. "Lila" would not take endings, hence "violett".
const fn stem(colour: Colour) -> &'static str {
    match colour {
        Colour::Red => "rot",
        Colour::Green => "grün",
        Colour::Blue => "blau",
        Colour::Yellow => "gelb",
        Colour::Purple => "violett",
        Colour::White => "weiß",
    }
}

fn number(count: u8) -> String {
    const WORDS: [&str; 8] = ["zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];
    let word = usize::from(count).checked_sub(2).and_then(|i| WORDS.get(i));
    word.map_or_else(|| count.to_string(), |&word| word.into())
}

/// All of these take the dative here, as they say where something is.
const fn preposition(relation: Relation) -> &'static str {
    match relation {
        Relation::Above => "über",
        Relation::Below => "unter",
        Relation::LeftOf => "links von",
        Relation::RightOf => "rechts von",
        Relation::Beside => "neben",
    }
}

const fn place(place: Place, manner: Manner) -> &'static str {
    match (place, manner) {
        (Place::TopLeft, Manner::Short) => "oben links",
        (Place::Top, Manner::Short) => "oben",
        (Place::TopRight, Manner::Short) => "oben rechts",
        (Place::Left, Manner::Short) => "links",
        (Place::Middle, Manner::Short) => "in der Mitte",
        (Place::Right, Manner::Short) => "rechts",
        (Place::BottomLeft, Manner::Short) => "unten links",
        (Place::Bottom, Manner::Short) => "unten",
        (Place::BottomRight, Manner::Short) => "unten rechts",
        (Place::TopLeft, Manner::Long) => "in der linken oberen Ecke",
        (Place::Top, Manner::Long) => "am oberen Rand",
        (Place::TopRight, Manner::Long) => "in der rechten oberen Ecke",
        (Place::Left, Manner::Long) => "am linken Rand",
        (Place::Middle, Manner::Long) => "im Zentrum des Bildes",
        (Place::Right, Manner::Long) => "am rechten Rand",
        (Place::BottomLeft, Manner::Long) => "in der linken unteren Ecke",
        (Place::Bottom, Manner::Long) => "am unteren Rand",
        (Place::BottomRight, Manner::Long) => "in der rechten unteren Ecke",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::parse_english;
    use proptest::prelude::*;

    /// Pairs written by hand, so that the declension is held against something other than itself.
    #[test]
    fn articles_adjectives_and_nouns_agree() {
        for (english, german) in PAIRS {
            let meaning = parse_english(english);
            assert!(meaning.is_some(), "{english}");
            assert_eq!(meaning, parse_german(german), "{german}");
            assert_eq!(translate(english), *german);
        }
    }

    const PAIRS: &[(&str, &str)] = &[
        ("A red circle above a blue square.", "Ein roter Kreis über einem blauen Quadrat."),
        (
            "The picture shows a white circle below a purple cross.",
            "Das Bild zeigt einen weißen Kreis unter einem violetten Kreuz.",
        ),
        (
            "In the picture there is a yellow triangle to the left of a red shape.",
            "Auf dem Bild ist ein gelbes Dreieck links von einer roten Form.",
        ),
        ("The green square is to the right of the yellow circle.", "Das grüne Quadrat ist rechts vom gelben Kreis."),
        ("The red shape is next to the circle.", "Die rote Form ist neben dem Kreis."),
        ("To the left of the white shape is the cross.", "Links von der weißen Form ist das Kreuz."),
        ("Above the blue triangle is the red circle.", "Über dem blauen Dreieck ist der rote Kreis."),
        ("There are two green triangles and a red circle.", "Es gibt zwei grüne Dreiecke und einen roten Kreis."),
        ("A picture of three white crosses.", "Ein Bild von drei weißen Kreuzen."),
        ("A picture of two circles and a purple square.", "Ein Bild von zwei Kreisen und einem violetten Quadrat."),
        (
            "In the picture there is a red circle, a blue square and a green cross.",
            "Auf dem Bild sind ein roter Kreis, ein blaues Quadrat und ein grünes Kreuz.",
        ),
        ("In the picture there are two squares.", "Auf dem Bild sind zwei Quadrate."),
        ("In the picture there is no blue shape.", "Auf dem Bild ist keine blaue Form."),
        ("There is no yellow circle.", "Es gibt keinen gelben Kreis."),
        ("You can see exactly one red circle.", "Man sieht genau einen roten Kreis."),
        ("You can see exactly one shape.", "Man sieht genau eine Form."),
        ("There are three shapes.", "Es gibt drei Formen."),
        ("The circle is purple.", "Der Kreis ist violett."),
        ("The blue cross is in the top left corner.", "Das blaue Kreuz ist in der linken oberen Ecke."),
        (
            "At the top is a white circle and in the middle is a red shape.",
            "Oben ist ein weißer Kreis und in der Mitte ist eine rote Form.",
        ),
    ];

    /// The German for an English sentence, by way of the symbols.
    fn translate(english: &str) -> String {
        let lexicon = Lexicon::new(crate::world::english::spellings);
        spell(&lexicon.symbols_of(english.trim_end_matches('.')).unwrap())
    }

    #[test]
    fn wrong_gender_is_not_in_the_grammar() {
        for text in ["eine roter Kreis", "der Quadrat ist rot", "ein rote Form", "a red circle"] {
            assert_eq!(parse_german(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            let _ = parse_german(&text);
        }
    }
}
