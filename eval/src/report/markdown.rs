//! The report as Markdown: the same content in tables, for a repository or a terminal.

mod classification;
mod pose;
mod translation;

use std::fmt::Write;

use tessera_datasets::console::{bytes, duration, thousands};

use super::chart::sparkline;
use super::{Comparison, Curves, Data, Excerpt, LanguageModel, Report};
use crate::number::{Style, compact, percent, probability, significant, with_interval, within};
use crate::score::Score;
use crate::table::{Table, markdown_cell};

/// Characters of a curve.
const SPARK: usize = 40;

/// The Markdown of a report.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    header(&mut out, report);
    if let Some(comparison) = &report.comparison {
        comparison_section(&mut out, comparison, report);
    }
    scores(&mut out, &report.scores);
    if let Some(curves) = &report.curves {
        curves_section(&mut out, curves);
    }
    if let Some(lm) = &report.language_model {
        language_model(&mut out, lm);
    }
    if let Some(made) = &report.translation {
        translation::section(&mut out, made);
    }
    if let Some(made) = &report.classification {
        classification::section(&mut out, made);
    }
    if let Some(made) = &report.poses {
        pose::section(&mut out, made);
    }
    let writes = report.translation.is_none() && report.classification.is_none() && report.poses.is_none();
    if !report.samples.is_empty() || writes {
        samples(&mut out, report);
    }
    data(&mut out, &report.data);
    origin(&mut out, report);
    out
}

fn heading(out: &mut String, level: usize, text: &str) {
    let _ = writeln!(out, "{} {}\n", "#".repeat(level), markdown_cell(text));
}

fn paragraph(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}\n");
}

/// Text as it is, whatever is in it: the fence is longer than any run of backticks inside.
fn fenced(out: &mut String, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'));
}

fn interval(score: &Score) -> (String, String) {
    let shown = with_interval(score.value, score.interval.as_ref(), &score.unit);
    (shown.value, shown.interval.map_or_else(String::new, |(low, high)| format!("{low} – {high}")))
}

fn header(out: &mut String, report: &Report) {
    heading(out, 1, &report.name);
    let headline = &report.scores[0];
    let (value, interval) = interval(headline);
    let direction = if headline.higher_is_better { "↑ higher is better" } else { "↓ lower is better" };
    let interval = if interval.is_empty() { String::new() } else { format!(", 95 % interval {interval}") };
    let text = format!(
        "**{}: {value}**{interval} ({direction}; n = {} {}, {} {})",
        markdown_cell(&headline.label),
        thousands(headline.n),
        headline.segments,
        thousands(headline.counted),
        headline.counts
    );
    paragraph(out, &text);
    paragraph(out, &markdown_cell(&report.verdict.join(" ")));
    for warning in &report.warnings {
        let _ = writeln!(out, "> **{}.** {}.\n>", markdown_cell(&warning.text), markdown_cell(&warning.hint));
    }
    if !report.warnings.is_empty() {
        out.truncate(out.trim_end_matches(">\n").len());
        out.push('\n');
    }
    let mut table = Table::new(&["", ">value", ""]);
    for fact in &report.facts {
        let value = match Style::of(fact.style) {
            Some(style) => style.show(fact.value.as_f64().unwrap_or(f64::NAN)),
            None => fact.value.as_str().unwrap_or_default().to_owned(),
        };
        table.line([fact.label, &value, &fact.note]);
    }
    out.push_str(&table.markdown());
}

