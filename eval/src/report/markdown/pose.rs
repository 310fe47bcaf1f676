//! The sections about optimised poses, as Markdown.

use tessera_datasets::console::thousands;

use super::{heading, paragraph};
use crate::metrics::pose::Estimate;
use crate::number::{percent, significant};
use crate::report::Poses;
use crate::report::pose::{Apart, Gap, KeypointStratum, Measured, SameWindows, Stratum};
use crate::table::{Table, markdown_cell};

/// The methods, the gaps, the keypoints, the bones, the filters.
pub(super) fn section(out: &mut String, poses: &Poses) {
    let unit = markdown_cell(&poses.skeleton.unit);
    heading(out, 2, "Beside simpler methods");
    paragraph(
        out,
        &format!(
            "{} windows of {} frames from {} stretches of time; {} keypoints were hidden. Errors are mean distances to the truth in {unit}.",
            thousands(poses.windows),
            poses.frames,
            thousands(poses.stretches),
            thousands(poses.masked)
        ),
    );
    poses.strata.iter().for_each(|stratum| methods(out, stratum));
    for (title, gaps) in [
        ("Error by frames in a row without the keypoint", &poses.by_gap),
        ("Error by frames to the nearest sight of the keypoint", &poses.by_distance),
    ] {
        if !gaps.is_empty() {
            heading(out, 2, title);
            by_gap(out, gaps);
        }
    }
    if !poses.by_keypoint.is_empty() {
        heading(out, 2, "Keypoint by keypoint");
        poses.by_keypoint.iter().for_each(|stratum| keypoints(out, stratum));
    }
    bones(out, poses);
    filters(out, poses);
    if !poses.films.is_empty() {
        heading(out, 2, "Skeletons over time");
        paragraph(out, "The pictures are in index.html.");
    }
}

fn methods(out: &mut String, stratum: &Stratum) {
    heading(out, 3, &format!("{}: {}", stratum.corruption, stratum.description));
    paragraph(out, &format!("{}.", markdown_cell(&capital(&stratum.in_words))));
    let error = if stratum.of_masked { ">error where hidden" } else { ">error" };
    let mut table = Table::new(&[
        "method",
        error,
        ">95 % interval",
        ">model less this",
        ">95 % interval",
        "the model is",
        ">PCK 5 %",
        ">PCK 10 %",
        ">MPJPE of all",
        ">of the given",
        ">PA-MPJPE",
        ">acceleration",
        ">bones",
    ]);
    for method in &stratum.methods {
        let duel = stratum.duels.iter().find(|duel| duel.baseline == method.estimate);
        let short = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| significant(value, 3));
        let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), percent);
        table.line([
            method.label.to_owned(),
            significant(method.error.value, 3),
            interval(&method.error),
            duel.map_or_else(String::new, |duel| signed(duel.difference.value)),
            duel.map_or_else(String::new, |duel| apart(&duel.difference)),
            duel.map_or_else(String::new, |duel| duel.outcome.word().to_owned()),
            share(method.pck_5),
            share(method.pck_10),
            short(method.mpjpe),
            short(method.visible),
            short(method.aligned),
            short(method.acceleration),
            short(method.bones),
        ]);
    }
    out.push_str(&table.markdown());
}

fn by_gap(out: &mut String, gaps: &[Gap]) {
    let mut head = vec!["frames".to_owned(), ">keypoints".to_owned()];
    head.extend(Estimate::ALL.map(|by| format!(">{}", by.label())));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for gap in gaps {
        let values = gap.methods.iter().map(|method| significant(method.value, 3));
        table.line([gap.frames(), thousands(gap.keypoints)].into_iter().chain(values));
    }
    out.push_str(&table.markdown());
}

fn keypoints(out: &mut String, stratum: &KeypointStratum) {
    heading(out, 3, &stratum.corruption);
    let mut head = vec!["keypoint".to_owned(), ">hidden".to_owned()];
    head.extend(Estimate::ALL.map(|by| format!(">{}", by.label())));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for keypoint in &stratum.keypoints {
        let values = keypoint.methods.iter().map(|method| significant(method.value, 3));
        table.line([keypoint.name.clone(), thousands(keypoint.count)].into_iter().chain(values));
    }
    out.push_str(&table.markdown());
}

fn bones(out: &mut String, poses: &Poses) {
    if poses.bones.is_empty() {
        return;
    }
    heading(out, 2, "Do bones keep their length?");
    let mut head = vec!["bone".to_owned(), ">true length".to_owned(), ">true ±".to_owned(), ">given ±".to_owned()];
    head.extend(Estimate::ALL.map(|by| format!(">{} ±", by.label())));
    head.push(">model off by".to_owned());
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for bone in &poses.bones {
        let given = bone.given_spread.map_or_else(|| "–".to_owned(), |spread| significant(spread, 3));
        let start = [bone.name.clone(), significant(bone.length, 3), significant(bone.spread, 3), given];
        let spreads = bone.methods.iter().map(|method| significant(method.spread, 3));
        let deviation = bone.methods.first().map(|method| significant(method.deviation, 3));
        table.line(start.into_iter().chain(spreads).chain(deviation));
    }
    out.push_str(&table.markdown());
}

fn filters(out: &mut String, poses: &Poses) {
    if poses.filters.is_empty() {
        return;
    }
    heading(out, 2, "What the filters did");
    let mut table = Table::new(&["stage", ">rows in", ">rows out", "what it changed"]);
    for stage in &poses.filters {
        let changes = stage.changes.iter().map(|(reason, count)| format!("{} {reason}", thousands(*count)));
        let changes = changes.collect::<Vec<_>>().join(", ");
        table.line([stage.stage.clone(), thousands(stage.rows_in), thousands(stage.rows_out), changes]);
    }
    out.push_str(&table.markdown());
}

/// The part of the comparison that is about the same windows.
pub(super) fn paired(out: &mut String, paired: &SameWindows) {
    if !paired.tests.is_empty() {
        heading(out, 3, "The same windows, paired");
        let (against, subject) = (format!("against {}", paired.subject), format!(">of {}", paired.subject));
        let mut table =
            Table::new(&[&against, "windows", ">its error", &subject, ">difference", ">95 % interval", "it is"]);
        for test in &paired.tests {
            table.line([
                test.run.clone(),
                test.corruption.clone(),
                significant(test.other, 3),
                significant(test.subject, 3),
                signed(test.difference.value),
                apart(&test.difference),
                test.outcome.word().to_owned(),
            ]);
        }
        out.push_str(&table.markdown());
    }
    for refused in &paired.refused {
        let (run, reason) = (markdown_cell(&refused.run), markdown_cell(&refused.reason));
        paragraph(out, &format!("**{run} is not compared window by window:** {reason}."));
    }
}

fn signed(value: f64) -> String {
    format!("{}{}", if value > 0.0 { "+" } else { "" }, significant(value, 3))
}

fn interval(measured: &Measured) -> String {
    ends(measured.low, measured.high)
}

fn apart(apart: &Apart) -> String {
    ends(apart.low, apart.high)
}

fn ends(low: Option<f64>, high: Option<f64>) -> String {
    low.zip(high)
        .map_or_else(|| "–".to_owned(), |(low, high)| format!("{} – {}", significant(low, 3), significant(high, 3)))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
