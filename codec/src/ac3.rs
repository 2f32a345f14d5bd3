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
