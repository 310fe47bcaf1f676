//! Which word of the hypothesis stands at which word of the reference, and which are wrong.

/// A step of a path through the matrix, from the hypothesis to the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// The words are the same.
    Keep,
    /// A word of the hypothesis becomes one of the reference.
    Substitute,
    /// A word of the hypothesis goes.
    Delete,
    /// A word of the reference comes.
    Insert,
}

/// What a path says about every word.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Where in the hypothesis a word goes that shall stand behind a word of the reference:
    /// `behind[j]` is the number of hypothesis words that are used up when `j` reference words are.
    /// `behind[0]` is 0.
    pub(super) behind: Vec<u32>,
    /// Whether a word of the hypothesis is substituted or deleted.
    pub(super) hypothesis_wrong: Vec<bool>,
    /// Whether a word of the reference is substituted or inserted.
    pub(super) reference_wrong: Vec<bool>,
}

impl Alignment {
    /// Follows a path back from the last words. `edit(i, j)` is the step into the cell of `i`
    /// hypothesis and `j` reference words, both above 0.
    pub(super) fn trace(&mut self, hypothesis: usize, reference: usize, edit: impl Fn(usize, usize) -> Edit) {
        self.behind.clear();
        self.behind.resize(reference + 1, 0);
        self.hypothesis_wrong.clear();
        self.hypothesis_wrong.resize(hypothesis, true);
        self.reference_wrong.clear();
        self.reference_wrong.resize(reference, true);
        let (mut i, mut j) = (hypothesis, reference);
        while j > 0 {
            let step = if i == 0 { Edit::Insert } else { edit(i, j) };
            if step == Edit::Delete {
                i -= 1;
                continue;
            }
            self.behind[j] = i as u32;
            j -= 1;
            if step != Edit::Insert {
                i -= 1;
            }
            if step == Edit::Keep {
                self.hypothesis_wrong[i] = false;
                self.reference_wrong[j] = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_goes_behind_what_its_neighbour_is_aligned_to() {
        // hypothesis `a x c`, reference `a b b c`: keep, substitute, insert, keep
        let path = |i, j| match (i, j) {
            (3, 4) | (1, 1) => Edit::Keep,
            (2, 3) => Edit::Insert,
            (2, 2) => Edit::Substitute,
            other => panic!("not on the path: {other:?}"),
        };
        let mut alignment = Alignment::default();
        alignment.trace(3, 4, path);
        assert_eq!(alignment.behind, [0, 1, 2, 2, 3]);
        assert_eq!(alignment.hypothesis_wrong, [false, true, false]);
        assert_eq!(alignment.reference_wrong, [false, true, true, false]);
    }
}
