//! Slices of AVC and HEVC against what Shaka Packager protects of them, and against strangers' bytes.

#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]

use std::{ops::Range, sync::LazyLock};

use codec::{Codec, Protected, Tally, Verdict};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde_json::Value;

struct Stream {
    format: [u8; 4],
    config: Vec<u8>,
    samples: Vec<(Vec<u8>, Vec<Range<usize>>)>,
}

static STREAMS: LazyLock<Vec<Stream>> = LazyLock::new(|| {
    let files = ["avc.json", "hevc.json"].map(|name| {
        let path = format!("{}/../fixtures/codec/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    });
    let entries = files.iter().flat_map(|file| serde_json::from_slice::<Vec<Value>>(file).unwrap());
    entries.map(|entry| stream(&entry)).collect()
});

fn stream(entry: &Value) -> Stream {
    let octets = |value: &Value| HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let bound = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let sample = |sample: &Value| {
        let ranges = sample["ranges"].as_array().unwrap();
        let ranges = ranges.iter().map(|range| bound(&range[0])..bound(&range[1])).collect();
        (octets(&sample["sample"]), ranges)
    };
    Stream {
        format: entry["format"].as_str().unwrap().as_bytes().try_into().unwrap(),
        config: octets(&entry["config"]),
        samples: entry["samples"].as_array().unwrap().iter().map(sample).collect(),
    }
}

fn codec(format: [u8; 4], config: &[u8]) -> Option<Codec> {
    Codec::from_mp4(format, &|_| Some(config), (320, 180)).ok().flatten()
}

#[test]
fn slices_are_protected_from_where_shaka_packager_begins() {
    for stream in STREAMS.iter() {
        let mut mapper = codec(stream.format, &stream.config).unwrap().mapper();
        for (sample, expected) in &stream.samples {
            let mut ranges = vec![];
            mapper.map(sample, &mut ranges).unwrap();
            assert_eq!(&ranges, expected);
        }
    }
}

#[test]
fn right_plaintext_breaks_no_rule_and_zeros_break_some() {
    for stream in STREAMS.iter() {
        let codec = codec(stream.format, &stream.config).unwrap();
        let (mut right, mut wrong) = (Tally::new(), Tally::new());
        for (sample, ranges) in &stream.samples {
            for ranges in [ranges.clone(), vec![0..sample.len()]] {
                codec.check(sample, &Protected::new(&ranges), &mut right);
            }
            codec.check(&vec![0; sample.len()], &Protected::new(ranges), &mut wrong);
            let mut changed = sample.clone();
            for range in ranges {
                changed[range.clone()].fill(0);
            }
            codec.check(&changed, &Protected::new(ranges), &mut wrong);
        }
        assert_eq!((right.implausible(), right.verdict()), (0, Verdict::Plausible));
        assert!(wrong.implausible() >= stream.samples.len() as u64);
    }
}

proptest! {
    #[test]
    fn strangers_bytes_end_no_program(
        config in proptest::collection::vec(any::<u8>(), 0..80),
        mut sample in proptest::collection::vec(any::<u8>(), 0..300),
        hevc in any::<bool>(),
    ) {
        let format = if hevc { *b"hvc1" } else { *b"avc1" };
        let _ = codec(format, &config);
        let stream = &STREAMS[if hevc { 5 } else { 0 }];
        let codec = codec(format, &stream.config).unwrap();
        let _ = codec.mapper().map(&sample, &mut vec![]);
        if let [a, b, c, d, ..] = &mut sample[..] {
            (*a, *b, *c) = (0, 0, 0);
            *d = u8::try_from((usize::from(*d)).min(290)).unwrap();
        }
        let _ = codec.mapper().map(&sample, &mut vec![]);
        let all = [0..sample.len().max(1)];
        codec.check(&sample, &Protected::new(&all), &mut Tally::new());
    }

    #[test]
    fn changed_streams_end_no_program(
        stream in 0..8_usize,
        pick in any::<prop::sample::Index>(),
        in_config in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        in_sample in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let stream = &STREAMS[stream];
        let mut config = stream.config.clone();
        for (at, byte) in in_config {
            let at = at.index(config.len());
            config[at] = byte;
        }
        if let Some(codec) = codec(stream.format, &config) {
            let (sample, ranges) = &stream.samples[pick.index(stream.samples.len())];
            let mut sample = sample.clone();
            for (at, byte) in in_sample {
                // Most of what is read stands in the front.
                let at = at.index(sample.len().min(80));
                sample[at] = byte;
            }
            sample.truncate(cut.index(2 * sample.len()).max(1));
            let mut found = vec![];
            if codec.mapper().map(&sample, &mut found).is_ok() {
                prop_assert!(found.iter().all(|range| range.start < range.end && range.end <= sample.len()));
                prop_assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start));
            }
            let all = [0..sample.len()];
            for ranges in [&ranges[..], &all] {
                codec.check(&sample, &Protected::new(ranges), &mut Tally::new());
            }
        }
    }
}
