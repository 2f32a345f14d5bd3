//! FLAC frames (RFC 9639, 9.1).

use crate::{Protected, Rule, Tally};

/// A sample begins with a frame header, which has a checksum.
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(0) {
        tally.test(Rule::Header, HEADER, has_header(sample));
    }
}

/// How often random bytes are no frame header: sync code, reserved bits and checksum have 25 bits.
const HEADER: f64 = 1.0 - 1.0 / (1 << 25) as f64;

fn has_header(sample: &[u8]) -> bool {
    header_len(sample).is_some_and(|len| {
        let (header, rest) = sample.split_at_checked(len).unwrap_or_default();
        rest.first() == Some(&checksum(header))
    })
}

/// Bytes before the checksum.
fn header_len(sample: &[u8]) -> Option<usize> {
    let &[0xff, sync, codes, channels, number] = sample.first_chunk::<5>()? else { return None };
    let (block, rate, depth) = (codes >> 4, codes & 15, channels >> 1 & 7);
    if sync >> 1 != 0x7c || block == 0 || rate == 15 || channels >> 4 > 10 || depth == 3 {
        return None;
    }
    if channels & 1 == 1 {
        return None;
    }
    // A number as UTF-8 writes it, of up to 7 bytes.
    let number = match number.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    if sample.get(5..4 + number)?.iter().any(|byte| byte >> 6 != 0b10) {
        return None;
    }
    let block = match block {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    Some(4 + number + block + rate)
}

/// CRC-8 with the polynomial x^8 + x^2 + x + 1.
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| sum << 1 ^ if sum & 0x80 == 0 { 0 } else { 7 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9639, appendix D.1.3 and D.2.5: the frames of its examples.
    const FIRST: [u8; 7] = [0xff, 0xf8, 0x69, 0x18, 0x00, 0x00, 0xbf];

    #[test]
    fn the_header_of_the_first_example_is_whole() {
        assert!(has_header(&FIRST));
        for len in 0..FIRST.len() {
            assert!(!has_header(&FIRST[..len]), "{len}");
        }
    }

    #[test]
    fn no_bit_of_a_header_can_change() {
        for bit in 0..FIRST.len() * 8 {
            let mut frame = FIRST;
            frame[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!has_header(&frame), "{bit}");
        }
    }

    #[test]
    fn numbers_and_codes_lengthen_a_header() {
        // A block size and a rate of two bytes each, a number of three.
        assert_eq!(header_len(&[0xff, 0xf9, 0x7d, 0x18, 0xe1, 0x80, 0x80, 0, 0]), Some(11));
        assert_eq!(header_len(&[0xff, 0xf9, 0x7d, 0x18, 0xe1, 0x80, 0x00, 0, 0]), None);
        assert_eq!(header_len(&[0xff, 0xf9, 0x1c, 0x18, 0x7f]), Some(6));
    }
}
