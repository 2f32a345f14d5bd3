//! Blocks from short runs, collected until they fill the pipeline.
//!
//! ```text
//! sample    |E|s s s s s|E|s s s s s|E|s s  another  |E|s s
//!            |           |           |                |
//!            v           v           v                v
//! blocks    |E|E|E|E|E|...                 one call to the kernel, and all go back
//! ```

use crate::aes::{BLOCK, Block, Cipher, GATHER};

/// Blocks of one key and one mode that wait to be deciphered.
pub(crate) struct Gather<'a> {
    cipher: &'a dyn Cipher,
    mode: Mode,
    /// Where they came from.
    places: [Option<&'a mut Block>; GATHER],
    blocks: [Block; GATHER],
    /// For each block its counter, or the cipher block before it.
    partners: [Block; GATHER],
    count: usize,
}

/// What happens to gathered blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// XORed with the encrypted partner.
    Ctr,
    /// Decrypted, and XORed with the partner.
    CbcDecrypt,
}

impl<'a> Gather<'a> {
    /// Runs of at most so many blocks are gathered. Calls for longer ones overlap in the CPU.
    pub(crate) const SHORT: usize = 2;

    pub(crate) fn new(cipher: &'a dyn Cipher, mode: Mode) -> Self {
        Self {
            cipher,
            mode,
            places: [const { None }; GATHER],
            blocks: [[0; BLOCK]; GATHER],
            partners: [[0; BLOCK]; GATHER],
            count: 0,
        }
    }

    pub(crate) fn is_for(&self, cipher: &dyn Cipher, mode: Mode) -> bool {
        std::ptr::addr_eq(self.cipher, cipher) && self.mode == mode
    }

    /// Adds a block, which waits until there are enough of them.
    #[inline]
    pub(crate) fn add(&mut self, partner: &Block, block: &'a mut Block) {
        self.partners[self.count] = *partner;
        self.blocks[self.count] = *block;
        self.places[self.count] = Some(block);
        self.count += 1;
        if self.count == GATHER {
            self.finish();
        }
    }

    /// Deciphers the blocks that are there, and puts them back.
    pub(crate) fn finish(&mut self) {
        let count = std::mem::take(&mut self.count);
        match self.mode {
            Mode::Ctr => self.cipher.ctr_gathered(&self.partners, &mut self.blocks, count),
            Mode::CbcDecrypt => {
                self.cipher.cbc_decrypt_gathered(&self.partners, &mut self.blocks, count);
            }
        }
        for (place, block) in self.places[..count].iter_mut().zip(&self.blocks) {
            if let Some(place) = place.take() {
                *place = *block;
            }
        }
    }
}
