//! Text in which every token has the colour of its loss.
//!
//! Written here and not in a template because white space counts: a space between two tokens
//! would be read as part of the text.

use std::fmt::Write;

use minijinja::value::Value;

use crate::number::{Style, probability};
use crate::report::chart::{escape, heat};
use crate::report::{Excerpt, LanguageModel, Report, Token};

/// The explained windows.
pub(super) fn explained(report: &Report) -> Vec<Value> {
    let Some(lm) = &report.language_model else {
        return Vec::new();
    };
    let strip = |s: usize| {
        let mut out = String::new();
        for (t, token) in lm.explained.strips[s].tokens.iter().enumerate() {
            let path = format!("/language_model/explained/strips/{s}/tokens/{t}");
            // one stop per strip for the tab key; the arrow keys go on from there
            let stop = if t == 0 { "0" } else { "-1" };
            let attributes = format!(" tabindex=\"{stop}\" data-path=\"{path}\"");
            let tip = format!("<span class=\"tip\">{}</span>", tip(token));
            write_token(&mut out, &token.text, &class(token.nll, lm), &attributes, &tip);
        }
        Value::from_safe_string(out)
    };
    (0..lm.explained.strips.len()).map(strip).collect()
}

/// Some windows without what the model would have said.
pub(super) fn excerpts(report: &Report, of: fn(&LanguageModel) -> &[Excerpt]) -> Vec<Value> {
    let Some(lm) = &report.language_model else {
        return Vec::new();
    };
    let excerpt = |excerpt: &Excerpt| {
        let mut out = String::new();
        for piece in &excerpt.pieces {
            match piece.nll {
                Some(_) => write_token(&mut out, &piece.text, &class(piece.nll, lm), "", ""),
                None => out.push_str(&escape(&piece.text)),
            }
        }
        Value::from_safe_string(out)
    };
    of(lm).iter().map(excerpt).collect()
}

fn class(nll: Option<f64>, lm: &LanguageModel) -> String {
    nll.map_or_else(|| "t".to_owned(), |nll| format!("t h{}", heat(nll, lm.hottest)))
}

fn write_token(out: &mut String, text: &str, class: &str, attributes: &str, tip: &str) {
    let _ = write!(out, "<span class=\"{class}\"{attributes}>{}{tip}</span>", escape(&readable(text)));
    if text.contains(['⏎', '\n']) {
        out.push('\n');
    }
}

/// A token within a text: spaces are spaces again, the end of a line keeps its sign.
pub(super) fn readable(text: &str) -> String {
    text.replace('·', " ").replace('\n', "⏎").replace('\t', "⇥")
}

fn tip(token: &Token) -> String {
    let mut out = format!("<b>{}</b> ", escape(&token.text));
    match token.nll {
        Some(nll) => {
            let nats = escape(&Style::Nats.show(nll));
            let _ = write!(out, "had {} ({nats} nats). Best guesses: ", chance((-nll).exp()));
        }
        None => out.push_str("was not scored. Best guesses: "),
    }
    for candidate in &token.candidates {
        let class = if candidate.text == token.text { " class=\"hit\"" } else { "" };
        let _ = write!(out, "<i{class}><b>{}</b> {}</i> ", escape(&candidate.text), chance(candidate.p));
    }
    out
}

/// A probability; `<0.1 %` has a sign that is markup.
fn chance(p: f64) -> String {
    escape(&probability(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_escaped_and_lines_end() {
        let mut out = String::new();
        write_token(&mut out, "<b>", "t h0", "", "");
        write_token(&mut out, "·⏎", "t h9", "", "");
        assert_eq!(out, "<span class=\"t h0\">&lt;b&gt;</span><span class=\"t h9\"> ⏎</span>\n");
    }
}
