//! sacrebleu's search written down without a shortcut, to compare with: every row of every
//! candidate is computed.

use super::alignment::{Alignment, Edit};

const FAR: u64 = 1 << 50;

/// `translation_edit_rate` of sacrebleu 2.6.0.
pub(super) fn edits(hypothesis: &[u32], reference: &[u32]) -> u64 {
    if reference.is_empty() {
        return hypothesis.len() as u64;
    }
    let mut words = hypothesis.to_vec();
    let (mut shifts, mut checked) = (0, 0);
    loop {
        let (gain, shifted) = best_shift(&words, reference, &mut checked);
        if checked >= 1000 || gain <= 0 {
            return shifts + distance(&words, reference).0;
        }
        shifts += 1;
        words = shifted;
    }
}

/// Gain, length, and the start and the target with their signs turned.
type Rank = (i64, usize, i64, i64);

/// `_shift`.
fn best_shift(words: &[u32], reference: &[u32], checked: &mut usize) -> (i64, Vec<u32>) {
    let (before, matrix) = distance(words, reference);
    let mut alignment = Alignment::default();
    alignment.trace(words.len(), reference.len(), |i, j| matrix[i][j].1);
    let mut best: Option<(Rank, Vec<u32>)> = None;
    'pairs: for start in 0..words.len() {
        for place in 0..reference.len() {
            if place.abs_diff(start) > 50 {
                continue;
            }
            for length in 1..=10 {
                let (behind, place_behind) = (start + length, place + length);
                if behind > words.len()
                    || place_behind > reference.len()
                    || words[behind - 1] != reference[place_behind - 1]
                {
                    break;
                }
                let aligned = alignment.behind[place + 1] as usize;
                if alignment.hypothesis_wrong[start..behind].iter().all(|wrong| !wrong)
                    || alignment.reference_wrong[place..place_behind].iter().all(|wrong| !wrong)
                    || (start + 1..=behind).contains(&aligned)
                {
                    continue;
                }
                let mut targets = alignment.behind[place..=place_behind].to_vec();
                targets.dedup();
                for target in targets {
                    let shifted = shift(words, start, length, target as usize);
                    let gain = before as i64 - distance(&shifted, reference).0 as i64;
                    let rank = (gain, length, -(start as i64), -i64::from(target));
                    *checked += 1;
                    if best.as_ref().is_none_or(|(best, _)| rank > *best) {
                        best = Some((rank, shifted));
                    }
                }
                if *checked >= 1000 {
                    break 'pairs;
                }
            }
        }
    }
    best.map_or((0, words.to_vec()), |(rank, shifted)| (rank.0, shifted))
}

/// `_perform_shift`.
fn shift(words: &[u32], start: usize, length: usize, target: usize) -> Vec<u32> {
    let part = |from: usize, to: usize| &words[from.min(words.len())..to.min(words.len())];
    let (block, n) = (part(start, start + length), words.len());
    if target < start {
        [part(0, target), block, part(target, start), part(start + length, n)].concat()
    } else if target > start + length {
        [part(0, start), part(start + length, target), block, part(target, n)].concat()
    } else {
        [part(0, start), part(start + length, length + target), block, part(length + target, n)].concat()
    }
}

/// `BeamEditDistance._edit_distance`.
fn distance(words: &[u32], reference: &[u32]) -> (u64, Vec<Vec<(u64, Edit)>>) {
    let (n, m) = (words.len(), reference.len());
    let slope = if n == 0 { 1.0 } else { m as f64 / n as f64 };
    let beam = if 25.0 < slope / 2.0 { (slope / 2.0 + 25.0).ceil() as i64 } else { 25 };
    let mut matrix = vec![vec![(FAR, Edit::Keep); m + 1]; n + 1];
    (0..=m).for_each(|j| matrix[0][j] = (j as u64, Edit::Insert));
    for i in 1..=n {
        let diagonal = (i as f64 * slope).floor() as i64;
        let from = 0.max(diagonal - beam) as usize;
        let to = if i == n { m + 1 } else { (m + 1).min((diagonal + beam) as usize) };
        for j in from..to {
            if j == 0 {
                matrix[i][0] = (matrix[i - 1][0].0 + 1, Edit::Delete);
                continue;
            }
            let (cost, edit) = if words[i - 1] == reference[j - 1] { (0, Edit::Keep) } else { (1, Edit::Substitute) };
            let steps = [
                (matrix[i - 1][j - 1].0 + cost, edit),
                (matrix[i - 1][j].0 + 1, Edit::Delete),
                (matrix[i][j - 1].0 + 1, Edit::Insert),
            ];
            for step in steps {
                if matrix[i][j].0 > step.0 {
                    matrix[i][j] = step;
                }
            }
        }
    }
    (matrix[n][m].0, matrix)
}
