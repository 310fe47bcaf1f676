//! The set of characters that occur in a text.

/// Which characters occur in a corpus, or in a part of one. Sets of parts [merge](Self::merge).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CharacterSet {
    /// One bit per code point; there are never more words than the highest member needs.
    bits: Vec<u64>,
}

impl CharacterSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the characters of one text.
    pub fn add_text(&mut self, text: &str) {
        for character in text.chars() {
            self.add(character);
        }
    }

    /// Adds one character.
    pub fn add(&mut self, character: char) {
        let code = character as usize;
        if self.bits.len() <= code / 64 {
            self.bits.resize(code / 64 + 1, 0);
        }
        self.bits[code / 64] |= 1 << (code % 64);
    }

    /// The characters of both sets.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let (mut long, short) = if self.bits.len() < other.bits.len() { (other, self) } else { (self, other) };
        for (bits, more) in long.bits.iter_mut().zip(short.bits) {
            *bits |= more;
        }
        long
    }

    /// Whether `character` is a member.
    pub fn contains(&self, character: char) -> bool {
        let code = character as usize;
        self.bits.get(code / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
    }

    /// The members by ascending code point.
    pub fn iter(&self) -> impl Iterator<Item = char> {
        let codes = self.bits.iter().zip(0_u32..).flat_map(|(&bits, word)| {
            (0..64_u32).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit)
        });
        codes.filter_map(char::from_u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn is_a_mergeable_sorted_set(left: String, right: String) {
            let mut a = CharacterSet::new();
            a.add_text(&left);
            let mut b = CharacterSet::new();
            b.add_text(&right);
            let expected: BTreeSet<char> = left.chars().chain(right.chars()).collect();
            let merged = a.clone().merge(b.clone());
            prop_assert_eq!(merged.iter().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(&b.merge(a), &merged);
            prop_assert!(expected.iter().all(|&c| merged.contains(c)));
        }
    }

    #[test]
    fn does_not_contain_what_was_not_added() {
        let mut set = CharacterSet::new();
        set.add_text("a\n漢");
        assert!(!set.contains('b') && !set.contains('\u{10ffff}'));
        assert_eq!(set.iter().collect::<String>(), "\na漢");
    }
}
