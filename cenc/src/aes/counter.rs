//! The counter of AES-CTR as ISO/IEC 23001-7 has it.

use super::{BLOCK, Block};
use crate::Iv;

/// Eight octets that stay, and a number of 64 bits that counts blocks, and wraps.
#[derive(Clone, Copy)]
pub(crate) struct Counter {
    /// The octets as they lie in memory: two numbers go from call to call in registers.
    nonce: u64,
    number: u64,
}

impl Counter {
    pub(crate) fn new(iv: &Iv) -> Self {
        let [nonce, number] = [0, 8].map(|at| std::array::from_fn(|i| iv.as_bytes()[at + i]));
        Self { nonce: u64::from_ne_bytes(nonce), number: u64::from_be_bytes(number) }
    }

    /// The counter some blocks later.
    #[inline]
    pub(crate) fn plus(self, blocks: usize) -> Self {
        Self { number: self.number.wrapping_add(blocks as u64), ..self }
    }

    /// As AES takes it.
    #[inline]
    pub(crate) fn block(self) -> Block {
        let mut block = [0; BLOCK];
        block[..8].copy_from_slice(&self.nonce.to_ne_bytes());
        block[8..].copy_from_slice(&self.number.to_be_bytes());
        block
    }

    /// The last octet, and the block with a zero in its place.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(super) fn split(self) -> (usize, Block) {
        let octet = self.number & 0xff;
        (octet as usize, Self { number: self.number - octet, ..self }.block())
    }
}
