//! The grammar that the English and the German sentences share.
//!
//! A sentence is a row of [`Symbol`]s. The same row is spelled in both languages, and [`meaning`]
//! says what it claims, so that a sentence, its translation and its truth cannot drift apart.

use std::collections::HashMap;

use super::{Colour, Noun, Place, Relation, Statement};

/// How a sentence opens. In German the opening decides the case of what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Opening {
    /// "There is".
    ThereIs,
    /// "The picture shows".
    Shows,
    /// "In the picture there is".
    InPicture,
    /// "You can see".
    YouSee,
    /// "A picture of".
    PictureOf,
}

impl Opening {
    pub(super) const ALL: [Self; 5] = [Self::ThereIs, Self::Shows, Self::InPicture, Self::YouSee, Self::PictureOf];
}

/// A noun with its determiner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phrase {
    /// "a red circle".
    A(Noun),
    /// "the red circle".
    The(Noun),
    /// "no red circle", "exactly one red circle", "two red circles".
    Number(u8, Noun),
}

/// Which of two ways to name a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Manner {
    /// "at the top left".
    Short,
    /// "in the top left corner".
    Long,
}

/// One element of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    /// The opening.
    Opening(Opening),
    /// A noun phrase.
    Phrase(Phrase),
    /// A place.
    Place(Place, Manner),
    /// A preposition; the phrase after it is what the other object lies relative to.
    Relation(Relation),
    /// A colour said of the subject: "is red".
    Colour(Colour),
    /// "is".
    Is,
    /// "and".
    And,
    /// A comma.
    Comma,
}

impl Symbol {
    /// Every symbol that the grammar knows.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let phrases = Noun::all().flat_map(|noun| {
            let numbers = (0..=9).map(move |count| Phrase::Number(count, noun));
            [Phrase::A(noun), Phrase::The(noun)].into_iter().chain(numbers)
        });
        let places = Place::ALL
            .into_iter()
            .flat_map(|place| [Self::Place(place, Manner::Short), Self::Place(place, Manner::Long)]);
        [Self::Is, Self::And, Self::Comma]
            .into_iter()
            .chain(Opening::ALL.into_iter().map(Self::Opening))
            .chain(Relation::ALL.into_iter().map(Self::Relation))
            .chain(Colour::ALL.into_iter().map(Self::Colour))
            .chain(phrases.map(Self::Phrase))
            .chain(places)
    }
}

/// The plainest sentence that makes a statement.
pub(super) fn plain(statement: &Statement) -> Vec<Symbol> {
    match *statement {
        Statement::Exists { noun, place } => {
            let mut symbols = vec![Symbol::Phrase(Phrase::A(noun))];
            symbols.extend(place.map(|place| Symbol::Place(place, Manner::Short)));
            symbols
        }
        Statement::Relation { first, relation, second } => {
            vec![Symbol::Phrase(Phrase::A(first)), Symbol::Relation(relation), Symbol::Phrase(Phrase::A(second))]
        }
        Statement::Count { noun, count } => {
            vec![Symbol::Opening(Opening::ThereIs), Symbol::Phrase(Phrase::Number(count, noun))]
        }
    }
}

/// What a sentence claims, or `None` when its symbols make no sentence.
pub(super) fn meaning(symbols: &[Symbol]) -> Option<Vec<Statement>> {
    use self::Phrase::The;
    use self::Symbol::{Colour, Is, Opening, Phrase, Place, Relation};

    match *symbols {
        [Phrase(The(noun)), Is, Place(place, _)] => Some(vec![Statement::Exists { noun, place: Some(place) }]),
        [Phrase(The(noun)), Is, Colour(colour)] if noun.colour.is_none() => {
            let noun = Noun { colour: Some(colour), ..noun };
            Some(vec![Statement::Exists { noun, place: None }])
        }
        [Phrase(The(first)), Is, Relation(relation), Phrase(The(second))]
        | [Relation(relation), Phrase(The(second)), Is, Phrase(The(first))] => {
            Some(vec![Statement::Relation { first, relation, second }])
        }
        [Opening(_), ref rest @ ..] => list(rest, item),
        [Place(..), ..] => list(symbols, placed_item),
        _ => list(symbols, item),
    }
}

/// A list of items with commas and "and" between them.
fn list(symbols: &[Symbol], item: fn(&[Symbol]) -> Option<Statement>) -> Option<Vec<Statement>> {
    symbols.split(|symbol| matches!(symbol, Symbol::And | Symbol::Comma)).map(item).collect()
}

/// "a red circle", "two red circles", "a red circle above a blue square" or "... at the top".
fn item(symbols: &[Symbol]) -> Option<Statement> {
    use self::Phrase::{A, Number};
    use self::Symbol::{Phrase, Place, Relation};

    match *symbols {
        [Phrase(A(noun))] => Some(Statement::Exists { noun, place: None }),
        [Phrase(Number(count, noun))] => Some(Statement::Count { noun, count }),
        [Phrase(A(noun)), Place(place, _)] => Some(Statement::Exists { noun, place: Some(place) }),
        [Phrase(A(first)), Relation(relation), Phrase(A(second))] => {
            Some(Statement::Relation { first, relation, second })
        }
        _ => None,
    }
}

