//! `intl`: mteval-v14 for any language, which cuts off what Unicode calls punctuation and symbols.

use std::sync::LazyLock;

use regex_syntax::hir::{Class as Set, HirKind};

use super::scan::{Class, Classes};
use super::whitespace::is_space;

/// Characters whose class is looked up; the others are searched.
const TABLE: usize = 1 << 16;

/// The classes of `intl`, by the tables of Unicode 16. sacrebleu takes those of the `regex` package
/// that is installed, so the two can differ on characters that are newer. Numbers are all of Unicode's, also `²` and `Ⅳ`.
pub(super) struct International {
    table: Vec<Class>,
    /// The ranges beyond the table: first, last, class.
    ranges: Vec<(char, char, Class)>,
}

/// Unicode's general categories, once for the program.
pub(super) static INTERNATIONAL: LazyLock<International> = LazyLock::new(International::new);

impl International {
    fn new() -> Self {
        let categories = [(r"\p{N}", Class::Digit), (r"\p{P}", Class::Mark), (r"\p{S}", Class::Symbol)];
        let mut out = Self { table: vec![Class::Other; TABLE], ranges: Vec::new() };
        for (category, class) in categories {
            for (first, last) in members(category) {
                let (low, high) = (first as usize, last as usize);
                if low < TABLE {
                    out.table[low..=high.min(TABLE - 1)].fill(class);
                }
                if high >= TABLE {
                    out.ranges.push((first, last, class));
                }
            }
        }
        let spaces = (0..TABLE).filter(|c| char::from_u32(*c as u32).is_some_and(is_space));
        spaces.for_each(|c| out.table[c] = Class::Space);
        out.ranges.sort_unstable_by_key(|(first, ..)| *first);
        out
    }

    fn of(&self, c: char) -> Class {
        if let Some(class) = self.table.get(c as usize) {
            return *class;
        }
        let after = self.ranges.partition_point(|(first, ..)| *first <= c);
        match self.ranges[..after].last() {
            Some((_, last, class)) if c <= *last => *class,
            _ => Class::Other,
        }
    }
}

/// The ranges of a general category.
fn members(category: &str) -> Vec<(char, char)> {
    let parsed = regex_syntax::parse(category).expect("a category that Unicode has");
    match parsed.kind() {
        HirKind::Class(Set::Unicode(set)) => set.iter().map(|range| (range.start(), range.end())).collect(),
        _ => Vec::new(),
    }
}

impl Classes for International {
    const OUTSIDE: Class = Class::Edge;

    fn class(&self, text: &str, at: usize) -> (Class, usize) {
        let byte = text.as_bytes()[at];
        if byte.is_ascii() {
            return (self.table[usize::from(byte)], 1);
        }
        let c = text[at..].chars().next().unwrap_or_default();
        (self.of(c), c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_categories() {
        let class = |c| INTERNATIONAL.of(c);
        assert_eq!(['5', '²', 'Ⅳ', '５', '𝟘'].map(class), [Class::Digit; 5]);
        assert_eq!(['.', '-', '„', '。', '𐄀'].map(class), [Class::Mark; 5]);
        assert_eq!(['$', '<', '™', '🙂', '˜'].map(class), [Class::Symbol; 5]);
        assert_eq!([' ', '\u{1c}', '\u{3000}', '\u{2028}'].map(class), [Class::Space; 4]);
        assert_eq!(['a', 'ß', '\u{300}', '\u{200b}', '𠀀'].map(class), [Class::Other; 5]);
    }
}
