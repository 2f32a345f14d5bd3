//! Chains that are encrypted side by side, a stretch at a time.

use super::{BLOCK, Block};

/// Chains that go side by side.
pub(crate) const LANES: usize = 16;

/// Blocks of a chain that are encrypted at a time.
pub(crate) const STRETCH: usize = 8;

/// A chain on its way through AES-CBC.
#[derive(Default)]
pub(crate) struct Lane<'a> {
    /// The cipher block before `blocks`.
    pub(crate) chain: Block,
    /// What is to be encrypted.
    pub(crate) blocks: &'a mut [Block],
}

/// Where blocks lie while they are encrypted, if not in their lane.
pub(crate) struct Stage([[Block; STRETCH]; LANES]);

/// The next blocks of every lane.
pub(super) type Stretches<'a> = [&'a mut [Block; STRETCH]; LANES];

impl Stage {
    pub(crate) fn new() -> Self {
        Self([[[0; BLOCK]; STRETCH]; LANES])
    }

    /// Has `encrypt` encrypt the next blocks of at most [`LANES`] lanes: so many of each, chained to
    /// these. Where a lane has fewer, or there are fewer lanes, something is encrypted for nobody.
    #[inline(always)]
    pub(super) fn encrypt(
        &mut self,
        lanes: &mut [Lane<'_>],
        encrypt: impl FnOnce(&mut [Block; LANES], Stretches<'_>, usize),
    ) {
        let mut chains = [[0; BLOCK]; LANES];
        let mut stretches = self.0.each_mut();
        let mut sets = CacheSets::default();
        let (mut is_staged, mut count) = ([false; LANES], 0);
        let places = stretches.iter_mut().zip(&mut chains).zip(&mut is_staged);
        for (lane, ((stretch, chain), is_staged)) in lanes.iter_mut().zip(places) {
            *chain = lane.chain;
            count = count.max(lane.blocks.len().min(STRETCH));
            *is_staged = lane.blocks.len() < STRETCH || !sets.take(lane.blocks);
            if *is_staged {
                stretch.iter_mut().zip(&*lane.blocks).for_each(|(to, from)| *to = *from);
            } else if let Some(blocks) = lane.blocks.first_chunk_mut() {
                *stretch = blocks;
            }
        }
        encrypt(&mut chains, stretches, count);
        let places = self.0.iter().zip(chains).zip(is_staged);
        for (lane, ((stretch, chain), is_staged)) in lanes.iter_mut().zip(places) {
            let blocks = std::mem::take(&mut lane.blocks);
            let (blocks, rest) = blocks.split_at_mut(count.min(blocks.len()));
            if is_staged {
                for (to, from) in blocks.iter_mut().zip(stretch) {
                    *to = *from;
                    lane.chain = *from;
                }
            } else {
                lane.chain = chain;
            }
            lane.blocks = rest;
        }
    }
}

/// How many lanes lie in each set of the first cache. Lanes that lie at the same distance from each
/// other as the sets would drive each other out.
struct CacheSets([u8; CacheSets::SETS]);

impl Default for CacheSets {
    fn default() -> Self {
        Self([0; Self::SETS])
    }
}

impl CacheSets {
    /// Of 64 bytes each, which is what x86-64 CPUs have.
    const SETS: usize = 64;
    /// A set has eight places or more. Half of them are left to others.
    const ROOM: u8 = 4;

    /// Takes a place, if there is one.
    #[inline(always)]
    fn take(&mut self, blocks: &[Block]) -> bool {
        let taken = &mut self.0[blocks.as_ptr().addr() / 64 % Self::SETS];
        *taken += 1;
        *taken <= Self::ROOM
    }
}
