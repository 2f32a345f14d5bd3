//! The bytes of a stream.

use std::ops::{Deref, DerefMut};

/// Bytes from the start of a cache line on, with room behind them.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// Bytes behind the others: OpenSSL's bindings ask for a block of room.
    pub const ROOM: usize = 16;

    /// Zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let bytes = vec![0; len + Self::ROOM + LINE];
        let start = bytes.as_ptr().align_offset(LINE);
        Self { bytes, start, len }
    }

    /// Bytes that look like those of a compressed stream.
    #[must_use]
    pub fn noise(len: usize) -> Self {
        let mut buffer = Self::zeros(len);
        let mut state: u64 = 1;
        for byte in &mut buffer[..len] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
        buffer
    }

    /// The bytes without the room.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self[..self.len]
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut buffer = Self::zeros(self.len);
        buffer[..self.len].copy_from_slice(self.bytes());
        buffer
    }
}

/// The bytes and the room.
impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len + Self::ROOM]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len + Self::ROOM]
    }
}

const LINE: usize = 64;
