//! Numbers and slices of a file, by their place.

use super::Refusal;

/// Bytes in which a place behind the end means that the file is cut short.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// `length` bytes from `at`.
    pub(super) fn slice(self, at: usize, length: usize) -> Result<&'a [u8], Refusal> {
        let end = at.checked_add(length).ok_or(Refusal::Truncated)?;
        self.0.get(at..end).ok_or(Refusal::Truncated)
    }

    fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Refusal> {
        let mut out = [0; N];
        out.copy_from_slice(self.slice(at, N)?);
        Ok(out)
    }

    pub(super) fn u8(self, at: usize) -> Result<u8, Refusal> {
        self.0.get(at).copied().ok_or(Refusal::Truncated)
    }

    pub(super) fn u16_be(self, at: usize) -> Result<u16, Refusal> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub(super) fn u16_le(self, at: usize) -> Result<u16, Refusal> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// Three bytes, the lowest first.
    pub(super) fn u24_le(self, at: usize) -> Result<u32, Refusal> {
        let [a, b, c] = self.array(at)?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    pub(super) fn u32_be(self, at: usize) -> Result<u32, Refusal> {
        self.array(at).map(u32::from_be_bytes)
    }

    pub(super) fn u32_le(self, at: usize) -> Result<u32, Refusal> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn i32_le(self, at: usize) -> Result<i32, Refusal> {
        self.array(at).map(i32::from_le_bytes)
    }
}
