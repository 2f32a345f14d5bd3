//! What manifests and pages call a codec (RFC 6381; ISO/IEC 14496-15, annex E; the bindings of AV1, VP9,
//! Opus, FLAC and Dolby), and what its configuration says of the sound.
//!
//! Opus and FLAC have the names that every browser knows, in small letters; pages and Shaka Packager write
//! them so, too.

use crate::{Error, aac::Specific, bits::Bits, esds::DecoderConfig, vp9};

/// A codec by the name that is put into `codecs="…"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Such as `avc1.64000c` or `mp4a.40.2`.
    pub codecs: String,
    /// Of audio, what the configuration says where containers are known to say something else.
    pub sound: Sound,
}

/// What a configuration says of audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sound {
    /// Samples in a second, in Hz; `None`: it does not say.
    pub sampling_rate: Option<u32>,
    /// Channels; `None`: it does not say.
    pub channels: Option<u16>,
}

impl Named {
    /// The codec of an MP4 sample entry of that (clear) format. `find` answers with the body of the first
    /// box of a type in the entry. `Ok(None)`: a codec that has no name here.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn from_mp4<'b>(
        format: [u8; 4],
        find: &dyn Fn(&[u8; 4]) -> Option<&'b [u8]>,
    ) -> Result<Option<Self>, Error> {
        let need = |what: &'static str, kind: &[u8; 4]| {
            find(kind).ok_or(Error::Missing { what, value: 0 })
        };
        let name = format.escape_ascii().to_string();
        Ok(Some(match &format {
            b"avc1" | b"avc2" | b"avc3" | b"avc4" => silent(avc(&name, need("avcC", b"avcC")?)?),
            b"hvc1" | b"hev1" | b"hvc2" | b"hev2" => silent(hevc(&name, need("hvcC", b"hvcC")?)?),
            b"dva1" | b"dvav" | b"dvh1" | b"dvhe" => {
                let config = find(b"dvcC").or_else(|| find(b"dvvC"));
                silent(dolby_vision(
                    &name,
                    config.ok_or(Error::Missing { what: "dvcC", value: 0 })?,
                )?)
            }
            b"av01" => silent(av1(need("av1C", b"av1C")?)?),
            b"vp08" | b"vp09" => silent(vp(&name, need("vpcC", b"vpcC")?)?),
            b"mp4a" => mpeg4_audio(need("esds", b"esds")?)?,
            b".mp3" => silent("mp3".to_owned()),
            b"ac-3" => with_sound(name, find(b"dac3").map(ac3).transpose()?),
            b"ec-3" => with_sound(name, find(b"dec3").map(eac3).transpose()?),
            // A full box with a metadata block header in front of STREAMINFO.
            b"fLaC" => with_sound(
                "flac".to_owned(),
                find(b"dfLa").map(|body| stream_info(body, 8)).transpose()?,
            ),
            b"Opus" => with_sound("opus".to_owned(), find(b"dOps").map(opus)),
            _ => return Ok(None),
        }))
    }

    /// The codec of a WebM track with that CodecID and CodecPrivate (empty: none). `Ok(None)`: a codec that
    /// has no name here.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn from_webm(codec_id: &str, codec_private: &[u8]) -> Result<Option<Self>, Error> {
        Ok(Some(match codec_id {
            "V_VP8" => silent("vp8".to_owned()),
            "V_VP9" => silent(webm_vp9(codec_private)?),
            "V_AV1" => silent(av1(codec_private)?),
            "V_MPEG4/ISO/AVC" => silent(avc("avc1", codec_private)?),
            "V_MPEGH/ISO/HEVC" => silent(hevc("hvc1", codec_private)?),
            "A_OPUS" => {
                with_sound("opus".to_owned(), codec_private.strip_prefix(b"OpusHead").map(opus))
            }
            "A_VORBIS" => silent("vorbis".to_owned()),
            // `fLaC` and a metadata block header in front of STREAMINFO.
            "A_FLAC" if codec_private.is_empty() => silent("flac".to_owned()),
            "A_FLAC" => with_sound("flac".to_owned(), Some(stream_info(codec_private, 8)?)),
            "A_MPEG/L3" => silent("mp3".to_owned()),
            "A_AC3" => silent("ac-3".to_owned()),
            "A_EAC3" => silent("ec-3".to_owned()),
            "A_AAC" => aac(codec_private)?,
            _ => return Ok(None),
        }))
    }

    /// Whether it says no more than that it is VP9, since CodecPrivate does not.
    #[must_use]
    pub fn is_vague_vp9(&self) -> bool {
        self.codecs == VP9
    }

    /// VP9 as the start of a key frame tells; the first 10 octets are enough. `frame_duration` is how long
    /// each frame lasts, in nanoseconds, if that is known: the level depends on it. `Ok(None)`: it is no key
    /// frame, or larger or faster than any level.
    ///
    /// # Errors
    /// What is wrong with the header of the frame.
    pub fn from_vp9_frame(
        frame: &[u8],
        frame_duration: Option<u64>,
    ) -> Result<Option<Self>, Error> {
        Ok(vp9::name(frame, frame_duration)?.map(silent))
    }
}

