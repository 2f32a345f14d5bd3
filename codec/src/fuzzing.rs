//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.

use std::slice::from_ref;

use crate::{Codec, Named, Protected, Tally};

/// Sample entries of MP4, and codecs of WebM: what the first byte of an input chooses.
const NAMES: [&str; 28] = [
    "avc1",
    "avc3",
    "hvc1",
    "hev1",
    "av01",
    "vp09",
    "vp08",
    "mp4a",
    ".mp3",
    "ac-3",
    "ec-3",
    "fLaC",
    "Opus",
    "dvh1",
    "dva1",
    "text",
    "V_VP8",
    "V_VP9",
    "V_AV1",
    "V_MPEG4/ISO/AVC",
    "V_MPEGH/ISO/HEVC",
    "A_OPUS",
    "A_VORBIS",
    "A_FLAC",
    "A_MPEG/L3",
    "A_AC3",
    "A_EAC3",
    "A_AAC",
];

/// Reads a configuration and samples behind their lengths (16 bits, big-endian), for the codec that the first
/// byte chooses. Whether the configuration is one, and what may be protected is found in a sample.
#[must_use]
pub fn codec(bytes: &[u8]) -> bool {
    let Some(([choice, width, height], rest)) = bytes.split_first_chunk() else { return false };
    let name = NAMES[usize::from(*choice) % NAMES.len()];
    let (config, mut rest) = part(rest);
    let mut samples = Vec::new();
    while !rest.is_empty() {
        let (sample, behind) = part(rest);
        samples.push(sample);
        rest = behind;
    }
    let size = (16 * u16::from(*width), 16 * u16::from(*height));
    let (codec, named) = match <[u8; 4]>::try_from(name.as_bytes()) {
        Ok(format) => {
            let find = |_: &[u8; 4]| (!config.is_empty()).then_some(config);
            (Codec::from_mp4(format, &find, size), Named::from_mp4(format, &find))
        }
        Err(_) => {
            let size = (size.0.into(), size.1.into());
            (Codec::from_webm(name, config, size), Named::from_webm(name, config))
        }
    };
    if let Ok(Some(named)) = &named {
        is_a_name(named);
    }
    for sample in &samples {
        names_itself(sample);
    }
    let Ok(Some(codec)) = codec else { return false };
    let got_through = look(&codec, &samples, usize::from(*width));
    assert_eq!(look(&codec, &samples, usize::from(*width)), got_through);
    got_through
}

/// The bytes behind a length, or as many as there are, and those behind them.
fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.split_first_chunk() {
        Some((len, rest)) => rest.split_at(rest.len().min(u16::from_be_bytes(*len).into())),
        None => (bytes, &[]),
    }
}

/// It fits into `codecs="…"`.
fn is_a_name(named: &Named) {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",\\".contains(&byte);
    assert!(!named.codecs.is_empty() && named.codecs.bytes().all(is_plain), "{named:?}");
}

/// Ten octets of a frame of VP9 are enough.
fn names_itself(sample: &[u8]) {
    for duration in [None, Some(0), Some(16_666_666), Some(u64::MAX)] {
        let whole = Named::from_vp9_frame(sample, duration);
        if let Ok(Some(named)) = &whole {
            is_a_name(named);
        }
        if let Some(start) = sample.first_chunk::<10>() {
            assert_eq!(Named::from_vp9_frame(start, duration), whole);
        }
    }
}

/// Looks for what may be protected in samples, and at what was. Whether any sample could be read.
pub(crate) fn look<S: AsRef<[u8]>>(codec: &Codec, samples: &[S], cut: usize) -> bool {
    let (mut mapper, mut tally) = (codec.mapper(), Tally::new());
    let mut is_read = false;
    for sample in samples.iter().map(AsRef::as_ref) {
        let mut ranges = Vec::new();
        match mapper.map(sample, &mut ranges) {
            Ok(()) => is_read |= !ranges.is_empty(),
            Err(_) => {
                mapper = codec.mapper();
                ranges.clear();
            }
        }
        let mut end = 0;
        for range in &ranges {
            assert!(end <= range.start && range.start < range.end && range.end <= sample.len());
            end = range.end;
        }
        codec.check(sample, &Protected::new(&ranges), &mut tally);
        let cut = cut.min(sample.len());
        for part in [0..cut, cut..sample.len()] {
            if !part.is_empty() {
                codec.check(sample, &Protected::new(from_ref(&part)), &mut tally);
            }
        }
    }
    assert!(tally.evidence().is_finite() && tally.implausible() <= tally.checked());
    is_read
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use data_encoding::HEXLOWER;
    use serde_json::Value;

    use super::*;

    /// As `fuzz/seeds.py` puts it together.
    fn seed(name: &str, config: &[u8], samples: &[Vec<u8>]) -> Vec<u8> {
        let choice = NAMES.iter().position(|known| *known == name).unwrap();
        let mut seed = vec![u8::try_from(choice).unwrap(), 20, 12];
        for part in [config].into_iter().chain(samples.iter().map(Vec::as_slice)) {
            seed.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
            seed.extend(part);
        }
        seed
    }

    fn hex(value: &Value) -> Vec<u8> {
        HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn streams_get_through() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/codec");
        let mut count = 0;
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let read: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let streams = match read.as_array() {
                Some(streams) => streams.clone(),
                None => vec![read],
            };
            for stream in streams {
                let format = stream["format"].as_str();
                let format =
                    format.unwrap_or(if name.starts_with("av1") { "av01" } else { "vp09" });
                let config = if format == "vp09" { Vec::new() } else { hex(&stream["config"]) };
                let data = if format == "av01" { "data" } else { "sample" };
                let samples = stream["samples"].as_array().unwrap().iter();
                let samples: Vec<_> = samples.map(|sample| hex(&sample[data])).collect();
                assert!(codec(&seed(format, &config, &samples)), "{name}");
                count += 1;
            }
        }
        assert!(count > 15, "{count}");
    }

    #[test]
    fn seeds_of_other_codecs_get_through() {
        let lines = include_str!("../../fuzz/seeds/codec.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let fields: Vec<_> = line.split(' ').collect();
            let [name, config, sample] = fields[..] else { panic!("{line}") };
            let [config, sample] = [config, sample]
                .map(|field| HEXLOWER.decode(field.trim_matches('-').as_bytes()).unwrap());
            assert!(codec(&seed(name, &config, &[sample])), "{line}");
        }
    }

    #[test]
    fn garbage_does_not() {
        for garbage in [&b""[..], b"\0", b"\0\0\0\0\x01\x07\0\x01\x07", &[0xff; 40]] {
            assert!(!codec(garbage));
        }
    }
}
