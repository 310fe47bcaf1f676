//! Hashing the raw files: what was read must be known to the bit.

use std::io::Read;

use sha2::{Digest, Sha256};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::manifest::SourceFile;
use tessera_datasets::{Error, Result};

use super::InputFile;
use crate::parallel;

/// From how many bytes on hashing takes long enough to be shown.
const SHOWN: u64 = 1 << 28;

/// The files as the manifest lists them.
///
/// # Errors
/// When a file cannot be read or is not the one that its card means.
pub fn hash_inputs(files: &[InputFile]) -> Result<Vec<SourceFile>> {
    let total: u64 = files.iter().map(|f| f.bytes).sum();
    let progress = (total >= SHOWN).then(|| Progress::new("hash", total, Unit::Bytes));
    let advance = |n: u64| {
        if let Some(progress) = &progress {
            progress.advance(n, String::new);
        }
    };
    let sources = parallel::each(files.len(), |i| hash_file(&files[i], &advance))?;
    if let Some(progress) = progress {
        progress.finish("");
    }
    Ok(sources)
}

/// The most bytes of a file that are read at a time.
const BUFFER: u64 = 1 << 20;

fn hash_file(file: &InputFile, advance: &dyn Fn(u64)) -> Result<SourceFile> {
    let mut reader = fs_err::File::open(&file.path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER.min(file.bytes + 1) as usize];
    let mut bytes = 0;
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
        advance(n as u64);
    }
    let sha256: String = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
    if file.expected_sha256.as_ref().is_some_and(|expected| *expected != sha256) {
        return Err(Error::input("the sha256 is not the card's")
            .at(&file.path)
            .hint("the file is cut short or another version: remove it and fetch it again"));
    }
    Ok(SourceFile {
        path: file.name.clone(),
        bytes,
        sha256,
        source: file.source.clone(),
        license: file.license.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_the_cards_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs_err::write(&path, b"abc").unwrap();
        let mut file = InputFile {
            path,
            name: "a.txt".to_owned(),
            bytes: 3,
            source: "test".to_owned(),
            license: "MIT".to_owned(),
            split: None,
            expected_sha256: None,
        };
        let hashed = hash_inputs(std::slice::from_ref(&file)).unwrap();
        assert_eq!(hashed[0].sha256, tessera_datasets::hash::sha256(b"abc"));
        file.expected_sha256 = Some("0".repeat(64));
        assert!(hash_inputs(&[file]).unwrap_err().to_string().contains("not the card's"));
    }
}
