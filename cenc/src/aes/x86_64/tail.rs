//! Less than a block: loaded and stored in two pieces that may overlap, which is faster than a copy
//! whose length is not known beforehand.

use crate::aes::Block;

/// Fewer bytes than a block has, and zeros behind them.
#[inline(always)]
pub(super) fn load(bytes: &[u8]) -> Block {
    let octets = match bytes.len() {
        8.. => load_ends(bytes, |octets| u64::from_le_bytes(octets).into()),
        4.. => load_ends(bytes, |octets| u32::from_le_bytes(octets).into()),
        2.. => load_ends(bytes, |octets| u16::from_le_bytes(octets).into()),
        _ => bytes.first().copied().unwrap_or_default().into(),
    };
    octets.to_le_bytes()
}

#[inline(always)]
fn load_ends<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> u128) -> u128 {
    let first = bytes.first_chunk().map_or(0, |octets| read(*octets));
    let end = bytes.last_chunk().map_or(0, |octets| read(*octets));
    first | (end << (8 * (bytes.len() - N)))
}

/// Replaces fewer bytes than a block has by the first of a block.
#[inline(always)]
pub(super) fn store(block: &Block, bytes: &mut [u8]) {
    let octets = u128::from_le_bytes(*block);
    match bytes.len() {
        8.. => store_ends::<8>(octets, bytes),
        4.. => store_ends::<4>(octets, bytes),
        2.. => store_ends::<2>(octets, bytes),
        _ => bytes.iter_mut().for_each(|byte| *byte = block[0]),
    }
}

#[inline(always)]
fn store_ends<const N: usize>(octets: u128, bytes: &mut [u8]) {
    let end = octets >> (8 * (bytes.len() - N));
    for (place, octets) in [(0, octets), (bytes.len() - N, end)] {
        bytes[place..place + N].copy_from_slice(&octets.to_le_bytes()[..N]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_nothing_else() {
        let all: [u8; 40] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 1);
        for len in 0..16 {
            let mut block = load(&all[..len]);
            assert_eq!(block[..len], all[..len]);
            assert_eq!(block[len..], [0; 16][len..]);
            block[len..].fill(0xee);
            let mut bytes = [0; 40];
            store(&block, &mut bytes[10..10 + len]);
            assert_eq!(bytes[10..10 + len], all[..len]);
            assert!(bytes[..10].iter().chain(&bytes[10 + len..]).all(|byte| *byte == 0));
        }
    }
}
