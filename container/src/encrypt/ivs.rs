//! The IVs of a track's samples, one after the other (ISO/IEC 23001-7, 9.2).

use cenc::{Iv, Scheme};

use super::IvSettings;

/// Gives out IVs.
#[derive(Clone, Debug)]
pub(crate) struct Ivs {
    settings: IvSettings,
    is_counter: bool,
    next: u128,
}

impl Ivs {
    pub(crate) fn new(settings: IvSettings, scheme: Scheme) -> Self {
        let first = match settings {
            IvSettings::Constant(iv) => *iv.as_bytes(),
            IvSettings::PerSample { first, .. } => first,
        };
        let is_counter = matches!(scheme, Scheme::Cenc | Scheme::Cens);
        Self { settings, is_counter, next: u128::from_be_bytes(first) }
    }

    /// Bytes of the IV in the file, if each sample has one.
    pub(crate) fn per_sample(&self) -> Option<u8> {
        match self.settings {
            IvSettings::Constant(_) => None,
            IvSettings::PerSample { size, .. } => Some(size),
        }
    }

    /// The IV of the next sample, of which `protected` bytes are protected: under a counter of 16 bytes,
    /// the samples behind it begin where its last block ended.
    pub(crate) fn next(&mut self, protected: u64) -> Iv {
        let iv = Iv::from(self.next.to_be_bytes());
        match self.settings {
            IvSettings::Constant(_) => {}
            IvSettings::PerSample { size: 16, .. } => {
                self.next = match self.is_counter {
                    true => counted(self.next, protected.div_ceil(16).max(1)),
                    false => self.next.wrapping_add(1),
                };
            }
            IvSettings::PerSample { .. } => self.next = self.next.wrapping_add(1 << 64),
        }
        iv
    }
}

/// A counter block so many blocks later. The counter proper is the low half, which wraps by itself (9.3).
fn counted(block: u128, blocks: u64) -> u128 {
    let low = block.wrapping_add(blocks.into()) & u128::from(u64::MAX);
    block >> 64 << 64 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(size: u8, first: [u8; 16], scheme: Scheme, lens: &[u64]) -> Vec<[u8; 16]> {
        let mut ivs = Ivs::new(IvSettings::PerSample { size, first }, scheme);
        lens.iter().map(|&len| *ivs.next(len).as_bytes()).collect()
    }

    #[test]
    fn short_ivs_count_samples() {
        let mut first = [0; 16];
        first[..8].fill(0xff);
        let found = take(8, first, Scheme::Cenc, &[100, 100]);
        assert_eq!(found, [first, [0; 16]]);
    }

    #[test]
    fn long_counters_go_on_where_the_last_sample_ended() {
        let mut first = [7; 16];
        first[8..].fill(0xff);
        let found = take(16, first, Scheme::Cenc, &[17, 0, 16]);
        let low = |value: u8| [[7; 8], u64::from(value).to_be_bytes()].concat();
        assert_eq!(
            found.iter().map(|iv| iv.to_vec()).collect::<Vec<_>>(),
            [first.to_vec(), low(1), low(2)]
        );
        // What chains has no counter, and the next IV is another one.
        let found = take(16, [0xff; 16], Scheme::Cbc1, &[160, 160]);
        assert_eq!(found, [[0xff; 16], [0; 16]]);
    }

    #[test]
    fn a_constant_iv_is_that_of_all_samples() {
        let iv = Iv::from([9; 16]);
        let mut ivs = Ivs::new(IvSettings::Constant(iv), Scheme::Cbcs);
        assert_eq!((ivs.next(100), ivs.next(3), ivs.per_sample()), (iv, iv, None));
    }
}
