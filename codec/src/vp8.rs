//! VP8 (RFC 6386).

use crate::{Protected, Rule, Tally, bool_decoder::BoolDecoder};

/// Judges the frame tag (9.1), the start of the first partition (9.2), and the sizes of the others (9.5).
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let header = Header::read(sample);
    if protected.contains(0) {
        // Of all versions half are reserved, and then the partition must fit; a key frame's start code
        // hardly ever comes by chance.
        let fits = (sample.len() as f64 / (1 << 19) as f64).min(1.0);
        tally.test(Rule::Header, 1.0 - fits / 4.0, header.is_some());
    }
    let Some(Header { is_key, first, rest }) = header else { return };
    let start = sample.len() - first.len() - rest.len();
    if is_key && protected.contains(start) {
        // The first bit with a probability of a half is the first bit: color_space, 1 is reserved.
        tally.test(Rule::Entropy, 0.5, first.first().is_some_and(|&byte| byte < 128));
    }
    let sizes = 3 * (partitions(is_key, first) - 1);
    let at = sample.len() - rest.len();
    if sizes > 0 && protected.touches(&(start..at + sizes)) {
        tally.test(Rule::Length, PARTITIONS, do_partitions_fit(rest, sizes));
    }
}

/// How often the sizes of random partitions are too large.
const PARTITIONS: f64 = 0.9;

struct Header<'s> {
    is_key: bool,
    first: &'s [u8],
    /// The sizes of the other partitions but the last, and those.
    rest: &'s [u8],
}

impl<'s> Header<'s> {
    fn read(sample: &'s [u8]) -> Option<Self> {
        let (&[low, middle, high], body) = sample.split_first_chunk::<3>()?;
        let tag = u32::from_le_bytes([low, middle, high, 0]);
        let is_key = tag & 1 == 0;
        let body = match is_key {
            // A start code, then width and height with their scales.
            true => body.strip_prefix(&[0x9d, 0x01, 0x2a])?.get(4..)?,
            false => body,
        };
        let (first, rest) = body.split_at_checked((tag >> 5) as usize)?;
        (tag >> 1 & 7 <= 3).then_some(Self { is_key, first, rest })
    }
}

/// The number of token partitions, which the header in the first partition says (9.2 to 9.5).
fn partitions(is_key: bool, first: &[u8]) -> usize {
    let mut decoder = BoolDecoder::new(first);
    if is_key {
        decoder.literal(2);
    }
    segmentation(&mut decoder);
    // filter_type, loop_filter_level, sharpness_level.
    decoder.literal(1);
    decoder.literal(6);
    decoder.literal(3);
    if decoder.literal(1) == 1 && decoder.literal(1) == 1 {
        // Deltas of four references and four modes.
        optional(&mut decoder, 4 + 4, 6 + 1);
    }
    1 << decoder.literal(2)
}

fn segmentation(decoder: &mut BoolDecoder<'_>) {
    if decoder.literal(1) == 0 {
        return;
    }
    let (has_map, has_data) = (decoder.literal(1) == 1, decoder.literal(1) == 1);
    if has_data {
        // Absolute or not, then quantizers and loop filter levels of four segments.
        decoder.literal(1);
        optional(decoder, 4, 7 + 1);
        optional(decoder, 4, 6 + 1);
    }
    if has_map {
        optional(decoder, 3, 8);
    }
}

/// Numbers of that many bits, each behind a bit that says whether it is there.
fn optional(decoder: &mut BoolDecoder<'_>, count: usize, bits: u32) {
    for _ in 0..count {
        if decoder.literal(1) == 1 {
            decoder.literal(bits);
        }
    }
}

fn do_partitions_fit(rest: &[u8], sizes: usize) -> bool {
    rest.split_at_checked(sizes).is_some_and(|(sizes, tokens)| {
        let sizes = sizes.chunks_exact(3).map(|size| {
            usize::from(size[0]) | usize::from(size[1]) << 8 | usize::from(size[2]) << 16
        });
        sizes.sum::<usize>() <= tokens.len()
    })
}
