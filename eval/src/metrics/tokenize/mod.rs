//! The tokenizers of BLEU, as sacrebleu 2.6.0 has them (Post, "A call for clarity in reporting BLEU
//! scores", 2018). BLEU of two systems can be compared only where it was counted in the tokens of
//! one of these, applied by the scorer to text as people read it.

mod chinese;
mod international;
mod scan;
#[cfg(test)]
mod tests;
mod western;
pub(crate) mod whitespace;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use tessera_datasets::Error;

use scan::scan;

/// How text becomes tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Tokenizer {
    /// mteval-v13a, which WMT uses: punctuation of ASCII. For languages of Europe.
    #[default]
    #[serde(rename = "13a")]
    Western,
    /// mteval-v14: all of Unicode's punctuation and symbols.
    #[serde(rename = "intl")]
    International,
    /// Every character.
    #[serde(rename = "char")]
    Characters,
    /// Every Chinese character, the rest as `13a`.
    #[serde(rename = "zh")]
    Chinese,
    /// What spaces separate. For text that was cut by another tokenizer.
    #[serde(rename = "none")]
    Spaces,
}

impl Tokenizer {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Western, Self::International, Self::Characters, Self::Chinese, Self::Spaces];

    /// The name in signatures and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Western => "13a",
            Self::International => "intl",
            Self::Characters => "char",
            Self::Chinese => "zh",
            Self::Spaces => "none",
        }
    }

    /// Hands on the tokens of a line in order. Space at its end is no part of it.
    pub fn each_token(self, line: &str, mut token: impl FnMut(&str)) {
        let line = whitespace::trim_end(line);
        match self {
            Self::Western => scan(&western::Western, &western::normalise(line), &mut token),
            Self::International => scan(&*international::INTERNATIONAL, line, &mut token),
            Self::Chinese => scan(&chinese::Chinese, whitespace::trim(line), &mut token),
            Self::Spaces => whitespace::split(line).for_each(token),
            Self::Characters => {
                let places = line.char_indices().filter(|(_, c)| !whitespace::is_space(*c));
                places.for_each(|(at, c)| token(&line[at..at + c.len_utf8()]));
            }
        }
    }

    /// The tokens of a line with one space between them.
    pub fn tokenize(self, line: &str) -> String {
        let mut out = String::with_capacity(line.len() + line.len() / 4);
        self.each_token(line, |token| {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(token);
        });
        out
    }
}

impl fmt::Display for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tokenizer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|tokenizer| tokenizer.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(|tokenizer| format!("`{tokenizer}`"));
            Error::input(format!("unknown tokenizer `{name}`; known: {}", known.join(", ")))
        })
    }
}
