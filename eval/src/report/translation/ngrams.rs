//! What BLEU is made of: the precisions of the n-grams and the brevity penalty.

use serde::Serialize;

use crate::metric::Statistic;
use crate::metrics::bleu::{Bleu, BleuScore, BleuStatistic};
use crate::number::{percent, significant};

/// The parts of a corpus BLEU (Papineni et al. 2002): the penalty times the geometric mean of the
/// precisions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ngrams {
    /// The score they give, 0 to 100.
    pub bleu: f64,
    /// The precisions, of single words first.
    pub orders: Vec<Order>,
    /// What the precisions are multiplied by for translations that are too short, 0 to 1.
    pub brevity_penalty: f64,
    /// Words of all translations, after tokenisation.
    pub hypothesis_words: u64,
    /// Words of all references: of several the one of the nearest length.
    pub reference_words: u64,
    /// The first over the second.
    pub ratio: f64,
    /// What the lengths mean.
    pub length_in_words: String,
    /// What the precisions mean.
    pub precision_in_words: String,
}

/// The n-grams of one order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Order {
    /// Words in a row.
    pub n: u64,
    /// Those of the translations that are in a reference, each at most as often as there.
    pub matched: u64,
    /// Those of the translations.
    pub total: u64,
    /// The first over the second, unsmoothed: 0 to 1.
    pub precision: f64,
}

impl Ngrams {
    /// The parts of the score of some sentences.
    pub(super) fn of(bleu: &Bleu, statistics: &[Option<BleuStatistic>]) -> Self {
        let mut total = BleuStatistic::default();
        statistics.iter().flatten().for_each(|statistic| total.merge(statistic));
        Self::of_score(&bleu.score(&total))
    }

    fn of_score(score: &BleuScore) -> Self {
        let order = |(i, (matched, total)): (usize, (&u64, &u64))| Order {
            n: i as u64 + 1,
            matched: *matched,
            total: *total,
            precision: *matched as f64 / (*total).max(1) as f64,
        };
        let orders: Vec<Order> = score.matches.iter().zip(&score.totals).enumerate().map(order).collect();
        Self {
            bleu: score.score,
            brevity_penalty: score.brevity_penalty,
            hypothesis_words: score.hypothesis_length,
            reference_words: score.reference_length,
            ratio: score.ratio,
            length_in_words: length_in_words(score.ratio, score.brevity_penalty),
            precision_in_words: precision_in_words(&orders),
            orders,
        }
    }
}

fn length_in_words(ratio: f64, penalty: f64) -> String {
    let off = percent((ratio - 1.0).abs());
    match (ratio, penalty < 0.9995) {
        (_, true) => format!(
            "the translations are {off} shorter than the references, for which BLEU takes away {}",
            percent(1.0 - penalty)
        ),
        (r, false) if r > 1.005 => {
            format!(
                "the translations are {off} longer than the references; that has no penalty of its own, but the words too many match nothing"
            )
        }
        _ => "the translations are as long as the references: no penalty".to_owned(),
    }
}

fn precision_in_words(orders: &[Order]) -> String {
    let share = |order: &Order| percent(order.precision);
    match orders {
        [one, .., last] => {
            let order = match last.n {
                2 => "pairs of words".to_owned(),
                n => format!("runs of {n} words"),
            };
            format!(
                "of the words of the translations {} are in the reference, of the {order} {}; from one order to the next about {} of the matches survive",
                share(one),
                share(last),
                percent(survival(orders))
            )
        }
        [one] => format!("of the words of the translations {} are in the reference", share(one)),
        [] => String::new(),
    }
}

/// The geometric mean of the ratios of neighbouring precisions: how well words that match hang
/// together.
fn survival(orders: &[Order]) -> f64 {
    match orders {
        [first, .., last] if first.precision > 0.0 => {
            (last.precision / first.precision).powf(1.0 / (orders.len() - 1) as f64)
        }
        _ => 0.0,
    }
}

/// The factors of the score and the exponent, such as `100 × 0.970 × (0.68 · 0.43)` and `½`.
pub(in crate::report) fn formula(ngrams: &Ngrams) -> (String, String) {
    let factors: Vec<String> = ngrams.orders.iter().map(|order| significant(order.precision, 3)).collect();
    let exponent = match factors.len() {
        0 | 1 => String::new(),
        2 => "½".to_owned(),
        4 => "¼".to_owned(),
        n => format!("1/{n}"),
    };
    (format!("100 × {} × ({})", significant(ngrams.brevity_penalty, 3), factors.join(" · ")), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(pairs: &[(&str, &str)]) -> Ngrams {
        let bleu = Bleu::default();
        let mut workspace = Default::default();
        let statistics: Vec<_> = pairs.iter().map(|(h, r)| Some(bleu.segment(&mut workspace, h, &[r]))).collect();
        Ngrams::of(&bleu, &statistics)
    }

    #[test]
    fn parts_multiply_to_the_score() {
        let ngrams = sentences(&[("a b c d e f g h", "a b c d e x g h i j"), ("k l m n", "k l m n")]);
        let counts: Vec<(u64, u64)> = ngrams.orders.iter().map(|order| (order.matched, order.total)).collect();
        assert_eq!(counts, [(11, 12), (8, 10), (5, 8), (3, 6)]);
        let mean = ngrams.orders.iter().map(|o| o.precision.ln()).sum::<f64>() / 4.0;
        assert!((ngrams.bleu - 100.0 * ngrams.brevity_penalty * mean.exp()).abs() < 1e-9);
        assert!((ngrams.brevity_penalty - (1.0_f64 - 14.0 / 12.0).exp()).abs() < 1e-12);
        assert_eq!(formula(&ngrams), ("100 × 0.846 × (0.917 · 0.800 · 0.625 · 0.500)".to_owned(), "¼".to_owned()));
        assert!(ngrams.length_in_words.contains("14.3\u{202f}% shorter"), "{}", ngrams.length_in_words);
        assert!(ngrams.length_in_words.contains("takes away 15.4"), "{}", ngrams.length_in_words);
        assert!(ngrams.precision_in_words.contains("runs of 4 words 50.0"), "{}", ngrams.precision_in_words);
    }

    #[test]
    fn nothing_is_no_reason_to_panic() {
        let nothing = sentences(&[("", "a b")]);
        assert_eq!((nothing.brevity_penalty, nothing.orders[0].precision, nothing.bleu), (0.0, 0.0, 0.0));
        assert_eq!(sentences(&[("a b", "a b")]).brevity_penalty, 1.0);
        assert!(sentences(&[("a b c", "a b")]).length_in_words.contains("50.0\u{202f}% longer"));
        assert!(sentences(&[]).orders.iter().all(|order| order.total == 0));
    }
}
