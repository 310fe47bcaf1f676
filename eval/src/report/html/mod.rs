//! The page: one HTML file with its style, script and pictures in it, and nothing from elsewhere.

mod charts;
mod classification;
mod numbers;
mod pose;
mod strips;
mod translation;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, context};
use tessera_datasets::{Error, Result};

use super::Report;
use super::chart::escape;

/// The files of the page. Everything but the style sheet and the script is escaped.
const TEMPLATES: &[(&str, &str)] = &[
    ("page.html", include_str!("../../../templates/page.html")),
    ("header.html", include_str!("../../../templates/header.html")),
    ("comparison.html", include_str!("../../../templates/comparison.html")),
    ("curves.html", include_str!("../../../templates/curves.html")),
    ("scores.html", include_str!("../../../templates/scores.html")),
    ("language_model.html", include_str!("../../../templates/language_model.html")),
    ("translation.html", include_str!("../../../templates/translation.html")),
    ("marked.html", include_str!("../../../templates/marked.html")),
    ("attention.html", include_str!("../../../templates/attention.html")),
    ("paired.html", include_str!("../../../templates/paired.html")),
    ("classification.html", include_str!("../../../templates/classification.html")),
    ("explained.html", include_str!("../../../templates/explained.html")),
    ("portrait.html", include_str!("../../../templates/portrait.html")),
    ("same_images.html", include_str!("../../../templates/same_images.html")),
    ("pose.html", include_str!("../../../templates/pose.html")),
    ("pose_films.html", include_str!("../../../templates/pose_films.html")),
    ("same_poses.html", include_str!("../../../templates/same_poses.html")),
    ("samples.html", include_str!("../../../templates/samples.html")),
    ("data.html", include_str!("../../../templates/data.html")),
    ("origin.html", include_str!("../../../templates/origin.html")),
    ("style.css", include_str!("../../../templates/style.css")),
    ("page.js", include_str!("../../../templates/page.js")),
];

/// The page of a report.
///
/// # Errors
/// Never, unless a template is wrong: a fault of ours.
pub fn render(report: &Report) -> Result<String> {
    let wrong = |e: minijinja::Error| Error::internal(format!("report page: {e:#}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    // text from a model or a corpus may hold characters that markup forbids even when escaped
    environment.set_formatter(|out, state, value| match (state.auto_escape(), value.is_safe(), value.as_str()) {
        (AutoEscape::Html, false, Some(text)) => Ok(out.write_str(&escape(text))?),
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(wrong)?;
    }
    numbers::add(&mut environment, report)?;
    let charts: std::collections::BTreeMap<&str, Value> =
        charts::all(report).into_iter().map(|(name, svg)| (name, Value::from_safe_string(svg))).collect();
    let page = environment.get_template("page.html").map_err(wrong)?;
    page.render(context! {
        report => Value::from_serialize(report),
        charts => charts,
        strips => strips::explained(report),
        easiest => strips::excerpts(report, |lm| &lm.easiest),
        hardest => strips::excerpts(report, |lm| &lm.hardest),
        attention => translation::attention(report),
        images => classification::context(report),
        shown => pose::context(report),
        search => report.translation.as_ref().map(super::Translation::search),
        formula => report.translation.as_ref().and_then(|t| t.ngrams.as_ref()).map(super::translation::formula),
        place => report.comparison.as_ref().map(super::Comparison::place),
        dirty => report.origin.is_dirty(),
        reproducible => report.origin.is_reproducible(),
        why_not_reproducible => report.origin.why_not_reproducible(),
    })
    .map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything under `templates/` is in the page, and nothing of it asks for another file.
    #[test]
    fn no_template_loads_anything() {
        for (name, text) in TEMPLATES {
            for forbidden in
                ["http:", "https:", "//cdn", "@import", "url(", "src=", "<link", "<img", "<iframe", "fetch(", "XMLHttp"]
            {
                assert!(!text.contains(forbidden), "{name} has `{forbidden}`");
            }
        }
    }
}
