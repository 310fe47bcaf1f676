//! A raw file line by line, bounded in memory.

use std::io::BufRead;
use std::path::Path;

use tessera_datasets::Result;

use super::{Compression, InputFile, open};

/// The reason for rows that no batch can hold.
pub(crate) const TOO_LONG: &str = "longer than 1 GiB";
/// The most bytes that a row can have: a batch of strings addresses 2^31.
pub(crate) const LONGEST_ROW: usize = 1 << 30;
/// The reason for rows in another encoding.
pub(crate) const NOT_UTF8: &str = "not UTF-8";

/// Why a line is none.
pub(crate) struct Fault {
    pub(crate) reason: &'static str,
    pub(crate) excerpt: String,
}

/// A line without its end, whether `\n` or `\r\n`.
pub(crate) struct Line<'a> {
    /// From 1.
    pub(crate) number: u64,
    bytes: &'a [u8],
    too_long: bool,
}

impl<'a> Line<'a> {
    /// The text of the line, where it is one.
    pub(crate) fn text(&self) -> Result<&'a str, Fault> {
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
pub(crate) struct Lines<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead + 'a>,
    compression: Compression,
    buffer: Vec<u8>,
    too_long: bool,
    number: u64,
}

impl<'a> Lines<'a> {
    /// Opens a file; `advance` is told how many bytes of it were read.
    pub(crate) fn open(file: &'a InputFile, advance: &'a dyn Fn(u64)) -> Result<Self> {
        let (reader, compression) = open(file, advance)?;
        Ok(Self { path: &file.path, reader, compression, buffer: Vec::new(), too_long: false, number: 0 })
    }

    /// Goes to the next line; false at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.buffer.clear();
        self.too_long = false;
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) => return Err(self.compression.error(e).at(self.path).row(self.number + 1)),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            let line = &chunk[..end.unwrap_or(chunk.len())];
            match self.buffer.len() + line.len() > LONGEST_ROW {
                true => self.too_long = true,
                false => self.buffer.extend_from_slice(line),
            }
            let used = end.map_or(chunk.len(), |i| i + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.number += u64::from(any);
        Ok(any)
    }

    /// The line that [`Lines::advance`] went to.
    pub(crate) fn line(&self) -> Line<'_> {
        let line = match self.number {
            1 => without_mark(&self.buffer),
            _ => &self.buffer,
        };
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        Line { number: self.number, bytes, too_long: self.too_long }
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        match self.advance()? {
            true => Ok(Some(self.line())),
            false => Ok(None),
        }
    }

    /// Reads to the end and says how many lines the file has.
    pub(crate) fn count(&mut self) -> Result<u64> {
        while self.advance()? {}
        Ok(self.number)
    }
}

/// Takes a UTF-8 byte order mark off the start of a file.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// `\r\n` to `\n`.
pub(crate) fn without_returns(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains("\r\n") {
        true => text.replace("\r\n", "\n").into(),
        false => text.into(),
    }
}
