//! The portable kernel: the RustCrypto crates `aes`, `cbc` and `ctr`.
//!
//! It runs everywhere and is the oracle for every other kernel. Portable does not mean slow: `aes`
//! uses the AES instructions of the CPU where it finds them.

use ::aes::Aes128;
use ::aes::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit,
    IvState, KeyInit, StreamCipher, StreamCipherCoreWrapper,
};
use ::cbc::{Decryptor, Encryptor};
use ::ctr::{CtrCore, flavors::Ctr64BE};
use zeroize::ZeroizeOnDrop;

use super::{Block, Cipher, Counter, GATHER, Lane, Stage, kernel};

pub(super) static PORTABLE: kernel::Row = kernel::Row {
    name: "portable",
    detect: || true,
    expand: |key| Box::new(Portable(Aes128::new(key.into()))),
};

struct Portable(Aes128);

/// Does not compile if `aes` loses its feature `zeroize`, without which nothing would be wiped.
const _: () = {
    const fn is_wiped<T: ZeroizeOnDrop>() {}
    is_wiped::<Aes128>();
};

impl Cipher for Portable {
    fn ctr(&self, counter: Counter, bytes: &mut [u8]) {
        let core = CtrCore::<_, Ctr64BE>::inner_iv_init(&self.0, &counter.block().into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
    }

    fn ctr_gathered(&self, counters: &[Block; GATHER], blocks: &mut [Block; GATHER], count: usize) {
        let mut keystream = *counters;
        self.0.encrypt_blocks(Array::cast_slice_from_core_mut(&mut keystream[..count]));
        for (block, keystream) in blocks.iter_mut().zip(&keystream[..count]) {
            xor(block, keystream);
        }
    }

    fn cbc_decrypt(&self, chain: &Block, blocks: &mut [Block]) {
        let mut cbc = Decryptor::inner_iv_init(&self.0, chain.into());
        cbc.decrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }

    fn cbc_decrypt_gathered(
        &self,
        before: &[Block; GATHER],
        blocks: &mut [Block; GATHER],
        count: usize,
    ) {
        self.0.decrypt_blocks(Array::cast_slice_from_core_mut(&mut blocks[..count]));
        for (block, before) in blocks.iter_mut().zip(&before[..count]) {
            xor(block, before);
        }
    }

    fn cbc_encrypt(&self, chain: &mut Block, blocks: &mut [Block]) {
        let mut cbc = Encryptor::inner_iv_init(&self.0, (&*chain).into());
        cbc.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
        *chain = cbc.iv_state().into();
    }

    fn cbc_encrypt_lanes(&self, stage: &mut Stage, lanes: &mut [Lane<'_>]) {
        stage.encrypt(lanes, |chains, mut stretches, count| {
            for at in 0..count {
                for (chain, lane) in chains.iter_mut().zip(&stretches) {
                    xor(chain, &lane[at]);
                }
                self.0.encrypt_blocks(Array::cast_slice_from_core_mut(chains));
                for (chain, lane) in chains.iter().zip(&mut stretches) {
                    lane[at] = *chain;
                }
            }
        });
    }
}

fn xor(block: &mut Block, other: &Block) {
    for (octet, other) in block.iter_mut().zip(other) {
        *octet ^= other;
    }
}
