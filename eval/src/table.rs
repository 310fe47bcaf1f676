//! Tables for a terminal and for Markdown.

use crate::number::with_interval;
use crate::score::Score;

/// Lines of cells under a head; columns of numbers are set to the right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<String>,
    right: Vec<bool>,
    lines: Vec<Vec<String>>,
}

impl Table {
    /// A table without lines. A name that begins with `>` heads a column of numbers.
    pub fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|name| name.trim_start_matches('>').to_owned()).collect(),
            right: head.iter().map(|name| name.starts_with('>')).collect(),
            lines: Vec::new(),
        }
    }

    /// Adds a line; cells that are missing stay empty.
    pub fn line(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.head.len(), String::new());
        self.lines.push(cells);
    }

    /// Whether it has no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The table in columns, without a last line break.
    pub fn plain(&self) -> String {
        let widths = self.widths(&self.head, &self.lines);
        let lines = std::iter::once(&self.head).chain(&self.lines).map(|cells| {
            let padded = self.padded(cells, &widths);
            padded.join("  ").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The table as GitHub-flavoured Markdown, with an empty line after it.
    pub fn markdown(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|c| markdown_cell(c)).collect();
        let lines: Vec<Vec<String>> = self.lines.iter().map(|l| l.iter().map(|c| markdown_cell(c)).collect()).collect();
        let widths: Vec<usize> = self.widths(&head, &lines).iter().map(|w| (*w).max(3)).collect();
        let rule = widths.iter().zip(&self.right).map(|(width, right)| match right {
            true => format!("{}:", "-".repeat(width - 1)),
            false => "-".repeat(*width),
        });
        let rule: Vec<String> = rule.collect();
        let row = |cells: &[String]| format!("| {} |\n", self.padded(cells, &widths).join(" | "));
        let body: String = lines.iter().map(|cells| row(cells)).collect();
        format!("{}{}{body}\n", row(&head), row(&rule))
    }

    fn widths(&self, head: &[String], lines: &[Vec<String>]) -> Vec<usize> {
        let width = |column: usize| {
            std::iter::once(head)
                .chain(lines.iter().map(Vec::as_slice))
                .map(|cells| cells[column].chars().count())
                .max()
        };
        (0..head.len()).map(|column| width(column).unwrap_or(0)).collect()
    }

    fn padded(&self, cells: &[String], widths: &[usize]) -> Vec<String> {
        let columns = cells.iter().zip(widths).zip(&self.right);
        columns
            .map(|((cell, width), right)| match right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect()
    }
}

/// Text that Markdown shows as it is, also inside a table.
pub fn markdown_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '\r' => {}
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The scores as people compare them: an arrow for the better direction, the interval beside the
/// value.
pub fn scores(scores: &[Score]) -> Table {
    let mut table = Table::new(&["metric", "", ">value", "95 % interval", "unit", ">n", "segments"]);
    for score in scores {
        let shown = with_interval(score.value, score.interval.as_ref(), &score.unit);
        let interval = shown.interval.map_or_else(String::new, |(low, high)| format!("{low} – {high}"));
        let unit = if score.unit == "fraction" { "" } else { &score.unit };
        let arrow = if score.higher_is_better { "↑" } else { "↓" };
        let n = tessera_datasets::console::thousands(score.n);
        table.line([&score.name, arrow, &shown.value, &interval, unit, &n, &score.segments]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_columns_line_up() {
        let mut table = Table::new(&["name", ">rows"]);
        table.line(["train", "1,000"]);
        table.line(["validation", "10"]);
        assert_eq!(table.plain(), "name         rows\ntrain       1,000\nvalidation     10");
    }

    #[test]
    fn a_cell_cannot_break_the_table_or_bring_markup() {
        let mut table = Table::new(&["name", ">rows"]);
        table.line(["train", "1,000"]);
        table.line(["a|<b>\n`c`"]);
        let expected = "\
            | name                  |  rows |\n\
            | --------------------- | ----: |\n\
            | train                 | 1,000 |\n\
            | a\\|&lt;b&gt;<br>\\`c\\` |       |\n\n";
        assert_eq!(table.markdown(), expected);
    }
}
