//! MPEG audio, layers 1 to 3 (ISO/IEC 11172-3 and 13818-3).

use crate::{Protected, Rule, Tally};

/// A sample begins with the header of a frame (11172-3, 2.4.1.3).
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(0) {
        tally.test(Rule::Header, HEADER, has_header(sample));
    }
}

/// How often random bytes are no frame header: 11 bits of the sync word, a reserved value each of the
/// four of version, layer and sampling rate and of the 16 of bit rates.
const HEADER: f64 = 1.0 - 0.75 * 0.75 * 0.75 * 0.9375 / 2048.0;

/// Whether nothing in the header is reserved. How long the frame is does not matter: the last one of a
/// file may be cut, and a bit rate may be free.
fn has_header(sample: &[u8]) -> bool {
    let Some(&[0xff, version, rates, _]) = sample.first_chunk::<4>() else { return false };
    let (sync, version, layer) = (version >> 5, version >> 3 & 3, version >> 1 & 3);
    let (bitrate, rate) = (rates >> 4, rates >> 2 & 3);
    sync == 7 && version != 1 && layer != 0 && bitrate != 15 && rate != 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_reserved_values_are_none() {
        // MPEG-1 layer 3, 128 kbit/s, 44.1 kHz: as LAME writes it.
        assert!(has_header(&[0xff, 0xfb, 0x90, 0x64]));
        for [second, third] in
            [[0x1b, 0x90], [0xeb, 0x90], [0xf9, 0x90], [0xfb, 0xf0], [0xfb, 0x9c]]
        {
            assert!(!has_header(&[0xff, second, third, 0x64]), "{second:x} {third:x}");
        }
        assert!(!has_header(&[0xff, 0xfb, 0x90]) && !has_header(&[0xfe, 0xfb, 0x90, 0x64]));
    }

    #[test]
    fn as_many_headers_are_valid_as_assumed() {
        let valid =
            (0..=0xffff_ffff_u32).step_by(1 << 8).filter(|word| has_header(&word.to_be_bytes()));
        assert_eq!(1.0 - valid.count() as f64 / f64::from(1 << 24), HEADER);
    }
}
