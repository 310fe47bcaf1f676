//! Text in which every token has the colour of its loss.
//!
//! Written here and not in a template because white space counts: a space between two tokens
//! would be read as part of the text.

use std::fmt::Write;

use minijinja::value::Value;

use crate::number::{probability, significant};
use crate::report::chart::{escape, heat};
use crate::report::{Excerpt, Report, Token};

/// The explained windows.
pub(super) fn explained(report: &Report) -> Vec<Value> {
    let strips = report.language_model.iter().flat_map(|lm| lm.explained.strips.iter().enumerate());
    strips
        .map(|(s, strip)| {
            let mut out = String::new();
            for (t, token) in strip.tokens.iter().enumerate() {
                let path = format!("/language_model/explained/strips/{s}/tokens/{t}");
                // one stop per strip for the tab key; the arrow keys go on from there
                let stop = if t == 0 { "0" } else { "-1" };
                let tip = format!("<span class=\"tip\">{}</span>", tip(token));
                write_token(
                    &mut out,
                    &token.text,
                    token.nll,
                    &format!(" tabindex=\"{stop}\" data-path=\"{path}\""),
                    &tip,
                );
            }
            Value::from_safe_string(out)
        })
        .collect()
}

/// The windows that were easiest.
pub(super) fn easiest(report: &Report) -> Vec<Value> {
    report.language_model.iter().flat_map(|lm| &lm.easiest).map(excerpt).collect()
}

/// The windows that were hardest.
pub(super) fn hardest(report: &Report) -> Vec<Value> {
    report.language_model.iter().flat_map(|lm| &lm.hardest).map(excerpt).collect()
}

fn excerpt(excerpt: &Excerpt) -> Value {
    let mut out = String::new();
    for piece in &excerpt.pieces {
        match piece.nll {
            Some(_) => write_token(&mut out, &piece.text, piece.nll, "", ""),
            None => out.push_str(&escape(&piece.text)),
        }
    }
    Value::from_safe_string(out)
}

fn write_token(out: &mut String, text: &str, nll: Option<f64>, attributes: &str, tip: &str) {
    let class = nll.map_or_else(|| "t".to_owned(), |nll| format!("t h{}", heat(nll)));
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
            let _ = write!(out, "had {} ({} nats). Best guesses: ", probability((-nll).exp()), significant(nll, 2));
        }
        None => out.push_str("was not scored. Best guesses: "),
    }
    for candidate in &token.candidates {
        let class = if candidate.text == token.text { " class=\"hit\"" } else { "" };
        let _ = write!(out, "<i{class}><b>{}</b> {}</i> ", escape(&candidate.text), probability(candidate.p));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_escaped_and_lines_end() {
        let mut out = String::new();
        write_token(&mut out, "<b>", Some(0.0), "", "");
        write_token(&mut out, "·⏎", Some(9.0), "", "");
        assert_eq!(out, "<span class=\"t h0\">&lt;b&gt;</span><span class=\"t h9\"> ⏎</span>\n");
    }
}