fn comparison_section(out: &mut String, comparison: &Comparison, report: &Report) {
    let images = report.classification.as_ref();
    heading(out, 2, "Comparison");
    paragraph(
        out,
        &format!("By {}; {}.", markdown_cell(&within(&comparison.label)), markdown_cell(&comparison.reason)),
    );
    if !comparison.same_tokenizer && comparison.paired.is_none() {
        paragraph(
            out,
            "These runs cut the text into different tokens. **The number that can be compared between them is bits per byte.**",
        );
    }
    let best = &comparison.runs[0];
    let arrow = |s: &Score| if s.higher_is_better { "↑" } else { "↓" };
    let names: Vec<String> = best.scores.iter().map(|s| format!(">{} {}", s.label, arrow(s))).collect();
    let mut head: Vec<&str> = vec!["run", "model"];
    head.extend(names.iter().map(String::as_str));
    head.extend([">parameters", ">steps", ">time"]);
    if report.poses.is_none() {
        head.push(if images.is_some() { "image size" } else { "tokenizer" });
    }
    let mut table = Table::new(&head);
    for run in &comparison.runs {
        let star = if run.is_best { "★ " } else { "" };
        let mut cells = vec![format!("{star}{}", run.name), run.model.clone()];
        cells.extend(best.scores.iter().map(|wanted| {
            let found = run.scores.iter().find(|s| s.name == wanted.name).map(interval);
            found.map_or_else(String::new, |(value, interval)| format!("{value} ({interval})").replace(" ()", ""))
        }));
        let tokenizer = || run.tokenizer_sha256.get(..8).unwrap_or(&run.tokenizer_sha256).to_owned();
        let last = run.image_size.map_or_else(tokenizer, |size| size.to_string());
        cells.extend([compact(run.parameters as f64), thousands(run.steps), duration(run.train_seconds)]);
        if report.poses.is_none() {
            cells.push(last);
        }
        table.line(cells);
    }
    out.push_str(&table.markdown());
    if let Some(paired) = &comparison.paired {
        translation::paired(out, paired);
    }
    if let (Some(paired), Some(made)) = (&comparison.images, images) {
        classification::paired(out, paired, &made.classes);
    }
    if let Some(paired) = &comparison.poses {
        pose::paired(out, paired);
    }
}

fn scores(out: &mut String, scores: &[Score]) {
    heading(out, 2, "Scores");
    let mut table = Table::new(&["metric", "", ">value", "95 % interval", "unit", ">n", "in words"]);
    for score in scores {
        let (value, interval) = interval(score);
        let arrow = if score.higher_is_better { "↑" } else { "↓" };
        let unit = if score.unit == "fraction" { "" } else { &score.unit };
        table.line([&score.label, arrow, &value, &interval, unit, &thousands(score.n), &score.meaning]);
    }
    out.push_str(&table.markdown());
    let signatures: Vec<&str> = scores.iter().map(|s| s.signature.as_str()).collect();
    fenced(out, &signatures.join("\n"));
}

fn curves_section(out: &mut String, curves: &Curves) {
    heading(out, 2, "Learning curves");
    let mut table = Table::new(&["curve", "from left to right", ">first", ">last", ">lowest"]);
    let named = [("training loss", &curves.train), ("validation loss", &curves.validation)];
    let losses = named.into_iter().filter_map(|(name, series)| Some((name.to_owned(), series.as_ref()?)));
    let accuracy = curves.accuracy.iter().map(|series| ("validation top-1".to_owned(), series));
    let others = curves.others.iter().map(|series| (series.name.replace('_', " "), series));
    for (name, series) in losses.chain(accuracy).chain(others) {
        let ends =
            [series.values.first(), series.values.last()].map(|v| v.map_or_else(String::new, |v| significant(*v, 4)));
        let lowest = series.values.iter().copied().fold(f64::INFINITY, f64::min);
        table.line([name, sparkline(&series.values, SPARK), ends[0].clone(), ends[1].clone(), significant(lowest, 4)]);
    }
    out.push_str(&table.markdown());
}

fn language_model(out: &mut String, lm: &LanguageModel) {
    heading(out, 2, "Where it is sure and where it is not");
    let mut table = Table::new(&["position in the window", ">loss, nats", ">95 % interval", ">tokens"]);
    for position in
        lm.positions.iter().filter(|p| p.from.is_power_of_two() || Some(p.to) == lm.positions.last().map(|l| l.to))
    {
        let place = if position.from == position.to {
            format!("{}", position.from)
        } else {
            format!("{} – {}", position.from, position.to)
        };
        let ends = format!("{} – {}", significant(position.low, 3), significant(position.high, 3));
        table.line([place, significant(position.loss, 3), ends, thousands(position.tokens)]);
    }
    out.push_str(&table.markdown());
    let counts: Vec<f64> = lm.histogram.counts.iter().map(|c| *c as f64).collect();
    let end = counts.len() as f64 * lm.histogram.width;
    paragraph(
        out,
        &format!(
            "Tokens by loss, from 0 to {} nats: {} (median {}, mean {})",
            significant(end, 3),
            sparkline(&counts, SPARK),
            significant(lm.median_loss, 3),
            significant(lm.mean_loss, 3)
        ),
    );
    let losses: Vec<f64> = lm.stretches.iter().map(|s| s.loss).collect();
    paragraph(out, &format!("Loss along the split: {}", sparkline(&losses, SPARK)));
    if !lm.explained.guesses.is_empty() {
        heading(out, 2, "What comes next");
        let mut table = Table::new(&["text so far", "next", ">probability", "what the model would have said"]);
        for guess in &lm.explained.guesses {
            let candidates: Vec<String> =
                guess.candidates.iter().map(|c| format!("{} {}", c.text, probability(c.p))).collect();
            table.line([&guess.before, &guess.truth, &probability(guess.p), &candidates.join(", ")]);
        }
        out.push_str(&table.markdown());
    }
    for (title, excerpts) in [("Easiest windows", &lm.easiest), ("Hardest windows", &lm.hardest)] {
        heading(out, 3, title);
        excerpts.iter().for_each(|excerpt| excerpt_section(out, excerpt));
    }
}

