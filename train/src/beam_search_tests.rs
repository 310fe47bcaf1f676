use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A toy language: the next token depends on the two before, from a random table. Token 0 ends.
struct Toy {
    vocabulary: usize,
    table: Vec<f32>,
    /// What every row has read, and which sentence it is of; sentences differ by their first token.
    rows: Vec<Vec<u32>>,
    sentences: Vec<usize>,
}

impl Toy {
    fn new(seed: u64, vocabulary: usize, sentences: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let table = (0..vocabulary * vocabulary * vocabulary).map(|_| random.random::<f32>() * 4.0).collect();
        Self { vocabulary, table, rows: Vec::new(), sentences: (0..sentences).collect() }
    }

    /// The log-probabilities after some tokens of a sentence.
    fn after(&self, sentence: usize, tokens: &[u32]) -> Vec<f32> {
        let v = self.vocabulary;
        let at = |back: usize| tokens.len().checked_sub(back).map_or(sentence % v, |i| tokens[i] as usize);
        let start = (at(2) * v + at(1)) * v;
        let logits = &self.table[start..start + v];
        let sum: f32 = logits.iter().map(|x| x.exp()).sum();
        logits.iter().map(|x| x - sum.ln()).collect()
    }

    /// The best way to end a sentence, by trying them all.
    fn optimum(&self, search: &BeamSearch, sentence: usize, longest: usize) -> (f64, Vec<u32>) {
        let mut best = (f64::NEG_INFINITY, Vec::new());
        let mut open = vec![(0.0, Vec::new())];
        while let Some((log_probability, tokens)) = open.pop() {
            for (token, score) in self.after(sentence, &tokens).into_iter().enumerate() {
                let total = log_probability + f64::from(score);
                if token as u32 == search.end {
                    let score = total / search.penalty(tokens.len() + 1);
                    if score > best.0 {
                        best = (score, tokens.clone());
                    }
                } else if tokens.len() + 1 < longest {
                    let mut longer = tokens.clone();
                    longer.push(token as u32);
                    open.push((total, longer));
                }
            }
        }
        best
    }
}

impl Continuation for Toy {
    fn next(&mut self, advance: &Advance<'_>) -> Result<Tensor> {
        let numbers = |t: &Tensor| Vec::<i64>::try_from(t).unwrap();
        if let Some(kept) = advance.sentences {
            self.sentences = numbers(kept).iter().map(|i| self.sentences[*i as usize]).collect();
        }
        let tokens = numbers(advance.tokens);
        self.rows = match advance.parents {
            None => tokens.iter().map(|_| Vec::new()).collect(),
            Some(parents) => {
                let rows = numbers(parents).into_iter().zip(&tokens);
                rows.map(|(row, token)| [&self.rows[row as usize][..], &[*token as u32]].concat()).collect()
            }
        };
        let scores = self.rows.iter().enumerate().map(|(i, row)| self.after(self.sentences[i / advance.width], row));
        let scores: Vec<f32> = scores.flatten().collect();
        Ok(Tensor::from_slice(&scores).view([-1, self.vocabulary as i64]))
    }

    fn device(&self) -> Device {
        Device::Cpu
    }
}

fn search(beam: usize, length_penalty: f64) -> BeamSearch {
    BeamSearch { beam, wanted: beam, length_penalty, end: 0 }
}

fn close(a: &[Hypothesis], b: &[Hypothesis]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.tokens == b.tokens && (a.score - b.score).abs() < 1e-6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With room for every prefix, nothing is cut and the search is exact.
    #[test]
    fn a_beam_as_wide_as_the_space_finds_the_optimum(seed in 0_u64..1000, alpha in 0.0_f64..1.5) {
        let (vocabulary, longest) = (4_usize, 5);
        let wide = search(vocabulary.pow(longest as u32 - 1), alpha);
        let mut toy = Toy::new(seed, vocabulary, 2);
        let found = wide.search(&mut toy, &[longest, longest]).unwrap();
        for (sentence, hypotheses) in found.iter().enumerate() {
            let (score, tokens) = toy.optimum(&wide, sentence, longest);
            prop_assert!((hypotheses[0].score - score).abs() < 1e-5, "{} {}", hypotheses[0].score, score);
            prop_assert_eq!(&hypotheses[0].tokens, &tokens);
        }
    }

    #[test]
    fn side_by_side_is_one_by_one(seed in 0_u64..1000, beam in 1_usize..5) {
        let longest = [3, 9, 5, 1, 7];
        let options = search(beam, 0.6);
        let together = options.search(&mut Toy::new(seed, 6, 5), &longest).unwrap();
        for (sentence, longest) in longest.iter().enumerate() {
            let mut toy = Toy::new(seed, 6, 5);
            toy.sentences = vec![sentence];
            let alone = options.search(&mut toy, &[*longest]).unwrap();
            prop_assert!(close(&together[sentence], &alone[0]));
        }
    }

    #[test]
    fn a_beam_of_one_is_greedy(seed in 0_u64..1000) {
        let longest = 8;
        let mut toy = Toy::new(seed, 6, 1);
        let found = search(1, 0.6).search(&mut toy, &[longest]).unwrap();
        let mut greedy = Vec::new();
        while greedy.len() + 1 < longest {
            let scores = toy.after(0, &greedy);
            let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
            if best == 0 {
                break;
            }
            greedy.push(best as u32);
        }
        prop_assert_eq!(&found[0][0].tokens, &greedy);
    }

    #[test]
    fn the_best_is_the_same_however_many_are_wanted(seed in 0_u64..1000, beam in 2_usize..6, alpha in 0.0_f64..1.5) {
        let all = search(beam, alpha).search(&mut Toy::new(seed, 5, 3), &[7, 7, 7]).unwrap();
        for wanted in 1..beam {
            let options = BeamSearch { wanted, ..search(beam, alpha) };
            let some = options.search(&mut Toy::new(seed, 5, 3), &[7, 7, 7]).unwrap();
            for (some, all) in some.iter().zip(&all) {
                prop_assert!(close(some, &all[..wanted.min(all.len())]));
            }
        }
    }

    #[test]
    fn hypotheses_are_ranked_and_add_up(seed in 0_u64..1000, beam in 1_usize..6) {
        let options = search(beam, 0.6);
        let found = options.search(&mut Toy::new(seed, 5, 3), &[6, 6, 6]).unwrap();
        for hypotheses in &found {
            prop_assert!(!hypotheses.is_empty() && hypotheses.len() <= beam);
            prop_assert!(hypotheses.is_sorted_by(|a, b| a.score >= b.score));
            for one in hypotheses {
                prop_assert_eq!(one.token_scores.len(), one.tokens.len() + 1);
                let sum: f64 = one.token_scores.iter().map(|s| f64::from(*s)).sum();
                prop_assert!((sum - one.log_probability).abs() < 1e-9);
                let score = one.log_probability / options.penalty(one.token_scores.len());
                prop_assert!((one.score - score).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn each_option_changes_what_is_found() {
    let find = |beam, alpha, longest| {
        let mut toy = Toy::new(3, 7, 12);
        // sentences of some length: the end is made less probable
        toy.table.iter_mut().step_by(7).for_each(|end| *end -= 1.0);
        let found = search(beam, alpha).search(&mut toy, &[longest; 12]).unwrap();
        found.into_iter().map(|h| h[0].tokens.clone()).collect::<Vec<_>>()
    };
    let usual = find(4, 0.6, 12);
    assert_ne!(usual, find(1, 0.6, 12));
    assert_ne!(find(4, 2.0, 12), find(4, 0.0, 12));
    assert_ne!(usual, find(4, 0.6, 2));
}
