//! MPEG audio, layers 1 to 3 (ISO/IEC 11172-3 and 13818-3).

use crate::{Protected, Rule, Tally};

/// A sample begins with the header of a frame (11172-3, 2.4.1.3).
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(0) {
        tally.test(Rule::Header, HEADER, has_header(sample));
    }
}

/// How often random bytes are no frame header: the sync word alone has 11 bits.
const HEADER: f64 = 1.0 - 1.0 / 2048.0;

/// Whether nothing in the header is reserved. How long the frame is does not matter: the last one of a
/// file may be cut, and a bit rate may be free.
fn has_header(sample: &[u8]) -> bool {
    let Some(&[0xff, version, rates, _]) = sample.first_chunk::<4>() else { return false };
    let (sync, version, layer) = (version >> 5, version >> 3 & 3, version >> 1 & 3);
    let (bitrate, rate) = (rates >> 4, rates >> 2 & 3);
    sync == 7 && version != 1 && layer != 0 && bitrate != 15 && rate != 3
}
