//! Opening files that may be compressed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::{Error, Result};

/// How much is read or decompressed at a time.
const BUFFER: usize = 1 << 18;

pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
}

pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let file = BufReader::with_capacity(BUFFER, fs_err::File::open(path)?);
    Ok(match is_compressed(path) {
        true => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
        false => Box::new(file),
    })
}

pub(super) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The error of a stream that ends early or makes no sense.
pub(super) fn broken(error: std::io::Error) -> Error {
    let what = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the file is cut short",
        _ => "the file cannot be read to its end",
    };
    Error::input(what).because(error).hint("the file is not whole: copy or download it again")
}

/// As [`broken`], for what the CSV reader says.
pub(super) fn broken_csv(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => broken(error),
        other => Error::input(format!("not CSV: {other:?}")),
    }
}
