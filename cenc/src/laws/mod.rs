//! What holds for samples and for batches of them, on every kernel that this CPU has.

mod batch;
mod calls;
mod case;
mod cuts;
mod sample;
mod shapes;

pub(crate) use self::case::case;

/// Noise that is the same every time.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}
