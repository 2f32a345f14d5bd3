//! VP8 (RFC 6386).

use crate::{Protected, Rule, Tally, bool_decoder::BoolDecoder};

/// Judges the frame tag (9.1), the start of the first partition (9.2), and the sizes of the others (9.5).
pub(crate) fn check(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let header = Header::read(sample);
    if protected.contains(0) {
        // Of all versions half are reserved, and then the partition must fit; a key frame's start code
        // hardly ever comes by chance.
        let fits = (sample.len().saturating_sub(2) as f64 / f64::from(1 << 19)).min(1.0);
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

/// How often the sizes of random partitions are too large: they have 24 bits.
const PARTITIONS: f64 = 0.99;

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

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    /// A key frame of 320x180.
    fn key(first: &[u8], rest: &[u8]) -> Vec<u8> {
        let tag = u32::try_from(first.len()).unwrap() << 5 | 0x10;
        let start = [0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
        [&tag.to_le_bytes()[..3], &start, first, rest].concat()
    }

    #[test]
    fn the_frame_tag_must_fit() {
        let frame = key(&[0, 1, 2], &[3]);
        let Header { is_key, first, rest } = Header::read(&frame).unwrap();
        assert_eq!((is_key, first, rest), (true, &[0, 1, 2][..], &[3][..]));
        assert!(Header::read(&frame[..12]).is_none());
        let mut other = frame.clone();
        other[3] = 0;
        assert!(Header::read(&other).is_none());
        // Version 4; an inter frame with a partition of one byte.
        other = frame;
        other[0] |= 4 << 1;
        assert!(Header::read(&other).is_none());
        assert!(Header::read(&[0x31, 0, 0, 7]).is_some() && Header::read(&[0x31, 0, 0]).is_none());
    }

    #[test]
    fn partitions_must_fit() {
        assert_eq!(partitions(true, &[0; 8]), 1);
        assert!(do_partitions_fit(&[2, 0, 0, 9, 9], 3) && !do_partitions_fit(&[3, 0, 0, 9, 9], 3));
        assert!(do_partitions_fit(&[], 0) && !do_partitions_fit(&[0, 0], 3));
    }

    #[test]
    fn samples_are_judged_by_what_was_protected() {
        let frame = key(&[0x80, 1, 2], &[3]);
        let mut tally = Tally::new();
        check(&frame, &Protected::new(from_ref(&(0..14))), &mut tally);
        tally.sample_done();
        check(&frame, &Protected::new(from_ref(&(0..10))), &mut tally);
        tally.sample_done();
        // The colour space is reserved, but in the second sample it was clear.
        assert_eq!((tally.checked(), tally.implausible()), (2, 1));
    }
}
