//! White space as Python's `str` means it: Rust's `White_Space`, and the four separators of ASCII.

/// What `str.isspace` says of a character: `\x1c` to `\x1f` are space, which they are not in Rust.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\u{1c}'..='\u{1f}') || c.is_whitespace()
}

/// Python's `str.rstrip()`.
pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Python's `str.strip()`.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Python's `str.split()`.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// The length in bytes of the space that begins at a byte of UTF-8 which is not ASCII, if one
/// does.
pub(super) fn wide_space(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xc2, 0x85 | 0xa0, ..] => Some(2),
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[c for c in range(0x110000) if chr(c).isspace()]`, Python 3.11.7.
    const PYTHON: [u32; 29] = [
        0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
        0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    ];

    #[test]
    fn is_what_python_says() {
        let spaces: Vec<u32> = (0..=0x10_ffff).filter(|c| char::from_u32(*c).is_some_and(is_space)).collect();
        assert_eq!(spaces, PYTHON);
        for c in (0x80..=0x10_ffff).filter_map(char::from_u32) {
            let text = format!("{c}x");
            let expected = is_space(c).then(|| c.len_utf8());
            assert_eq!(wide_space(text.as_bytes()), expected, "{:x}", u32::from(c));
        }
    }

    #[test]
    fn strips_and_splits() {
        assert_eq!(trim_end("\u{a0}a\u{1c}\u{3000}"), "\u{a0}a");
        assert_eq!(trim("\u{a0}a\u{85}"), "a");
        assert_eq!(split(" a\u{1f}b\u{2003}\tc ").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(split("\u{200b}").count(), 1);
    }
}
