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
            if lane.blocks.len() < STRETCH {
                *is_staged = true;
                stretch.iter_mut().zip(&*lane.blocks).for_each(|(to, from)| *to = *from);
                continue;
            }
            *is_staged = !sets.take(lane.blocks);
            match lane.blocks.first_chunk_mut() {
                Some(blocks) if *is_staged => **stretch = *blocks,
                Some(blocks) => *stretch = blocks,
                None => {}
            }
        }
        encrypt(&mut chains, stretches, count);
        let places = self.0.iter().zip(chains).zip(is_staged);
        for (lane, ((stretch, chain), is_staged)) in lanes.iter_mut().zip(places) {
            let blocks = std::mem::take(&mut lane.blocks);
            let (blocks, rest) = blocks.split_at_mut(count.min(blocks.len()));
            if !is_staged {
                lane.chain = chain;
            } else if let Some(blocks) = blocks.as_mut_array() {
                (*blocks, lane.chain) = (*stretch, chain);
            } else {
                for (to, from) in blocks.iter_mut().zip(stretch) {
                    (*to, lane.chain) = (*from, *from);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of so many lanes, that lie at a distance from each other and have so many blocks, are
    /// encrypted where they lie.
    fn in_place(lanes: usize, distance: usize, blocks: usize) -> Vec<bool> {
        let mut memory = vec![[0; BLOCK]; lanes * distance / BLOCK];
        let mut lanes: Vec<_> = memory
            .chunks_exact_mut(distance / BLOCK)
            .map(|lane| Lane { chain: [0; BLOCK], blocks: &mut lane[..blocks] })
            .collect();
        let starts: Vec<_> = lanes.iter().map(|lane| lane.blocks.as_ptr()).collect();
        let mut found = Vec::new();
        Stage::new().encrypt(&mut lanes, |_, stretches, count| {
            assert_eq!(count, blocks.min(STRETCH));
            found = stretches.iter().zip(starts).map(|(at, start)| at.as_ptr() == start).collect();
        });
        found
    }

    #[test]
    fn lanes_are_encrypted_where_they_lie() {
        for distance in [128, 192, 320, 1024 + 64, 4096 - 64, 4096 + 64] {
            assert_eq!(in_place(LANES, distance, STRETCH), [true; LANES], "{distance}");
        }
    }

    #[test]
    fn lanes_that_are_short_are_staged() {
        for blocks in 0..STRETCH {
            assert_eq!(in_place(LANES, 192, blocks), [false; LANES], "{blocks}");
        }
    }

    #[test]
    fn lanes_that_would_drive_each_other_out_are_staged() {
        for distance in [4096, 8192] {
            let found = in_place(LANES, distance, 2 * STRETCH);
            assert_eq!(found, std::array::from_fn::<_, LANES, _>(|at| at < 4), "{distance}");
        }
        // Two sets, by turns.
        let found = in_place(LANES, 2048, 2 * STRETCH);
        assert_eq!(found, std::array::from_fn::<_, LANES, _>(|at| at < 8));
    }

    #[test]
    fn a_lane_gives_up_what_is_encrypted_and_keeps_the_rest() {
        let mut memory = [[0; BLOCK]; 40];
        for (place, len) in [(0..0, 0), (0..1, 1), (0..7, 7), (0..8, 8), (0..9, 8), (3..40, 8)] {
            let (first, others) = memory.split_at_mut(place.end);
            let mut lanes = [
                Lane { chain: [9; BLOCK], blocks: &mut first[place.clone()] },
                Lane { chain: [9; BLOCK], blocks: &mut others[..0] },
            ];
            Stage::new().encrypt(&mut lanes, |chains, mut stretches, count| {
                assert_eq!(count, len);
                for (at, stretch) in stretches.iter_mut().enumerate() {
                    stretch[..count].fill([u8::try_from(at).unwrap() + 1; BLOCK]);
                    chains[at] = [u8::try_from(at).unwrap() + 1; BLOCK];
                }
            });
            let [first, other] = lanes;
            let (chain, rest) = (first.chain, first.blocks.len());
            assert_eq!(chain, [if len == 0 { 9 } else { 1 }; BLOCK]);
            assert_eq!(rest, place.len() - len);
            assert_eq!(other.chain, [9; BLOCK]);
            assert!(memory[place][..len].iter().all(|block| *block == [1; BLOCK]));
            memory = [[0; BLOCK]; 40];
        }
    }
}
