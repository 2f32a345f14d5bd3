//! An input that is read in small steps.

use std::{cell::RefCell, io, ops::Range};

use crate::{ReadAt, Window};

/// Keeps a little more than what was asked for last: headers that stand close together are one read.
pub(crate) struct Near<'s> {
    source: &'s dyn ReadAt,
    kept: RefCell<Kept>,
}

/// Bytes of the source, from an offset on.
struct Kept {
    at: u64,
    bytes: Vec<u8>,
}

/// Bytes that are read at once.
const READ: u64 = 256;

impl<'s> Near<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt) -> Self {
        Self { source, kept: RefCell::new(Kept { at: 0, bytes: Vec::new() }) }
    }
}

impl ReadAt for Near<'_> {
    fn available(&self) -> Range<u64> {
        self.source.available()
    }

    fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let Kept { at: kept_at, bytes } = &mut *self.kept.borrow_mut();
        if Window::new(*kept_at, bytes).read_exact_at(at, buffer).is_ok() {
            return Ok(());
        }
        let len = self.available().end.saturating_sub(at).min(READ);
        if buffer.len() as u64 >= len {
            return self.source.read_exact_at(at, buffer);
        }
        bytes.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
        *kept_at = at;
        if self.source.read_exact_at(at, bytes).is_err() {
            // What was not asked for may be what cannot be read.
            bytes.clear();
            return self.source.read_exact_at(at, buffer);
        }
        let (asked, _) = bytes.split_at(buffer.len());
        buffer.copy_from_slice(asked);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Bytes of which those from an offset on cannot be read, and how often it was tried.
    struct Counted<'b> {
        bytes: &'b [u8],
        bad: u64,
        reads: Cell<u32>,
    }

    impl ReadAt for Counted<'_> {
        fn available(&self) -> Range<u64> {
            0..self.bytes.len() as u64
        }

        fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.reads.set(self.reads.get() + 1);
            match at + buffer.len() as u64 <= self.bad {
                true => Window::new(0, self.bytes).read_exact_at(at, buffer),
                false => Err(io::Error::other("bad")),
            }
        }
    }

    fn bytes() -> Vec<u8> {
        (0..3000_u32).flat_map(u32::to_le_bytes).collect()
    }

    #[test]
    fn small_reads_are_few_and_all_are_right() {
        let bytes = bytes();
        let counted = Counted { bytes: &bytes, bad: u64::MAX, reads: Cell::new(0) };
        let near = Near::new(&counted);
        for len in [1, 2, 12, 255, 256, 257, 1000] {
            counted.reads.set(0);
            let steps = bytes.len() / len;
            for step in 0..steps {
                let (at, mut read) = (step * len, vec![0; len]);
                near.read_exact_at(at as u64, &mut read).unwrap();
                assert!(read == bytes[at..at + len], "{len} at {at}");
            }
            let most = steps.min(bytes.len() * 2 / 256);
            assert!(counted.reads.get() as usize <= most + 1, "{len}: {}", counted.reads.get());
        }
    }

    #[test]
    fn what_lies_behind_what_is_asked_for_need_not_be_readable() {
        let bytes = bytes();
        let counted = Counted { bytes: &bytes, bad: 500, reads: Cell::new(0) };
        let near = Near::new(&counted);
        let mut read = [0; 4];
        for at in [100, 300, 496, 100] {
            near.read_exact_at(at, &mut read).unwrap();
            assert_eq!(read, bytes[usize::try_from(at).unwrap()..][..4]);
        }
        assert!(near.read_exact_at(498, &mut read).is_err());
        let end = bytes.len() as u64;
        let past = near.read_exact_at(end - 2, &mut read);
        assert!(past.is_err() && near.read_exact_at(end + 9, &mut read).is_err());
    }
}
