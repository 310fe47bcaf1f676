//! Which rows a report shows: mistakes and explanations.

/// What is known of one row of a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    /// The true class; -1 where it is not known.
    pub(super) label: i64,
    /// The most probable class.
    pub(super) prediction: i64,
    /// Its log-probability.
    pub(super) confidence: f32,
}

impl Verdict {
    fn is_wrong(&self) -> bool {
        self.label >= 0 && self.label != self.prediction
    }
}

/// The rows of the wrong predictions that the network was surest of, surest first.
pub(super) fn worst_mistakes(verdicts: &[Verdict], count: usize) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..verdicts.len()).filter(|row| verdicts[*row].is_wrong()).collect();
    rows.sort_by(|a, b| verdicts[*b].confidence.total_cmp(&verdicts[*a].confidence).then(a.cmp(b)));
    rows.truncate(count);
    rows
}

/// So many rows in order, half of them wrongly predicted where there are as many, and of as many
/// classes as possible.
pub(super) fn to_explain(verdicts: &[Verdict], count: usize) -> Vec<usize> {
    let (wrong, right): (Vec<usize>, Vec<usize>) = (0..verdicts.len()).partition(|row| verdicts[*row].is_wrong());
    let of_wrong = (count / 2).min(wrong.len());
    let of_right = (count - of_wrong).min(right.len());
    // where there are too few right ones, wrong ones fill the places
    let of_wrong = (count - of_right).min(wrong.len());
    let class = |row: &usize| match verdicts[*row].label {
        label if label >= 0 => label,
        _ => verdicts[*row].prediction,
    };
    let mut rows = over_classes(&right, class, of_right);
    rows.extend(over_classes(&wrong, class, of_wrong));
    rows.sort_unstable();
    rows
}

/// So many of the rows: one of each class before a second of any. Where not every class has its
/// turn, those that have are spread evenly.
fn over_classes(rows: &[usize], class: impl Fn(&usize) -> i64, count: usize) -> Vec<usize> {
    let mut of_class = std::collections::BTreeMap::<i64, Vec<usize>>::new();
    rows.iter().for_each(|row| of_class.entry(class(row)).or_default().push(*row));
    if count <= of_class.len() {
        let firsts: Vec<usize> = of_class.values().map(|rows| rows[0]).collect();
        return (0..count).map(|place| firsts[place * firsts.len() / count]).collect();
    }
    let longest = of_class.values().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| of_class.values().filter_map(move |rows| rows.get(turn).copied()));
    turns.take(count).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
        let one = (-1..4_i64, 0..4_i64, -5.0..0.0_f32);
        let one = one.prop_map(|(label, prediction, confidence)| Verdict { label, prediction, confidence });
        proptest::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn as_many_rows_as_there_are_half_of_them_wrong(verdicts in verdicts(), count in 0..20_usize) {
            let rows = to_explain(&verdicts, count);
            prop_assert_eq!(rows.len(), count.min(verdicts.len()));
            prop_assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
            let all_wrong = verdicts.iter().filter(|v| v.is_wrong()).count();
            let wrong = rows.iter().filter(|row| verdicts[**row].is_wrong()).count();
            prop_assert!(wrong >= all_wrong.min(count / 2));
        }

        #[test]
        fn no_mistake_outside_is_surer_than_one_inside(verdicts in verdicts(), count in 0..10_usize) {
            let rows = worst_mistakes(&verdicts, count);
            prop_assert!(rows.iter().all(|row| verdicts[*row].is_wrong()));
            let least = rows.iter().map(|row| verdicts[*row].confidence).fold(f32::INFINITY, f32::min);
            let outside = (0..verdicts.len()).filter(|row| verdicts[*row].is_wrong() && !rows.contains(row));
            if rows.len() == count {
                prop_assert!(outside.into_iter().all(|row| count == 0 || verdicts[row].confidence <= least));
            } else {
                prop_assert_eq!(outside.count(), 0);
            }
        }
    }

    #[test]
    fn every_class_has_its_turn_before_any_has_a_second() {
        let verdict = |label, prediction| Verdict { label, prediction, confidence: -0.5 };
        let mut verdicts: Vec<Verdict> = (0..12).map(|row| verdict(row / 3, row / 3)).collect();
        verdicts.push(verdict(1, 2));
        assert_eq!(to_explain(&verdicts, 6), [0, 1, 3, 6, 9, 12]);
        assert_eq!(to_explain(&verdicts, 3), [0, 6, 12]);
        assert!(to_explain(&verdicts, 0).is_empty());
    }
}
