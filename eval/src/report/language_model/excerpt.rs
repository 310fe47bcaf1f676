//! The windows that were easiest and hardest.

use serde::Serialize;

use super::explained::Explained;
use super::rounded;

/// Windows of each sort.
const SHOWN: usize = 3;
/// Tokens of a window that are shown, at most.
const MOST_TOKENS: usize = 320;
/// Characters of a window that are shown where its tokens are not known, at most.
const MOST_CHARACTERS: usize = 1200;

/// A window as it stands in the text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Excerpt {
    /// The row.
    pub id: String,
    /// Its first token in the split.
    pub offset: u64,
    /// Tokens in it.
    pub tokens: u64,
    /// Nats per token.
    pub loss: f64,
    /// Its text: a piece per token, or one piece where the tokens are not known.
    pub pieces: Vec<Piece>,
    /// Whether there is more of it.
    pub cut: bool,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Piece {
    /// The text; for single tokens as a person reads it.
    pub text: String,
    /// Its loss in nats, where it is one token.
    pub nll: Option<f64>,
}

/// The windows seen so far that are easiest and hardest.
pub(super) struct Extremes {
    shortest: usize,
    easiest: Vec<Found>,
    hardest: Vec<Found>,
}

#[derive(Clone)]
struct Found {
    id: String,
    offset: u64,
    loss: f64,
    token_nll: Vec<f32>,
    text: String,
}

impl Extremes {
    pub(super) fn new(tokens_per_window: Option<u64>) -> Self {
        Self {
            // the rest at the end of a split may be a few tokens, and is then always the extreme
            shortest: tokens_per_window.map_or(1, |tokens| tokens.div_ceil(2).max(1) as usize),
            easiest: Vec::new(),
            hardest: Vec::new(),
        }
    }

    pub(super) fn offer(&mut self, id: &str, offset: u64, nll: f64, token_nll: &[f32], text: &str) {
        if token_nll.len() < self.shortest {
            return;
        }
        let loss = nll / token_nll.len() as f64;
        let found = || Found { id: id.to_owned(), offset, loss, token_nll: token_nll.to_vec(), text: text.to_owned() };
        insert(&mut self.easiest, loss, found, |a, b| a < b);
        insert(&mut self.hardest, loss, found, |a, b| a > b);
    }

    /// The easiest and the hardest.
    pub(super) fn finish(self, explained: &Explained) -> (Vec<Excerpt>, Vec<Excerpt>) {
        let excerpts = |found: Vec<Found>| found.into_iter().map(|f| f.excerpt(explained)).collect();
        (excerpts(self.easiest), excerpts(self.hardest))
    }
}

/// Keeps the best few in order; of equals the one that came first.
fn insert(list: &mut Vec<Found>, loss: f64, found: impl Fn() -> Found, better: impl Fn(f64, f64) -> bool) {
    let place = list.iter().position(|other| better(loss, other.loss)).unwrap_or(list.len());
    if place < SHOWN {
        list.insert(place, found());
        list.truncate(SHOWN);
    }
}

impl Found {
    fn excerpt(self, explained: &Explained) -> Excerpt {
        let tokens = self.token_nll.len();
        let labels: Option<Vec<String>> = match self.text.chars().count() == tokens {
            true => Some(self.text.chars().map(String::from).collect()),
            false => explained.labels_of(&self.id, tokens),
        };
        let (pieces, cut) = match labels {
            Some(labels) => {
                let pieces = labels
                    .into_iter()
                    .zip(&self.token_nll)
                    .take(MOST_TOKENS)
                    .map(|(text, nll)| Piece { text, nll: Some(rounded((*nll).into())) });
                (pieces.collect(), tokens > MOST_TOKENS)
            }
            None => {
                let text: String = self.text.chars().take(MOST_CHARACTERS).collect();
                let cut = text.len() < self.text.len();
                (vec![Piece { text, nll: None }], cut)
            }
        };
        Excerpt { id: self.id, offset: self.offset, tokens: tokens as u64, loss: self.loss, pieces, cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_extremes_in_order_and_the_first_of_equals() {
        let mut extremes = Extremes::new(Some(4));
        for (i, loss) in [2.0_f32, 1.0, 3.0, 1.0, 5.0, 4.0, 0.5].into_iter().enumerate() {
            extremes.offer(&format!("{i}"), i as u64, f64::from(loss) * 4.0, &[loss; 4], "abcd");
        }
        extremes.offer("rest", 99, 90.0, &[90.0], "a");
        let (easiest, hardest) = extremes.finish(&Explained::default());
        assert_eq!(easiest.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["6", "1", "3"]);
        assert_eq!(hardest.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["4", "5", "2"]);
        assert_eq!(hardest[0].pieces.len(), 4);
        assert_eq!(hardest[0].pieces[3].text, "d");
    }

    #[test]
    fn a_window_of_unknown_tokens_is_one_piece() {
        let mut extremes = Extremes::new(None);
        extremes.offer("a", 0, 4.0, &[2.0, 2.0], "longer than two");
        let (easiest, _) = extremes.finish(&Explained::default());
        assert_eq!(easiest[0].pieces, [Piece { text: "longer than two".to_owned(), nll: None }]);
    }
}
