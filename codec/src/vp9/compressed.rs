//! The compressed header of a frame (VP9 Bitstream, 6.3): which probabilities change, and by how much.
//!
//! Nothing of it depends on the frames before, so anyone can find its end.

use super::header::Header;
use crate::bool_decoder::BoolDecoder;

/// Whether a compressed header begins with a marker bit that is 0, and behind its last syntax element
/// comes nothing but zeros (9.2.1 and 9.2.3).
pub(super) fn is_whole(header: &Header, bytes: &[u8]) -> bool {
    let mut decoder = BoolDecoder::new(bytes);
    if decoder.bit(128) {
        return false;
    }
    let largest = transform_mode(header, &mut decoder);
    for _ in 0..=largest {
        if decoder.literal(1) == 1 {
            // Two planes, intra or inter, bands (the first has 3 contexts, the others 6), 3 nodes.
            differences(&mut decoder, 2 * 2 * (3 + 5 * 6) * 3);
        }
    }
    differences(&mut decoder, SKIP);
    if !header.is_intra {
        inter(header, &mut decoder);
    }
    decoder.is_padding()
}

const SKIP: usize = 3;
const TRANSFORM_SIZES: usize = 2 * (1 + 2 + 3);
const INTER_MODES: usize = 7 * 3;
const FILTERS: usize = 4 * 2;
const IS_INTER: usize = 4;
const REFERENCES: usize = 5;
const Y_MODES: usize = 4 * 9;
const PARTITIONS: usize = 16 * 3;
/// Joints; for both directions a sign, classes, class 0 and bits; for both directions fractions.
const VECTORS: usize = 3 + 2 * (1 + 10 + 1 + 10) + 2 * (2 * 3 + 3);
const PRECISE_VECTORS: usize = 2 * 2;

/// The largest size of a transform, as a logarithm from 4 pixels on.
fn transform_mode(header: &Header, decoder: &mut BoolDecoder<'_>) -> u8 {
    if header.is_lossless {
        return 0;
    }
    let mode = decoder.literal(2);
    if mode == 3 && decoder.literal(1) == 1 {
        differences(decoder, TRANSFORM_SIZES);
    }
    mode
}

fn inter(header: &Header, decoder: &mut BoolDecoder<'_>) {
    differences(decoder, INTER_MODES);
    if header.is_filter_switchable {
        differences(decoder, FILTERS);
    }
    differences(decoder, IS_INTER);
    let is_mixed = header.may_be_compound && decoder.literal(1) == 1;
    let is_chosen = is_mixed && decoder.literal(1) == 1;
    if is_chosen {
        differences(decoder, REFERENCES);
    }
    if !is_mixed || is_chosen {
        differences(decoder, REFERENCES * 2);
    }
    if is_mixed {
        differences(decoder, REFERENCES);
    }
    differences(decoder, Y_MODES + PARTITIONS);
    vectors(decoder, VECTORS);
    if header.has_precise_vectors {
        vectors(decoder, PRECISE_VECTORS);
    }
}

/// `diff_update_prob`, so often.
fn differences(decoder: &mut BoolDecoder<'_>, count: usize) {
    for _ in 0..count {
        if decoder.bit(UPDATE) {
            // decode_term_subexp: ever longer numbers, each announced by a bit.
            if decoder.literal(1) == 0 || decoder.literal(1) == 0 {
                decoder.literal(4);
            } else if decoder.literal(1) == 0 {
                decoder.literal(5);
            } else if decoder.literal(7) >= 65 {
                decoder.literal(1);
            }
        }
    }
}

/// `update_mv_prob`, so often.
fn vectors(decoder: &mut BoolDecoder<'_>, count: usize) {
    for _ in 0..count {
        if decoder.bit(UPDATE) {
            decoder.literal(7);
        }
    }
}

/// How probable it is, of 256, that a probability stays.
const UPDATE: u8 = 252;
