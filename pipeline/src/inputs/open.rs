//! Reading a raw file, compressed or not.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use tessera_datasets::{Error, Result};

use super::InputFile;

/// How much is read or decompressed at a time.
const BUFFER: usize = 1 << 18;

/// How a file is compressed, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// `.gz`, `.tgz`
    Gzip,
    /// `.zst`
    Zstandard,
}

impl Compression {
    /// The compression that a name tells, and the name without it.
    pub fn of(name: &str) -> (Self, &str) {
        match name.rsplit_once('.') {
            Some((stem, ending)) if ["gz", "tgz"].iter().any(|gz| ending.eq_ignore_ascii_case(gz)) => {
                (Self::Gzip, stem)
            }
            Some((stem, ending)) if ending.eq_ignore_ascii_case("zst") => (Self::Zstandard, stem),
            _ => (Self::Plain, name),
        }
    }

    /// The error for a stream that cannot be read further.
    pub fn error(self, error: std::io::Error) -> Error {
        let stream = match self {
            Self::Plain => return error.into(),
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
        };
        let what = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "is cut short",
            _ => "is damaged",
        };
        Error::input(format!("the {stream} stream {what}"))
            .because(error)
            .hint("the file is not whole: copy or download it again")
    }
}

/// Opens a file and decompresses it by its name; `advance` is told how many bytes of the file were
/// read.
///
/// # Errors
/// When it cannot be opened. Errors of the reader are explained by [`Compression::error`].
pub fn open<'a>(file: &InputFile, advance: &'a dyn Fn(u64)) -> Result<(Box<dyn BufRead + 'a>, Compression)> {
    let (compression, _) = Compression::of(&file.name);
    let opened = fs_err::File::open(&file.path)?;
    // its hash is in the manifest, so it must still be what was hashed
    if opened.metadata()?.len() != file.bytes {
        return Err(Error::input("the file was changed while the pipeline ran").at(&file.path).hint(AGAIN));
    }
    let raw = Counted { file: opened, advance };
    let reader: Box<dyn BufRead + 'a> = match compression {
        Compression::Plain => Box::new(BufReader::with_capacity(BUFFER, raw)),
        Compression::Gzip => {
            let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, raw));
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        Compression::Zstandard => {
            let decoder = zstd::stream::read::Decoder::new(raw)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
    };
    Ok((reader, compression))
}

const AGAIN: &str = "give the same command again when nothing else writes the file";

/// A file that tells how much was read of it.
struct Counted<'a> {
    file: fs_err::File,
    advance: &'a dyn Fn(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        (self.advance)(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn compression_goes_by_the_last_ending() {
        assert_eq!(Compression::of("a.txt"), (Compression::Plain, "a.txt"));
        assert_eq!(Compression::of("a.txt.GZ"), (Compression::Gzip, "a.txt"));
        assert_eq!(Compression::of("a.tgz"), (Compression::Gzip, "a"));
        assert_eq!(Compression::of("a.jsonl.zst"), (Compression::Zstandard, "a.jsonl"));
    }

    #[test]
    fn a_file_that_grew_since_it_was_found_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs_err::write(&path, "abc").unwrap();
        let file = |bytes| InputFile {
            path: path.clone(),
            name: "a.txt".to_owned(),
            bytes,
            source: "test".to_owned(),
            license: "MIT".to_owned(),
            split: None,
            expected_sha256: None,
        };
        let mut text = String::new();
        open(&file(3), &|_| {}).unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        let error = open(&file(2), &|_| {}).err().unwrap().to_string();
        assert!(error.contains("was changed while"), "{error}");
    }
}
