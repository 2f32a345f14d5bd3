//! AES-CBC.

use super::isa::{Isa, Narrow};
use super::rounds::{self, GROUP, Work, with_vectors};
use super::schedule::{Keys, ROUND_KEYS, Schedule};
use crate::aes::lanes::{STRETCH, Stretches};
use crate::aes::{Block, LANES};

/// Decrypts neighbouring blocks; `chain` is the cipher block before the first of them.
///
/// Goes from the last group to the first, so that every group still finds the cipher block before
/// it.
#[inline(always)]
pub(super) fn decrypt<I: Isa>(isa: I, schedule: &Schedule, chain: &Block, blocks: &mut [Block]) {
    let keys = &schedule.decrypt;
    let group = GROUP * I::BLOCKS;
    let whole = blocks.len() / group * group;
    let (mut rest, last) = blocks.split_at_mut(whole);
    let chain_of = |rest: &[Block]| *rest.last().unwrap_or(chain);
    let vectors = last.len().div_ceil(I::BLOCKS);
    with_vectors(vectors, Neighbours { isa, keys, chain: chain_of(rest), blocks: last });
    while let Some(start) = rest.len().checked_sub(group) {
        let blocks;
        (rest, blocks) = rest.split_at_mut(start);
        Neighbours { isa, keys, chain: chain_of(rest), blocks }.run::<GROUP>();
    }
}

/// A group of neighbouring blocks. The last vector may be cut short.
struct Neighbours<'a, I: Isa> {
    isa: I,
    keys: &'a Keys,
    chain: Block,
    blocks: &'a mut [Block],
}

impl<I: Isa> Work for Neighbours<'_, I> {
    #[inline(always)]
    fn run<const N: usize>(self) {
        let Self { isa, keys, chain, blocks } = self;
        let last = (N - 1) * I::BLOCKS;
        let mut states = [isa.load_part(blocks[last..].as_flattened()); N];
        for (state, blocks) in states.iter_mut().zip(blocks[..last].chunks_exact(I::BLOCKS)) {
            *state = isa.load(blocks);
        }
        let before_first = isa.shift(isa.splat(&chain), states[0]);
        let key = isa.load(&keys[0]);
        for state in &mut states {
            *state = isa.xor(*state, key);
        }
        rounds::decrypt(isa, keys, &mut states);
        let key = isa.load(&keys[ROUND_KEYS - 1]);
        // From the last vector to the first: what is stored has been loaded by all who want it.
        let before = match N {
            1 => before_first,
            _ => isa.load_part(blocks[last - 1..blocks.len() - 1].as_flattened()),
        };
        let clear = isa.decrypt_last(states[N - 1], isa.xor(before, key));
        isa.store_part(clear, blocks[last..].as_flattened_mut());
        for at in (1..N - 1).rev() {
            let before = isa.load(&blocks[at * I::BLOCKS - 1..]);
            let clear = isa.decrypt_last(states[at], isa.xor(before, key));
            isa.store(clear, &mut blocks[at * I::BLOCKS..]);
        }
        if N > 1 {
            isa.store(isa.decrypt_last(states[0], isa.xor(before_first, key)), blocks);
        }
    }
}

/// Decrypts gathered blocks, each of which is XORed with the cipher block that was before it.
#[inline(always)]
pub(super) fn decrypt_gathered<I: Isa>(
    isa: I,
    schedule: &Schedule,
    before: &[Block],
    blocks: &mut [Block],
) {
    let keys = &schedule.decrypt;
    let group = GROUP * I::BLOCKS;
    for (before, blocks) in before.chunks(group).zip(blocks.chunks_mut(group)) {
        with_vectors(blocks.len().div_ceil(I::BLOCKS), Gathered { isa, keys, before, blocks });
    }
}

/// A group of gathered blocks, as whole vectors.
struct Gathered<'a, I: Isa> {
    isa: I,
    keys: &'a Keys,
    before: &'a [Block],
    blocks: &'a mut [Block],
}

impl<I: Isa> Work for Gathered<'_, I> {
    #[inline(always)]
    fn run<const N: usize>(self) {
        let Self { isa, keys, before, blocks } = self;
        let blocks = &mut blocks[..N * I::BLOCKS];
        let key = isa.load(&keys[0]);
        let mut states = [key; N];
        for (state, blocks) in states.iter_mut().zip(blocks.chunks_exact(I::BLOCKS)) {
            *state = isa.xor(isa.load(blocks), key);
        }
        rounds::decrypt(isa, keys, &mut states);
        let pieces = blocks.chunks_exact_mut(I::BLOCKS).zip(before.chunks_exact(I::BLOCKS));
        for (state, (blocks, before)) in states.into_iter().zip(pieces) {
            let before = isa.xor(isa.load(before), isa.load(&keys[ROUND_KEYS - 1]));
            isa.store(isa.decrypt_last(state, before), blocks);
        }
    }
}

/// Encrypts a chain; `chain` is the cipher block before it, and then its last one.
#[inline(always)]
pub(super) fn encrypt<I: Narrow>(
    isa: I,
    schedule: &Schedule,
    chain: &mut Block,
    blocks: &mut [Block],
) {
    let keys = &schedule.encrypt;
    let mut states = [isa.splat(chain)];
    for block in &mut *blocks {
        let clear = isa.xor(isa.splat(block), isa.load(&keys[0]));
        states[0] = isa.xor(states[0], clear);
        rounds::encrypt(isa, keys, 1, &mut states);
        states[0] = isa.encrypt_last(states[0], isa.load(&keys[ROUND_KEYS - 1]));
        isa.scatter(states[0], |at, cipher| {
            if at == 0 {
                *block = cipher;
            }
        });
    }
    *chain = blocks.last().copied().unwrap_or(*chain);
}

/// Encrypts the first `count` blocks of every stretch, each chained to its block in `chains`, which
/// becomes the last of them.
///
/// A chain is serial: each block waits for the one before it. So many of them go side by side, one
/// in each block of each vector.
#[inline(always)]
pub(super) fn encrypt_lanes<I: Narrow>(
    isa: I,
    schedule: &Schedule,
    chains: &mut [Block; LANES],
    mut stretches: Stretches<'_>,
    count: usize,
) {
    let keys = &schedule.encrypt;
    let width = GROUP * I::BLOCKS;
    for (chains, lanes) in chains.chunks_exact_mut(width).zip(stretches.chunks_exact_mut(width)) {
        let mut states = [isa.load(chains); GROUP];
        for (state, chains) in states.iter_mut().zip(chains.chunks_exact(I::BLOCKS)) {
            *state = isa.load(chains);
        }
        for row in 0..count.min(STRETCH) {
            let key = isa.load(&keys[0]);
            for (state, lanes) in states.iter_mut().zip(lanes.chunks_exact(I::BLOCKS)) {
                let clear = isa.gather(|at| &lanes[at][row]);
                *state = isa.xor(*state, isa.xor(clear, key));
            }
            rounds::encrypt(isa, keys, 1, &mut states);
            let key = isa.load(&keys[ROUND_KEYS - 1]);
            for (state, lanes) in states.iter_mut().zip(lanes.chunks_exact_mut(I::BLOCKS)) {
                *state = isa.encrypt_last(*state, key);
                isa.scatter(*state, |at, cipher| lanes[at][row] = cipher);
            }
        }
        for (state, chains) in states.into_iter().zip(chains.chunks_exact_mut(I::BLOCKS)) {
            isa.store(state, chains);
        }
    }
}
