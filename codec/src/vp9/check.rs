//! What VP9 demands of decrypted samples.

use std::ops::Range;

use super::{
    Config, compressed,
    frames::{self, is_marker},
    header::Header,
};
use crate::{Protected, Rule, Tally};

/// Judges headers if they were protected, then the compressed header and the tiles.
///
/// `tally.memory` has [`RESIZED`] once a frame had another width than the track. From then on frames that
/// take their width from others are not judged, since the others are not known here. The rest counts
/// compressed headers: decoding them takes microseconds, so only the first [`ENOUGH`] are.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let split = frames::split(sample);
    let index = split.as_ref().map_or(sample.len() - 1..sample.len(), |split| split.index.clone());
    if protected.touches(&index) {
        tally.test(Rule::Length, SUPERFRAME, split.is_ok());
    }
    let Ok(split) = split else { return };
    for frame in split.iter() {
        if protected.contains(frame.end - 1) {
            tally.test(Rule::Trailing, 1.0 / 8.0, !is_marker(sample[frame.end - 1]));
        }
        let header = Header::read(&sample[frame.clone()], &config.widths());
        let is_resized = tally.memory & RESIZED != 0
            && !header.is_ok_and(|header| !header.from_reference || header.compressed == 0);
        if is_resized {
            continue;
        }
        if protected.contains(frame.start) {
            tally.test(Rule::Header, misfits(frame.len()), header.is_ok());
        }
        if let Ok(header) = header
            && header.compressed > 0
        {
            if header.width != config.size.0 {
                tally.memory |= RESIZED;
            }
            if !(header.from_reference && config.size.0 == 0) {
                payload(&header, frame, sample, protected, tally);
            }
        }
    }
}

const RESIZED: u64 = 1 << 63;
const ENOUGH: u64 = 256;
/// How often the sizes in what only looks like a superframe index are too large.
const SUPERFRAME: f64 = 0.9;
/// How often random bytes are no uncompressed header of a frame of that length.
fn misfits(len: usize) -> f64 {
    // header_size_in_bytes has 16 bits.
    1.0 - 0.04 * (len as f64 / 65536.0).min(1.0)
}

/// How often a compressed header that is random from some byte on has no end where it should.
const COMPRESSED: f64 = 0.98;

fn payload(
    header: &Header,
    frame: Range<usize>,
    sample: &[u8],
    protected: &Protected<'_>,
    tally: &mut Tally,
) {
    let mut at = frame.start + header.len + header.compressed;
    let compressed = frame.start + header.len..at;
    if tally.memory & !RESIZED < ENOUGH && protected.touches(&compressed) {
        tally.memory += 1;
        let is_whole = compressed::is_whole(header, &sample[compressed]);
        tally.test(Rule::Payload, COMPRESSED, is_whole);
    }
    for tile in 1..=header.tiles {
        let mut end = frame.end;
        if tile < header.tiles {
            // tile_size, of all tiles but the last.
            let size = sample[at..frame.end].first_chunk().map(|&size| u32::from_be_bytes(size));
            let fits = size
                .filter(|&size| size > 0)
                .and_then(|size| (at + 4).checked_add(size as usize))
                .filter(|&end| end < frame.end);
            if protected.contains(at) && protected.contains(at + 3) {
                let room = (frame.end - at) as f64 / 2_f64.powi(32);
                tally.test(Rule::Length, 1.0 - room, fits.is_some());
            }
            let Some(tile_end) = fits else { return };
            at += 4;
            end = tile_end;
        }
        if protected.contains(at) {
            // The marker bit, whose probability is a half: it is the first bit.
            tally.test(Rule::Entropy, 0.5, sample[at] < 128);
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn random_headers_are_broken_as_often_as_assumed() {
        for len in [1000, 20_000, 66_000] {
            let mut frame = vec![1; len];
            let broken = random::broken(64, |start| {
                frame[..64].copy_from_slice(start);
                Header::read(&frame, &[640; 8]).is_ok()
            });
            assert!((broken - misfits(len)).abs() < 0.002, "{len}: {broken}");
        }
    }

    #[test]
    fn random_compressed_headers_are_broken_more_often_than_assumed() {
        let header = Header { is_filter_switchable: true, ..Header::default() };
        for is_intra in [false, true] {
            for len in [4, 10, 20, 40] {
                let header = Header { is_intra, ..header };
                let broken = random::broken(len, |bytes| compressed::is_whole(&header, bytes));
                assert!(broken > COMPRESSED, "{len}: {broken}");
            }
        }
    }
}
