//! The oracle: each scheme as one would explain it, byte by byte and block by block.
//!
//! It shares no code with the walk or the modes. It collects the bytes that a chain or keystream
//! passes over, ciphers them in a row, and puts them back.

use ::aes::Aes128;
use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::{Iv, Pattern, Scheme, Subsample};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    Decrypt,
    Encrypt,
}

/// A sample, decrypted or encrypted.
pub(crate) fn cipher(
    direction: Direction,
    key: &[u8; 16],
    (scheme, iv, pattern): (Scheme, Iv, Pattern),
    subsamples: Option<&[Subsample]>,
    sample: &[u8],
) -> Vec<u8> {
    let aes = Aes128::new(key.into());
    let mut sample = sample.to_vec();
    for chain in chains(scheme, pattern, subsamples, sample.len()) {
        let bytes: Vec<u8> = chain.iter().map(|&at| sample[at]).collect();
        let bytes = match scheme {
            Scheme::Cenc | Scheme::Cens => ctr(&aes, iv, &bytes),
            Scheme::Cbc1 | Scheme::Cbcs => cbc(direction, &aes, iv, &bytes),
        };
        for (at, byte) in chain.into_iter().zip(bytes) {
            sample[at] = byte;
        }
    }
    sample
}

/// The positions of the bytes that are ciphered in a row: one list, or with `cbcs` one for each
/// protected range.
pub(crate) fn chains(
    scheme: Scheme,
    pattern: Pattern,
    subsamples: Option<&[Subsample]>,
    len: usize,
) -> Vec<Vec<usize>> {
    let mut ranges = Vec::new();
    match subsamples {
        None => ranges.push(0..len),
        Some(subsamples) => {
            let mut end = 0;
            for subsample in subsamples {
                let start = end + usize::from(subsample.clear);
                end = start + subsample.protected as usize;
                ranges.push(start..end);
            }
        }
    }
    let chains: Vec<Vec<usize>> = ranges
        .into_iter()
        .map(|range| {
            let start = range.start;
            let size = range.len();
            range.filter(|at| is_protected(scheme, pattern, at - start, size)).collect()
        })
        .collect();
    if scheme == Scheme::Cbcs { chains } else { vec![chains.concat()] }
}

/// Whether the byte at `offset` of a protected range of `size` bytes is protected in fact.
fn is_protected(scheme: Scheme, pattern: Pattern, offset: usize, size: usize) -> bool {
    let is_keystream = [Scheme::Cenc, Scheme::Cens].contains(&scheme);
    if is_keystream && pattern == Pattern::NONE {
        return true;
    }
    let block = offset / 16;
    if block >= size / 16 {
        return false;
    }
    let crypt = usize::from(pattern.crypt_byte_block());
    match usize::from(pattern.skip_byte_block()) {
        0 => true,
        skip => block % (crypt + skip) < crypt,
    }
}

fn ctr(aes: &Aes128, iv: Iv, bytes: &[u8]) -> Vec<u8> {
    let (nonce, counter) = iv.as_bytes().split_at(8);
    let counter = u64::from_be_bytes(counter.try_into().expect("the other half"));
    let keystream = (0..).flat_map(|block| {
        let counter = counter.wrapping_add(block).to_be_bytes();
        let mut block = [0; 16];
        block[..8].copy_from_slice(nonce);
        block[8..].copy_from_slice(&counter);
        let mut block = block.into();
        aes.encrypt_block(&mut block);
        <[u8; 16]>::from(block)
    });
    bytes.iter().zip(keystream).map(|(byte, key)| byte ^ key).collect()
}

fn cbc(direction: Direction, aes: &Aes128, iv: Iv, bytes: &[u8]) -> Vec<u8> {
    let mut chain = *iv.as_bytes();
    let (blocks, rest) = bytes.as_chunks::<16>();
    assert!(rest.is_empty());
    let each = |input: &[u8; 16]| match direction {
        Direction::Encrypt => {
            let mut block = xor(input, &chain).into();
            aes.encrypt_block(&mut block);
            chain = block.into();
            chain
        }
        Direction::Decrypt => {
            let mut block = (*input).into();
            aes.decrypt_block(&mut block);
            let output = xor(&block.into(), &chain);
            chain = *input;
            output
        }
    };
    blocks.iter().flat_map(each).collect()
}

fn xor(a: &[u8; 16], b: &[u8; 16]) -> [u8; 16] {
    std::array::from_fn(|i| a[i] ^ b[i])
}
