//! `13a`: the language-independent part of mteval-v13a, as WMT uses it.

use std::borrow::Cow;

use super::scan::{Class, Classes};
use super::whitespace::wide_space;

/// Punctuation that is always cut off (`{-~`, `[-\``, space to `&`, `(-+`, `:-@` and `/`), marks,
/// digits and dashes of ASCII.
pub(super) const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b'\t'..=b'\r' | 0x1c..=0x1f | b' ' => Class::Space,
            b'0'..=b'9' => Class::Digit,
            b'.' | b',' => Class::Mark,
            b'-' => Class::Dash,
            b'!'..=b'&' | b'('..=b'+' | b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => Class::Symbol,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

/// The classes of `13a`, which puts a space on both sides of a line.
pub(super) struct Western;

impl Classes for Western {
    const OUTSIDE: Class = Class::Space;

    #[inline]
    fn class(&self, text: &str, at: usize) -> (Class, usize) {
        let bytes = text.as_bytes();
        match ASCII.get(usize::from(bytes[at])) {
            Some(class) => (*class, 1),
            None => match wide_space(&bytes[at..]) {
                Some(width) => (Class::Space, width),
                None => (Class::Other, 1),
            },
        }
    }
}

/// What mteval-v13a does to a line before it is cut: skipped segments go, hyphenated lines are
/// joined, and four entities are read, `&amp;` before `&lt;`, so that `&amp;lt;` is `<`.
pub(super) fn normalise(line: &str) -> Cow<'_, str> {
    if !line.bytes().any(|byte| matches!(byte, b'&' | b'\n')) && !line.contains("<skipped>") {
        return Cow::Borrowed(line);
    }
    let steps =
        [("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    Cow::Owned(steps.into_iter().fold(line.to_owned(), |line, (from, to)| line.replace(from, to)))
}
