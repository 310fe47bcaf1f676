//! What an attention head does most of the time, in words.
//!
//! The kinds are those that Voita et al. ("Analyzing multi-head self-attention", 2019) and Clark et
//! al. ("What does BERT look at?", 2019) name: heads of position, heads that rest on one token, and
//! heads that look everywhere at once.

/// A head has a habit where this share of its weight follows it.
const MOSTLY: f64 = 0.5;
/// A head is spread where its largest weights are, on average, below this.
const SPREAD: f64 = 0.3;

/// The mean over the rows of the largest weight.
pub(super) fn focus(values: &[&[f32]]) -> f64 {
    let largest = values.iter().map(|row| row.iter().copied().fold(0.0, f32::max));
    largest.map(f64::from).sum::<f64>() / values.len().max(1) as f64
}

/// The habit of a head whose rows and columns are the same tokens (`of_itself`) or two texts.
pub(super) fn of(values: &[&[f32]], columns: &[&str], of_itself: bool) -> String {
    let rows = values.len().max(1) as f64;
    if of_itself && values.len() > 2 {
        let along = |shift: isize| {
            let weight = |(i, row): (usize, &&[f32])| i.checked_add_signed(shift).and_then(|j| row.get(j)).copied();
            let found: Vec<f64> = values.iter().enumerate().filter_map(weight).map(f64::from).collect();
            found.iter().sum::<f64>() / found.len().max(1) as f64
        };
        let named = [(0, "the token itself"), (-1, "the token before"), (1, "the token after")];
        if let Some((_, name)) = named.into_iter().find(|(shift, _)| along(*shift) > MOSTLY) {
            return name.to_owned();
        }
    }
    let resting = (0..columns.len()).find(|j| {
        let weight: f64 = values.iter().map(|row| f64::from(row[*j])).sum();
        columns.len() > 2 && weight / rows > MOSTLY
    });
    if let Some(j) = resting {
        return format!("always “{}”", columns[j]);
    }
    match focus(values) < SPREAD {
        true => "spread over many",
        false => "a few at a time",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(rows: &[[f32; 4]], of_itself: bool) -> String {
        let rows: Vec<&[f32]> = rows.iter().map(<[f32; 4]>::as_slice).collect();
        of(&rows, &["a", "b", "c", "."], of_itself)
    }

    #[test]
    fn heads_are_named_by_what_they_do() {
        let before = [[1.0, 0.0, 0.0, 0.0], [0.9, 0.1, 0.0, 0.0], [0.0, 0.8, 0.2, 0.0], [0.0, 0.0, 0.7, 0.3]];
        assert_eq!(habit(&before, true), "the token before");
        assert_eq!(habit(&before, false), "a few at a time");
        let stop = [[0.1, 0.1, 0.0, 0.8]; 4];
        assert_eq!(habit(&stop, true), "always “.”");
        assert_eq!(habit(&[[0.25; 4]; 4], true), "spread over many");
        assert_eq!(
            habit(&[[0.6, 0.2, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]], true),
            "the token itself"
        );
        assert_eq!(focus(&[&[0.5, 0.5], &[1.0, 0.0]]), 0.75);
    }
}
