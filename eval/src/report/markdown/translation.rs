//! The sections about a translation, as Markdown.

use tessera_datasets::console::thousands;

use super::{heading, paragraph};
use crate::number::{chance, percent, significant};
use crate::report::Translation;
use crate::report::translation::{Apart, Example, Mark, Paired, Run, formula};
use crate::table::{Table, markdown_cell};

/// What the score is made of, the lengths, the sentences, the heads.
pub(super) fn section(out: &mut String, translation: &Translation) {
    heading(out, 2, "What the score is made of");
    let languages = match (&translation.source_language, &translation.target_language) {
        (Some(source), Some(target)) => format!(" from {} to {}", markdown_cell(source), markdown_cell(target)),
        _ => String::new(),
    };
    let count = thousands(translation.sentences);
    paragraph(out, &format!("{count} sentences{languages}, {}.", translation.search()));
    if let Some(ngrams) = &translation.ngrams {
        let mut table = Table::new(&[">words in a row", ">precision", ">matched", ">of"]);
        for order in &ngrams.orders {
            let counts = [thousands(order.matched), thousands(order.total)];
            let [matched, total] = counts;
            table.line([order.n.to_string(), percent(order.precision), matched, total]);
        }
        out.push_str(&table.markdown());
        let (factors, root) = formula(ngrams);
        let root = if root.is_empty() { root } else { format!("^({root})") };
        paragraph(out, &format!("BLEU = {factors}{root} = {}", significant(ngrams.bleu, 4)));
        paragraph(out, &format!("{}.", capital(&ngrams.precision_in_words)));
        paragraph(
            out,
            &format!(
                "{} ({} words to {}, ratio {}, brevity penalty {}).",
                capital(&ngrams.length_in_words),
                thousands(ngrams.hypothesis_words),
                thousands(ngrams.reference_words),
                significant(ngrams.ratio, 3),
                significant(ngrams.brevity_penalty, 3)
            ),
        );
    }
    oddities(out, translation);
    lengths(out, translation);
    let examples = &translation.examples;
    if !examples.random.is_empty() {
        heading(out, 2, "Sentences");
        paragraph(
            out,
            "Reference and translation are compared word by word: [only here], ~~another word there~~, *at another place there*.",
        );
    }
    let groups = [("Drawn at random", &examples.random), ("The worst", &examples.worst), ("The best", &examples.best)];
    for (title, examples) in groups.into_iter().filter(|(_, examples)| !examples.is_empty()) {
        heading(out, 3, title);
        examples.iter().for_each(|example| example_section(out, example));
    }
    attention(out, translation);
}

fn oddities(out: &mut String, translation: &Translation) {
    if translation.oddities.is_empty() {
        return;
    }
    heading(out, 3, "What looks wrong at a glance");
    let mut table = Table::new(&[">sentences", ">share", "", "the first of them"]);
    for odd in &translation.oddities {
        let first = format!("row {}: {} → {}", odd.row, odd.source, odd.hypothesis);
        table.line([thousands(odd.count), percent(odd.share), odd.what.to_owned(), first]);
    }
    out.push_str(&table.markdown());
}

fn lengths(out: &mut String, translation: &Translation) {
    let Some(by_length) = &translation.by_length else {
        return;
    };
    heading(out, 2, "Short and long sentences");
    let label = format!(">{}", by_length.label);
    let mut table = Table::new(&["words of the source", ">sentences", &label, "95 % interval"]);
    for group in &by_length.groups {
        let ends = group.low.zip(group.high);
        let interval = ends.map(|(low, high)| format!("{} – {}", significant(low, 3), significant(high, 3)));
        let cells = [group.words(), thousands(group.sentences), significant(group.value, 3)];
        table.line(cells.into_iter().chain(interval));
    }
    out.push_str(&table.markdown());
}