/// VP9 of which nothing more is known.
const VP9: &str = "vp9";

fn silent(codecs: String) -> Named {
    Named { codecs, sound: Sound::default() }
}

fn with_sound(codecs: String, sound: Option<Sound>) -> Named {
    Named { codecs, sound: sound.unwrap_or_default() }
}

/// The first bytes of a configuration.
fn head<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], Error> {
    let head = bytes.first_chunk::<N>().copied();
    head.ok_or(Error::Truncated { what, at: bytes.len() })
}

/// Profile, constraints and level, as `avcC` has them.
fn avc(name: &str, config: &[u8]) -> Result<String, Error> {
    let [_, profile, constraints, level] = head(config, "avcC")?;
    Ok(format!("{name}.{profile:02x}{constraints:02x}{level:02x}"))
}

/// Profile, compatibility flags in reverse order of bits, tier and level, constraints up to the last that
/// is not 0.
fn hevc(name: &str, config: &[u8]) -> Result<String, Error> {
    let [_, profile, a, b, c, d, constraints @ .., level] = head::<13>(config, "hvcC")?;
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let flags = u32::from_be_bytes([a, b, c, d]).reverse_bits();
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let mut codecs = format!("{name}.{space}{}.{flags:x}.{tier}{level}", profile & 0x1f);
    let used = constraints.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    constraints[..used].iter().for_each(|octet| codecs += &format!(".{octet:x}"));
    Ok(codecs)
}

/// Dolby Vision Streams Within the ISO Base Media File Format, 3.2: profile and level.
fn dolby_vision(name: &str, config: &[u8]) -> Result<String, Error> {
    let [_, _, high, low] = head(config, "dvcC")?;
    Ok(format!("{name}.{:02}.{:02}", high >> 1, (high & 1) << 5 | low >> 3))
}

/// Profile, level, tier and bit depth. What may follow is for colors that are not the usual ones, and
/// `av1C` does not have it.
fn av1(config: &[u8]) -> Result<String, Error> {
    let [_, profile, flags] = head(config, "av1C")?;
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Ok(format!("av01.{}.{:02}{tier}.{depth:02}", profile >> 5, profile & 0x1f))
}

/// Profile, level, bit depth, chroma subsampling, colors and range, as `vpcC` has them behind its version
/// and flags.
fn vp(name: &str, config: &[u8]) -> Result<String, Error> {
    let [_, _, _, _, profile, level, depth, primaries, transfer, matrix] = head(config, "vpcC")?;
    let (bits, chroma, range) = (depth >> 4, depth >> 1 & 7, depth & 1);
    Ok(format!(
        "{name}.{profile:02}.{level:02}.{bits:02}.{chroma:02}.{primaries:02}.{transfer:02}.{matrix:02}.{range:02}"
    ))
}

