//! TensorBoard's event file: scalars only, written by hand because the format is small.
//!
//! Each record is a length, a checksum of it, the bytes of an `Event` message and a checksum of
//! those (`tensorflow/core/lib/io/record_writer.cc`); the message is
//! `tensorflow/core/util/event.proto`. Checksums are CRC-32C, masked.

use std::io::Write;
use std::path::Path;

use tessera_datasets::Result;
use tessera_datasets::run_dir::MetricLine;

/// The name that TensorBoard looks for.
const NAME: &str = "events.out.tfevents.tessera";

/// An event file that is being written.
pub struct EventFile {
    file: fs_err::File,
}

impl EventFile {
    /// Starts the file of a run anew.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(dir: &Path) -> Result<Self> {
        let mut out = Self { file: fs_err::File::create(dir.join(NAME))? };
        let mut event = Vec::new();
        put_double(&mut event, 1, 0.0);
        put_bytes(&mut event, 3, b"brain.Event:2");
        out.record(&event)?;
        Ok(out)
    }

    /// Writes the values of a line as scalars named `split/value`.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, line: &MetricLine) -> Result<()> {
        let mut summary = Vec::new();
        for (name, value) in &line.values {
            let Some(number) = value.as_f64() else { continue };
            let mut scalar = Vec::new();
            put_bytes(&mut scalar, 1, format!("{}/{name}", line.split).as_bytes());
            put_key(&mut scalar, 2, 5);
            scalar.extend_from_slice(&(number as f32).to_le_bytes());
            put_bytes(&mut summary, 1, &scalar);
        }
        let mut event = Vec::new();
        put_double(&mut event, 1, 0.0);
        put_key(&mut event, 2, 0);
        put_varint(&mut event, line.step);
        put_bytes(&mut event, 5, &summary);
        self.record(&event)
    }

    fn record(&mut self, event: &[u8]) -> Result<()> {
        let length = (event.len() as u64).to_le_bytes();
        let mut bytes = Vec::with_capacity(event.len() + 16);
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&masked(&length));
        bytes.extend_from_slice(event);
        bytes.extend_from_slice(&masked(event));
        Ok(self.file.write_all(&bytes)?)
    }
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c::crc32c(bytes);
    (crc.rotate_right(15).wrapping_add(0xa282_ead8)).to_le_bytes()
}

fn put_key(out: &mut Vec<u8>, field: u64, wire: u64) {
    put_varint(out, field << 3 | wire);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_double(out: &mut Vec<u8>, field: u64, value: f64) {
    put_key(out, field, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_is_the_one_tensorboard_expects() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = EventFile::create(dir.path()).unwrap();
        let values = [("loss".to_owned(), 2.5.into())].into_iter().collect();
        let line = MetricLine { step: 300, split: "train".to_owned(), values };
        file.write(&line).unwrap();
        let bytes = fs_err::read(dir.path().join(NAME)).unwrap();
        // 24 bytes of message in a record of 12 + 24 + 4
        assert_eq!(bytes[..8], 24_u64.to_le_bytes());
        assert_eq!(bytes[12..36], *b"\x09\0\0\0\0\0\0\0\0\x1a\x0dbrain.Event:2");
        assert_eq!(bytes[36..40], masked(&bytes[12..36]));
        let tail = &bytes[40..];
        assert!(tail.windows(10).any(|w| w == b"train/loss"));
        assert!(tail.windows(5).any(|w| w == [0x15, 0, 0, 0x20, 0x40]), "2.5 as a little-endian float");
    }

    #[test]
    fn the_checksum_is_castagnoli() {
        // RFC 3720, B.4: 32 bytes of zeros
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
    }
}
