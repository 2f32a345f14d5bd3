//! AES-128 in the two modes of ISO/IEC 23001-7, as ciphers that the walk can lead.
//!
//! What a mode has to remember from one run of bytes to the next is here. Whole blocks go to a
//! kernel: three functions over blocks, each of which gets the counter or chain and leaves it
//! ready for the next block. There is one kernel, [`portable`].

mod portable;

use ::aes::Aes128;

use crate::Iv;
use crate::walk::Cipher;

/// Bytes in a block of AES.
pub(crate) const BLOCK: usize = 16;

pub(crate) type Block = [u8; BLOCK];

/// AES-CTR, which decrypts and encrypts alike. A run of bytes may end inside a block; the next one
/// goes on with the rest of that block's keystream.
pub(crate) struct Ctr<'k> {
    aes: &'k Aes128,
    iv: Iv,
    counter: Block,
    keystream: Block,
    /// How much of `keystream` is spent.
    spent: usize,
}

impl<'k> Ctr<'k> {
    pub(crate) fn new(aes: &'k Aes128, iv: Iv) -> Self {
        Self { aes, iv, counter: *iv.as_bytes(), keystream: [0; BLOCK], spent: BLOCK }
    }

    /// XORs bytes with the rest of the keystream at hand, which must suffice.
    fn spend(&mut self, bytes: &mut [u8]) {
        for (byte, key) in bytes.iter_mut().zip(&self.keystream[self.spent..]) {
            *byte ^= key;
        }
        self.spent += bytes.len();
    }
}

impl Cipher for Ctr<'_> {
    fn restart(&mut self) {
        *self = Self::new(self.aes, self.iv);
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        let left = BLOCK - self.spent;
        let (head, rest) = bytes.split_at_mut(left.min(bytes.len()));
        self.spend(head);
        let (blocks, tail) = rest.as_chunks_mut();
        portable::ctr(self.aes, &mut self.counter, blocks);
        if !tail.is_empty() {
            self.keystream = [0; BLOCK];
            portable::ctr(self.aes, &mut self.counter, std::slice::from_mut(&mut self.keystream));
            self.spent = 0;
            self.spend(tail);
        }
    }
}

/// AES-CBC over whole blocks, without padding, in one of its two directions.
pub(crate) struct Cbc<'k> {
    aes: &'k Aes128,
    iv: Iv,
    /// The cipher block before the next block.
    chain: Block,
    kernel: fn(&Aes128, &mut Block, &mut [Block]),
}

impl<'k> Cbc<'k> {
    pub(crate) fn decrypting(aes: &'k Aes128, iv: Iv) -> Self {
        Self { aes, iv, chain: *iv.as_bytes(), kernel: portable::cbc_decrypt }
    }

    pub(crate) fn encrypting(aes: &'k Aes128, iv: Iv) -> Self {
        Self { aes, iv, chain: *iv.as_bytes(), kernel: portable::cbc_encrypt }
    }
}

impl Cipher for Cbc<'_> {
    fn restart(&mut self) {
        self.chain = *self.iv.as_bytes();
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        let (blocks, rest) = bytes.as_chunks_mut();
        debug_assert!(rest.is_empty(), "CBC is given whole blocks");
        (self.kernel)(self.aes, &mut self.chain, blocks);
    }
}
