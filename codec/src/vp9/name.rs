//! What a key frame is called: `vp09.…` (VP Codec ISO Media File Format Binding, "Codecs Parameter String").

use super::header::{Color, Picture};
use crate::Error;

/// The levels: how many pixels in a second, and in a picture (VP9 Levels and Decoder Testing).
const LEVELS: [(u32, u64, u64); 14] = [
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
];

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// The name by the start of a key frame. `frame_duration` is how long each frame lasts, in nanoseconds, if
/// that is known; the level is the lowest that fits. `Ok(None)`: it is no key frame, or fits no level.
///
/// # Errors
/// What is wrong with its header.
pub(crate) fn name(frame: &[u8], frame_duration: Option<u64>) -> Result<Option<String>, Error> {
    let Some(Picture { profile, color, size }) = Picture::of_key(frame)? else { return Ok(None) };
    let Some(level) = level(size, frame_duration) else { return Ok(None) };
    let (depth, chroma, range) = (color.depth, chroma(&color), u8::from(color.is_full_range));
    let (primaries, transfer, matrix) = colors(&color);
    Ok(Some(format!(
        "vp09.{profile:02}.{level:02}.{depth:02}.{chroma:02}.{primaries:02}.{transfer:02}.{matrix:02}.{range:02}"
    )))
}

fn level((width, height): (u32, u32), frame_duration: Option<u64>) -> Option<u32> {
    let size = u64::from(width) * u64::from(height);
    let fits = |rate: u64| match frame_duration {
        Some(nanos) => size.saturating_mul(SECOND) <= rate.saturating_mul(nanos),
        None => true,
    };
    LEVELS.iter().find(|&&(_, rate, most)| size <= most && fits(rate)).map(|&(level, ..)| level)
}

/// `chromaSubsampling`. Where 4:2:0 has its samples is not said, which means: where the luma samples are.
fn chroma(color: &Color) -> u8 {
    match color.subsampling {
        (true, true) => 1,
        (true, false) => 2,
        (false, false) => 3,
        (false, true) => 4,
    }
}

/// Primaries, transfer and matrix (ISO/IEC 23091-2) of a `color_space`; 2 is what is not known.
fn colors(color: &Color) -> (u8, u8, u8) {
    match (color.space, color.depth) {
        // BT.601, of 525 or 625 lines.
        (1, _) => (2, 6, 2),
        // BT.709.
        (2, _) => (1, 1, 1),
        // SMPTE 170M and 240M.
        (3, _) => (6, 6, 6),
        (4, _) => (7, 7, 7),
        // BT.2020; its luminance is not constant unless that is said.
        (5, 10) => (9, 14, 9),
        (5, 12) => (9, 15, 9),
        (5, _) => (9, 2, 9),
        // sRGB.
        (Color::RGB, _) => (1, 13, 0),
        _ => (2, 2, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of a key frame: the bits of its profile, of its colors, and its size.
    fn key(profile: &str, color: &str, (width, height): (u32, u32)) -> Vec<u8> {
        let size = format!("{:016b}{:016b}", width - 1, height - 1);
        // Not existing, a key frame, shown, not resilient; the sync code.
        let bits = ["10", profile, "0 0 1 0 01001001 10000011 01000010", color, &size];
        let bits = bits.concat().replace(' ', "");
        let octets = bits.as_bytes().chunks(8).map(|bits| {
            bits.iter().enumerate().fold(0, |octet, (at, bit)| octet | (bit - b'0') << (7 - at))
        });
        octets.collect()
    }

    #[track_caller]
    fn assert_name(profile: &str, color: &str, expected: &str) {
        let frame = key(profile, color, (320, 180));
        assert_eq!(name(&frame, None).unwrap().unwrap(), expected);
        assert!((0..frame.len()).all(|len| name(&frame[..len], None).is_err()));
    }

    #[test]
    fn a_key_frame_tells_profile_depth_and_colors() {
        assert_name("00", "000 0", "vp09.00.11.08.01.02.02.02.00");
        assert_name("00", "010 1", "vp09.00.11.08.01.01.01.01.01");
        assert_name("00", "001 0", "vp09.00.11.08.01.02.06.02.00");
        // Profile 1: 4:4:4, 4:2:2, 4:4:0, sRGB. The low bit of a profile comes first.
        assert_name("10", "011 0 00 0", "vp09.01.11.08.03.06.06.06.00");
        assert_name("10", "100 0 10 0", "vp09.01.11.08.02.07.07.07.00");
        assert_name("10", "000 0 01 0", "vp09.01.11.08.04.02.02.02.00");
        assert_name("10", "111 0", "vp09.01.11.08.03.01.13.00.01");
        // 10 and 12 bits; profile 3 has a reserved bit.
        assert_name("01", "0 101 0", "vp09.02.11.10.01.09.14.09.00");
        assert_name("01", "1 101 0", "vp09.02.11.12.01.09.15.09.00");
        assert_name("11 0", "1 101 1 00 0", "vp09.03.11.12.03.09.15.09.01");
    }

    #[test]
    fn what_is_no_key_frame_has_no_name() {
        // Another frame; one that exists already.
        assert_eq!(name(&[0b1000_0110, 0], None), Ok(None));
        assert_eq!(name(&[0b1000_1000], None), Ok(None));
        // Another sync code; RGB in profile 0.
        assert!(name(&[0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0, 0, 0], None).is_err());
        assert!(name(&key("00", "111 0", (320, 180)), None).is_err());
    }

    #[test]
    fn the_level_is_the_lowest_that_size_and_rate_fit() {
        let fps = |fps| Some(SECOND / fps);
        for (size, duration, expected) in [
            ((256, 144), None, Some(10)),
            ((256, 144), fps(25), Some(11)),
            ((320, 180), fps(25), Some(11)),
            ((640, 360), fps(30), Some(21)),
            ((1280, 720), fps(30), Some(31)),
            ((1920, 1080), None, Some(40)),
            ((1920, 1080), fps(30), Some(40)),
            ((1920, 1080), fps(60), Some(41)),
            ((3840, 2160), fps(30), Some(50)),
            ((3840, 2160), fps(60), Some(51)),
            ((3840, 2160), fps(120), Some(52)),
            ((7680, 4320), fps(30), Some(60)),
            ((7680, 4320), fps(120), Some(62)),
            ((7680, 4320), fps(240), None),
            ((65536, 65536), Some(u64::MAX), None),
        ] {
            assert_eq!(level(size, duration), expected, "{size:?} {duration:?}");
        }
    }
}
