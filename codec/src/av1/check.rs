//! Whether a decrypted sample looks right.
//!
//! AV1 leaves little to look at: all headers are clear where the binding is kept, and a tile is the code
//! of an arithmetic coder, to which any bytes are some picture. But the code ends with a bit that is set,
//! and zeros behind it up to the last byte (8.2.4). How many bits the symbols took decides where that bit
//! is, so it is in each of the eight places of its byte as often as in any other. Of random bytes every
//! second has it in the last place.

use std::ops::Range;

use super::{
    Config,
    obu::{HEADERS, Kind, Obus, is_header},
};
use crate::{Protected, Rule, Tally};

pub(crate) fn check(_: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if !units_are_sound(sample, protected, tally) {
        return;
    }
    for obu in Obus::new(sample).flatten() {
        if matches!(obu.kind, Kind::Frame | Kind::TileGroup) {
            end_of_tile(sample, obu.payload, protected, tally);
        }
    }
}

/// Looks at the headers of the OBUs, where they were protected with the whole sample. `false`: nothing
/// behind them can be told.
fn units_are_sound(sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) -> bool {
    let mut start = 0;
    let mut first_hidden = None;
    let mut sound = true;
    for obu in Obus::new(sample) {
        let header =
            obu.as_ref().map_or(start..sample.len().min(start + 1), |obu| obu.header.clone());
        if first_hidden.is_none() && protected.touches(&header) {
            first_hidden = Some(start);
        }
        sound &= obu.is_ok() && sample.get(start).copied().is_some_and(is_header);
        start = obu.map_or(start, |obu| obu.payload.end);
    }
    let Some(first_hidden) = first_hidden else { return sound };
    let is_header = sample.get(first_hidden).copied().is_some_and(is_header);
    tally.test(Rule::Header, 1.0 - HEADERS / 256.0, is_header);
    if is_header {
        tally.test(Rule::Length, ASTRAY, sound);
    }
    sound
}

/// Looks at the last byte of an OBU that ends with a tile. Tiles before that one have no known end
/// without the frame header.
fn end_of_tile(sample: &[u8], payload: Range<usize>, protected: &Protected<'_>, tally: &mut Tally) {
    let [.., before, last] = sample[payload.clone()] else { return };
    if !protected.contains(payload.end - 1) {
        return;
    }
    // Zero bytes may follow the trailing bits, but no encoder has been seen to write any.
    tally.test(Rule::Trailing, 1.0 / 256.0, last != 0);
    if last != 0 && payload.len() >= LONG && is_new(payload.len(), [before, last], tally) {
        tally.weigh(1.0 / 8.0, 1.0 / 2.0, last & 1 == 1);
    }
}

/// Whether none of the four tiles before looked like this one, going by length and end: the same picture
/// again says nothing new.
fn is_new(length: usize, end: [u8; 2], tally: &mut Tally) -> bool {
    let mark = u64::from(u16::from_be_bytes(end)) ^ length as u64 & 0xffff;
    let known = (0..4).any(|place| tally.memory >> (16 * place) & 0xffff == mark);
    tally.memory = tally.memory << 16 | mark;
    !known
}

/// How often random bytes behind a good first header do not go on with others to the end of the sample:
/// every second header has no size, and says that its OBU is the last.
const ASTRAY: f64 = 0.45;
/// Bytes of an OBU from which on its end is taken for a matter of chance. Shorter ones are often the
/// code of "nothing has changed".
const LONG: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Verdict, av1::testing};

    /// What a cipher changes of a sample under each way to protect it.
    fn ways(sample: &[u8], tiles: &[Range<usize>]) -> [Vec<Range<usize>>; 4] {
        let blocks = |tile: &Range<usize>| tile.end - tile.len() / 16 * 16..tile.end;
        let pattern = |tile: &Range<usize>| {
            let end = tile.end - tile.len() % 16;
            (tile.start..end).step_by(160).map(|start| start..start + 16).collect::<Vec<_>>()
        };
        let all = 0..sample.len();
        [
            tiles.to_vec(),
            tiles.iter().map(blocks).filter(|range| !range.is_empty()).collect(),
            tiles.iter().flat_map(pattern).collect(),
            vec![all],
        ]
    }

    #[test]
    fn no_clear_sample_breaks_a_rule() {
        let mut seen = 0;
        for stream in testing::streams() {
            for way in 0..4 {
                let mut tally = Tally::new();
                for (sample, tiles) in &stream.samples {
                    let ranges = &ways(sample, tiles)[way];
                    check(&stream.config, sample, &Protected::new(ranges), &mut tally);
                    tally.sample_done();
                    seen += 1;
                }
                assert_eq!(tally.implausible(), 0, "{} {way}", stream.name);
                assert_ne!(tally.verdict(), Verdict::Wrong, "{} {way}", stream.name);
            }
        }
        assert!(seen > 100);
    }

    /// Bytes that look random (SplitMix64).
    fn noise(state: &mut u64) -> u8 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 56) as u8
    }

    /// How many samples with noise in their protected bytes it takes.
    fn samples_until_wrong(way: usize, seed: u64, most: usize) -> usize {
        let (mut state, mut tally) = (seed, Tally::new());
        let streams = testing::streams();
        let samples: Vec<_> = streams.iter().flat_map(|stream| &stream.samples).collect();
        let config = &streams[0].config;
        for (at, (sample, tiles)) in samples.iter().cycle().take(most).enumerate() {
            let mut sample = sample.clone();
            let ranges = &ways(&sample, tiles)[way];
            for range in ranges {
                sample[range.clone()].fill_with(|| noise(&mut state));
            }
            check(config, &sample, &Protected::new(ranges), &mut tally);
            tally.sample_done();
            if tally.verdict() == Verdict::Wrong {
                return at + 1;
            }
        }
        most
    }

    #[test]
    fn noise_is_told_from_tiles_by_their_ends() {
        for way in [0, 1] {
            let mut counts: Vec<_> =
                (0..21).map(|seed| samples_until_wrong(way, seed, 1000)).collect();
            counts.sort_unstable();
            assert!(counts[10] <= 100, "median of {counts:?}");
            assert!(counts[20] <= 300, "worst of {counts:?}");
        }
    }

    #[test]
    fn noise_is_told_from_whole_samples_by_their_headers() {
        assert!((0..21).all(|seed| samples_until_wrong(3, seed, 30) < 30));
    }
}
