//! Files line by line: lines, paragraphs and JSON objects.

use std::io::BufRead;

use tessera_datasets::Result;

use super::json_field::{Field, field_of};
use super::{FileSink, LONGEST_ROW, NOT_UTF8, TOO_LONG};
use crate::inputs::{Compression, InputFile, open};

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
        match field_of(text, field) {
            Ok(Field::Text(text)) => sink.push(&text, place)?,
            Ok(Field::Missing) => sink.reject("field missing", place, &format!("no `{field}` in {text}")),
            Ok(Field::Other) => sink.reject("field not a string", place, &format!("`{field}` in {text}")),
            Ok(Field::NoObject) => sink.reject("not a JSON object", place, text),
            Err(error) => sink.reject("not JSON", place, &format!("{error} in {text}")),
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

/// Why a line is none.
struct Fault {
    reason: &'static str,
    excerpt: String,
}

/// A line without its end, whether `\n` or `\r\n`.
struct Line<'a> {
    /// From 1.
    number: u64,
    bytes: &'a [u8],
    too_long: bool,
}

impl Line<'_> {
    fn text(&self) -> Result<&str, Fault> {
        if self.too_long {
            return Err(Fault { reason: TOO_LONG, excerpt: String::new() });
        }
        std::str::from_utf8(self.bytes).map_err(|_| Fault {
            reason: NOT_UTF8,
            excerpt: String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(400)]).into_owned(),
        })
    }
}

/// The lines of a file. Never holds more than one, and never more than [`LONGEST_ROW`] of it.
struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    compression: Compression,
    buffer: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    fn open(file: &InputFile, advance: &'a dyn Fn(u64)) -> Result<Self> {
        let (reader, compression) = open(file, advance)?;
        Ok(Self { reader, compression, buffer: Vec::new(), number: 0 })
    }

    fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) => return Err(self.compression.error(e).row(self.number + 1)),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            let line = &chunk[..end.unwrap_or(chunk.len())];
            match self.buffer.len() + line.len() > LONGEST_ROW {
                true => too_long = true,
                false => self.buffer.extend_from_slice(line),
            }
            let used = end.map_or(chunk.len(), |i| i + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        let line = match self.number {
            1 => without_mark(&self.buffer),
            _ => &self.buffer,
        };
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(Line { number: self.number, bytes, too_long }))
    }
}

/// Takes a UTF-8 byte order mark off the start of a file.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
