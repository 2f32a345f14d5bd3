//! Strangers' bytes: nothing panics, and what is found lies in the sample.

use proptest::prelude::*;

use crate::{Codec, fuzzing::look};

/// Every codec that has a reader here, with configurations that streams have.
fn codecs() -> Vec<Codec> {
    let esds = |object_type, specific: &'static [u8]| {
        let len = u8::try_from(specific.len()).unwrap();
        let head = [0, 0, 0, 0, 3, 20 + len, 0, 1, 0, 4, 15 + len, object_type];
        [&head[..], &[0; 12], &[5, len], specific].concat()
    };
    let mp4 = |format: &[u8; 4], body: &[u8]| {
        Codec::from_mp4(*format, &|_| Some(body), (1920, 1080)).unwrap().unwrap()
    };
    vec![
        mp4(b"vp09", &[]),
        mp4(b"vp08", &[]),
        mp4(b"mp4a", &esds(0x40, &[0x11, 0x90])),
        mp4(b"mp4a", &esds(0x40, &[0x11, 0x80])),
        mp4(b"mp4a", &esds(0x6b, &[0])),
        mp4(b"ac-3", &[]),
        mp4(b"fLaC", &[]),
        mp4(b"Opus", &[0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Codec::from_webm("A_VORBIS", VORBIS, (0, 0)).unwrap().unwrap(),
    ]
}

/// Two empty headers, and a setup header that ends with two modes as libvorbis writes them.
const VORBIS: &[u8] =
    b"\x02\0\0\x40\0\x01\0\0\0\0\0\x10\x40\x02\x02\x02\0\0\0\0\0\x01\0\0\0\x02\x02";

proptest! {
    #[test]
    fn random_samples_are_looked_at(
        samples in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..5),
        cut in 0_usize..80,
    ) {
        for codec in codecs() {
            look(&codec, &samples, cut);
        }
    }

    /// Starts that lead deep into each codec's syntax, then anything.
    #[test]
    fn samples_that_begin_well_are_looked_at(
        start in prop::sample::select(vec![
            &b"\x82\x49\x83\x42\0"[..], b"\x86\0\x40\x92", b"\x8f", b"\x10\0\0\x9d\x01\x2a", b"\x31\0\0",
            b"\x21\x10", b"\xc2", b"\x80", b"\x0b\x77\0\x05\x14\x40", b"\x0b\x77\0\x05\x3f\x80",
            b"\xff\xf8\x79\x18", b"\xff\xfb\x90\x64", b"\xfb\xff", b"\xfb\x43\xff", b"\xfa\xfc",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
        end in prop::sample::select(vec![&b""[..], b"\xc1\x05\x07\xc1", b"\xd8\xff\xff\xff\xff\xd8"]),
        cut in 0_usize..200,
    ) {
        let sample = [start, &rest, end].concat();
        for codec in codecs() {
            look(&codec, &[sample.clone(), sample.clone()], cut);
        }
    }

    #[test]
    fn random_configurations_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..60)) {
        for format in [b"mp4a", b"Opus", b"fLaC", b"vp09"] {
            let _ = Codec::from_mp4(*format, &|_| Some(&body), (0, 0));
        }
        let descriptors = [&b"\0\0\0\0\x03\x40\0\x01\0\x04\x30\x40"[..], &body].concat();
        let _ = Codec::from_mp4(*b"mp4a", &|_| Some(&descriptors), (0, 0));
        let headers = [&b"\x02\0\0"[..], &body, &VORBIS[3..]].concat();
        for private in [&body, &headers] {
            for codec in ["A_VORBIS", "A_AAC", "A_OPUS", "V_VP9"] {
                let _ = Codec::from_webm(codec, private, (0, 0));
            }
        }
    }
}

#[test]
fn object_types_that_are_not_known_have_no_codec() {
    let vorbis = b"\0\0\0\0\x03\x12\0\x01\0\x04\x0d\xdd\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(Codec::from_mp4(*b"mp4a", &|_| Some(vorbis), (0, 0)), Ok(None));
    assert_eq!(Codec::from_mp4(*b"mp4a", &|_| None, (0, 0)), Ok(None));
}
