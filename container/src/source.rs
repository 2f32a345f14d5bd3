//! Where a planner reads from: something with positions.

use std::{io, ops::Range};

use crate::Error;

/// Positional reads over an input, or over the part of it that is at hand.
pub trait ReadAt {
    /// The offsets that can be read now, from the start of the input.
    fn available(&self) -> Range<u64>;

    /// Fills `buffer` with the bytes from `at` on.
    ///
    /// # Errors
    /// What the system says, or `UnexpectedEof` outside of [`available`](Self::available).
    fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl dyn ReadAt + '_ {
    /// Fills `buffer` with the bytes from `at` on, or says where that failed.
    pub(crate) fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.read_exact_at(at, buffer).map_err(|source| Error::Read { at, source })
    }
}

/// Bytes in memory, which may stand anywhere in the input.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    at: u64,
    bytes: &'a [u8],
}

impl<'a> Window<'a> {
    /// The bytes of an input from offset `at` on.
    #[must_use]
    pub fn new(at: u64, bytes: &'a [u8]) -> Self {
        Self { at, bytes }
    }
}

impl ReadAt for Window<'_> {
    fn available(&self) -> Range<u64> {
        self.at..self.at + self.bytes.len() as u64
    }

    fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
        let found = from.and_then(|from| self.bytes.get(from..)?.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_what_it_has_and_nothing_else() {
        let bytes: Vec<u8> = (0..10).collect();
        let window = Window::new(100, &bytes);
        assert_eq!(window.available(), 100..110);
        for start in 95..115 {
            for len in 0..15 {
                let mut buffer = vec![0xff; len];
                let read = window.read_exact_at(start, &mut buffer);
                let end = start + len as u64;
                if (100..=110).contains(&start) && end <= 110 {
                    read.unwrap();
                    let expected = usize::try_from(start - 100).unwrap();
                    assert_eq!(buffer, bytes[expected..expected + len]);
                } else {
                    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
                    assert_eq!(buffer, vec![0xff; len]);
                }
            }
        }
    }
}
