//! A whole file as one row.

use std::io::Read;

use tessera_datasets::Result;

use super::FileSink;
use crate::inputs::lines::{LONGEST_ROW, NOT_UTF8, TOO_LONG, without_mark};
use crate::inputs::{InputFile, open};

pub(super) fn read_document(file: &InputFile, advance: &dyn Fn(u64), sink: &mut FileSink<'_, '_>) -> Result<()> {
    let (reader, compression) = open(file, advance)?;
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST_ROW as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|e| {
        let line = 1 + bytes.iter().filter(|b| **b == b'\n').count();
        compression.error(e).row(line as u64)
    })?;
    if bytes.len() > LONGEST_ROW {
        sink.reject(TOO_LONG, None, "read it by line or paragraph");
        return Ok(());
    }
    let bytes = without_mark(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => sink.push(text, None),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            let line = 1 + valid.iter().filter(|b| **b == b'\n').count();
            let start = valid.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let end = rest.iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| valid.len() + i);
            let excerpt = String::from_utf8_lossy(&bytes[start..end]);
            sink.reject(NOT_UTF8, Some(line as u64), &excerpt);
            Ok(())
        }
    }
}
