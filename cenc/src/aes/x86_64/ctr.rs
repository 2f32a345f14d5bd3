//! AES-CTR.

use super::isa::Isa;
use super::rounds::{self, GROUP, Work, with_vectors};
use super::schedule::{COUNTERS, Keys, ROUND_KEYS, Schedule};
use crate::aes::{BLOCK, Block, Counter};

/// XORs neighbouring bytes with the keystream from `counter` on.
///
/// ```text
/// for each piece whose counters differ in their last octet only:
///     base = first round of its counters, their last octet 0
///     for each group of blocks:
///         states = base ^ first_round[last octets]
///         nine more rounds
///         bytes ^= states
/// ```
#[inline(always)]
pub(super) fn apply<I: Isa>(isa: I, schedule: &Schedule, counter: Counter, bytes: &mut [u8]) {
    let keys = &schedule.encrypt;
    let (mut counter, mut rest) = (counter, bytes);
    while !rest.is_empty() {
        let (octet, first) = counter.split();
        let base = isa.encrypt(isa.xor(isa.splat(&first), isa.load(&keys[0])), isa.load(&keys[1]));
        let mut first_round = &schedule.first_round[octet..];
        let piece;
        (piece, rest) = rest.split_at_mut(rest.len().min((COUNTERS - octet) * BLOCK));
        let mut groups = piece.chunks_exact_mut(GROUP * I::BLOCKS * BLOCK);
        for bytes in &mut groups {
            let now;
            (now, first_round) = first_round.split_at(GROUP * I::BLOCKS);
            Neighbours { isa, keys, base, first_round: now, bytes }.run::<GROUP>();
        }
        let bytes = groups.into_remainder();
        let vectors = bytes.len().div_ceil(I::BLOCKS * BLOCK);
        with_vectors(vectors, Neighbours { isa, keys, base, first_round, bytes });
        counter = counter.plus(COUNTERS - octet);
    }
}

/// A group of neighbouring bytes. The last vector may be cut short.
struct Neighbours<'a, I: Isa> {
    isa: I,
    keys: &'a Keys,
    base: I::Vector,
    first_round: &'a [Block],
    bytes: &'a mut [u8],
}

impl<I: Isa> Work for Neighbours<'_, I> {
    #[inline(always)]
    fn run<const N: usize>(self) {
        let Self { isa, keys, base, first_round, bytes } = self;
        let first_round = &first_round[..N * I::BLOCKS];
        let mut states = [base; N];
        for (state, octets) in states.iter_mut().zip(first_round.chunks_exact(I::BLOCKS)) {
            *state = isa.xor(*state, isa.load(octets));
        }
        rounds::encrypt(isa, keys, 2, &mut states);
        let last = isa.load(&keys[ROUND_KEYS - 1]);
        let (whole, part) = bytes.split_at_mut((N - 1) * I::BLOCKS * BLOCK);
        let (blocks, _) = whole.as_chunks_mut();
        for (state, blocks) in states.into_iter().zip(blocks.chunks_exact_mut(I::BLOCKS)) {
            let bytes = isa.xor(isa.load(blocks), last);
            isa.store(isa.encrypt_last(state, bytes), blocks);
        }
        let bytes = isa.xor(isa.load_part(part), last);
        isa.store_part(isa.encrypt_last(states[N - 1], bytes), part);
    }
}

/// XORs gathered blocks, each with its own encrypted counter.
#[inline(always)]
pub(super) fn gathered<I: Isa>(
    isa: I,
    schedule: &Schedule,
    counters: &[Block],
    blocks: &mut [Block],
) {
    let keys = &schedule.encrypt;
    let group = GROUP * I::BLOCKS;
    for (counters, blocks) in counters.chunks(group).zip(blocks.chunks_mut(group)) {
        with_vectors(blocks.len().div_ceil(I::BLOCKS), Gathered { isa, keys, counters, blocks });
    }
}

/// A group of gathered blocks, as whole vectors.
struct Gathered<'a, I: Isa> {
    isa: I,
    keys: &'a Keys,
    counters: &'a [Block],
    blocks: &'a mut [Block],
}

impl<I: Isa> Work for Gathered<'_, I> {
    #[inline(always)]
    fn run<const N: usize>(self) {
        let Self { isa, keys, counters, blocks } = self;
        let counters = &counters[..N * I::BLOCKS];
        let key = isa.load(&keys[0]);
        let mut states = [key; N];
        for (state, counters) in states.iter_mut().zip(counters.chunks_exact(I::BLOCKS)) {
            *state = isa.xor(isa.load(counters), key);
        }
        rounds::encrypt(isa, keys, 1, &mut states);
        for (state, blocks) in states.into_iter().zip(blocks.chunks_exact_mut(I::BLOCKS)) {
            let bytes = isa.xor(isa.load(blocks), isa.load(&keys[ROUND_KEYS - 1]));
            isa.store(isa.encrypt_last(state, bytes), blocks);
        }
    }
}
