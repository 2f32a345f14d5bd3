//! What a key is expanded into, once.

use zeroize::Zeroize;

use super::isa::{Isa, WIDEST};
use crate::aes::{BLOCK, Block};

/// AES-128 has eleven round keys.
pub(super) const ROUND_KEYS: usize = 11;

/// The keys of all rounds, in the order in which they are used; wiped on drop.
#[repr(align(64))]
pub(super) struct Schedule {
    /// Of the cipher.
    pub(super) encrypt: Keys,
    /// Of the equivalent inverse cipher.
    pub(super) decrypt: Keys,
    /// The first round of counters, done beforehand: see [`first_round`].
    pub(super) first_round: [Block; COUNTERS + WIDEST],
}

/// Each key as often as the widest vector takes it.
pub(super) type Keys = [[Block; WIDEST]; ROUND_KEYS];

/// So many counters differ in their last octet only.
pub(super) const COUNTERS: usize = 256;

impl Schedule {
    /// A schedule of no key.
    pub(super) const EMPTY: Self = Self {
        encrypt: [[ZERO; WIDEST]; ROUND_KEYS],
        decrypt: [[ZERO; WIDEST]; ROUND_KEYS],
        first_round: [ZERO; COUNTERS + WIDEST],
    };

    /// Expands a key where it is to stay, so that no copy is left behind.
    #[inline(always)]
    pub(super) fn expand<I: Isa>(&mut self, isa: I, key: &Block) {
        self.encrypt[0] = [*key; WIDEST];
        for round in 1..ROUND_KEYS {
            self.encrypt[round] = [next(isa, &self.encrypt[round - 1][0], RCON[round - 1]); WIDEST];
        }
        self.decrypt[0] = self.encrypt[ROUND_KEYS - 1];
        for round in 1..ROUND_KEYS - 1 {
            self.decrypt[round] = [inverse(isa, &self.encrypt[ROUND_KEYS - 1 - round][0]); WIDEST];
        }
        self.decrypt[ROUND_KEYS - 1] = [*key; WIDEST];
        first_round(isa, key, &mut self.first_round);
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.encrypt.zeroize();
        self.decrypt.zeroize();
        self.first_round.zeroize();
    }
}

/// The round key after `key` (FIPS 197, 5.2).
#[inline(always)]
fn next<I: Isa>(isa: I, key: &Block, rcon: u8) -> Block {
    let [a, b, c, d] = words(key);
    // ShiftRows leaves four equal columns as they are, so this is SubWord.
    let rotated = block([d.rotate_right(8); 4]);
    let substituted = one(isa, isa.encrypt_last(isa.splat(&rotated), isa.splat(&ZERO)));
    let a = a ^ words(&substituted)[0] ^ u32::from(rcon);
    block([a, a ^ b, a ^ b ^ c, a ^ b ^ c ^ d])
}

/// InvMixColumns of a round key: what the last round does, a round of the inverse cipher undoes.
#[inline(always)]
fn inverse<I: Isa>(isa: I, key: &Block) -> Block {
    let zero = isa.splat(&ZERO);
    one(isa, isa.decrypt(isa.encrypt_last(isa.splat(key), zero), zero))
}

/// What the last octet of a counter adds to the state after the first round.
///
/// Counters that differ in that octet only have states after the first round that differ by
/// something which depends on the octet and the key, and not on the rest of the counter. So one
/// round is done for up to 256 blocks at once, and each of them needs nine more; the counter is
/// made on the way. The entry for a block is found by its counter, which is no secret.
#[inline(always)]
fn first_round<I: Isa>(isa: I, key: &Block, table: &mut [Block; COUNTERS + WIDEST]) {
    let zero = isa.splat(&ZERO);
    let none = isa.encrypt(isa.splat(key), zero);
    for (octet, entry) in (0..=u8::MAX).zip(table) {
        let mut counter = *key;
        counter[BLOCK - 1] ^= octet;
        *entry = one(isa, isa.xor(isa.encrypt(isa.splat(&counter), zero), none));
    }
}

/// The first block of a vector.
#[inline(always)]
fn one<I: Isa>(isa: I, vector: I::Vector) -> Block {
    let mut blocks = [ZERO; WIDEST];
    isa.store(vector, &mut blocks);
    blocks[0]
}

#[inline(always)]
fn words(block: &Block) -> [u32; 4] {
    let (words, _) = block.as_chunks();
    std::array::from_fn(|at| u32::from_le_bytes(words[at]))
}

#[inline(always)]
fn block(words: [u32; 4]) -> Block {
    let mut block = ZERO;
    for (octets, word) in block.as_chunks_mut().0.iter_mut().zip(words) {
        *octets = word.to_le_bytes();
    }
    block
}

const ZERO: Block = [0; BLOCK];

const RCON: [u8; ROUND_KEYS - 1] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36];

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::super::aesni::Aesni;
    use super::*;

    #[test]
    fn a_schedule_is_wiped_when_it_is_dropped() {
        let Some(isa) = Aesni::detect() else { return };
        let mut place = MaybeUninit::new(Schedule::EMPTY);
        // SAFETY: there is a schedule.
        let schedule = unsafe { place.assume_init_mut() };
        schedule.expand(isa, &[0x3c; BLOCK]);
        assert!(schedule.encrypt.as_flattened().iter().all(|key| *key != ZERO));
        assert!(schedule.decrypt.as_flattened().iter().all(|key| *key != ZERO));
        assert!(schedule.first_round[1..COUNTERS].iter().all(|entry| *entry != ZERO));
        // SAFETY: there is a schedule, and nobody uses it any more.
        unsafe { place.assume_init_drop() };
        // SAFETY: a schedule is octets without gaps, and dropping it leaves its memory.
        let octets = unsafe {
            std::slice::from_raw_parts(place.as_ptr().cast::<u8>(), size_of::<Schedule>())
        };
        assert_eq!(size_of::<Schedule>(), (2 * ROUND_KEYS * WIDEST + COUNTERS + WIDEST) * BLOCK);
        assert!(octets.iter().all(|octet| *octet == 0));
    }
}
