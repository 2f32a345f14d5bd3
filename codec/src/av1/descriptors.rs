//! The descriptors that only AV1 has (clause 4.10).

use crate::{Error, bits::Bits};

/// `su(n)`: a signed number of `n` bits, at least one.
pub(super) fn su(bits: &mut Bits<'_>, n: u32) -> Result<i32, Error> {
    let value = i64::from(bits.u(n)?);
    let sign = 1_i64 << (n - 1);
    Ok(i32::try_from((value ^ sign) - sign).unwrap_or(0))
}

/// `ns(n)`: a number below `n`, in as many bits as that takes, or one less.
pub(super) fn ns(bits: &mut Bits<'_>, n: u32) -> Result<u32, Error> {
    if n <= 1 {
        return Ok(0);
    }
    let width = u32::BITS - n.leading_zeros();
    let value = u64::from(bits.u(width - 1)?);
    let short = (1_u64 << width) - u64::from(n);
    let value = if value < short { value } else { 2 * value - short + u64::from(bits.u(1)?) };
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}

/// `leb128()` at the front of `bytes`: its value and its length in bytes. `None`: it ends too late, or
/// does not fit 32 bits (4.10.5).
pub(super) fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

/// `le(n)`: little-endian bytes, four at most.
pub(super) fn le(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_extend_their_first_bit() {
        let mut bits = Bits::new(&[0b0111_1000, 0b1_0000000], "a test");
        assert_eq!(su(&mut bits, 4), Ok(7));
        assert_eq!(su(&mut bits, 4), Ok(-8));
        assert_eq!(su(&mut bits, 1), Ok(-1));
    }

    #[test]
    fn numbers_below_five_take_two_or_three_bits() {
        // The example of 4.10.7: 00, 01, 10, 110, 111.
        let mut bits = Bits::new(&[0b0001_1011, 0b0111_0000], "a test");
        assert_eq!([0; 5].map(|_| ns(&mut bits, 5).unwrap()), [0, 1, 2, 3, 4]);
        assert_eq!(ns(&mut bits, 1), Ok(0));
        assert_eq!(bits.position(), 12);
    }

    #[test]
    fn leb128_ends_at_the_first_byte_without_its_high_bit() {
        assert_eq!(leb128(&[0x05, 0xff]), Some((5, 1)));
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some((624_485, 3)));
        // Padded, as encoders do that write the size later.
        assert_eq!(leb128(&[0x85, 0x80, 0x80, 0x00]), Some((5, 4)));
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some((0xffff_ffff, 5)));
        assert_eq!(leb128(&[0xff, 0xff, 0xff, 0xff, 0x1f]), None);
        assert_eq!(leb128(&[0x80; 9]), None);
    }

    #[test]
    fn little_endian_numbers_have_their_low_byte_first() {
        assert_eq!(le(&[0x34, 0x12]), 0x1234);
        assert_eq!(le(&[]), 0);
    }
}
