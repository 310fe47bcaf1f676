//! Files of lines, one sentence each.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tessera_datasets::{Error, Result, ResultExt};

use crate::metrics::tokenize::whitespace::trim_end;

/// How gzip and zstd streams begin; UTF-8 does not begin so.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A file of lines as it was read.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it was called by.
    pub name: String,
    content: String,
}

impl Text {
    /// Reads a file: plain, or packed by gzip or zstd, whatever its name.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no UTF-8.
    pub fn read(path: &str) -> Result<Self> {
        Self::unpack(path, fs_err::read(Path::new(path))?)
    }

    /// Reads the standard input.
    ///
    /// # Errors
    /// As [`Text::read`].
    pub fn read_standard_input() -> Result<Self> {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        Self::unpack("standard input", bytes)
    }

    fn unpack(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let mut out = Vec::new();
        let unpacked = match &bytes {
            packed if packed.starts_with(GZIP) => MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut out),
            packed if packed.starts_with(ZSTANDARD) => {
                zstd::Decoder::new(packed.as_slice()).and_then(|mut decoder| decoder.read_to_end(&mut out))
            }
            _ => {
                out = bytes;
                Ok(out.len())
            }
        };
        let damaged = |error: std::io::Error| {
            Error::input("the packed stream is damaged or cut short").because(error).hint("copy the file again")
        };
        unpacked.map_err(damaged).at(name)?;
        let content = String::from_utf8(out).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count() as u64;
            Error::input("the text is no UTF-8").at(name).row(line).hint("convert it, for instance with `iconv`")
        })?;
        Ok(Self { name: name.to_owned(), content })
    }

    /// The lines without space at their ends. Only `\n` ends a line.
    pub fn lines(&self) -> Vec<&str> {
        self.content.split_terminator('\n').map(trim_end).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn packed_or_not_the_lines_are_the_same() {
        let plain = "eins \u{1c}\n\nzwei\u{2028}drei\r\nvier".as_bytes();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(plain).unwrap();
        let packed = [plain.to_vec(), gzip.finish().unwrap(), zstd::encode_all(plain, 0).unwrap()];
        for bytes in packed {
            let text = Text::unpack("a", bytes).unwrap();
            assert_eq!(text.lines(), ["eins", "", "zwei\u{2028}drei", "vier"]);
        }
        assert_eq!(Text::unpack("a", b"a\n\n".to_vec()).unwrap().lines(), ["a", ""]);
        assert!(Text::unpack("a", Vec::new()).unwrap().lines().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = Text::unpack("a.de", b"gut\nschl\xe4cht\n".to_vec()).unwrap_err().to_string();
        assert_eq!(error, "`a.de`, row 2: the text is no UTF-8");
        let error = Text::unpack("a.gz", vec![0x1f, 0x8b, 8, 0]).unwrap_err().to_string();
        assert_eq!(error, "`a.gz`: the packed stream is damaged or cut short");
    }
}
