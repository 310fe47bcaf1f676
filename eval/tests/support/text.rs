//! Text to make a run from, and two ways to cut it into tokens.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One token per character.
    Characters,
    /// Pieces of words of at most four characters, a space belongs to the word after it.
    Pieces,
}

/// A text as ids, with the tokens they stand for.
pub struct Encoded {
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
}

impl Cut {
    pub fn encode(self, text: &str) -> Encoded {
        let mut ids = Vec::new();
        let mut tokens = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        for piece in self.pieces(text) {
            let id = *known.entry(piece.clone()).or_insert_with(|| {
                tokens.push(piece);
                tokens.len() as u32 - 1
            });
            ids.push(id);
        }
        Encoded { ids, tokens }
    }

    pub fn pieces(self, text: &str) -> Vec<String> {
        if self == Cut::Characters {
            return text.chars().map(String::from).collect();
        }
        let mut pieces: Vec<String> = Vec::new();
        let mut open = false;
        for c in text.chars() {
            let fits = pieces.last().is_some_and(|p| p.chars().count() < 4);
            match (open && fits && c.is_alphanumeric(), pieces.last_mut()) {
                (true, Some(last)) => last.push(c),
                _ => pieces.push(c.to_string()),
            }
            open = c.is_alphanumeric() || c == ' ';
        }
        pieces
    }
}

/// A token as a person reads it.
pub fn display(token: &str) -> String {
    token.replace(' ', "·").replace('\n', "⏎")
}

/// Lines about coloured shapes, drawn from a seed.
pub fn shapes(lines: usize, seed: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one_of = |words: &[&'static str]| words[random.next_u32() as usize % words.len()];
    let colours = ["red", "green", "blue", "yellow", "grey"];
    let shapes = ["circle", "square", "triangle", "cross"];
    let places = ["left of", "right of", "above", "below"];
    let line = |_| {
        let (c1, s1, place) = (one_of(&colours), one_of(&shapes), one_of(&places));
        let (c2, s2) = (one_of(&colours), one_of(&shapes));
        format!("the {c1} {s1} is {place} the {c2} {s2}.\n")
    };
    (0..lines).map(line).collect()
}