/// What the features in CodecPrivate say (WebM Container Guidelines, "VP9 Codec Feature Metadata"); most
/// writers leave them out, and then only the name is known.
fn webm_vp9(mut features: &[u8]) -> Result<String, Error> {
    const PROFILE: usize = 1;
    const LEVEL: usize = 2;
    const BIT_DEPTH: usize = 3;
    let mut found = [None; 5];
    while let [id, len, rest @ ..] = features {
        let len = usize::from(*len);
        let truncated = Error::Truncated { what: "VP9 codec features", at: rest.len() };
        let (value, rest) = rest.split_at_checked(len).ok_or(truncated)?;
        if let (Some(place), [value]) = (found.get_mut(usize::from(*id)), value) {
            *place = Some(*value);
        }
        features = rest;
    }
    Ok(match (found[PROFILE], found[LEVEL], found[BIT_DEPTH]) {
        (Some(profile), Some(level), Some(depth)) => {
            format!("vp09.{profile:02}.{level:02}.{depth:02}")
        }
        _ => VP9.to_owned(),
    })
}

/// The object type of the registration authority; of MPEG-4, the audio object type behind it.
fn mpeg4_audio(esds: &[u8]) -> Result<Named, Error> {
    const MPEG_4: u8 = 0x40;
    let config = DecoderConfig::read(esds)?;
    match config.object_type {
        MPEG_4 => aac(config.specific),
        object_type @ (0x66..=0x68) => {
            let sound = aac(config.specific)?.sound;
            Ok(Named { codecs: format!("mp4a.{object_type:02x}"), sound })
        }
        object_type => Ok(silent(format!("mp4a.{object_type:02x}"))),
    }
}

fn aac(specific: &[u8]) -> Result<Named, Error> {
    let specific = Specific::read(specific)?;
    let codecs = format!("mp4a.40.{}", specific.object_type);
    let sound = Sound { sampling_rate: specific.sampling_rate, channels: specific.channels() };
    Ok(Named { codecs, sound })
}

/// By fscod and acmod (ETSI TS 102 366, tables 4.1 and 4.3).
fn dolby(fscod: u32, acmod: u32, lfe: u32) -> Sound {
    const CHANNELS: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
    Sound {
        sampling_rate: [48_000, 44_100, 32_000].get(fscod as usize).copied(),
        channels: CHANNELS.get(acmod as usize).map(|channels| channels + u16::from(lfe == 1)),
    }
}

/// `dac3` (F.4): fscod, bsid, bsmod, acmod, lfeon.
fn ac3(body: &[u8]) -> Result<Sound, Error> {
    let mut bits = Bits::new(body, "dac3");
    let fscod = bits.u(2)?;
    bits.skip(5 + 3)?;
    Ok(dolby(fscod, bits.u(3)?, bits.u(1)?))
}

/// `dec3` (F.6): the first independent substream, and the channels that its dependent ones add.
fn eac3(body: &[u8]) -> Result<Sound, Error> {
    let mut bits = Bits::new(body, "dec3");
    bits.skip(13 + 3)?; // data_rate, num_ind_sub
    let fscod = bits.u(2)?;
    bits.skip(5 + 1 + 1 + 3)?; // bsid, reserved, asvc, bsmod
    let mut sound = dolby(fscod, bits.u(3)?, bits.u(1)?);
    bits.skip(3)?;
    if bits.u(4)? > 0 {
        let locations = bits.u(9)?;
        // One each: Cs, Ts, Cvh, LFE2. Two each: Lc/Rc, Lrs/Rrs, Lsd/Rsd, Lw/Rw, Lvh/Rvh.
        let (single, double) = (locations & 0b0_0110_0011, locations & 0b1_1001_1100);
        let more = u16::try_from(single.count_ones() + 2 * double.count_ones()).unwrap_or(0);
        sound.channels = sound.channels.map(|channels| channels + more);
    }
    Ok(sound)
}

