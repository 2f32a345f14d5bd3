//! AC-3 and Enhanced AC-3 (ETSI TS 102 366).

use crate::{Protected, Rule, Tally};

/// A sample is a sequence of syncframes, whose lengths are in their headers.
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(0) {
        tally.test(Rule::Header, SYNCFRAMES, is_sequence(sample));
    }
}

/// How often random bytes are no syncframes: the sync word alone has 16 bits.
const SYNCFRAMES: f64 = 1.0 - 1.0 / 65536.0;

fn is_sequence(mut sample: &[u8]) -> bool {
    while !sample.is_empty() {
        let Some(rest) = frame_len(sample).and_then(|len| sample.get(len..)) else { return false };
        sample = rest;
    }
    true
}

/// Bytes of the syncframe at the front.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    /// kbit/s (table 4.13, and the same in F.2).
    const BITRATES: [usize; 19] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let &[0x0b, 0x77, high, low, rates, identification] = bytes.first_chunk::<6>()? else {
        return None;
    };
    match identification >> 3 {
        // frmsiz: words of 16 bits, less one.
        11..=16 => Some((usize::from(high & 7) << 8 | usize::from(low)).saturating_add(1) * 2),
        0..=10 => {
            let (code, size) = (rates >> 6, usize::from(rates & 63));
            let bitrate = BITRATES.get(size / 2)?;
            // A frame has 1536 samples of audio.
            let words = match code {
                0 => bitrate * 2,
                1 => bitrate * 96_000 / 44_100 + (size & 1),
                2 => bitrate * 3,
                _ => return None,
            };
            Some(words * 2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A syncframe of that length, empty.
    fn frame(header: [u8; 6], len: usize) -> Vec<u8> {
        let mut frame = header.to_vec();
        frame.resize(len, 0);
        frame
    }

    #[test]
    fn lengths_of_ac3_are_those_of_table_4_13() {
        // 48 kHz at 192 kbit/s, 44.1 kHz at 32 kbit/s in both lengths, 32 kHz at 640 kbit/s.
        for (rates, words) in [(0x14, 384), (0x40, 69), (0x41, 70), (0xa5, 1920)] {
            let header = [0x0b, 0x77, 0, 0, rates, 0x40];
            assert_eq!(frame_len(&header), Some(words * 2), "{rates:x}");
        }
        // Reserved: sampling rate, length, bsid.
        for (rates, identification) in [(0xc0, 0x40), (0x26, 0x40), (0x14, 0x88)] {
            assert_eq!(frame_len(&[0x0b, 0x77, 0, 0, rates, identification]), None);
        }
    }

    #[test]
    fn a_sample_is_full_of_syncframes() {
        // E-AC-3: an independent and a dependent substream of 6 and 8 bytes.
        let first = frame([0x0b, 0x77, 0x00, 0x02, 0x3f, 0x80], 6);
        let second = frame([0x0b, 0x77, 0x40, 0x03, 0x3f, 0x80], 8);
        let mut both = [first, second].concat();
        assert!(is_sequence(&both) && is_sequence(&both[..6]));
        assert!(!is_sequence(&both[..7]) && !is_sequence(&both[..13]));
        both[6] = 0;
        assert!(!is_sequence(&both));
    }
}
