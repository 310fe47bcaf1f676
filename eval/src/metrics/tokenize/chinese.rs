//! `zh`: every Chinese character is a token, the rest is cut as by `13a`.

use super::scan::{Class, Classes};
use super::western::ASCII;
use super::whitespace::is_space;

/// What sacrebleu takes for Chinese characters, sorted.
///
/// It compares strings, and writes two of its ranges as `'\u20000'` and `'\u2f800'`, which Python
/// reads as U+2000 and a digit. So everything from U+2001 to U+2A6D counts as Chinese (quotation
/// marks, dashes, `…`, `€`, arrows), and the characters beyond U+FFFF that were meant do not.
const RANGES: [(char, char); 11] = [
    ('\u{2001}', '\u{2a6d}'),
    ('\u{2e80}', '\u{2eff}'), // radicals
    ('\u{2f00}', '\u{2fdf}'), // Kangxi radicals
    ('\u{2ff0}', '\u{303f}'), // structure; punctuation
    ('\u{3100}', '\u{312f}'), // Bopomofo
    ('\u{31a0}', '\u{31bf}'), // Bopomofo of Taiwanese and Hakka
    ('\u{31c0}', '\u{31ef}'), // strokes
    ('\u{3200}', '\u{4db5}'), // enclosed letters, compatibility, ideographs of extension A
    ('\u{4e00}', '\u{9fbb}'), // ideographs
    ('\u{f900}', '\u{fad9}'), // compatibility ideographs, see `is_chinese`
    ('\u{fe10}', '\u{ffef}'), // vertical, compatibility and full-width forms, see `is_chinese`
];

pub(super) fn is_chinese(c: char) -> bool {
    let inside = RANGES.iter().any(|(first, last)| (*first..=*last).contains(&c));
    // the holes in the last two ranges
    inside
        && !matches!(c, '\u{fa2e}'..='\u{fa2f}' | '\u{fa6b}'..='\u{fa6f}' | '\u{fe20}'..='\u{fe2f}' | '\u{fe50}'..='\u{feff}')
}

/// The classes of `zh`, which takes the spaces from both sides of a line.
pub(super) struct Chinese;

impl Classes for Chinese {
    const OUTSIDE: Class = Class::Edge;

    fn class(&self, text: &str, at: usize) -> (Class, usize) {
        if let Some(class) = ASCII.get(usize::from(text.as_bytes()[at])) {
            return (*class, 1);
        }
        let c = text[at..].chars().next().unwrap_or_default();
        let class = match c {
            _ if is_space(c) => Class::Space,
            _ if is_chinese(c) => Class::Symbol,
            _ => Class::Other,
        };
        (class, c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `_UCODE_RANGES` of sacrebleu 2.6.0 as Python compares them.
    const SACREBLEU: [(u32, u32); 22] = [
        (0x3400, 0x4db5),
        (0x4e00, 0x9fa5),
        (0x9fa6, 0x9fbb),
        (0xf900, 0xfa2d),
        (0xfa30, 0xfa6a),
        (0xfa70, 0xfad9),
        (0x2001, 0x2a6d),
        (0x2f81, 0x2fa1),
        (0xff00, 0xffef),
        (0x2e80, 0x2eff),
        (0x3000, 0x303f),
        (0x31c0, 0x31ef),
        (0x2f00, 0x2fdf),
        (0x2ff0, 0x2fff),
        (0x3100, 0x312f),
        (0x31a0, 0x31bf),
        (0xfe10, 0xfe1f),
        (0xfe30, 0xfe4f),
        (0x2600, 0x26ff),
        (0x2700, 0x27bf),
        (0x3200, 0x32ff),
        (0x3300, 0x33ff),
    ];

    #[test]
    fn the_ranges_are_those_of_sacrebleu() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let expected = SACREBLEU.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
            assert_eq!(is_chinese(c), expected, "{:x}", u32::from(c));
        }
    }
}