/// "at the top is a red circle".
fn placed_item(symbols: &[Symbol]) -> Option<Statement> {
    match *symbols {
        [Symbol::Place(place, _), Symbol::Is, Symbol::Phrase(Phrase::A(noun))] => {
            Some(Statement::Exists { noun, place: Some(place) })
        }
        _ => None,
    }
}

/// Finds the symbols in the words of one language.
pub(super) struct Lexicon {
    symbols: HashMap<String, Symbol>,
    longest: usize,
}

impl Lexicon {
    /// A lexicon of all the ways in which a language spells each symbol.
    pub(super) fn new(spellings: fn(Symbol) -> Vec<String>) -> Self {
        let mut symbols = HashMap::new();
        let mut longest = 0;
        for symbol in Symbol::all() {
            for spelling in spellings(symbol) {
                longest = longest.max(spelling.split(' ').count());
                symbols.insert(spelling.to_lowercase(), symbol);
            }
        }
        Self { symbols, longest }
    }

    /// What a text claims, sentence by sentence: the longest known phrase is taken at each word.
    /// `None` when some word or sentence is not in the grammar, or there is no sentence.
    pub(super) fn parse(&self, text: &str) -> Option<Vec<Statement>> {
        let sentences = text.split(['.', '!', '?', '\n']).filter(|part| !part.trim().is_empty());
        let mut statements = Vec::new();
        for sentence in sentences {
            statements.extend(meaning(&self.symbols_of(sentence)?)?);
        }
        (!statements.is_empty()).then_some(statements)
    }

    pub(super) fn symbols_of(&self, sentence: &str) -> Option<Vec<Symbol>> {
        let sentence = sentence.to_lowercase().replace(',', " , ");
        let words: Vec<&str> = sentence.split_whitespace().collect();
        let mut symbols = Vec::new();
        let mut start = 0;
        while start < words.len() {
            let most = self.longest.min(words.len() - start);
            let (length, symbol) = (1..=most).rev().find_map(|length| {
                let phrase = words[start..start + length].join(" ");
                self.symbols.get(&phrase).map(|&symbol| (length, symbol))
            })?;
            symbols.push(symbol);
            start += length;
        }
        Some(symbols)
    }
}

/// Joins spelled symbols into a sentence: no space before a comma, a capital first, a full stop.
pub(super) fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut sentence = String::new();
    for word in words {
        if sentence.is_empty() {
            let mut letters = word.chars();
            sentence.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            sentence.push_str(letters.as_str());
            continue;
        }
        if word != "," {
            sentence.push(' ');
        }
        sentence.push_str(word);
    }
    sentence.push('.');
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{english, german, parse_english, parse_german};

    #[test]
    fn no_two_symbols_are_spelled_alike() {
        for spellings in [english::spellings, german::spellings] {
            let mut owners: HashMap<String, Symbol> = HashMap::new();
            for symbol in Symbol::all() {
                for spelling in spellings(symbol) {
                    let owner = *owners.entry(spelling.to_lowercase()).or_insert(symbol);
                    assert_eq!(owner, symbol, "{spelling}");
                }
            }
        }
    }

    #[test]
    fn plain_sentences_are_read_back_in_both_languages() {
        let exist = Noun::all().flat_map(|noun| {
            let places = Place::ALL.into_iter().map(Some).chain([None]);
            places.map(move |place| Statement::Exists { noun, place })
        });
        let count = Noun::all().flat_map(|noun| (0..=9).map(move |count| Statement::Count { noun, count }));
        let relate = Noun::all().flat_map(|first| {
            Relation::ALL.into_iter().flat_map(move |relation| {
                Noun::all().map(move |second| Statement::Relation { first, relation, second })
            })
        });
        for statement in exist.chain(count).chain(relate) {
            let symbols = plain(&statement);
            let expected = Some(vec![statement]);
            assert_eq!(meaning(&symbols), expected);
            assert_eq!(parse_english(&english::spell(&symbols)), expected);
            assert_eq!(parse_german(&german::spell(&symbols)), expected);
        }
    }

    #[test]
    fn rows_of_symbols_that_are_no_sentence() {
        let circle = Noun { colour: None, shape: Some(crate::world::Shape::Circle) };
        let the = Symbol::Phrase(Phrase::The(circle));
        let a = Symbol::Phrase(Phrase::A(circle));
        for symbols in [
            vec![],
            vec![the],
            vec![Symbol::Is],
            vec![a, Symbol::And],
            vec![a, a],
            vec![the, Symbol::Is],
            vec![Symbol::Opening(Opening::Shows)],
            vec![Symbol::Place(Place::Top, Manner::Short), Symbol::Is],
        ] {
            assert_eq!(meaning(&symbols), None, "{symbols:?}");
        }
    }

    #[test]
    fn joining() {
        assert_eq!(join(["über a", ",", "b", "and"]), "Über a, b and.");
        assert_eq!(join([]), ".");
    }
}
