//! A block of an encrypted track, and what becomes of it (RFC 9559, 10; WebM Encryption, 4.7).
//!
//! ```text
//! id | size | track number, time, flags | signal byte, iv, partitions | data
//! id | size | track number, time, flags | data | Void
//! ```

use crate::{
    edit::Change,
    webm::{
        ebml::{self, Header, unknown, vint},
        tracks::void,
    },
};

/// Bytes of time and flags.
const TIME_AND_FLAGS: usize = 3;

/// What stands before the frames of a block: track number, time and flags.
pub(crate) struct BlockHeader {
    pub(crate) track: u64,
    bytes: Vec<u8>,
}

/// The longest block header.
pub(crate) const LONGEST_HEADER: usize = 8 + TIME_AND_FLAGS;

impl BlockHeader {
    /// Reads it from the start of a block's body; `None` if that ends inside of it.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let (track, width) = vint(body)?;
        let bytes = body.get(..width + TIME_AND_FLAGS)?.to_vec();
        Some(Self { track, bytes })
    }

    /// Its time, counted from that of its cluster.
    pub(crate) fn time(&self) -> i16 {
        match self.bytes.as_slice() {
            [.., high, low, _] => i16::from_be_bytes([*high, *low]),
            _ => 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether a simple block holds key frames only.
    pub(crate) fn is_key(&self) -> bool {
        self.bytes.last().is_some_and(|flags| flags & 0x80 != 0)
    }

    /// Whether several frames share the block.
    pub(crate) fn has_lacing(&self) -> bool {
        self.bytes.last().is_some_and(|flags| flags & 0x06 != 0)
    }

    /// Takes `gap` bytes out from before the data of a block whose element has `header` and a body of `size`
    /// bytes, so that the block takes as many bytes as before.
    pub(crate) fn without(&self, header: &Header, size: u64, gap: usize) -> Change {
        let start = |width| {
            let size = ebml::size(size - gap as u64, width);
            [ebml::id(header.id), size, self.bytes.clone()].concat()
        };
        let shift = |width: usize, gap: usize| Change::Shift {
            head: start(width),
            len: size - (self.len() + gap) as u64,
            filler: void(gap as u64 + (header.width - width) as u64),
        };
        match (gap, header.width) {
            // Padding has two bytes at least, so the size takes the one that is too many; or, at its
            // widest, gives one.
            (1, 8) => shift(7, gap),
            (1, width) => Change::Overwrite(start(width + 1)),
            (_, width) => {
                debug_assert!(size < unknown(width));
                shift(width, gap)
            }
        }
    }
}
