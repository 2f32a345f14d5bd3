//! How often random bytes break a rule, for the tests of those numbers.

/// The share of random bytes, so many at a time, for which `holds` is false. The same at each call.
pub(crate) fn broken(len: usize, mut holds: impl FnMut(&[u8]) -> bool) -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = vec![0; len];
    let fails = (0..TRIALS)
        .filter(|_| {
            for chunk in bytes.chunks_mut(8) {
                // xorshift64*
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                let random = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
            !holds(&bytes)
        })
        .count();
    fails as f64 / f64::from(TRIALS)
}

const TRIALS: u32 = 20_000;