fn example_section(out: &mut String, example: &Example) {
    let (bleu, chrf) = (significant(example.bleu, 3), significant(example.chrf, 3));
    let lines = [
        format!("BLEU {bleu}, chrF {chrf}, row {}", thousands(example.row)),
        format!("source: {}", markdown_cell(&example.source)),
        format!("reference: {}", marked(&example.difference.reference)),
        format!("translation: {}", marked(&example.difference.hypothesis)),
    ];
    paragraph(out, &format!("- {}", lines.join("\\\n  ")));
}

/// The pieces of a sentence with signs around what differs.
fn marked(runs: &[Run]) -> String {
    let run = |run: &Run| {
        let text = markdown_cell(&run.text);
        match run.mark {
            Mark::Same => text,
            Mark::Only => format!("\\[{text}\\]"),
            Mark::Other => format!("~~{text}~~"),
            Mark::Moved => format!("*{text}*"),
        }
    };
    match runs.is_empty() {
        true => "*nothing*".to_owned(),
        false => runs.iter().map(run).collect(),
    }
}

fn attention(out: &mut String, translation: &Translation) {
    let sentences = &translation.attention.sentences;
    if sentences.is_empty() {
        return;
    }
    heading(out, 2, "Where the heads look");
    paragraph(out, "What each head does most of the time; the pictures are in index.html.");
    for sentence in sentences {
        heading(out, 3, sentence.source.as_deref().unwrap_or(&sentence.id));
        let mut table = Table::new(&["attention", ">layer", ">head", "looks at", ">focus"]);
        for map in &sentence.maps {
            for (l, layer) in map.layers.iter().enumerate() {
                for (h, head) in layer.heads.iter().enumerate() {
                    let name = map.name.replace('-', " ");
                    let (layer, number) = ((l + 1).to_string(), (h + 1).to_string());
                    table.line([name, layer, number, head.habit.clone(), significant(head.focus, 3)]);
                }
            }
        }
        out.push_str(&table.markdown());
    }
}

/// The part of the comparison that is about the same sentences.
pub(super) fn paired(out: &mut String, paired: &Paired) {
    let subject = markdown_cell(&paired.subject);
    if !paired.tests.is_empty() {
        heading(out, 3, "The same sentences, paired");
        let against = format!("against {}", paired.subject);
        let mut table =
            Table::new(&[&against, "metric", ">difference", ">p, bootstrap", ">p, randomisation", "in words"]);
        for test in &paired.tests {
            let p = |p: Option<f64>| p.map_or_else(|| "–".to_owned(), chance);
            let sign = if test.difference > 0.0 { "+" } else { "" };
            let difference = match test.unit.as_str() {
                "fraction" => percent(test.difference),
                _ => significant(test.difference, 3),
            };
            table.line([
                test.run.clone(),
                test.label.clone(),
                format!("{sign}{difference}"),
                p(test.bootstrap_p),
                p(test.randomisation_p),
                test.in_words.clone(),
            ]);
        }
        out.push_str(&table.markdown());
    }
    for refused in &paired.refused {
        let (run, reason) = (markdown_cell(&refused.run), markdown_cell(&refused.reason));
        paragraph(out, &format!("**{run} is not compared sentence by sentence:** {reason}."));
    }
    for (title, sentences) in [("ahead", &paired.ahead), ("behind", &paired.behind)] {
        if !sentences.is_empty() {
            heading(out, 3, &format!("Where {subject} is furthest {title}"));
            sentences.iter().for_each(|sentence| apart(out, sentence));
        }
    }
}

fn apart(out: &mut String, apart: &Apart) {
    let mut lines = vec![format!("sentence BLEU {:+.1}, row {}", apart.gap, thousands(apart.row))];
    lines.push(format!("source: {}", markdown_cell(&apart.source)));
    lines.extend(apart.references.iter().map(|reference| format!("reference: {}", markdown_cell(reference))));
    lines.extend(apart.wordings.iter().map(|wording| {
        let (run, bleu) = (markdown_cell(&wording.run), significant(wording.bleu, 3));
        format!("{run} ({bleu}): {}", marked(&wording.difference.hypothesis))
    }));
    paragraph(out, &format!("- {}", lines.join("\\\n  ")));
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
