//! Files line by line: lines, paragraphs and JSON objects.

use tessera_datasets::Result;

use super::FileSink;
use crate::inputs::InputFile;
use crate::inputs::json::{Field, fields_of};
use crate::inputs::lines::{Fault, LONGEST_ROW, Lines, TOO_LONG};

/// One row for each line.
pub(super) fn read_lines(file: &InputFile, advance: &dyn Fn(u64), sink: &mut FileSink<'_, '_>) -> Result<()> {
    let mut lines = Lines::open(file, advance)?;
    while let Some(line) = lines.next()? {
        match line.text() {
            Ok(text) => sink.push(text, Some(line.number))?,
            Err(fault) => sink.reject(fault.reason, Some(line.number), &fault.excerpt),
        }
    }
    Ok(())
}

/// One row for each run of lines that are not blank.
pub(super) fn read_paragraphs(file: &InputFile, advance: &dyn Fn(u64), sink: &mut FileSink<'_, '_>) -> Result<()> {
    let mut lines = Lines::open(file, advance)?;
    let mut paragraph = Paragraph::default();
    while let Some(line) = lines.next()? {
        match line.text() {
            Ok(text) if text.trim().is_empty() => paragraph.end(sink)?,
            Ok(text) => paragraph.add(text, line.number),
            Err(fault) => paragraph.spoil(line.number, fault),
        }
    }
    paragraph.end(sink)
}

/// One row for each JSON object with the text in `field`.
pub(super) fn read_json(
    file: &InputFile,
    field: &str,
    advance: &dyn Fn(u64),
    sink: &mut FileSink<'_, '_>,
) -> Result<()> {
    let mut lines = Lines::open(file, advance)?;
    while let Some(line) = lines.next()? {
        let place = Some(line.number);
        let text = match line.text() {
            Ok(text) => text,
            Err(fault) => {
                sink.reject(fault.reason, place, &fault.excerpt);
                continue;
            }
        };
        if text.trim().is_empty() {
            sink.reject("empty", place, "");
            continue;
        }
        let mut found = [Field::Missing];
        match (fields_of(text, &[field], None, &mut found), &found) {
            (Ok(true), [Field::Text(text)]) => sink.push(text, place)?,
            (Ok(true), [Field::Missing]) => sink.reject("field missing", place, &format!("no `{field}` in {text}")),
            (Ok(true), [Field::Other]) => sink.reject("field not a string", place, &format!("`{field}` in {text}")),
            (Ok(false), _) => sink.reject("not a JSON object", place, text),
            (Err(error), _) => sink.reject("not JSON", place, &format!("{error} in {text}")),
        }
    }
    Ok(())
}

/// The lines of a paragraph so far.
#[derive(Default)]
struct Paragraph {
    text: String,
    first: Option<u64>,
    fault: Option<(u64, Fault)>,
}

impl Paragraph {
    fn add(&mut self, line: &str, number: u64) {
        if self.fault.is_some() {
            return;
        }
        if self.text.len() + line.len() >= LONGEST_ROW {
            return self.spoil(number, Fault { reason: TOO_LONG, excerpt: String::new() });
        }
        match self.first {
            None => self.first = Some(number),
            Some(_) => self.text.push('\n'),
        }
        self.text.push_str(line);
    }

    /// One bad line drops the whole paragraph: half a paragraph is not what was written.
    fn spoil(&mut self, number: u64, fault: Fault) {
        self.fault.get_or_insert((number, fault));
        self.text = String::new();
    }

    fn end(&mut self, sink: &mut FileSink<'_, '_>) -> Result<()> {
        let Self { text, first, fault } = std::mem::take(self);
        match (fault, first) {
            (Some((number, fault)), _) => sink.reject(fault.reason, Some(number), &fault.excerpt),
            (None, Some(first)) => sink.push(&text, Some(first))?,
            (None, None) => {}
        }
        Ok(())
    }
}
