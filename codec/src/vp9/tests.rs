//! Streams that Shaka Packager protected, and headers by hand.

use std::{fs, ops::Range};

use super::*;
use crate::{Protected, Tally, Verdict};

/// Bytes, and what is protected of them.
type Sample = (Vec<u8>, Vec<Range<usize>>);

/// The track's configuration, and its samples with what Shaka Packager protects of them.
fn stream(name: &str) -> (Config, Vec<Sample>) {
    let path = format!("{}/../fixtures/codec/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let stream: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let number = |value: &serde_json::Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let width = u32::try_from(number(&stream["width"])).unwrap();
    let samples = stream["samples"].as_array().unwrap().iter().map(|sample| {
        let hex = sample["sample"].as_str().unwrap().as_bytes();
        let ranges = sample["protected"].as_array().unwrap().iter();
        let ranges = ranges.map(|range| number(&range[0])..number(&range[1])).collect();
        (data_encoding::HEXLOWER.decode(hex).unwrap(), ranges)
    });
    (Config { size: (width, 0) }, samples.collect())
}

#[test]
fn what_may_be_protected_is_what_another_packager_protects() {
    for name in ["vp9_widths", "vp9_deep"] {
        let (config, samples) = stream(name);
        let mut mapper = Mapper::new(&config);
        for (at, (sample, expected)) in samples.iter().enumerate() {
            let mut ranges = Vec::new();
            mapper.map(sample, &mut ranges).unwrap();
            // It leaves clear what is no whole block, at the end.
            let blocks = ranges.iter().map(|range| range.start..range.end - range.len() % 16);
            let blocks: Vec<_> = blocks.filter(|range| !range.is_empty()).collect();
            assert_eq!(&blocks, expected, "{name} {at}");
        }
    }
}

#[test]
fn samples_of_an_encoder_keep_all_rules_until_they_are_changed() {
    for name in ["vp9_widths", "vp9_deep"] {
        let (config, samples) = stream(name);
        let (mut right, mut wrong) = (Tally::new(), Tally::new());
        for (sample, ranges) in &samples {
            check(&config, sample, &Protected::new(ranges), &mut right);
            right.sample_done();
            let mut sample = sample.clone();
            for range in ranges {
                sample[range.clone()].iter_mut().for_each(|byte| *byte = !*byte);
            }
            check(&config, &sample, &Protected::new(ranges), &mut wrong);
            wrong.sample_done();
        }
        assert_eq!((right.implausible(), right.verdict()), (0, Verdict::Plausible), "{name}");
        assert_eq!(wrong.verdict(), Verdict::Wrong, "{name}");
    }
}

#[test]
fn frames_of_another_width_are_noticed() {
    let (config, samples) = stream("vp9_widths");
    let mut tally = Tally::new();
    for (sample, ranges) in &samples {
        check(&config, sample, &Protected::new(ranges), &mut tally);
    }
    assert!(tally.memory > u64::from(u32::MAX));
}

/// An inter frame of profile 0 that takes its width from slot 2, with as many ones as columns allow.
fn inter(ones: &str) -> Vec<u8> {
    let bits = [
        // Marker, profile, not existing, no key frame, shown, resilient.
        "10 00 0 1 1 1",
        // Refreshes slot 1; three references, of which the second has the width.
        "00000010 000 0 010 0 011 1 01",
        // No other render size; precise vectors, a switchable filter.
        "0 1 1",
        // Frame context; loop filter without deltas; a quantizer; no segmentation.
        "00 000000 000 0 10000000 000 0",
        // Columns, one row, two bytes of a compressed header.
        ones,
        "0 0000000000000010",
    ]
    .concat()
    .replace(' ', "");
    let bytes = bits.as_bytes().chunks(8).map(|bits| {
        bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | (bit - b'0') << (7 - at))
    });
    bytes.chain([0; 4]).collect()
}

#[test]
fn the_width_of_a_reference_says_how_many_columns_are_asked_for() {
    let widths = |width| [1, 1, width, 1, 1, 1, 1, 1];
    // Below 512 pixels there is one column, and nothing is asked.
    let header = Header::read(&inter(""), &widths(448)).unwrap();
    assert_eq!((header.width, header.tiles, header.compressed), (448, 1, 2));
    assert_eq!((header.refresh, header.is_intra, header.from_reference), (2, false, true));
    assert!(header.may_be_compound && header.has_precise_vectors && !header.is_lossless);
    // From 512 on one may be two; at 4097 one cannot be.
    assert_eq!(Header::read(&inter("0"), &widths(512)).unwrap().tiles, 1);
    assert_eq!(Header::read(&inter("1"), &widths(512)).unwrap().tiles, 2);
    assert_eq!(Header::read(&inter("10"), &widths(1024)).unwrap().tiles, 2);
    assert_eq!(Header::read(&inter("11"), &widths(1024)).unwrap().tiles, 4);
    assert_eq!(Header::read(&inter("0"), &widths(4097)).unwrap().tiles, 2);
}

#[test]
fn headers_that_say_what_cannot_be_are_refused() {
    let widths = [64; 8];
    let frame = inter("");
    assert!((0..frame.len() - 2).all(|len| Header::read(&frame[..len], &widths).is_err()));
    // Another marker; the reserved bit of profile 3.
    assert!(Header::read(&[0x46, 0, 0, 0], &widths).is_err());
    assert!(Header::read(&[0xb8, 0, 0, 0], &widths).is_err());
    // A key frame without its sync code.
    assert!(Header::read(&[0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0], &widths).is_err());
}

#[test]
fn a_frame_that_exists_is_shown_by_a_byte() {
    let shown = Header { len: 1, ..Header::default() };
    assert_eq!(Header::read(&[0x8a], &[64; 8]), Ok(shown));
    assert_eq!(Header::read(&[0x8a, 0], &[64; 8]), Ok(shown));
    assert!(Header::read(&[0x8a, 1], &[64; 8]).is_err());
    let mut ranges = Vec::new();
    Mapper::new(&Config { size: (64, 64) }).map(&[0x8a], &mut ranges).unwrap();
    assert_eq!(ranges, []);
}
