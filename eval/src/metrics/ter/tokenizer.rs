//! tercom's normalisation, as sacrebleu's `TercomTokenizer` has it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::Ter;
use crate::metrics::tokenize::whitespace;

/// ASCII punctuation and the space, without the apostrophe, comma, hyphen and full stop.
static PUNCTUATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"([\{-~\[-` -&\(-\+:-@/])"));
static STOP_BEHIND_TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r"([^0-9])([\.,])"));
static STOP_BEFORE_TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r"([\.,])([^0-9])"));
static DASH_BEHIND_DIGIT: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9])(-)"));

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern that the tests use")
}

/// A text whose words are what stands between spaces.
///
/// Lower case is Rust's, which knows a few letters more than the Unicode 14 of Python 3.11.
pub(super) fn normalise<'a>(settings: &Ter, text: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(whitespace::trim_end(text));
    if !settings.case_sensitive {
        text = text.to_lowercase().into();
    }
    if settings.normalized {
        text = separate_western(&text).into();
        if settings.asian_support {
            text = separate_asian(&text).into();
        }
    }
    if settings.no_punct {
        let is_removed = |c| is_punctuation(c) || settings.asian_support && is_asian_punctuation(c);
        text = text.replace(is_removed, "").into();
    }
    text
}

/// `_normalize_general_and_western`. The hyphen at the end of a line goes, the text is padded, and
/// the order of the steps is sacrebleu's: `&amp;lt;` becomes `<`.
fn separate_western(text: &str) -> String {
    let text = text.replace("\n-", "").replace('\n', " ");
    let text = text.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    let text = format!(" {text} ");
    let text = PUNCTUATION.replace_all(&text, " $1 ");
    // `'s$` of sacrebleu never matches: the padding stands behind it
    let text = text.replace("'s ", " 's ");
    let text = STOP_BEHIND_TEXT.replace_all(&text, "$1 $2 ");
    let text = STOP_BEFORE_TEXT.replace_all(&text, " $1 $2");
    DASH_BEHIND_DIGIT.replace_all(&text, "$1 $2 ").into_owned()
}

/// `_normalize_asian`: every ideograph and punctuation mark is a word. The rules for kana of
/// sacrebleu begin with `^` and never match behind the padding, so kana stay together.
fn separate_asian(text: &str) -> String {
    let mut out = String::with_capacity(2 * text.len());
    for c in text.chars() {
        match is_ideograph(c) || is_asian_punctuation(c) {
            true => out.extend([' ', c, ' ']),
            false => out.push(c),
        }
    }
    out
}

/// The ranges of sacrebleu, among them its U+3200 to U+3F22 where U+32FF was meant.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2eff}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}')
}

fn is_punctuation(c: char) -> bool {
    matches!(c, '.' | ',' | '?' | ':' | ';' | '!' | '"' | '(' | ')')
}

/// `ASIAN_PUNCT` and `FULL_WIDTH_PUNCT`.
fn is_asian_punctuation(c: char) -> bool {
    matches!(c,
        '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '\u{ff61}'..='\u{ff65}'
        | '\u{30fb}' | '\u{ff0e}' | '\u{ff0c}' | '\u{ff1f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff01}' | '\u{ff02}'
        | '\u{ff08}' | '\u{ff09}')
}
