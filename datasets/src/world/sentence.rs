//! What to say about a scene: captions, single sentences and short stories, in both languages.

use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::grammar::{Manner, Opening, Phrase, Symbol, meaning};
use super::statement::pairs;
use super::{Kind, Noun, Reading, Relation, Scene, Statement, Thing};
use super::{english, german, random};

/// The same words in English and German, with what they claim. All of it is true of the scene.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sentence {
    /// In English.
    pub english: String,
    /// In German: a translation of the English, sentence by sentence.
    pub german: String,
    /// What is claimed, in the order of the words; what [`parse_english`](super::parse_english)
    /// makes of the English.
    pub statements: Vec<Statement>,
}

/// One sentence that names every object of the scene: for captions, and as a prompt.
///
/// `variant` chooses the wording; each is another random choice, the same on every call.
#[must_use]
pub fn caption(scene: &Scene, variant: u64) -> Sentence {
    let mut rng = random::generator(scene.wording, variant);
    compose(&[draw_caption(&Reading::of(scene), &mut rng)])
}

/// One sentence about the scene, often about only a part of it: for translation.
///
/// `variant` chooses the sentence, as in [`caption`].
#[must_use]
pub fn sentence(scene: &Scene, variant: u64) -> Sentence {
    let mut rng = random::generator(scene.wording ^ SENTENCE, variant);
    compose(&[draw_sentence(&Reading::of(scene), &mut rng)])
}

/// A paragraph of 1 to 4 different sentences about the scene: for language models.
///
/// `variant` chooses the sentences, as in [`caption`].
#[must_use]
pub fn story(scene: &Scene, variant: u64) -> Sentence {
    let mut rng = random::generator(scene.wording ^ STORY, variant);
    let reading = Reading::of(scene);
    let length = rng.random_range(1..=4usize);
    let mut rows = vec![draw_caption(&reading, &mut rng)];
    // Another chance for each sentence that was drawn before; a simple scene may run out of them.
    for _ in 0..3 * length {
        if rows.len() == length {
            break;
        }
        let row = match rng.random_range(0..5u32) {
            0 => absence(&reading, &mut rng),
            1 => count(&reading, &mut rng),
            2 => property(&reading, &mut rng),
            _ => position(&reading, &mut rng),
        };
        let told: Vec<Statement> = rows.iter().filter_map(|row| meaning(row)).flatten().collect();
        rows.extend(row.filter(|row| meaning(row).is_some_and(|news| news.iter().any(|claim| !told.contains(claim)))));
    }
    compose(&rows)
}

/// The English of the first [`story`] of a scene.
#[must_use]
pub fn text(scene: &Scene) -> String {
    story(scene, 0).english
}

/// Set the streams of sentences and stories apart from those of captions.
const SENTENCE: u64 = 0x5e47_e4ce_0000_0001;
const STORY: u64 = 0x5709_1e55_0000_0002;

type Row = Vec<Symbol>;

fn compose(rows: &[Row]) -> Sentence {
    let spell = |spell: fn(&[Symbol]) -> String| rows.iter().map(|row| spell(row)).collect::<Vec<_>>().join(" ");
    Sentence {
        english: spell(english::spell),
        german: spell(german::spell),
        statements: rows.iter().filter_map(|row| meaning(row)).flatten().collect(),
    }
}

fn draw_caption(reading: &Reading, rng: &mut ChaCha8Rng) -> Row {
    if reading.things.is_empty() {
        let nothing = Symbol::Phrase(Phrase::Number(0, Noun::default()));
        return opened(Some(draw_existential(rng)), vec![nothing]);
    }
    match rng.random_range(0..4u32) {
        0 => plain_list(reading, rng),
        1 => place_first(reading, rng),
        _ => placed_list(reading, rng),
    }
}

fn draw_sentence(reading: &Reading, rng: &mut ChaCha8Rng) -> Row {
    let row = match rng.random_range(0..10u32) {
        0..3 => None,
        3..5 => relation(reading, rng),
        5..7 => position(reading, rng),
        7 => property(reading, rng),
        8 => count(reading, rng),
        _ => absence(reading, rng),
    };
    row.unwrap_or_else(|| draw_caption(reading, rng))
}

/// "The picture shows two red circles and a blue square."
fn plain_list(reading: &Reading, rng: &mut ChaCha8Rng) -> Row {
    let mut kinds: Vec<Kind> = Vec::new();
    for thing in shuffled(reading, rng) {
        if !kinds.contains(&thing.kind()) {
            kinds.push(thing.kind());
        }
    }
    let phrases = kinds.into_iter().map(|kind| {
        let noun = Noun::from(kind);
        vec![Symbol::Phrase(match reading.count(noun) {
            0 | 1 => Phrase::A(noun),
            several => Phrase::Number(several as u8, noun),
        })]
    });
    opened(maybe_opening(rng), listed(phrases.collect()))
}