/// STREAMINFO behind `skip` bytes (RFC 9639, 8.2).
fn stream_info(body: &[u8], skip: usize) -> Result<Sound, Error> {
    let mut bits = Bits::new(body, "STREAMINFO");
    bits.skip(skip * 8 + 16 + 16 + 24 + 24)?; // sizes of blocks and frames
    let sampling_rate = Some(bits.u(20)?);
    Ok(Sound { sampling_rate, channels: u16::try_from(bits.u(3)? + 1).ok() })
}

/// `dOps`, or `OpusHead` behind its magic: the channels come second. What comes out always has 48 kHz
/// (RFC 7845, 4).
fn opus(body: &[u8]) -> Sound {
    let channels = body.get(1).map(|&channels| channels.into());
    Sound { sampling_rate: Some(48_000), channels }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(format: &[u8; 4], kind: &[u8; 4], body: &[u8]) -> Result<Option<Named>, Error> {
        let body = body.to_vec();
        let found: &'static [u8] = Box::leak(body.into_boxed_slice());
        Named::from_mp4(*format, &|wanted| (wanted == kind).then_some(found))
    }

    #[track_caller]
    fn assert_named(format: &[u8; 4], kind: &[u8; 4], body: &[u8], expected: &str) {
        let Named { codecs, sound } = named(format, kind, body).unwrap().unwrap();
        let Sound { sampling_rate, channels } = sound;
        let shown = match (sampling_rate, channels) {
            (None, None) => codecs,
            (rate, channels) => format!("{codecs} {} {}", rate.unwrap_or(0), channels.unwrap_or(0)),
        };
        assert_eq!(shown, expected);
        // Anything shorter than what was read is refused or says less, and does not panic.
        (0..body.len()).for_each(|len| _ = named(format, kind, &body[..len]));
    }

    #[test]
    fn video_is_called_by_profile_and_level() {
        assert_named(b"avc1", b"avcC", b"\x01\x64\x00\x0c\xff", "avc1.64000c");
        assert_named(b"avc3", b"avcC", b"\x01\x42\xc0\x1e", "avc3.42c01e");
        // Main, 6 compatible profiles, level 2; then Rext with space C, high tier, constraints.
        let main = b"\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x3c";
        assert_named(b"hvc1", b"hvcC", main, "hvc1.1.6.L60.90");
        let rext = b"\x01\xe4\x08\0\0\0\x9e\x08\0\x01\0\0\x78";
        assert_named(b"hev1", b"hvcC", rext, "hev1.C4.10.H120.9e.8.0.1");
        assert_named(b"dvh1", b"dvcC", b"\x01\x00\x0a\x32", "dvh1.05.06");
        assert_named(b"dvav", b"dvvC", b"\x01\x00\x13\x08", "dvav.09.33");
        assert_named(b"av01", b"av1C", b"\x81\x00\x0c\x00", "av01.0.00M.08");
        assert_named(b"av01", b"av1C", b"\x81\x2d\xe0", "av01.1.13H.12");
        assert_named(b"av01", b"av1C", b"\x81\x09\x40", "av01.0.09M.10");
        let vp9 = b"\x01\0\0\0\x02\x1f\xa3\x09\x10\x09\0\0";
        assert_named(b"vp09", b"vpcC", vp9, "vp09.02.31.10.01.09.16.09.01");
    }

    #[test]
    fn audio_is_called_by_its_object_type() {
        // FFmpeg's `esds`: 48 kHz, stereo, with the sync extension behind it.
        const FFMPEG: &[u8] =
            b"\0\0\0\0\x03\x80\x80\x80\x25\0\x02\0\x04\x80\x80\x80\x17\x40\x15\0\0\0\
            \0\0\xfa\0\0\0\xfa\0\x05\x80\x80\x80\x05\x11\x90\x56\xe5\0\x06\x80\x80\x80\x01\x02";
        assert_named(b"mp4a", b"esds", FFMPEG, "mp4a.40.2 48000 2");
        let esds = |object_type: u8, specific: &[u8]| {
            let len = u8::try_from(specific.len()).unwrap();
            let specific = [&[5, len], specific].concat();
            let config = [&[4, 13 + len + 2, object_type, 0x15], &[0; 11][..], &specific].concat();
            [&[0, 0, 0, 0, 3, u8::try_from(3 + config.len()).unwrap(), 0, 1, 0], &config[..]]
                .concat()
        };
        // SBR over 24 kHz, PS over mono, xHE-AAC by an escape with a frequency that is written out.
        assert_named(b"mp4a", b"esds", &esds(0x40, &[0x2b, 0x11, 0x88, 0]), "mp4a.40.5 48000 2");
        assert_named(b"mp4a", b"esds", &esds(0x40, &[0xeb, 0x09, 0x88, 0]), "mp4a.40.29 48000 2");
        let usac = [0xf9, 0x5e, 0x01, 0x77, 0x00, 0xc0];
        assert_named(b"mp4a", b"esds", &esds(0x40, &usac), "mp4a.40.42 48000 6");
        assert_named(b"mp4a", b"esds", &esds(0x67, &[0x12, 0x10]), "mp4a.67 44100 2");
        assert_named(b"mp4a", b"esds", &esds(0x6b, &[]), "mp4a.6b");
    }

    #[test]
    fn other_sound_is_called_by_its_name() {
        assert_named(b".mp3", b"none", b"", "mp3");
        // 48 kHz, 3/2 with LFE; 44.1 kHz, mono.
        assert_named(b"ac-3", b"dac3", b"\x10\x3d\xe0", "ac-3 48000 6");
        assert_named(b"ac-3", b"dac3", b"\x50\x09\x40", "ac-3 44100 1");
        assert_named(b"ac-3", b"none", b"", "ac-3");
        assert_named(b"ec-3", b"dec3", b"\x07\xc0\x20\x0f\x00", "ec-3 48000 6");
        // A dependent substream with Lrs/Rrs; with Cs.
        assert_named(b"ec-3", b"dec3", b"\x07\xc0\x20\x0f\x02\x80", "ec-3 48000 8");
        let flac = [&[0; 4], &b"\x80\0\0\x22"[..], &[0; 10], b"\x17\x70\x03\x70"].concat();
        assert_named(b"fLaC", b"dfLa", &flac, "flac 96000 2");
        assert_named(b"Opus", b"dOps", b"\0\x06\x01\x38", "opus 48000 6");
        assert_eq!(named(b"wvtt", b"vttC", b"").unwrap(), None);
    }

    #[test]
    fn webm_has_short_names() {
        let codecs = |id, private: &[u8]| Named::from_webm(id, private).unwrap().unwrap().codecs;
        assert_eq!(codecs("V_VP8", b""), "vp8");
        assert_eq!(codecs("V_VP9", b""), "vp9");
        assert_eq!(codecs("V_VP9", b"\x01\x01\x02\x02\x01\x1e\x03\x01\x0a"), "vp09.02.30.10");
        assert_eq!(codecs("V_VP9", b"\x01\x01\x00"), "vp9");
        assert_eq!(codecs("V_AV1", b"\x81\x04\x0c\x00"), "av01.0.04M.08");
        assert_eq!(codecs("A_VORBIS", b"\x02"), "vorbis");
        let opus = Named::from_webm("A_OPUS", b"OpusHead\x01\x02").unwrap().unwrap();
        let sound = Sound { sampling_rate: Some(48_000), channels: Some(2) };
        assert_eq!(opus, Named { codecs: "opus".to_owned(), sound });
        assert_eq!(Named::from_webm("S_TEXT/WEBVTT", b"").unwrap(), None);
        assert!(Named::from_webm("V_VP9", b"\x01\x05\0").is_err());
        assert!(Named::from_webm("V_AV1", b"").is_err());
    }

    #[test]
    fn a_configuration_that_is_not_there_is_missed() {
        for format in [b"avc1", b"hvc1", b"dvh1", b"av01", b"vp09", b"mp4a"] {
            assert!(
                matches!(named(format, b"none", b""), Err(Error::Missing { .. })),
                "{format:?}"
            );
        }
    }

    fn hex(digits: &str) -> u32 {
        u32::from_str_radix(digits, 16).unwrap()
    }

    fn decimal(digits: &str) -> u8 {
        digits.parse().unwrap()
    }

    proptest! {
        /// A name tells all of the configuration that it is made of: read back, it is what was there.
        #[test]
        fn names_are_read_back(config in any::<[u8; 13]>()) {
            let name = avc("avc3", &config).unwrap();
            let told = hex(name.strip_prefix("avc3.").unwrap()).to_be_bytes();
            prop_assert_eq!((name.len(), &told[1..]), (11, &config[1..4]));

            let name = hevc("hev1", &config).unwrap();
            let mut fields = name.split('.');
            prop_assert_eq!(fields.next(), Some("hev1"));
            let profile = fields.next().unwrap();
            let number = profile.trim_start_matches(['A', 'B', 'C']);
            let space = match profile.len() - number.len() {
                0 => 0,
                _ => profile.as_bytes()[0] - b'A' + 1,
            };
            let flags = hex(fields.next().unwrap()).reverse_bits();
            let (tier, level) = fields.next().unwrap().split_at(1);
            let mut constraints: Vec<_> = fields.map(|octet| u8::try_from(hex(octet)).unwrap()).collect();
            prop_assert_ne!(constraints.last(), Some(&0));
            constraints.resize(6, 0);
            let first = space << 6 | u8::from(tier == "H") << 5 | decimal(number);
            let told = [&[first], &flags.to_be_bytes()[..], &constraints, &[decimal(level)]].concat();
            prop_assert_eq!(told, config[1..].to_vec());

            let name = av1(&config).unwrap();
            let [_, profile, level, depth] = name.split('.').collect::<Vec<_>>().try_into().unwrap();
            let (level, tier) = level.split_at(2);
            prop_assert_eq!(decimal(profile) << 5 | decimal(level), config[1]);
            let depth = match decimal(depth) {
                8 => 0,
                10 => 0x40,
                12 => 0x60,
                other => return Err(TestCaseError::fail(format!("{other} bits"))),
            };
            // 12 bits or not says nothing of 8.
            let told = if config[2] & 0x40 == 0 { config[2] & 0x80 } else { config[2] & 0xe0 };
            prop_assert_eq!(u8::from(tier == "H") << 7 | depth, told);

            let name = vp("vp09", &config).unwrap();
            let fields: Vec<_> = name.split('.').skip(1).map(decimal).collect();
            let [profile, level, bits, chroma, primaries, transfer, matrix, range] =
                fields.try_into().unwrap();
            let depth = bits << 4 | chroma << 1 | range;
            prop_assert_eq!(&[profile, level, depth, primaries, transfer, matrix], &config[4..10]);

            let name = dolby_vision("dvh1", &config).unwrap();
            let [_, profile, level] = name.split('.').collect::<Vec<_>>().try_into().unwrap();
            let told = u16::from(decimal(profile)) << 9 | u16::from(decimal(level)) << 3;
            prop_assert_eq!(told, u16::from_be_bytes([config[2], config[3]]) & !7);
        }

        /// VP9 in WebM is named by three features, wherever they stand among others.
        #[test]
        fn features_of_vp9_are_found_wherever_they_are(
            values in any::<[u8; 3]>(),
            others in prop::collection::vec((4_u8.., prop::collection::vec(any::<u8>(), 0..5)), 0..5),
            order in Just([0, 1, 2]).prop_shuffle(),
        ) {
            let mut features = others.into_iter();
            let mut other = || features.next().map_or(Vec::new(), |(id, value)| {
                [&[id, u8::try_from(value.len()).unwrap()], &value[..]].concat()
            });
            let mut private = other();
            for at in order {
                private.extend([u8::try_from(at + 1).unwrap(), 1, values[at]]);
                private.extend(other());
            }
            let name = webm_vp9(&private).unwrap();
            let told: Vec<_> = name.split('.').skip(1).map(decimal).collect();
            prop_assert_eq!(told, values);
        }
    }
}
