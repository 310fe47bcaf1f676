//! The sections about the classification of images, as Markdown.

use tessera_datasets::console::thousands;

use super::{heading, paragraph};
use crate::number::{percent, probability, significant};
use crate::proportion::Proportion;
use crate::report::classification::{Classification, Disagreement, Guess, SameImages};
use crate::table::{Table, markdown_cell};

/// Classes that are listed; of more, the hardest.
const CLASSES: usize = 40;
/// Pairs of classes that are listed.
const PAIRS: usize = 12;
/// Mistakes that are listed.
const MISTAKES: usize = 16;

/// The classes, what they are taken for, the confidence, the surest mistakes, the explained images.
pub(super) fn section(out: &mut String, made: &Classification) {
    heading(out, 2, "Class by class");
    let mut table =
        Table::new(&["class", ">images", ">recall", "95 % interval", ">precision", ">F1", "most often taken for"]);
    for class in made.by_class.iter().take(CLASSES) {
        let share = |share: Option<Proportion>| share.map_or_else(|| "–".to_owned(), |share| percent(share.value));
        let interval = class.recall.map(|r| format!("{} – {}", percent(r.low), percent(r.high)));
        let taken = class.taken_for.map(|taken| format!("{} ({})", made.classes[taken.class], percent(taken.share)));
        table.line([
            class.name.clone(),
            thousands(class.support),
            share(class.recall),
            interval.unwrap_or_default(),
            share(class.precision),
            class.f1.map_or_else(|| "–".to_owned(), |f1| significant(f1, 3)),
            taken.unwrap_or_default(),
        ]);
    }
    out.push_str(&table.markdown());
    if made.by_class.len() > CLASSES {
        let rest = thousands((made.by_class.len() - CLASSES) as u64);
        paragraph(out, &format!("The {CLASSES} hardest; {rest} more are in report.json."));
    }
    confusion(out, made);
    reliability(out, made);
    mistakes(out, made);
    explained(out, made);
    heading(out, 2, "timm's results file");
    super::fenced(out, &format!("{}\n{}", crate::report::classification::RESULTS_HEADER, made.results.line()));
}

fn confusion(out: &mut String, made: &Classification) {
    if made.confusion.pairs.is_empty() {
        return;
    }
    heading(out, 2, "What is taken for what");
    let mut table = Table::new(&["class", "taken for", ">images", ">share of the class"]);
    for pair in made.confusion.pairs.iter().take(PAIRS) {
        let names = [pair.truth, pair.prediction].map(|class| made.classes[class].clone());
        let [truth, prediction] = names;
        table.line([truth, prediction, thousands(pair.count), percent(pair.share)]);
    }
    out.push_str(&table.markdown());
}

fn reliability(out: &mut String, made: &Classification) {
    let found = &made.reliability;
    let Some(error) = found.error else { return };
    heading(out, 2, "How far its confidence can be trusted");
    paragraph(
        out,
        &format!(
            "It is sure of {} in the mean and right for {}; the calibration error is {}, the largest gap of a bin {}.",
            percent(found.confidence),
            percent(found.accuracy),
            percent(error),
            percent(found.largest.unwrap_or(0.0))
        ),
    );
    let mut table = Table::new(&["confidence", ">images", ">mean confidence", ">right", "95 % interval"]);
    for group in found.groups.iter().filter(|group| group.count > 0) {
        let share = |value: Option<f64>| value.map_or_else(String::new, percent);
        let range = match group.to > group.from {
            true => format!("{} – {}", percent(group.from), percent(group.to)),
            false => percent(group.from),
        };
        let interval = format!("{} – {}", share(group.low), share(group.high));
        table.line([range, thousands(group.count), share(group.confidence), share(group.accuracy), interval]);
    }
    out.push_str(&table.markdown());
}

fn mistakes(out: &mut String, made: &Classification) {
    if made.mistakes.is_empty() {
        return;
    }
    heading(out, 2, "The surest mistakes");
    let mut table = Table::new(&[">row", "image", "is", "taken for", ">confidence", ">of the true class"]);
    for mistake in made.mistakes.iter().take(MISTAKES) {
        table.line([
            thousands(mistake.row),
            mistake.id.clone(),
            made.classes[mistake.truth].clone(),
            made.classes[mistake.prediction].clone(),
            percent(mistake.confidence),
            percent(mistake.truth_probability),
        ]);
    }
    out.push_str(&table.markdown());
}

fn explained(out: &mut String, made: &Classification) {
    if made.explained.images.is_empty() {
        return;
    }
    heading(out, 2, "What it looked at");
    paragraph(out, "The pictures are in index.html.");
    let mut table = Table::new(&["image", "is", "what the model finds most probable"]);
    for image in &made.explained.images {
        let guess = |guess: &Guess| format!("{} {}", made.classes[guess.class], probability(guess.probability));
        let guesses: Vec<String> = image.guesses.iter().map(guess).collect();
        let label = image.label.map_or_else(|| "unknown".to_owned(), |label| made.classes[label].clone());
        table.line([image.id.clone(), label, guesses.join(", ")]);
    }
    out.push_str(&table.markdown());
}

/// The part of the comparison that is about the same images.
pub(super) fn paired(out: &mut String, paired: &SameImages, classes: &[String]) {
    if !paired.tests.is_empty() {
        heading(out, 3, "The same images, paired");
        let against = format!("against {}", paired.subject);
        let only = format!(">only {} right", paired.subject);
        let mut table = Table::new(&[
            &against,
            ">difference of top-1",
            "95 % interval",
            &only,
            ">only the other right",
            ">p, McNemar",
            "test",
            "in words",
        ]);
        for test in &paired.tests {
            let signed = |value: f64| format!("{}{}", if value > 0.0 { "+" } else { "" }, percent(value));
            table.line([
                test.run.clone(),
                signed(test.difference.value),
                format!("{} – {}", signed(test.difference.low), signed(test.difference.high)),
                thousands(test.shared.ahead),
                thousands(test.shared.behind),
                test.p(),
                test.method(),
                test.in_words.clone(),
            ]);
        }
        out.push_str(&table.markdown());
    }
    for refused in &paired.refused {
        let (run, reason) = (markdown_cell(&refused.run), markdown_cell(&refused.reason));
        paragraph(out, &format!("**{run} is not compared image by image:** {reason}."));
    }
    for (title, images) in [("right and another is not", &paired.ahead), ("wrong and another is not", &paired.behind)] {
        if !images.is_empty() {
            heading(out, 3, &format!("Where {} is {title}", paired.subject));
            images.iter().for_each(|image| disagreement(out, image, classes));
        }
    }
}

fn disagreement(out: &mut String, image: &Disagreement, classes: &[String]) {
    let says = image.verdicts.iter().map(|verdict| {
        let (run, class) = (markdown_cell(&verdict.run), markdown_cell(&classes[verdict.prediction]));
        format!("{run}: {class} ({})", probability(verdict.confidence))
    });
    let (id, truth) = (markdown_cell(&image.id), markdown_cell(&classes[image.truth]));
    paragraph(out, &format!("- {id}, {truth}: {}", says.collect::<Vec<_>>().join("; ")));
}