fn excerpt_section(out: &mut String, excerpt: &Excerpt) {
    paragraph(
        out,
        &format!("{} nats per token, from token {}:", significant(excerpt.loss, 3), thousands(excerpt.offset)),
    );
    let text: String = excerpt.pieces.iter().map(|piece| piece.text.as_str()).collect();
    fenced(out, &text);
}

fn samples(out: &mut String, report: &Report) {
    heading(out, 2, "Samples");
    if report.samples.is_empty() {
        paragraph(out, "The run wrote no samples.");
    }
    for sample in &report.samples {
        let prompt = markdown_cell(&sample.prompt);
        let settings = format!(
            "temperature {}, top-k {}, top-p {}, seed {}",
            sample.temperature, sample.top_k, sample.top_p, sample.seed
        );
        paragraph(out, &format!("Prompt “{prompt}”, {settings}:"));
        fenced(out, &format!("{}{}", sample.prompt, sample.text));
    }
}

fn data(out: &mut String, data: &Data) {
    heading(out, 2, "Data");
    if !data.found {
        paragraph(
            out,
            &format!(
                "The dataset is not at {} any more; the run was trained with the manifest {}.",
                markdown_cell(&data.folder),
                data.trained_with_sha256
            ),
        );
        return;
    }
    let mut table = Table::new(&["split", ">rows", ">size", ">shards"]);
    for split in &data.splits {
        table.line([split.name.clone(), thousands(split.rows), bytes(split.bytes), thousands(split.shards)]);
    }
    out.push_str(&table.markdown());
    paragraph(
        out,
        &format!(
            "{} of {} rows that were read were dropped ({}).",
            thousands(data.rejected),
            thousands(data.read),
            percent(data.rejected_share)
        ),
    );
    let mut table = Table::new(&["reason", ">rows", ">share", "the first of them"]);
    for reason in &data.reasons {
        let samples: Vec<String> =
            reason.samples.iter().map(|s| format!("{}, {}: {}", s.src, s.loc, s.excerpt)).collect();
        table.line([reason.reason.clone(), thousands(reason.count), percent(reason.share), samples.join("\n")]);
    }
    if !table.is_empty() {
        out.push_str(&table.markdown());
    }
    let mut table = Table::new(&["source", "file", ">size", "licence", "sha256"]);
    for source in &data.sources {
        let license = if source.license.is_empty() { "unknown" } else { &source.license };
        table.line([&source.source, &source.path, &bytes(source.bytes), license, &source.sha256]);
    }
    out.push_str(&table.markdown());
}

fn origin(out: &mut String, report: &Report) {
    let origin = &report.origin;
    let provenance = &origin.provenance;
    heading(out, 2, "Provenance");
    paragraph(out, "Run this again:");
    fenced(out, &origin.command);
    let mut table = Table::new(&["", ""]);
    let unknown = || "unknown".to_owned();
    let lines = [
        ("reproducible", provenance.reproducible.clone()),
        ("started", origin.started.clone()),
        ("training time", duration(provenance.train_seconds)),
        ("seed", provenance.seed.to_string()),
        ("device", format!("{}, {} threads, {}", provenance.device, provenance.threads, provenance.precision)),
        ("machine", provenance.machine.clone()),
        ("libtorch", provenance.libtorch.clone()),
        ("program", provenance.program.clone()),
        ("revision", provenance.revision.clone()),
        ("config sha256", origin.config_sha256.clone()),
        ("dataset sha256", provenance.manifest_sha256.clone()),
        ("checkpoint sha256", report.evaluated.checkpoint_sha256.clone().unwrap_or_else(unknown)),
        ("predictions sha256", report.evaluated.predictions_sha256.clone()),
    ];
    for (name, value) in lines {
        table.line([name.to_owned(), value]);
    }
    out.push_str(&table.markdown());
    fenced(out, &origin.config);
}
