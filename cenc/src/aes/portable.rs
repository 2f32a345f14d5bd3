//! The portable kernel: the RustCrypto crates `aes`, `cbc` and `ctr`.
//!
//! It runs everywhere and is the oracle for any other kernel. Portable does not mean slow: `aes`
//! uses the AES instructions of the CPU where it finds them.

use ::aes::Aes128;
use ::aes::cipher::{
    Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, IvState, StreamCipherCore,
};
use ::cbc::{Decryptor, Encryptor};
use ::ctr::{CtrCore, flavors::Ctr64BE};

use super::Block;

/// XORs blocks with the keystream from `counter` on. The counter proper is its last 8 octets,
/// which wrap without a carry into the first 8.
pub(super) fn ctr(aes: &Aes128, counter: &mut Block, blocks: &mut [Block]) {
    let mut core = CtrCore::<_, Ctr64BE>::inner_iv_init(aes, (&*counter).into());
    core.apply_keystream_blocks(Array::cast_slice_from_core_mut(blocks));
    *counter = core.iv_state().into();
}

/// Decrypts blocks. `chain` is the cipher block before the first of them, then the last of them.
pub(super) fn cbc_decrypt(aes: &Aes128, chain: &mut Block, blocks: &mut [Block]) {
    let mut cbc = Decryptor::inner_iv_init(aes, (&*chain).into());
    cbc.decrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    *chain = cbc.iv_state().into();
}

/// Encrypts blocks. `chain` is the cipher block before the first of them, then the last of them.
pub(super) fn cbc_encrypt(aes: &Aes128, chain: &mut Block, blocks: &mut [Block]) {
    let mut cbc = Encryptor::inner_iv_init(aes, (&*chain).into());
    cbc.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    *chain = cbc.iv_state().into();
}

#[cfg(test)]
mod tests {
    // The vectors are those of NIST SP 800-38A (2001): F.2.1 and F.2.2 for CBC-AES128, F.5.1 and
    // F.5.2 for CTR-AES128.

    use ::aes::cipher::KeyInit;
    use data_encoding::HEXLOWER;

    use super::*;

    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    const CBC_IV: &str = "000102030405060708090a0b0c0d0e0f";
    const CBC_CIPHER: &str = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
                              73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7";
    const CTR_COUNTER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    const CTR_CIPHER: &str = "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
                              5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";

    fn block(hex: &str) -> Block {
        HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
    }

    fn blocks(hex: &str) -> Vec<Block> {
        HEXLOWER.decode(hex.as_bytes()).unwrap().as_chunks().0.to_vec()
    }

    fn aes() -> Aes128 {
        Aes128::new(&block(KEY).into())
    }

    type Kernel = fn(&Aes128, &mut Block, &mut [Block]);

    /// Runs the kernel over all blocks at once, and again cut in two at every place.
    #[track_caller]
    fn gives(kernel: Kernel, start: &str, input: &str, output: &str, end: Block) {
        for cut in 0..=blocks(input).len() {
            let mut state = block(start);
            let mut data = blocks(input);
            let (first, second) = data.split_at_mut(cut);
            kernel(&aes(), &mut state, first);
            kernel(&aes(), &mut state, second);
            assert_eq!(data, blocks(output), "cut after {cut} blocks");
            assert_eq!(state, end, "cut after {cut} blocks");
        }
    }

    #[test]
    fn nist_cbc_encrypt() {
        gives(cbc_encrypt, CBC_IV, PLAIN, CBC_CIPHER, *blocks(CBC_CIPHER).last().unwrap());
    }

    #[test]
    fn nist_cbc_decrypt() {
        gives(cbc_decrypt, CBC_IV, CBC_CIPHER, PLAIN, *blocks(CBC_CIPHER).last().unwrap());
    }

    #[test]
    fn nist_ctr_encrypt() {
        gives(ctr, CTR_COUNTER, PLAIN, CTR_CIPHER, block("f0f1f2f3f4f5f6f7f8f9fafbfcfdff03"));
    }

    #[test]
    fn nist_ctr_decrypt() {
        gives(ctr, CTR_COUNTER, CTR_CIPHER, PLAIN, block("f0f1f2f3f4f5f6f7f8f9fafbfcfdff03"));
    }

    #[test]
    fn the_counter_wraps_within_its_64_bits() {
        let aes = aes();
        let mut counter = block("00112233445566aafffffffffffffffe");
        let mut all = [[0; 16]; 40];
        ctr(&aes, &mut counter, &mut all);
        assert_eq!(counter, block("00112233445566aa0000000000000026"));

        let mut zero = block("00112233445566aa0000000000000000");
        let mut from_zero = [[0; 16]; 38];
        ctr(&aes, &mut zero, &mut from_zero);
        assert_eq!(all[2..], from_zero);
    }
}
