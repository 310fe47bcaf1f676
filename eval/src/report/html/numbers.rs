//! Numbers in templates: `{{ n("/facts/0/value", "count") }}` looks the place up in the report, so
//! that no number can be shown that is not in `report.json`, and says where it is.

use minijinja::Environment;
use minijinja::value::Value;
use serde_json::Value as Json;
use tessera_datasets::{Error, Result};

use crate::bootstrap::Interval;
use crate::number::{Shown, Style, with_interval};
use crate::report::Report;
use crate::report::chart::escape;

/// Adds the functions and filters that templates use.
pub(super) fn add(environment: &mut Environment<'_>, report: &Report) -> Result<()> {
    let json = serde_json::to_value(report).map_err(|e| Error::internal(format!("report: {e}")))?;
    let json = std::sync::Arc::new(json);
    let at = json.clone();
    environment.add_function("n", move |path: &str, style: &str| number(&at, path, style));
    let at = json.clone();
    environment.add_function("score", move |path: &str| score(&at, path));
    let at = json;
    environment.add_function("interval", move |path: &str| interval(&at, path));
    environment.add_filter("hash", |hash: &str| Value::from_safe_string(short_hash(hash)));
    environment.add_filter("words", |name: &str| name.replace(['_', '-'], " "));
    environment.add_filter("within", |label: &str| crate::number::within(label));
    environment.add_filter("sentence", |text: &str| Value::from_safe_string(sentence(text)));
    // RFC 6901
    environment.add_filter("pointer", |key: &str| key.replace('~', "~0").replace('/', "~1"));
    environment.add_filter("readable", |text: &str| super::strips::readable(text));
    environment.add_filter("prompt", |text: &str| prompt(text));
    environment.add_filter("percent", |p: f64| crate::number::probability(p));
    environment.add_filter("chance", |nll: f64| crate::number::probability((-nll).exp()));
    environment.add_filter("share", |p: f64| format!("{:.1}%", 100.0 * p.clamp(0.0, 1.0)));
    Ok(())
}

type Rendered = std::result::Result<Value, minijinja::Error>;

fn number(report: &Json, path: &str, style: &str) -> Rendered {
    let value = look_up(report, path)?;
    let style = Style::of(style).ok_or_else(|| wrong(format!("no style `{style}`")))?;
    let value = value.as_f64().ok_or_else(|| wrong(format!("`{path}` is no number")))?;
    Ok(linked(path, value, &style.show(value)))
}

/// The value of the score at a place, in as many digits as its interval allows.
fn score(report: &Json, path: &str) -> Rendered {
    let (value, shown, _) = shown(report, path)?;
    Ok(linked(&format!("{path}/value"), value, &shown.value))
}

/// The interval of the score at a place; empty where it has none.
fn interval(report: &Json, path: &str) -> Rendered {
    let (_, shown, interval) = shown(report, path)?;
    let (Some(ends), Some(interval)) = (shown.interval, interval) else {
        return Ok(Value::from(""));
    };
    let low = linked(&format!("{path}/interval/low"), interval.low, &ends.0);
    let high = linked(&format!("{path}/interval/high"), interval.high, &ends.1);
    Ok(Value::from_safe_string(format!("{low}\u{2009}–\u{2009}{high}")))
}

fn shown(report: &Json, path: &str) -> std::result::Result<(f64, Shown, Option<Interval>), minijinja::Error> {
    let score = look_up(report, path)?;
    let value = score["value"].as_f64().ok_or_else(|| wrong(format!("`{path}` is no score")))?;
    let end = |name: &str| score["interval"][name].as_f64();
    let interval = end("low").zip(end("high")).map(|(low, high)| Interval {
        low,
        high,
        confidence: crate::bootstrap::CONFIDENCE,
        method: "",
    });
    let unit = score["unit"].as_str().unwrap_or_default();
    Ok((value, with_interval(value, interval.as_ref(), unit), interval))
}

fn look_up<'a>(report: &'a Json, path: &str) -> std::result::Result<&'a Json, minijinja::Error> {
    report.pointer(path).ok_or_else(|| wrong(format!("the report has no `{path}`")))
}

fn linked(path: &str, value: f64, shown: &str) -> Value {
    let (path, shown) = (escape(path), escape(shown));
    Value::from_safe_string(format!("<data value=\"{value}\" data-path=\"{path}\">{shown}</data>"))
}

fn short_hash(hash: &str) -> String {
    match hash.get(..8) {
        Some(start) => format!("<code class=\"hash\" title=\"{}\">{}…</code>", escape(hash), escape(start)),
        None if hash.is_empty() => "–".to_owned(),
        None => format!("<code class=\"hash\">{}</code>", escape(hash)),
    }
}

/// A prompt as it was, but one that cannot be seen gets signs that can.
fn prompt(text: &str) -> String {
    match text.trim().is_empty() {
        true => text.replace('\n', "⏎\n").replace(' ', "·"),
        false => text.to_owned(),
    }
}

/// A text of ours with a capital at its start and what stands in backticks set as code.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let capital: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let parts = capital + letters.as_str();
    let parts = parts.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    parts.collect()
}

fn wrong(message: String) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
}
