//! The arithmetic decoder of VP8 (RFC 6386, 7.3) and VP9 (9.2): the same, but that VP9 begins with a
//! marker bit.

/// Decodes from a slice; behind its end are zeros, as the standards have it.
#[derive(Clone, Debug)]
pub(crate) struct BoolDecoder<'b> {
    bytes: &'b [u8],
    /// Bytes moved to `value` so far.
    at: usize,
    /// What comes next, from the top: 8 bits are compared, those below are read ahead.
    value: u64,
    /// Bits in `value` that came from `bytes` or stand for zeros behind them.
    ahead: u32,
    range: u32,
    /// Bits of `bytes` that what was decoded so far depends on.
    used: usize,
}

impl<'b> BoolDecoder<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, value: 0, ahead: 0, range: 255, used: 8 }
    }

    /// A bit that is 0 with a probability of `probability` of 256.
    pub(crate) fn bit(&mut self, probability: u8) -> bool {
        if self.ahead < 16 {
            self.refill();
        }
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        let threshold = u64::from(split) << 56;
        let bit = self.value >= threshold;
        if bit {
            self.value -= threshold;
            self.range -= split;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.value <<= shift;
        self.ahead -= shift;
        self.used += shift as usize;
        bit
    }

    /// A number of up to 8 bits that are 0 or 1 alike: `L(n)`.
    pub(crate) fn literal(&mut self, bits: u32) -> u8 {
        (0..bits).fold(0, |value, _| value << 1 | u8::from(self.bit(128)))
    }

    /// Whether all that was decoded came from the bytes, and nothing but zeros is left of them.
    pub(crate) fn is_padding(&self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.used <= self.bytes.len() * 8 && self.unread() == 0 && rest.iter().all(|&b| b == 0)
    }

    /// What was read ahead. The 8 bits at the top have been used, and say more than padding would.
    fn unread(&self) -> u64 {
        self.value << 8
    }

    fn refill(&mut self) {
        while self.ahead <= 56 {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.at = (self.at + 1).min(self.bytes.len());
            self.value |= u64::from(byte) << (56 - self.ahead);
            self.ahead += 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The encoder of RFC 6386, 7.3, which ends with as many zeros as it looks ahead.
    fn encode(bits: &[(bool, u8)]) -> Vec<u8> {
        let mut out = Vec::<u8>::new();
        let (mut range, mut bottom, mut count) = (255_u32, 0_u32, 24);
        let mut put = |bit: bool, probability: u8| {
            let split = 1 + (((range - 1) * u32::from(probability)) >> 8);
            if bit {
                bottom += split;
                range -= split;
            } else {
                range = split;
            }
            while range < 128 {
                range <<= 1;
                if bottom >> 31 == 1 {
                    let carried = out.iter().rposition(|&byte| byte != 255).unwrap();
                    out[carried] += 1;
                    out[carried + 1..].fill(0);
                }
                bottom <<= 1;
                count -= 1;
                if count == 0 {
                    out.push(bottom.to_be_bytes()[0]);
                    bottom &= 0xff_ffff;
                    count = 8;
                }
            }
        };
        for &(bit, probability) in bits {
            put(bit, probability);
        }
        for _ in 0..32 {
            put(false, 128);
        }
        out
    }

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_decoded_and_the_rest_is_padding(
            bits in proptest::collection::vec((proptest::bool::ANY, 1_u8..), 0..300),
            zeros in 0_usize..20,
        ) {
            let mut bytes = encode(&bits);
            bytes.extend(vec![0; zeros]);
            let mut decoder = BoolDecoder::new(&bytes);
            for &(bit, probability) in &bits {
                assert_eq!(decoder.bit(probability), bit);
            }
            assert!(decoder.is_padding());
            bytes.push(1);
            let mut decoder = BoolDecoder::new(&bytes);
            for &(_, probability) in &bits {
                decoder.bit(probability);
            }
            assert!(!decoder.is_padding());
        }
    }

    #[test]
    fn behind_the_end_are_zeros_that_nobody_wrote() {
        let mut decoder = BoolDecoder::new(&[]);
        assert_eq!(decoder.literal(7), 0);
        assert!(!decoder.is_padding());
    }
}
