//! Content hashes (SHA-256, lower-case hex) and seeds derived from names.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Result;

/// SHA-256 of some bytes in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file in lower-case hex, read in pieces of 1 MiB.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_file(path: impl AsRef<Path>) -> Result<String> {
    let mut file = fs_err::File::open(path.as_ref())?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// A seed for one purpose: the same `seed`, `purpose` and `index` give the same number on every
/// machine, and different ones unrelated numbers. This is what makes step 700 of a resumed run
/// draw what step 700 of an uninterrupted one draws.
pub fn derive_seed(seed: u64, purpose: &str, index: u64) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(index.to_le_bytes());
    hasher.update(purpose.as_bytes());
    let digest = hasher.finalize();
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_vector() {
        // FIPS 180-2, appendix B.1
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
    }

    #[test]
    fn seeds_differ_by_purpose_and_index() {
        let seeds = [
            derive_seed(1, "batch", 0),
            derive_seed(1, "batch", 1),
            derive_seed(1, "dropout", 0),
            derive_seed(2, "batch", 0),
        ];
        let distinct: std::collections::HashSet<_> = seeds.iter().collect();
        assert_eq!(distinct.len(), seeds.len());
    }
}