/// "There is a red circle at the top and a blue square on the left."
fn placed_list(reading: &Reading, rng: &mut ChaCha8Rng) -> Row {
    let manner = draw_manner(rng);
    let items = shuffled(reading, rng).into_iter().map(|thing| {
        let phrase = Symbol::Phrase(Phrase::A(thing.kind().into()));
        vec![phrase, Symbol::Place(thing.place, manner)]
    });
    let items = listed(items.collect());
    opened(maybe_opening(rng), items)
}

/// "At the top is a red circle and on the left is a blue square."
fn place_first(reading: &Reading, rng: &mut ChaCha8Rng) -> Row {
    let manner = draw_manner(rng);
    let items = shuffled(reading, rng).into_iter().map(|thing| {
        let phrase = Symbol::Phrase(Phrase::A(thing.kind().into()));
        vec![Symbol::Place(thing.place, manner), Symbol::Is, phrase]
    });
    listed(items.collect())
}

/// "You can see a red circle above a blue square."
fn relation(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<Row> {
    let (one, relation, other) = draw_relation(reading, rng)?;
    let row = vec![
        Symbol::Phrase(Phrase::A(one.kind().into())),
        Symbol::Relation(relation),
        Symbol::Phrase(Phrase::A(other.kind().into())),
    ];
    Some(opened(maybe_opening(rng), row))
}

/// "The red circle is at the top.", "The red circle is above the square." or "Above the square is
/// the red circle."
fn position(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<Row> {
    let order = rng.random_range(0..3u32);
    if order > 0
        && let Some((one, relation, other)) = draw_relation(reading, rng)
    {
        let the = Symbol::Phrase(Phrase::The(definite(reading, one, rng)?));
        let other = Symbol::Phrase(Phrase::The(definite(reading, other, rng)?));
        let relation = Symbol::Relation(relation);
        return Some(match order {
            1 => vec![the, Symbol::Is, relation, other],
            _ => vec![relation, other, Symbol::Is, the],
        });
    }
    let thing = pick(&reading.things, rng)?;
    let the = Symbol::Phrase(Phrase::The(definite(reading, thing, rng)?));
    Some(vec![the, Symbol::Is, Symbol::Place(thing.place, draw_manner(rng))])
}

/// "The circle is red."
fn property(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<Row> {
    let thing = pick(&reading.things, rng)?;
    let noun = Noun { colour: None, shape: Some(thing.shape) };
    (reading.count(noun) == 1)
        .then(|| vec![Symbol::Phrase(Phrase::The(noun)), Symbol::Is, Symbol::Colour(thing.colour)])
}

/// "There are two red shapes." or "There is exactly one cross."
fn count(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<Row> {
    let thing = pick(&reading.things, rng)?;
    let [named, of_colour, of_shape, any] = descriptions(thing);
    let noun = pick(&[any, any, of_colour, of_shape, named], rng)?;
    let phrase = Symbol::Phrase(Phrase::Number(reading.count(noun) as u8, noun));
    Some(opened(Some(draw_existential(rng)), vec![phrase]))
}

/// "There is no yellow cross."
fn absence(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<Row> {
    let absent: Vec<Noun> = Noun::all().filter(|&noun| reading.count(noun) == 0).collect();
    let phrase = Symbol::Phrase(Phrase::Number(0, pick(&absent, rng)?));
    Some(opened(Some(draw_existential(rng)), vec![phrase]))
}

/// A pair of objects with a relation that holds between them.
fn draw_relation(reading: &Reading, rng: &mut ChaCha8Rng) -> Option<(Thing, Relation, Thing)> {
    let true_ones: Vec<_> = pairs(&reading.things)
        .flat_map(|(one, other)| Relation::ALL.map(|relation| (one, relation, other)))
        .filter(|(one, relation, other)| relation.holds(one.place, other.place))
        .collect();
    pick(&true_ones, rng)
}

/// A noun that fits only `thing`, mostly its full kind: what "the" may be said of.
fn definite(reading: &Reading, thing: Thing, rng: &mut ChaCha8Rng) -> Option<Noun> {
    let [named, of_colour, of_shape, _] = descriptions(thing);
    let mut unique = vec![named, named, of_colour, of_shape];
    unique.retain(|&noun| reading.count(noun) == 1);
    pick(&unique, rng)
}

/// The nouns that fit a thing: by kind, by colour, by shape, and by neither.
fn descriptions(thing: Thing) -> [Noun; 4] {
    let (colour, shape) = (Some(thing.colour), Some(thing.shape));
    [(colour, shape), (colour, None), (None, shape), (None, None)].map(|(colour, shape)| Noun { colour, shape })
}

fn shuffled(reading: &Reading, rng: &mut ChaCha8Rng) -> Vec<Thing> {
    let mut things = reading.things.clone();
    things.shuffle(rng);
    things
}

/// "A, B and C".
fn listed(items: Vec<Row>) -> Row {
    let last = items.len().saturating_sub(1);
    let mut row = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            row.push(if i == last { Symbol::And } else { Symbol::Comma });
        }
        row.extend(item);
    }
    row
}

fn opened(opening: Option<Opening>, row: Row) -> Row {
    opening.map(Symbol::Opening).into_iter().chain(row).collect()
}

fn maybe_opening(rng: &mut ChaCha8Rng) -> Option<Opening> {
    let all = Opening::ALL.map(Some);
    all.get(rng.random_range(0..all.len() + 1)).copied().flatten()
}

/// Openings that sound right before a bare number or "no".
fn draw_existential(rng: &mut ChaCha8Rng) -> Opening {
    let all = [Opening::ThereIs, Opening::Shows, Opening::InPicture, Opening::YouSee];
    all[rng.random_range(0..all.len())]
}

fn draw_manner(rng: &mut ChaCha8Rng) -> Manner {
    if rng.random_range(0..3u32) == 0 { Manner::Long } else { Manner::Short }
}

fn pick<T: Copy>(items: &[T], rng: &mut ChaCha8Rng) -> Option<T> {
    (!items.is_empty()).then(|| items[rng.random_range(0..items.len())])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::world::{SceneOptions, holds, parse_english, parse_german};
    use proptest::prelude::*;

    fn scene(index: u64) -> Scene {
        Scene::draw(11, index, &SceneOptions::default())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn words_are_true_and_read_back_in_both_languages(seed: u64, index: u64, variant: u64) {
            let scene = Scene::draw(seed, index, &SceneOptions::default());
            let reading = Reading::of(&scene);
            for said in [caption(&scene, variant), sentence(&scene, variant), story(&scene, variant)] {
                prop_assert!(!said.statements.is_empty());
                for statement in &said.statements {
                    prop_assert!(holds(statement, &reading), "{}", said.english);
                }
                prop_assert_eq!(parse_english(&said.english), Some(said.statements.clone()));
                prop_assert_eq!(parse_german(&said.german), Some(said.statements));
            }
        }

        #[test]
        fn captions_name_every_object(seed: u64, variant: u64) {
            let scene = Scene::draw(seed, 0, &SceneOptions::default());
            let named: usize = caption(&scene, variant)
                .statements
                .iter()
                .map(|statement| match statement {
                    Statement::Count { count, .. } => usize::from(*count),
                    _ => 1,
                })
                .sum();
            prop_assert_eq!(named, scene.objects.len());
        }

        #[test]
        fn stories_have_one_to_four_sentences(seed: u64, variant: u64) {
            let scene = Scene::draw(seed, 0, &SceneOptions::default());
            let story = story(&scene, variant);
            let count = story.english.matches('.').count();
            prop_assert!((1..=4).contains(&count));
            prop_assert_eq!(count, story.german.matches('.').count());
        }
    }

    #[test]
    fn words_repeat_for_a_variant_and_differ_between_variants() {
        let scene = scene(0);
        let variants: HashSet<String> = (0..20).map(|v| sentence(&scene, v).english).collect();
        assert!(variants.len() > 8, "{variants:?}");
        assert_eq!(sentence(&scene, 3), sentence(&scene, 3));
        assert_eq!(text(&scene), story(&scene, 0).english);
    }

    #[test]
    fn every_form_of_sentence_comes_up() {
        let said: String = (0..3000).map(|i| sentence(&scene(i), 0).german + "\n").collect();
        for part in [
            "Es gibt",
            "Das Bild zeigt",
            "Auf dem Bild ist",
            "Auf dem Bild sind",
            "Man sieht",
            "Ein Bild von",
            "Ecke",
            "Rand",
            "oben rechts",
            "Über dem",
            "links vom",
            "Links von der",
            "neben einem",
            "keinen",
            "genau ein ",
            "zwei ",
            "drei Formen",
            "ist rot.",
            "violettes Dreieck",
            "weißen Kreis",
        ] {
            assert!(said.contains(part), "{part}");
        }
        assert!(!said.contains("von dem") && !said.contains("  "));
    }

    #[test]
    fn a_scene_without_objects_can_be_told() {
        let empty = Scene { size: 32, objects: vec![], texture: 0, wording: 0 };
        for variant in 0..50 {
            let claimed = vec![Statement::Count { noun: Noun::default(), count: 0 }];
            assert_eq!(caption(&empty, variant).statements, claimed);
            for said in [sentence(&empty, variant), story(&empty, variant)] {
                assert!(said.statements.iter().all(|claim| holds(claim, &Reading::of(&empty))));
                assert_eq!(parse_german(&said.german), Some(said.statements));
            }
        }
    }
}
