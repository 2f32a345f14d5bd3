//! AES-128 in the two modes of ISO/IEC 23001-7, by the fastest means that the CPU has.
//!
//! A *kernel* is one such means. It works on neighbouring bytes, on blocks gathered from many
//! places, and on many chains side by side; which bytes those are is decided elsewhere. [`kernel`]
//! has the table of them; [`portable`] is the oracle for all the others.

mod counter;
mod kernel;
mod lanes;
mod portable;
#[cfg(test)]
mod tests;
// Vendor intrinsics load and store through pointers, and run on some CPUs only.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86_64;

pub(crate) use self::counter::Counter;
pub use self::kernel::Kernel;
#[cfg(test)]
pub(crate) use self::lanes::STRETCH;
pub(crate) use self::lanes::{LANES, Lane, Stage};

/// Bytes in a block of AES.
pub(crate) const BLOCK: usize = 16;

pub(crate) type Block = [u8; BLOCK];

/// Blocks that are gathered at most: as many as the widest kernel works on at a time.
pub(crate) const GATHER: usize = 32;

/// A key, expanded for a kernel, and what the kernel does with it. It is wiped on drop.
pub(crate) trait Cipher: Send + Sync {
    /// XORs bytes with the keystream from `counter` on.
    fn ctr(&self, counter: Counter, bytes: &mut [u8]);

    /// XORs each of the first `count` blocks with its encrypted counter. Blocks behind them may
    /// change, too.
    fn ctr_gathered(&self, counters: &[Block; GATHER], blocks: &mut [Block; GATHER], count: usize);

    /// Decrypts a chain of blocks. `chain` is the cipher block before the first of them.
    fn cbc_decrypt(&self, chain: &Block, blocks: &mut [Block]);

    /// Decrypts each of the first `count` blocks and XORs it with the cipher block that was before
    /// it. Blocks behind them may change, too.
    fn cbc_decrypt_gathered(
        &self,
        before: &[Block; GATHER],
        blocks: &mut [Block; GATHER],
        count: usize,
    );

    /// Encrypts a chain of blocks. `chain` is the cipher block before the first of them, and then
    /// the last of them.
    fn cbc_encrypt(&self, chain: &mut Block, blocks: &mut [Block]);

    /// Encrypts the next blocks of every lane, as far as the stage reaches, and takes them out of it.
    /// There are at most [`LANES`].
    fn cbc_encrypt_lanes(&self, stage: &mut Stage, lanes: &mut [Lane<'_>]);
}
